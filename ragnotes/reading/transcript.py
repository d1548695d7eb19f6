"""Transcripts from caption files and Whisper's JSON: bytes to a Document that reads as running text.

A cue breaks wherever its line was full, so cues of one speaker are joined again into paragraphs, and paragraphs are
cut into passages at the ends of sentences. A mark at the start of each cue keeps its time and speaker.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import replace

from ragnotes.reading.captions import Cue, read_cues, read_whisper
from ragnotes.reading.decoding import decode
from ragnotes.reading.extraction import trimmed
from ragnotes.reading.identity import document_id, sha256_of, stem_title
from ragnotes.reading.rolling import without_repeats
from ragnotes.reading.speakers import SENTENCE_END, Turn, joint, pause_s, turns_of
from ragnotes.types import Block, BlockKind, CueMark, Document, Kind, Metadata

__all__ = ["load_transcript", "monotone_times"]

_PARAGRAPH = "\n\n"
_PAUSE_S = 2.0
"""A silence this long after a sentence begins a paragraph."""
_PASSAGE_CHARS = (240, 480)
"""About 40 to 80 words: a passage closes at the first sentence end after the one, at a cue before the other."""
_SENTENCE_BREAK = re.compile(r"[.!?…][\"'”’»)\]]*(?=\s)|[。！？][」』）]*")
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\u0e00-\u0e7f]")
_UNSPACED_WEIGHT = 3
"""A character of Chinese, Japanese or Thai says about as much as this many of an alphabet."""


def load_transcript(content: bytes, path: str) -> Document:
    """The transcript in a caption file, or in Whisper's JSON where the suffix is .json.

    An empty file gives a Document with empty text. Raises LoadError: "undecodable", "damaged" where no cue can be
    read, or "not_a_transcript" for JSON that Whisper did not write.
    """
    source = decode(content).text
    cues = read_whisper(source) if path.casefold().endswith(".json") else read_cues(source)
    turns = _timely(turns_of(without_repeats(cues)))
    text, marks = _joined(turns)
    title, language = _header(source)
    return Document(
        doc_id=document_id(path),
        path=path,
        kind=Kind.TRANSCRIPT,
        title=title or stem_title(path),
        titled=bool(title),
        text=text,
        sha256=sha256_of(content),
        marks=marks,
        blocks=tuple(_passages(text, marks)),
        metadata=Metadata(language=language),
    )


def monotone_times(starts: Sequence[float | None]) -> set[int]:
    """The indexes of a longest run of times that never goes back; a stray time far ahead costs only itself."""
    tails: list[tuple[float, int]] = []  # the smallest last time of a run of each length, and where it stands
    before: dict[int, int] = {}
    for index, start in enumerate(starts):
        if start is None:
            continue
        length = bisect_right(tails, start, key=lambda tail: tail[0])
        before[index] = tails[length - 1][1] if length else -1
        tails[length : length + 1] = [(start, index)]
    kept = set()
    index = tails[-1][1] if tails else -1
    while index >= 0:
        kept.add(index)
        index = before[index]
    return kept


def _timely(turns: Sequence[Turn]) -> list[Turn]:
    """The turns without times that go back."""
    kept = monotone_times([turn.cue.t_start for turn in turns])
    timely = []
    for index, turn in enumerate(turns):
        cue = turn.cue
        if index not in kept or cue.t_start is None:
            cue = replace(cue, t_start=None, t_end=None)
        elif cue.t_end is not None and cue.t_end < cue.t_start:
            cue = replace(cue, t_end=None)
        timely.append(replace(turn, cue=cue))
    return timely


def _joined(turns: Sequence[Turn]) -> tuple[str, tuple[CueMark, ...]]:
    text: list[str] = []
    marks: list[CueMark] = []
    length = 0
    last: Cue | None = None
    for turn in turns:
        cue = turn.cue
        if last is not None:
            rests = pause_s(last, cue) > _PAUSE_S and SENTENCE_END.search(last.text)
            text.append(_PARAGRAPH if turn.breaks or rests else joint(last.text, cue.text))
            length += len(text[-1])
        marks.append(CueMark(length, cue.t_start, cue.t_end, cue.speaker))
        text.append(cue.text)
        length += len(cue.text)
        last = cue
    return "".join(text), tuple(marks)


def _passages(text: str, marks: Sequence[CueMark]) -> Iterator[Block]:
    """Paragraphs cut at ends of sentences; where none comes in time, between two cues."""
    cue_starts = [mark.start for mark in marks]
    start = 0
    for paragraph in text.split(_PARAGRAPH):
        end = start + len(paragraph)
        for first, last in _cuts(text, start, end, cue_starts):
            span = trimmed(text, first, last)
            if span[0] < span[1]:
                yield Block(*span, BlockKind.CUE)
        start = end + len(_PARAGRAPH)


def _cuts(text: str, start: int, end: int, cue_starts: Sequence[int]) -> Iterator[tuple[int, int]]:
    weight = _UNSPACED_WEIGHT if 2 * len(_UNSPACED.findall(text, start, end)) > end - start else 1
    shortest, longest = (limit // weight for limit in _PASSAGE_CHARS)
    while end - start > longest:
        sentence = _SENTENCE_BREAK.search(text, start + shortest, start + longest)
        cut = sentence.end() if sentence else _cue_border(cue_starts, start, start + longest, end)
        yield start, cut
        start = cut
    yield start, end


def _cue_border(cue_starts: Sequence[int], start: int, ideal: int, end: int) -> int:
    """The last cue's start in (start, ideal], or else the first one after; `end` where the cue is the last."""
    at = bisect_right(cue_starts, ideal)
    if at and cue_starts[at - 1] > start:
        return cue_starts[at - 1]
    return min(cue_starts[at], end) if at < len(cue_starts) else end


def _header(source: str) -> tuple[str, str | None]:
    """Title and language that a WebVTT file states of itself."""
    if not source.startswith("WEBVTT"):
        return "", None
    head = source.split("\n\n", 1)[0]
    title = re.match(r"WEBVTT[ \t]+[-–—][ \t]+(.+)", head)
    language = re.search(r"^Language:[ \t]*([\w-]{2,12})", head, re.MULTILINE)
    return " ".join(title[1].split()) if title else "", language[1] if language else None
