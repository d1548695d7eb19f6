"""Transcripts written in Markdown: paragraphs that begin with a speaker's name in bold, with or without times.

The stored text is the file itself, markup and all, as for notes; a mark at each paragraph says who speaks and, where
the file tells, from when.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from ragnotes.reading.extraction import trimmed
from ragnotes.reading.identity import document_id, stem_title
from ragnotes.reading.transcript import monotone_times
from ragnotes.types import Block, BlockKind, CueMark, Document, HeadingMark, Kind, Mark, Metadata

__all__ = ["load_markdown_transcript", "looks_like_transcript"]

_CLOCK = r"\d{1,3}(?::\d{2}){1,2}(?:[.,]\d{1,3})?"
_TIME = re.compile(rf"\s*(?:\\?[\[(](?P<before>{_CLOCK})\\?[\])]|(?P<after>{_CLOCK})(?=[ \t]*(?:\n|$)))\s*")
"""A time in brackets, which a Markdown writer escapes, or alone at the end of a line."""
_BOLD = re.compile(r"\s*(?:\*\*|__)([^*\n]{1,80}?)(?:\*\*|__)([ \t]*:)?")
_BOLD_PARTS = re.compile(
    rf"(?:\\?[\[(]?(?P<before>{_CLOCK})\\?[\])]?\s+)?(?P<name>.*?)"
    rf"(?:\s+\\?[\[(]?(?P<after>{_CLOCK})\\?[\])]?)?(?P<colon>:?)"
)
_HEADING = re.compile(r"(#{1,6})[ \t]+(\S.*?)[ \t#]*$")
_LABEL_WORDS = """
    action actions additional agenda answer attendees author back blockers cons context conclusion conclusions
    cost date day decision decisions definition description details done due duration evening example examples
    exercise feeling front further goal goals gratitude highlight highlights host idea ideas insight insights item
    items key lesson lessons link links location main meeting mood morning next note notes open owner participants
    people place points price problem pros question questions quote quotes rating reading reason reference references
    result results review scene score sleep solution source sources status step steps summary tag tags takeaway
    takeaways task tasks theorem time tip title to-do todo todos topic topics type url useful warning weather week
    work year
"""
_LABELS = frozenset(_LABEL_WORDS.split())
_FEWEST_TURNS = 6
_FEWEST_UNTIMED = 20
_TURN_SHARE = 0.5
_TURN_SHARE_UNTIMED = 0.6


def looks_like_transcript(text: str) -> bool:
    """Whether `text`, without front matter, is a conversation rather than a note with bold lead-ins.

    So it is where at least six paragraphs, and half of all, begin with a bold name and a colon or time, and at least
    two names come back. Without any time it takes more of them and a question: an interview in an article is a note.
    """
    paragraphs = [paragraph for paragraph in _paragraphs(text, 0) if not paragraph.heading]
    counts = Counter(paragraph.speaker for paragraph in paragraphs if paragraph.speaker)
    names = {name for name, count in counts.items() if count >= 2 and not _is_label(name)}
    turns = [paragraph for paragraph in paragraphs if paragraph.speaker in names]
    if len(names) < 2 or len(turns) < _FEWEST_TURNS:
        return False
    share = len(turns) / len(paragraphs)
    if any(paragraph.t_start is not None for paragraph in paragraphs):
        return share >= _TURN_SHARE
    asked = any("?" in text[turn.start : turn.end] for turn in turns)
    return asked and len(turns) >= _FEWEST_UNTIMED and share >= _TURN_SHARE_UNTIMED


def load_markdown_transcript(
    text: str, path: str, sha256: str, *, body_start: int = 0, title: str = "", metadata: Metadata | None = None
) -> Document:
    """The transcript in `text`, whose front matter ends at `body_start`; blocks are its paragraphs.

    `title` and `metadata` are what front matter says; without a title the first heading of level 1 gives one.
    """
    paragraphs = list(_paragraphs(text, body_start))
    marks: list[Mark] = [*_headings(text, paragraphs), *_cues(paragraphs)]
    first = next((mark.path[0] for mark in marks if isinstance(mark, HeadingMark) and len(mark.path) == 1), "")
    return Document(
        doc_id=document_id(path),
        path=path,
        kind=Kind.TRANSCRIPT,
        title=title or first or stem_title(path),
        titled=bool(title or first),
        text=text,
        sha256=sha256,
        marks=tuple(sorted(marks, key=lambda mark: mark.start)),
        blocks=tuple(
            Block(each.start, each.end, BlockKind.HEADING if each.heading else BlockKind.PARAGRAPH)
            for each in paragraphs
        ),
        metadata=metadata or Metadata(),
    )


@dataclass(frozen=True, slots=True)
class _Paragraph:
    """A paragraph with the level of its heading (0 for none), and the speaker and seconds that it begins with."""

    start: int
    end: int
    heading: int
    speaker: str | None
    t_start: float | None
    words: bool


def _paragraphs(text: str, body_start: int) -> Iterator[_Paragraph]:
    """Runs of lines without a blank one; a heading, and a line that a name begins, opens one of its own."""
    opened: tuple[int, int] | None = None
    end = body_start - 1
    for line in text[body_start:].split("\n"):
        start, end = end + 1, end + 1 + len(line)
        blank, heading = not line.strip(), _HEADING.match(line)
        if opened and (blank or heading or _opening(line)[0]):
            yield _paragraph(text, *opened)
            opened = None
        if heading:
            yield _paragraph(text, start, end)
        elif not blank:
            opened = (opened[0], end) if opened else (start, end)
    if opened:
        yield _paragraph(text, *opened)


def _paragraph(text: str, start: int, end: int) -> _Paragraph:
    start, end = trimmed(text, start, end)
    heading = _HEADING.match(text[start:end])
    if heading and "\n" not in text[start:end]:
        return _Paragraph(start, end, len(heading[1]), None, None, words=True)
    name, t_start, length = _opening(text[start:end])
    return _Paragraph(start, end, 0, name, t_start, words=bool(re.search(r"\w", text[start + length : end])))


def _opening(line: str) -> tuple[str | None, float | None, int]:
    """Name and seconds with which a paragraph begins, and how long they are."""
    early = _TIME.match(line)
    t_start, at = (_seconds(early), early.end()) if early else (None, 0)
    bold = _BOLD.match(line, at)
    parts = _BOLD_PARTS.fullmatch(bold[1].strip()) if bold else None
    if bold is None or parts is None or not _could_be_name(parts["name"]):
        return None, t_start, at
    late = _TIME.match(line, bold.end())
    times = [_seconds(match) for match in (early, parts, late) if match and _clock(match)]
    if not (times or parts["colon"] or bold[2]):
        return None, t_start, at
    end = late.end() if late else bold.end()
    return parts["name"], times[-1] if times else None, end + line.startswith(":", end)


def _could_be_name(name: str) -> bool:
    words = name.split()
    return bool(words) and len(words) <= 6 and len(name) <= 60 and not words[0][0].islower() and name[-1] not in "!?;"


def _is_label(name: str) -> bool:
    return any(word in _LABELS for word in re.findall(r"[\w-]+", name.casefold()))


def _clock(match: re.Match[str]) -> str | None:
    return match["before"] or match["after"]


def _seconds(match: re.Match[str]) -> float:
    total = 0.0
    for part in (_clock(match) or "0").replace(",", ".").split(":"):
        total = total * 60 + float(part)
    return total


def _headings(text: str, paragraphs: list[_Paragraph]) -> Iterator[HeadingMark]:
    path: list[tuple[int, str]] = []
    for paragraph in paragraphs:
        match = _HEADING.match(text[paragraph.start : paragraph.end])
        if paragraph.heading and match:
            path = [
                *((level, name) for level, name in path if level < paragraph.heading),
                (paragraph.heading, match[2]),
            ]
            yield HeadingMark(paragraph.start, tuple(name for _, name in path))


def _cues(paragraphs: list[_Paragraph]) -> Iterator[CueMark]:
    """A mark for each paragraph. A name without words ("**Break:**") names no speaker; a time ends at the next."""
    spoken = [paragraph for paragraph in paragraphs if not paragraph.heading]
    kept = monotone_times([paragraph.t_start for paragraph in spoken])
    ends: list[float | None] = []
    following: float | None = None
    for index in range(len(spoken) - 1, -1, -1):
        ends.append(following)
        following = spoken[index].t_start if index in kept else following
    speaker: str | None = None
    for index, (paragraph, t_end) in enumerate(zip(spoken, reversed(ends), strict=True)):
        if paragraph.speaker:
            speaker = paragraph.speaker if paragraph.words else None
        timed = index in kept
        yield CueMark(paragraph.start, paragraph.t_start if timed else None, t_end if timed else None, speaker)
