"""What was measured, as the page docs/benchmarks.md: the aims first, then the tables of each part."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from benchmarks.speed.aims import AIMS, PARTS
from benchmarks.speed.figures import Figure, Result

__all__ = ["page"]

TITLES = {
    "limits": "Limits of the machine",
    "index": "Indexing",
    "embed": "Embedding",
    "vectors": "Vectors",
    "search": "Search",
    "million": "A million passages",
    "ask": "Asking",
    "generate": "The language model",
    "memory": "Memory",
}
PLOTS = {
    "index": ("throughput", "Notes per second against the number of notes"),
    "search": ("latency", "Search latency against the number of passages"),
    "ask": ("evidence", "Time to evidence and to the first token"),
}
"""Where each plot stands, its file, and what it shows."""


def page(results: Mapping[str, Result], *, plots: Sequence[str]) -> str:
    """The whole page as Markdown. `plots` are the names of those that were drawn."""
    lines = [
        "# How fast it is",
        "",
        "Written by `make bench`: ragnotes, its peers and the limits of the machine, in turn and in several rounds,",
        "on the same input. Ratios are of one run, taken round by round; absolute times are those of the machine.",
        "`reached` goes by the median of the rounds. The sets are not part of this repository.",
        "",
        *_peers(),
        "",
        *_aims(results),
    ]
    for part in PARTS:
        if part in results:
            lines += ["", *_part(results[part], plots)]
    return "\n".join(lines) + "\n"


def _peers() -> list[str]:
    return [
        "The peers are *plain*, the pipeline that people write (RecursiveCharacterTextSplitter at 1,000/200,",
        "`encode` of sentence-transformers in fp32, FAISS flat, llama-cpp-python with the first four passages in the",
        "prompt), and *txtai* (hybrid, its own SQLite and BM25), with the same passages as plain. All use the same two",
        "models, on all cores; `benchmarks/speed/peers.txt` pins their versions.",
    ]


def _aims(results: Mapping[str, Result]) -> list[str]:
    found: dict[str, Figure] = {figure.key: figure for each in results.values() for figure in each.figures}
    rows = [
        (
            aim.what,
            aim.against,
            aim.asked,
            found[key].measured if key in found else "not measured",
            _reached(found.get(key)),
            f"`make bench BENCH={aim.part}`",
        )
        for key, aim in AIMS.items()
    ]
    reached = sum(figure.reached is True for figure in found.values())
    asked = sum(figure.reached is not None for figure in found.values())
    small = ["", "**A small run, of a few notes: its figures mean nothing.**"] if _is_small(results) else []
    table = _table(("what", "against", "asked", "measured", "reached", "command"), rows)
    return [*table, "", f"{reached} of {asked} figures reached.", *small]


def _is_small(results: Mapping[str, Result]) -> bool:
    return any(result.small for result in results.values())


def _reached(figure: Figure | None) -> str:
    if figure is None or figure.reached is None:
        return "-"
    return "yes" if figure.reached else "**no**"


def _part(result: Result, plots: Sequence[str]) -> list[str]:
    rounds = f"{result.rounds} round" + "s" * (result.rounds != 1)
    lines = [
        f"## {TITLES[result.part]}",
        "",
        f"`make bench BENCH={result.part}` on {result.day} at commit {result.commit}, {rounds}, {result.seconds:.0f} s."
        f" {result.machine}.",
    ]
    plot, told = PLOTS.get(result.part, ("", ""))
    if plot in plots:
        lines += ["", f"![{told}](benchmarks/{plot}.svg)"]
    for table in result.tables:
        lines += ["", f"{table.title}:", "", *_table(table.header, table.rows)]
        lines += ["", table.note] if table.note else []
    return lines


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = (header, ["---"] * len(header), *rows)
    return [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines]
