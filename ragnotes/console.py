"""What the command line shows a person: results on stdout, notices and progress on stderr.

Text of notes and models cannot steer the terminal: escape sequences and control characters are dropped. In a pipe
there is no colour and no wrapping, and quotes are whole.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from rich.console import Console
from rich.padding import Padding
from rich.style import Style
from rich.text import Text

from ragnotes.errors import RagnotesError
from ragnotes.file_links import Linked, no_links
from ragnotes.kinds import FileStatus, Mode, Support
from ragnotes.service.shapes import (
    AnswerShape,
    CitationShape,
    EventShape,
    HitShape,
    PassagesShape,
    PlacedShape,
    QueuedShape,
    TokenShape,
    UnmatchedShape,
)
from ragnotes.service.wording import (
    NEAREST,
    NOT_TOLD,
    Piece,
    inert,
    marked,
    nothing_then,
    plain,
    snippet,
    spot,
    why_not,
)

if TYPE_CHECKING:
    from ragnotes.events import Progress
    from ragnotes.service.wire import FileJson, FoundJson, StatusJson, SummaryJson

__all__ = [
    "Stage",
    "indexing",
    "show_answer",
    "show_error",
    "show_found",
    "show_left_out",
    "show_lines",
    "show_note",
    "show_reread",
    "show_shortfall",
    "show_status",
    "show_summary",
    "show_unmatched",
    "stdout",
    "style_of",
    "working",
]

MAX_WIDTH = 100
"""Columns: longer lines are hard to read, however wide the terminal."""
INDENT = 4
HIT_INDENT = len("  1  0.963  ")

_SHORTFALLS = {
    "late": "the deadline came first; these are the notes' own words",
}
_UNMATCHED: Mapping[str, str] = {
    "since": "--since {}: nothing is dated that day or later",
    "until": "--until {}: nothing is dated that day or earlier",
    "tags": "--tag {}: nothing has that tag",
    "paths": "--path {}: no file fits",
    "kinds": "--kind {}: there is none",
    "speakers": "--speaker {}: nobody of that name speaks",
}
_STATUS_STYLES = {
    FileStatus.INDEXED: "green",
    FileStatus.SKIPPED: "dim",
    FileStatus.STALE: "yellow",
    FileStatus.FAILED: "red",
}


def show_answer(
    answer: AnswerShape,
    *,
    explain: bool = False,
    context: bool = False,
    linked: Linked = no_links,
    told: bool = False,
) -> None:
    """The answer with numbered footnotes; an abstention with its reason and the nearest passages.

    With `explain` or `context` all passages follow, with their scores or with what stands around them. Where the
    answer was `told` already, its footnotes alone. `linked` makes links of places, on a terminal.
    """
    out = stdout()
    linked = linked if _shows_links(out) else no_links
    if answer.answered:
        if not told:
            _print(out, _marked(marked(answer)))
        for citation in answer.citations:
            out.print()
            _show_citation(out, citation, linked)
    else:
        _print(out, Text.assemble((NOT_TOLD, "bold"), f" {why_not(answer)}".rstrip()))
    if not answer.answered and answer.passages and not (explain or context):
        out.print()
        _print(out, Text("Nearest passages:", "dim"))
        for hit in answer.passages[:NEAREST]:
            _print(out, _place(hit, linked), indent=INDENT)
            _print(out, Text(snippet(hit), "dim"), indent=2 * INDENT, shorten=True)
            _show_copies(out, hit, indent=2 * INDENT)
    if explain and answer.confidence is not None:
        out.print()
        _print(out, Text(f"confidence {answer.confidence:.3f} that the notes hold the answer", "cyan"))
    if explain or context:
        out.print()
        _show_hits(out, answer.passages, linked, explain=explain, context=context)


def show_found(found: FoundJson, *, explain: bool = False, context: bool = False, linked: Linked = no_links) -> None:
    """The hits of a search by rank."""
    if not found.hits:
        nothing = nothing_then(found.filters).rstrip(".")
        show_note(nothing or ("nothing passes the filters" if _limited(found) else "nothing found"))
    out = stdout()
    _show_hits(out, found.hits, linked if _shows_links(out) else no_links, explain=explain, context=context)


def show_status(status: StatusJson) -> None:
    """Every file by outcome, trouble last, then the counts."""
    out = stdout()
    order = list(_STATUS_STYLES)
    width = max((len(plain(file.path)) for file in status.files), default=0)
    for file in sorted(status.files, key=lambda file: (order.index(file.status), file.path)):
        _print(out, _file_line(file, min(width, 60)))
    counts = ", ".join(f"{status.counts.get(outcome, 0)} {outcome}" for outcome in order)
    models = " · ".join(plain(name) for name in (status.embedder, status.model) if name)
    if status.files:
        out.print()
    _print(out, Text.assemble((counts, "bold"), (f" · generation {status.generation} · {models}", "dim")))
    if status.calibration:
        _print(out, Text(f"calibrated by {status.calibration.origin}", "dim"))


def show_summary(summary: SummaryJson, failed: Sequence[FileJson], *, on_stderr: bool = False) -> None:
    """One line on what an indexing run did, then the files that failed and why."""
    out = _stderr() if on_stderr else stdout()
    names = ("added", "changed", "moved", "removed", "unchanged", "skipped", "failed")
    files = ", ".join(f"{name} {getattr(summary, name)}" for name in names)
    work = f"{summary.chunks} chunks, {summary.embedded} embedded in {summary.seconds:.1f} s"
    _print(out, Text(f"{files}; {work}"))
    for file in failed:
        _print(out, Text.assemble(("failed", "red"), f"  {plain(file.path)}  ", (plain(file.reason or ""), "dim")))


def show_lines(lines: Sequence[str]) -> None:
    """Lines whose columns are laid out already."""
    out = stdout()
    for line in lines:
        out.print(Text(inert(line)), soft_wrap=True)


def show_left_out(paths: Sequence[str]) -> None:
    for path in paths:
        show_note(f"{plain(path)} was left out: it has changed or gone since it was indexed; run: ragnotes index")


def show_reread(paths: Sequence[str]) -> None:
    for path in paths:
        show_note(f"{plain(path)} has changed since it was indexed, and was read again for this")


def show_unmatched(unmatched: Sequence[UnmatchedShape]) -> None:
    """Which filters let nothing through, and what they might have meant."""
    for each in unmatched:
        near = f"; there is {', '.join(plain(name) for name in each.near)}" if each.near else ""
        if each.filter == "paths" and each.value.startswith(("/", "~", "./", "../")):
            near += "; paths begin below the folder of notes"
        show_note(_UNMATCHED[each.filter].format(plain(each.value)) + near)


def show_shortfall(answer: AnswerShape) -> None:
    """Why the model did not write the answer, where that is something to know or to mend."""
    reason = answer.reason or ""
    if answer.mode is Mode.EXTRACTIVE and (reason in _SHORTFALLS or reason.startswith("no ")):
        show_note(_SHORTFALLS.get(reason, reason))


def show_note(text: str) -> None:
    _print_note(_stderr(), text)


def _print_note(err: Console, text: str) -> None:
    _print(err, Text.assemble(("note:", "yellow"), f" {plain(text)}"))


def show_error(error: RagnotesError) -> None:
    """One line: what is wrong, and what to do."""
    _print(_stderr(), Text.assemble(("error:", "bold red"), f" {plain(str(error))}"))


class Stage(NamedTuple):
    """A moving line that takes the events of an answer, and can be stopped before the answer itself is shown.

    `note` is `show_note` beside it.
    """

    show: Callable[[EventShape], None]
    stop: Callable[[], None]
    note: Callable[[str], None]


@contextmanager
def working(first: str) -> Iterator[Stage]:
    """A moving line while an answer is made, on a terminal only."""
    err = _stderr()
    if not err.is_terminal:
        yield Stage(lambda _: None, lambda: None, show_note)
        return
    with err.status(Text(first, "dim")) as line:
        yield Stage(
            lambda event: line.update(Text(_stage(event, str(line.status)), "dim")),
            line.stop,
            lambda note: _print_note(err, note),
        )


@contextmanager
def indexing(*, verbose: bool) -> Iterator[Callable[[Progress], None]]:
    """A progress bar on a terminal; with `verbose` a line for each file instead; else nothing."""
    err = _stderr()
    if verbose:
        yield lambda progress: _show_outcome(err, progress)
    elif not err.is_terminal:
        yield lambda _: None
    else:
        with _bar(err) as show:
            yield show


@contextmanager
def _bar(err: Console) -> Iterator[Callable[[Progress], None]]:
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as ProgressBar

    bar = ProgressBar(
        TextColumn("{task.description}", markup=False, style="dim"),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=err,
        transient=True,
    )
    with bar:
        task = bar.add_task("loading the models", total=None)
        yield lambda progress: bar.update(
            task, completed=progress.done, total=progress.total, description=plain(progress.path)[-40:]
        )


def _show_outcome(err: Console, progress: Progress) -> None:
    if progress.outcome:
        _print(err, Text.assemble((f"{progress.outcome:<9}  ", "dim"), plain(progress.path)))


def _shows_links(out: Console) -> bool:
    """Whether links may be written: escape sequences, so to a terminal alone, and not where they are not wanted."""
    return sys.stdout.isatty() and not (out.is_dumb_terminal or out.no_color)


def stdout() -> Console:
    return _console(sys.stdout.isatty(), stderr=False)


def _stderr() -> Console:
    return _console(sys.stderr.isatty(), stderr=True)


def _console(terminal: bool, *, stderr: bool) -> Console:
    console = Console(stderr=stderr, force_terminal=terminal, highlight=False, emoji=False, markup=False)
    if terminal:
        console.width = min(console.width, MAX_WIDTH)
    return console


def _print(console: Console, text: Text, *, indent: int = 0, shorten: bool = False) -> None:
    """`text` on a terminal wrapped or shortened to its width; in a pipe one line, whole."""
    if not console.is_terminal:
        console.print(Text(" " * indent) + text, soft_wrap=True)
        return
    if shorten:
        text.truncate(console.width - indent, overflow="ellipsis")
    console.print(Padding(text, (0, 0, 0, indent), expand=False) if indent else text)


def style_of(piece: Piece) -> str:
    return "yellow" if piece.flag else "" if piece.n is None else "cyan"


def _marked(pieces: Sequence[Piece]) -> Text:
    text = Text()
    for piece in pieces:
        text.append(piece.text, style_of(piece))
    return text


def _show_citation(out: Console, citation: CitationShape, linked: Linked) -> None:
    heading = Text.assemble((f"[{citation.n}] ", "cyan"), _place(citation, linked))
    if citation.support is not Support.SUPPORTED:
        heading.append(f" · {citation.support} support", "yellow")
    _print(out, heading)
    _print(out, Text(plain(citation.quote), "dim"), indent=INDENT)
    for link in citation.links:
        out.print(Text(" " * INDENT + plain(link), "blue"), soft_wrap=True)  # broken, it could not be clicked


def _show_hits(out: Console, hits: Sequence[HitShape], linked: Linked, *, explain: bool, context: bool) -> None:
    for hit in hits:
        line = Text.assemble((f"{hit.rank:>3}  ", "cyan"), f"{hit.score:.3f}  ", _place(hit, linked))
        _print(out, line)
        if explain:
            _print(out, Text(_explained(hit), "cyan"), indent=HIT_INDENT)
        if context:
            for text, style in ((hit.before, "dim"), (hit.text, ""), (hit.after, "dim")):
                _print(out, Text(plain(text), style), indent=HIT_INDENT) if text else None
        else:
            _print(out, Text(snippet(hit), "dim"), indent=HIT_INDENT, shorten=True)
        _show_copies(out, hit, indent=HIT_INDENT)


def _explained(hit: HitShape) -> str:
    """What the score is made of: `0.46 × meaning 0.93 (cosine 0.601) + 0.54 × words 1.00 (bm25 8.1, section 9.4)`."""
    found = f"cosine {hit.cosine:.3f}", f"bm25 {hit.bm25:.1f}"
    date = f" · date {hit.date}" if hit.date else " · no date"
    if hit.signals is None:
        return " · ".join(found) + date
    signals = hit.signals
    meaning = f"{signals.dense_share:.2f} × meaning {signals.dense:.2f} ({found[0]})"
    words = f"{1 - signals.dense_share:.2f} × words {signals.lexical:.2f}"
    order = f", {signals.drawn_up} first" if signals.drawn_up else ""
    return f"{meaning} + {words} ({found[1]}, section {signals.section_bm25:.1f}){date}{order}"


def _show_copies(out: Console, hit: HitShape, *, indent: int) -> None:
    """Where else the passage stands."""
    if hit.also:
        _print(out, Text(f"also in {', '.join(spot(copy) for copy in hit.also)}", "dim"), indent=indent)


def _file_line(file: FileJson, width: int) -> Text:
    line = Text.assemble((f"{file.status:<8}", _STATUS_STYLES[file.status]), f"  {plain(file.path):<{width}}")
    if file.chunks:
        line.append(f"  {file.chunks} chunk{'s' if file.chunks > 1 else ''}", "dim")
    if file.reason:
        line.append(f"  {plain(file.reason)}", "dim")
    if file.indexed_at:
        line.append(f"  {datetime.fromisoformat(file.indexed_at).astimezone():%Y-%m-%d %H:%M}", "dim")
    line.rstrip()
    return line


def _place(placed: PlacedShape, linked: Linked) -> Text:
    """Where to look it up: `notes.md:63 · Heading > Part · 2024-01-07`, the first part linked to the file."""
    parts = [plain(part) for part in (placed.heading, placed.date) if part]
    name = Text(spot(placed), Style(bold=True, link=linked(placed)))
    return Text.assemble(name, ("".join(f" · {part}" for part in parts), "dim"))


def _limited(found: FoundJson) -> bool:
    filters = found.filters
    return bool(filters.since or filters.until or filters.tags or filters.paths or filters.kinds or filters.speakers)


def _stage(event: EventShape, now: str) -> str:
    match event:
        case QueuedShape():
            others = "another" if event.position == 1 else f"{event.position} others"
            return f"waiting for the model behind {others}"
        case PassagesShape():
            return f"reading {len(event.hits)} passages"
        case TokenShape():
            return "writing and checking"
    return now
