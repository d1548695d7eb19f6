"""An answer in words, the same in a terminal and in a chat window: sentences with markers, places, reasons.

Text of notes and models cannot steer a terminal: escape sequences and control characters are dropped. A number in
brackets that a note brings along is no citation and is shown in round ones.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING, NamedTuple

from ragnotes.kinds import Kind, Support
from ragnotes.service.shapes import (
    AnswerShape,
    EventShape,
    FiltersShape,
    HitShape,
    PlacedShape,
    SentenceShape,
    TokenShape,
)

if TYPE_CHECKING:
    from ragnotes.service.wire import CitedPlaceJson

__all__ = [
    "NEAREST",
    "NOT_TOLD",
    "Piece",
    "RunningText",
    "inert",
    "marked",
    "nothing_then",
    "plain",
    "snippet",
    "spot",
    "spot_then",
    "why_not",
]

NOT_TOLD = "The notes do not say."
"""How an abstention begins."""
NEAREST = 3
"""Passages that an abstention names."""
SNIPPET_CHARS = 160
TINY_CHARS = 60
_MAX_NUMBERS = 40

_ESCAPES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor
    r"|\x1b[\]PX^_][^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?"  # OSC and other strings: titles, links, clipboard
    r"|\x1b[ -/]*[0-~]"
)
_STEERING = "\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_CONTROL = re.compile(f"[{_STEERING}]")
_SPACE = re.compile(r"\s+")
_NUMBERS = re.compile(rf"\[( ?\d[\d,;\s–-]{{0,{_MAX_NUMBERS}}})\]")
"""Wider than a marker: nothing may pass that looks like one. Bounded, for a stream holds it back until it ends."""
_UNFINISHED = re.compile(
    rf"[\s{_STEERING}]*(?:\[[\d,;\s–{_STEERING}-]{{0,{2 * _MAX_NUMBERS}}}\]?|[\]<][{_STEERING}]*)?$"
)
"""What more text may turn into something else: white space, an open bracket with numbers, a link or tag begun."""
_HEADING = re.compile(r"^#{1,6} .*$", re.MULTILINE)
_LINK = re.compile(r"!?\[([^\]\n]*)\]\([^)\n]*\)")

_REASONS = {
    "stale": "The passages that were found are in files that have changed or gone since they were indexed.",
    "empty_index": "The index holds no text yet.",
    "filtered_out": "No passage passes the filters.",
    "no_match": "No passage is about this.",
    "low_support": "The nearest passages do not bear on the question well enough.",
    "late": "The deadline came before that was known for sure.",
}


class Piece(NamedTuple):
    """A stretch of shown text; `n` where it is a marker, which is always whole: ` [2]`.

    `flag` where it says that the sources carry the sentence badly: ` (weak)`.
    """

    text: str
    n: int | None = None
    flag: bool = False


def plain(text: str) -> str:
    """`text` on one line, without anything that a terminal would obey."""
    return " ".join(inert(text).split())


def inert(text: str) -> str:
    """`text` with its lines and columns, without anything that a terminal would obey."""
    return _CONTROL.sub("", _ESCAPES.sub("", text))


def marked(answer: AnswerShape) -> list[Piece]:
    """The sentences, each followed by its markers and flags; items on lines of their own. An abstention gives []."""
    pieces: list[Piece] = []
    for sentence in answer.sentences:
        joint = ("\n" if sentence.own_line else " ") if pieces else ""
        pieces.append(Piece(joint + _told(plain(sentence.text))))
        pieces += _markers(sentence)
    if answer.more:
        pieces.append(Piece(f"\nand {answer.more} more"))
    return pieces


class RunningText:
    """The text of one answer as its events come. All that is given, joined, is what `marked` gives in the end.

    Where a server streamed what is not in its answer, the answer is told whole, after an empty line.
    """

    def __init__(self) -> None:
        self._held = ""
        self._shown = ""

    def take(self, event: EventShape) -> list[Piece]:
        """What can be shown now that was not shown before."""
        match event:
            case TokenShape(citations=[], support=Support.SUPPORTED):
                return self._given(self._finished(self._held + event.text))
            case TokenShape():
                text = self._held + event.text
                bare = text.rstrip()
                self._held = text[len(bare) :]
                return self._given([Piece(_clean(bare)), *_markers(event)])
            case AnswerShape():
                return self._rest(marked(event))
        return []

    def _finished(self, text: str) -> Iterator[Piece]:
        """The part of `text` that no more text can change; the other part is held back."""
        escape = re.search("[\x1b\x90\x98\x9b\x9d-\x9f]", text)
        end = escape.start() if escape else len(text)
        held = _UNFINISHED.search(text[:end])
        end = held.start() if held else end
        self._held = text[end:]
        yield Piece(_clean(text[:end]))

    def _given(self, pieces: Iterable[Piece]) -> list[Piece]:
        given = []
        for piece in pieces:
            text = piece.text if self._shown else piece.text.lstrip()
            if text:
                given.append(piece._replace(text=text))
                self._shown += text
        return given

    def _rest(self, whole: Sequence[Piece]) -> list[Piece]:
        """What is still to be shown of the whole; white space does not count, it may be laid out in other ways."""
        shown, text = _bare(self._shown), _bare("".join(piece.text for piece in whole))
        if not text.startswith(shown):
            return self._given([Piece("\n\n"), *whole])
        rest, past = [], len(shown)
        for piece in whole:
            size = len(_bare(piece.text))
            if size > past:
                rest.append(piece._replace(text=_without(piece.text, past)) if past else piece)
            past = max(0, past - size)
        return self._given(rest)


def why_not(answer: AnswerShape) -> str:
    """Why the notes do not say, as a sentence; "" where nothing is known."""
    reason = _REASONS.get(answer.reason or "", plain(answer.reason or ""))
    if answer.total == 0 and answer.reason == "no_match":
        return "No note mentions this."
    return nothing_then(answer.filters) or reason if answer.reason == "filtered_out" else reason


def nothing_then(filters: FiltersShape) -> str:
    """That nothing is of the days asked for; "" where other filters may be the reason."""
    if filters.tags or filters.paths or filters.kinds or filters.speakers or not (filters.since or filters.until):
        return ""
    from ragnotes.spelled_dates import in_words

    since, until = (date.fromisoformat(day) if day else None for day in (filters.since, filters.until))
    return f"There is nothing in your notes {in_words(since, until)}."


def spot(placed: PlacedShape) -> str:
    """Where to look it up: `notes.md:63`, `paper.pdf p. 2`, `talk.vtt 12:31–12:58 Ana`."""
    path = plain(placed.path)
    if placed.kind is Kind.TRANSCRIPT and placed.t_start is not None:
        until = f"–{_clock(placed.t_end)}" if placed.t_end is not None else ""
        speaker = f" {plain(placed.speaker)}" if placed.speaker else ""
        return f"{path} {_clock(placed.t_start)}{until}{speaker}"
    if placed.kind is Kind.TRANSCRIPT and placed.speaker:
        return f"{path} {plain(placed.speaker)}"
    return _in_document(path, placed.page, placed.line)


def spot_then(cited: CitedPlaceJson) -> str:
    """Where an earlier answer was cited from, as `spot` names it; when a transcript's turn ended is not kept."""
    path = plain(cited.path)
    if cited.t_start is not None:
        return f"{path} {_clock(cited.t_start)}"
    return _in_document(path, cited.page, cited.line)


def _in_document(path: str, page: int | None, line: int | None) -> str:
    if page is not None:
        return f"{path} p. {page}"
    return f"{path}:{line}" if line is not None else path


def snippet(hit: HitShape) -> str:
    """The beginning of a passage, without headings, which its place names already, and without the targets of links.

    A tiny passage is shown with what stands around it, where that is known.
    """
    body = _words(hit.text) or plain(hit.text)
    if len(body) < TINY_CHARS:
        room = (SNIPPET_CHARS - len(body)) // 2
        body = " ".join(part for part in (_words(hit.before or "")[-room:], body, _words(hit.after or "")) if part)
    return body if len(body) <= SNIPPET_CHARS else f"{body[: SNIPPET_CHARS - 1].rstrip()}…"


def _markers(ended: SentenceShape | TokenShape) -> Iterator[Piece]:
    """What follows a sentence: the numbers of its citations, and a flag where they do not carry it well."""
    for n in ended.citations:
        yield Piece(f" [{n}]", n)
    if ended.support is not Support.SUPPORTED:
        yield Piece(f" ({ended.support})", flag=True)


def _told(text: str) -> str:
    return _NUMBERS.sub(r"(\1)", text)


def _clean(text: str) -> str:
    """As `plain`, but a stretch keeps the space or the new line that it begins with."""
    text = inert(text)
    start = text[: len(text) - len(text.lstrip())]
    return ("\n" if "\n" in start else start[:1]) + _told(_SPACE.sub(" ", text.lstrip()))


def _bare(text: str) -> str:
    return "".join(text.split())


def _without(text: str, count: int) -> str:
    """`text` behind its first `count` characters that are no white space."""
    ends = [match.end() for match in re.finditer(r"\S", text)]
    return text[ends[count - 1] :]


def _words(source: str) -> str:
    return plain(_LINK.sub(r"\1", _HEADING.sub("", source)))


def _clock(seconds: float) -> str:
    """`12:31`, from an hour on `1:02:31`."""
    minutes, second = divmod(int(seconds), 60)
    hour, minute = divmod(minutes, 60)
    return f"{hour}:{minute:02}:{second:02}" if hour else f"{minute}:{second:02}"
