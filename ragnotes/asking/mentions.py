"""All that the notes mention of something: counted without end, told note by note with the place of each first mention.

The total is of the whole store, whatever the search for passages would have found; what is shown of it is cut.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date

from ragnotes.answers import Evidence, Hit, Support
from ragnotes.asking.mention_questions import MentionQuestion
from ragnotes.asking.verbs import other_forms
from ragnotes.asking.verification import Checked
from ragnotes.asking.words import has_content, held_stems, stems
from ragnotes.forms import forms_asked, spellings_asked
from ragnotes.languages import language_of
from ragnotes.places import Places
from ragnotes.ports import Snapshot
from ragnotes.spelled_dates import in_words, shortly
from ragnotes.types import Chunk, Source, Unit

__all__ = ["READ_AT_ONCE", "Mentions", "find_mentions", "outer_units"]

MAX_SHOWN = 10
READ_AT_ONCE = 256
"""Passages that are read from the store at a time."""

_QUOTED = re.compile(r"[\"“”„«]([^\"“”„«»]+)[\"“”»]")
_TOKEN = re.compile(r"\S+")
_OR = re.compile(r"\s+(?:or|oder|o|ou)\s+", re.IGNORECASE)

Wanted = list[list[str]]
"""Every word that must be there, in all its spellings."""


@dataclass(frozen=True, slots=True)
class Mentions:
    """How many notes (or mentions, where those are counted) there are, the sentences that tell it, and what was cut.

    `left_out` are the files that changed or went since they were indexed, and were not counted.
    """

    total: int
    told: tuple[Checked, ...] = ()
    more: int = 0
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Mention:
    """A sentence that mentions it, in its passage."""

    chunk: Chunk
    source: Source
    unit: Unit

    @property
    def day(self) -> date | None:
        return self.chunk.place.date.since if self.chunk.place.date else None


@dataclass(slots=True)
class _Looked:
    """What of the store was looked at: passages by note, notes that are fresh, and files that are not."""

    chunks: dict[str, dict[str, None]] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)


def find_mentions(snapshot: Snapshot, asked: MentionQuestion, is_fresh: Callable[[Source], bool]) -> Mentions:
    """The notes that hold all words of the subject in one passage, newest first; or each mention, oldest first."""
    wanted = [_wanted(part) for part in _OR.split(asked.subject) if has_content(part)] or [[]]
    looked = _look(snapshot, wanted, asked, is_fresh)
    if asked.each:
        found = _every(snapshot, looked, wanted)
        found.sort(key=lambda each: (each.day or date.max, each.source.path, each.unit.start))
        notes = len({each.source.doc_id for each in found})
    else:
        found = _first_of_each(snapshot, looked, wanted)
        found.sort(key=lambda each: (-(each.day or date.min).toordinal(), each.source.path))
        notes = len(found)
    shown = found[:MAX_SHOWN]
    if not shown:
        return Mentions(0, left_out=tuple(looked.left_out))
    pieces = [_evidence(snapshot, each) for each in shown]
    total = Checked(_total(asked, len(found), notes), pieces[0], Support.SUPPORTED, also=tuple(pieces[1:]))
    lines = [
        Checked(_line(each, asked.each), piece, Support.SUPPORTED, own_line=True)
        for each, piece in zip(shown, pieces, strict=True)
    ]
    return Mentions(len(found), (total, *lines), len(found) - len(shown), tuple(looked.left_out))


def _wanted(subject: str) -> Wanted:
    """The words of the subject with their spellings; what is quoted is one phrase."""
    phrases = [[phrase.strip()] for phrase in _QUOTED.findall(subject) if phrase.strip()]
    words = [token.strip(".,;:!?()[]\"'“”„«»") for token in _TOKEN.findall(_QUOTED.sub(" ", subject))]
    language = language_of(subject)
    return [
        *phrases,
        *(
            [word, *forms_asked(word, language), *spellings_asked(word, language), *other_forms(word)]
            for word in words
            if word and has_content(word)
        ),
    ]


def _look(
    snapshot: Snapshot, wanted: Sequence[Wanted], asked: MentionQuestion, is_fresh: Callable[[Source], bool]
) -> _Looked:
    looked = _Looked()
    for words in wanted:
        for chunk_id, doc_id in snapshot.holding(words, asked.filters):
            looked.chunks.setdefault(doc_id, {})[chunk_id] = None
    for source in snapshot.documents():
        if source.doc_id in looked.chunks and not is_fresh(source):
            looked.left_out.append(source.path)
            del looked.chunks[source.doc_id]
    return looked


def _passages(snapshot: Snapshot, ids: Sequence[Sequence[str]]) -> Iterator[tuple[Chunk, Source]]:
    flat = [chunk_id for each in ids for chunk_id in each]
    for first in range(0, len(flat), READ_AT_ONCE):
        yield from snapshot.passages(flat[first : first + READ_AT_ONCE])


def _every(snapshot: Snapshot, looked: _Looked, wanted: Sequence[Wanted]) -> list[_Mention]:
    """Each sentence that mentions it, once; a passage whose words are spread over sentences counts as one mention.

    What only a title or heading says is none.
    """
    seen: dict[tuple[str, int, int], _Mention] = {}
    for chunk, source in _passages(snapshot, [list(ids) for ids in looked.chunks.values()]):
        said = " ".join((*(unit.plain for unit in outer_units(chunk)), *chunk.links))
        whole = Unit(chunk.start, chunk.end, said)
        if not _holds_all(whole, wanted):
            continue
        for mention in _in_chunk(chunk, source, wanted):
            seen.setdefault((source.doc_id, mention.unit.start, mention.unit.end), mention)
    return list(seen.values())


def _first_of_each(snapshot: Snapshot, looked: _Looked, wanted: Sequence[Wanted]) -> list[_Mention]:
    """The first sentence of each note that holds all words; else the first passage's that holds most."""
    first: dict[str, _Mention] = {}
    whole: dict[str, _Mention] = {}
    for chunk, source in _passages(snapshot, [list(ids) for ids in looked.chunks.values()]):
        if source.doc_id not in whole:
            mention = next(_in_chunk(chunk, source, wanted))
            first.setdefault(source.doc_id, mention)
            if _holds_all(mention.unit, wanted):
                whole[source.doc_id] = mention
    return [whole.get(doc_id, mention) for doc_id, mention in first.items()]


def _in_chunk(chunk: Chunk, source: Source, wanted: Sequence[Wanted]) -> Iterator[_Mention]:
    """The sentences that hold all words; where none does, the one that holds most."""
    counted = [(max(_held(unit, words) for words in wanted), unit) for unit in outer_units(chunk)]
    whole = [unit for share, unit in counted if share == 1.0]
    best = max(counted, key=lambda item: item[0], default=(0.0, Unit(chunk.start, chunk.end, chunk.plain)))[1]
    for unit in whole or [best]:
        yield _Mention(chunk, source, unit)


def outer_units(chunk: Chunk) -> Iterator[Unit]:
    """The units that lie in no other: no sentence counts twice."""
    end = -1
    for unit in chunk.units:
        if unit.start >= end:
            yield unit
            end = unit.end


def _holds_all(unit: Unit, wanted: Sequence[Wanted]) -> bool:
    return any(_held(unit, words) == 1.0 for words in wanted)


def _held(unit: Unit, wanted: Wanted) -> float:
    """The share of the words that the unit holds."""
    held = held_stems(" ".join((unit.plain, *(link.url for link in unit.links))))
    return sum(any(set(stems(spelling)) <= held for spelling in word) for word in wanted) / max(len(wanted), 1)


def _evidence(snapshot: Snapshot, mention: _Mention) -> Evidence:
    chunk, unit = mention.chunk, mention.unit
    document = snapshot.document(mention.source.doc_id)
    return Evidence(
        hit=Hit(chunk, mention.source, rank=1, score=1.0, cosine=0.0, bm25=0.0),
        unit=unit,
        text=chunk.text[unit.start - chunk.start : unit.end - chunk.start],
        score=1.0,
        cosine=0.0,
        coverage=1.0,
        place=Places(document).of(unit.start, unit.end) if document else chunk.place,
        links=tuple(dict.fromkeys(link.url for link in unit.links)),
    )


def _line(mention: _Mention, each: bool) -> str:
    """The note, its day, and what it says: `log.md (2024-01-07): Read about FAISS`."""
    when = mention.chunk.place.date
    label = shortly(when) if each and when else mention.source.path + (f" ({shortly(when)})" if when else "")
    return f"{label}: {mention.unit.shown or mention.unit.plain}"


def _total(asked: MentionQuestion, total: int, notes: int) -> str:
    """The sentence that tells the total."""
    days = in_words(asked.filters.since, asked.filters.until)
    noted = f"{notes} {'note' if notes == 1 else 'notes'}{f' {days}' if days else ''}"
    if asked.each:
        return f"{total} {'mention' if total == 1 else 'mentions'} of {asked.subject} in {noted}."
    if not asked.subject:
        return f"There {'is' if notes == 1 else 'are'} {noted}."
    return f"{noted} {'mentions' if notes == 1 else 'mention'} {asked.subject}."
