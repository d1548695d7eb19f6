"""What the command line shows a person: results on stdout, notices and progress on stderr.

Text of notes and models cannot steer the terminal: escape sequences and control characters are dropped. In a pipe
there is no colour and no wrapping, and quotes are whole.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date

from rich.console import Console
from rich.padding import Padding
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as ProgressBar
from rich.text import Text

from ragnotes.answers import Mode, Support
from ragnotes.errors import RagnotesError
from ragnotes.events import Progress
from ragnotes.service.wire import (
    AnswerJson,
    CitationJson,
    EventJson,
    FileJson,
    FiltersJson,
    FoundJson,
    HitJson,
    PassagesJson,
    PlacedJson,
    QueuedJson,
    StatusJson,
    SummaryJson,
    TokenJson,
    UnmatchedJson,
)
from ragnotes.spelled_dates import in_words
from ragnotes.types import FileStatus, Kind

__all__ = [
    "indexing",
    "plain",
    "show_answer",
    "show_error",
    "show_found",
    "show_left_out",
    "show_lines",
    "show_note",
    "show_shortfall",
    "show_status",
    "show_summary",
    "show_unmatched",
    "working",
]

MAX_WIDTH = 100
"""Columns: longer lines are hard to read, however wide the terminal."""
NEAREST = 3
INDENT = 4
HIT_INDENT = len("  1  0.963  ")
SNIPPET_CHARS = 160
TINY_CHARS = 60

_ESCAPES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor
    r"|\x1b[\]PX^_][^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?"  # OSC and other strings: titles, links, clipboard
    r"|\x1b[ -/]*[0-~]"
)
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_HEADING = re.compile(r"^#{1,6} .*$", re.MULTILINE)
_LINK = re.compile(r"!?\[([^\]\n]*)\]\([^)\n]*\)")

_REASONS = {
    "stale": "The passages that were found are in files that have changed or gone since they were indexed.",
    "empty_index": "The index holds no text yet.",
    "filtered_out": "No passage passes the filters.",
    "no_match": "No passage is about this.",
    "low_support": "The nearest passages do not bear on the question well enough.",
}
_SHORTFALLS = {
    "late": "the model was too slow for the deadline; these are the notes' own words",
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


def plain(text: str) -> str:
    """`text` on one line, without anything that a terminal would obey."""
    return " ".join(_CONTROL.sub("", _ESCAPES.sub("", text)).split())


def show_answer(answer: AnswerJson, *, explain: bool = False, context: bool = False) -> None:
    """The answer with numbered footnotes; an abstention with its reason and the nearest passages.

    With `explain` or `context` all passages follow, with their scores or with what stands around them.
    """
    out = _stdout()
    if answer.answered:
        _print(out, _marked(answer))
        for citation in answer.citations:
            out.print()
            _show_citation(out, citation)
    else:
        reason = _REASONS.get(answer.reason or "", plain(answer.reason or ""))
        if answer.total == 0 and answer.reason == "no_match":
            reason = "No note mentions this."
        if answer.reason == "filtered_out":
            reason = _nothing_then(answer.filters) or reason
        _print(out, Text.assemble(("The notes do not say.", "bold"), f" {reason}".rstrip()))
    if not answer.answered and answer.passages and not (explain or context):
        out.print()
        _print(out, Text("Nearest passages:", "dim"))
        for hit in answer.passages[:NEAREST]:
            _print(out, _place(hit), indent=INDENT)
            _print(out, _snippet(hit), indent=2 * INDENT, shorten=True)
            _show_copies(out, hit, indent=2 * INDENT)
    if explain and answer.confidence is not None:
        out.print()
        _print(out, Text(f"confidence {answer.confidence:.3f} that the notes hold the answer", "cyan"))
    if explain or context:
        out.print()
        _show_hits(out, answer.passages, explain=explain, context=context)


def show_found(found: FoundJson, *, explain: bool = False, context: bool = False) -> None:
    """The hits of a search by rank."""
    if not found.hits:
        nothing_then = _nothing_then(found.filters).rstrip(".")
        show_note(nothing_then or ("nothing passes the filters" if _limited(found) else "nothing found"))
    _show_hits(_stdout(), found.hits, explain=explain, context=context)


def show_status(status: StatusJson) -> None:
    """Every file by outcome, trouble last, then the counts."""
    out = _stdout()
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
    out = _stderr() if on_stderr else _stdout()
    names = ("added", "changed", "moved", "removed", "unchanged", "skipped", "failed")
    files = ", ".join(f"{name} {getattr(summary, name)}" for name in names)
    work = f"{summary.chunks} chunks, {summary.embedded} embedded in {summary.seconds:.1f} s"
    _print(out, Text(f"{files}; {work}"))
    for file in failed:
        _print(out, Text.assemble(("failed", "red"), f"  {plain(file.path)}  ", (plain(file.reason or ""), "dim")))


def show_lines(lines: Sequence[str]) -> None:
    """Lines whose columns are laid out already."""
    out = _stdout()
    for line in lines:
        out.print(Text(_CONTROL.sub("", _ESCAPES.sub("", line))), soft_wrap=True)


def show_left_out(paths: Sequence[str]) -> None:
    for path in paths:
        show_note(f"{plain(path)} was left out: it has changed or gone since it was indexed; run: ragnotes index")


def show_unmatched(unmatched: Sequence[UnmatchedJson]) -> None:
    """Which filters let nothing through, and what they might have meant."""
    for each in unmatched:
        near = f"; there is {', '.join(plain(name) for name in each.near)}" if each.near else ""
        show_note(_UNMATCHED[each.filter].format(plain(each.value)) + near)


def show_shortfall(answer: AnswerJson) -> None:
    """Why the model did not write the answer, where that is something to know or to mend."""
    reason = answer.reason or ""
    if answer.mode is Mode.EXTRACTIVE and (reason in _SHORTFALLS or reason.startswith("no ")):
        show_note(_SHORTFALLS.get(reason, reason))


def show_note(text: str) -> None:
    _print(_stderr(), Text.assemble(("note:", "yellow"), f" {plain(text)}"))


def show_error(error: RagnotesError) -> None:
    """One line: what is wrong, and what to do."""
    _print(_stderr(), Text.assemble(("error:", "bold red"), f" {plain(str(error))}"))


@contextmanager
def working(first: str) -> Iterator[Callable[[EventJson], None]]:
    """A moving line while an answer is made, on a terminal only; the yielded function takes its events."""
    err = _stderr()
    if not err.is_terminal:
        yield lambda _: None
        return
    with err.status(Text(first, "dim")) as line:
        yield lambda event: line.update(Text(_stage(event, str(line.status)), "dim"))


@contextmanager
def indexing(*, verbose: bool) -> Iterator[Callable[[Progress], None]]:
    """A progress bar on a terminal; with `verbose` a line for each file instead; else nothing."""
    err = _stderr()
    if verbose:
        yield lambda progress: _print(err, Text(plain(progress.path))) if progress.path else None
    elif not err.is_terminal:
        yield lambda _: None
    else:
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


def _stdout() -> Console:
    return _console(sys.stdout.isatty(), stderr=False)


def _stderr() -> Console:
    return _console(sys.stderr.isatty(), stderr=True)


def _console(terminal: bool, *, stderr: bool) -> Console:
    console = Console(stderr=stderr, highlight=False, emoji=False, markup=False)
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


def _marked(answer: AnswerJson) -> Text:
    """The sentences, each followed by the numbers of its citations; items on lines of their own."""
    text = Text()
    for sentence in answer.sentences:
        text.append(("\n" if sentence.own_line else " ") if text else "").append(plain(sentence.text))
        for number in sentence.citations:
            text.append(f" [{number}]", "cyan")
        if sentence.support is not Support.SUPPORTED:
            text.append(f" ({sentence.support})", "yellow")
    if answer.more:
        text.append(f"\nand {answer.more} more", "dim")
    return text


def _show_citation(out: Console, citation: CitationJson) -> None:
    heading = Text.assemble((f"[{citation.n}] ", "cyan"), _place(citation))
    if citation.support is not Support.SUPPORTED:
        heading.append(f" · {citation.support} support", "yellow")
    _print(out, heading)
    _print(out, Text(plain(citation.quote), "dim"), indent=INDENT, shorten=True)
    for link in citation.links:
        _print(out, Text(plain(link), "blue"), indent=INDENT)


def _show_hits(out: Console, hits: Sequence[HitJson], *, explain: bool, context: bool) -> None:
    for hit in hits:
        line = Text.assemble((f"{hit.rank:>3}  ", "cyan"), f"{hit.score:.3f}  ", _place(hit))
        _print(out, line)
        if explain:
            _print(out, Text(_explained(hit), "cyan"), indent=HIT_INDENT)
        if context:
            for text, style in ((hit.before, "dim"), (hit.text, ""), (hit.after, "dim")):
                _print(out, Text(plain(text), style), indent=HIT_INDENT) if text else None
        else:
            _print(out, _snippet(hit), indent=HIT_INDENT, shorten=True)
        _show_copies(out, hit, indent=HIT_INDENT)


def _explained(hit: HitJson) -> str:
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


def _show_copies(out: Console, hit: HitJson, *, indent: int) -> None:
    """Where else the passage stands."""
    if hit.also:
        _print(out, Text(f"also in {', '.join(_spot(copy) for copy in hit.also)}", "dim"), indent=indent)


def _file_line(file: FileJson, width: int) -> Text:
    line = Text.assemble((f"{file.status:<8}", _STATUS_STYLES[file.status]), f"  {plain(file.path):<{width}}")
    if file.chunks:
        line.append(f"  {file.chunks} chunk{'s' if file.chunks > 1 else ''}", "dim")
    if file.reason:
        line.append(f"  {plain(file.reason)}", "dim")
    line.rstrip()
    return line


def _place(placed: PlacedJson) -> Text:
    """Where to look it up: `notes.md:63 · Heading > Part · 2024-01-07`."""
    parts = [plain(part) for part in (placed.heading, placed.date) if part]
    return Text.assemble((_spot(placed), "bold"), ("".join(f" · {part}" for part in parts), "dim"))


def _spot(placed: PlacedJson) -> str:
    path = plain(placed.path)
    if placed.kind is Kind.TRANSCRIPT and placed.t_start is not None:
        until = f"–{_clock(placed.t_end)}" if placed.t_end is not None else ""
        speaker = f" {plain(placed.speaker)}" if placed.speaker else ""
        return f"{path} {_clock(placed.t_start)}{until}{speaker}"
    if placed.kind is Kind.TRANSCRIPT and placed.speaker:
        return f"{path} {plain(placed.speaker)}"
    if placed.page is not None:
        return f"{path} p. {placed.page}"
    return f"{path}:{placed.line}" if placed.line is not None else path


def _clock(seconds: float) -> str:
    """`12:31`, from an hour on `1:02:31`."""
    minutes, second = divmod(int(seconds), 60)
    hour, minute = divmod(minutes, 60)
    return f"{hour}:{minute:02}:{second:02}" if hour else f"{minute}:{second:02}"


def _snippet(hit: HitJson) -> Text:
    """The beginning of a passage, without headings, which its place names already, and without the targets of links.

    A tiny passage is shown with what stands around it, where that is known.
    """
    body = _words(hit.text) or plain(hit.text)
    if len(body) < TINY_CHARS:
        room = (SNIPPET_CHARS - len(body)) // 2
        body = " ".join(part for part in (_words(hit.before or "")[-room:], body, _words(hit.after or "")) if part)
    return Text(body if len(body) <= SNIPPET_CHARS else f"{body[: SNIPPET_CHARS - 1].rstrip()}…", "dim")


def _words(source: str) -> str:
    return plain(_LINK.sub(r"\1", _HEADING.sub("", source)))


def _nothing_then(filters: FiltersJson) -> str:
    """That nothing is of the days asked for; "" where other filters may be the reason."""
    if filters.tags or filters.paths or filters.kinds or filters.speakers or not (filters.since or filters.until):
        return ""
    since, until = (date.fromisoformat(day) if day else None for day in (filters.since, filters.until))
    return f"There is nothing in your notes {in_words(since, until)}."


def _limited(found: FoundJson) -> bool:
    filters = found.filters
    return bool(filters.since or filters.until or filters.tags or filters.paths or filters.kinds or filters.speakers)


def _stage(event: EventJson, now: str) -> str:
    match event:
        case QueuedJson():
            return f"waiting for the model behind {event.position} others"
        case PassagesJson():
            return f"reading {len(event.hits)} passages"
        case TokenJson():
            return "writing and checking"
    return now
