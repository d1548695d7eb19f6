"""All that the notes mention of something: counted without end, told note by note with the place of each first mention.

The total is of the whole store, whatever the search for passages would have found; what is shown of it is cut. Full
text search, which knows words by their stems, gives candidates; what counts are the words as they are written.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

from ragnotes.answers import Evidence, Filters, Hit, Support
from ragnotes.asking.duplicates import outer_units
from ragnotes.asking.mention_questions import QUOTED, MentionQuestion
from ragnotes.asking.own_time import FROM_QUESTION
from ragnotes.asking.surface import Written, plain_forms
from ragnotes.asking.verbs import other_forms
from ragnotes.asking.verification import Checked
from ragnotes.asking.words import has_content
from ragnotes.forms import forms_asked, spellings_asked
from ragnotes.places import Places
from ragnotes.ports import Snapshot
from ragnotes.spelled_dates import in_words, shortly
from ragnotes.types import Chunk, DateRange, Kind, Source, Unit

__all__ = ["READ_AT_ONCE", "Mentions", "find_mentions", "of_asked_days"]

MAX_SHOWN = 10
READ_AT_ONCE = 256
"""Passages that are read from the store at a time."""

_TOKEN = re.compile(r"\S+")
_NOUNS: dict[tuple[Kind, ...], tuple[str, str]] = {
    (Kind.TRANSCRIPT,): ("transcript", "transcripts"),
    (Kind.PAPER,): ("paper", "papers"),
}


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
class _Word:
    """A word or phrase that must be there: how full text search finds it at least, and how it may be written."""

    searched: list[str]
    written: list[str]


Part = list[_Word]
"""Words that must stand in one passage."""


@dataclass(frozen=True, slots=True)
class _Mention:
    """A sentence that mentions it, in its passage; how much of what is looked for it holds, and how often."""

    chunk: Chunk
    source: Source
    unit: Unit
    share: float = 0.0
    times: int = 1

    @property
    def day(self) -> date | None:
        return self.chunk.place.date.since if self.chunk.place.date else None


def find_mentions(snapshot: Snapshot, asked: MentionQuestion, is_fresh: Callable[[Source], bool]) -> Mentions:
    """The notes that hold all parts of the subject, newest first; or the sentences that mention it, oldest first.

    Where the question asks for a time, what stands under days outside it counts only if there is nothing inside.
    """
    if not asked.parts:
        return _all_notes(snapshot, asked, is_fresh)
    wanted = [[_words(part, asked) for part in parts] for parts in asked.parts]
    found, left_out = _fresh(snapshot, _by_note(snapshot, asked, wanted), is_fresh)
    if asked.each:
        each = sorted(
            (mention for mentions in found.values() for mention in mentions if mention.times),
            key=lambda mention: (mention.day or date.max, mention.source.path, mention.unit.start),
        )
        notes = len({mention.source.doc_id for mention in each})
    else:
        each = [replace(max(mentions, key=lambda mention: mention.share), times=1) for mentions in found.values()]
        each.sort(key=_newest)
        notes = len(each)
    return _mentions(snapshot, asked, each, notes, left_out)


def _newest(mention: _Mention) -> tuple[int, str]:
    return -(mention.day or date.min).toordinal(), mention.source.path


def _mentions(
    snapshot: Snapshot, asked: MentionQuestion, found: Sequence[_Mention], notes: int, left_out: tuple[str, ...]
) -> Mentions:
    """What is told of all that was found; without a subject that is only what is to be shown."""
    shown = found[:MAX_SHOWN]
    if not shown:
        return Mentions(0, left_out=left_out)
    pieces = [_evidence(snapshot, each) for each in shown]
    total = max(notes, sum(each.times for each in found))
    first = Checked(_total(asked, total, notes), pieces[0], Support.SUPPORTED, also=tuple(pieces[1:]))
    lines = [
        Checked(_line(each, asked.each), piece, Support.SUPPORTED, own_line=True)
        for each, piece in zip(shown, pieces, strict=True)
    ]
    return Mentions(total, (first, *lines), total - sum(each.times for each in shown), left_out)


def _all_notes(snapshot: Snapshot, asked: MentionQuestion, is_fresh: Callable[[Source], bool]) -> Mentions:
    """How many notes there are; only those that are shown are read, and those whose passages are of several days."""
    inside = of_asked_days(snapshot, asked.filters)
    first: dict[str, str] = {}
    for chunk_id, doc_id in snapshot.holding([], inside, newest_first=True):
        first.setdefault(doc_id, chunk_id)
    if inside != asked.filters:
        across = [chunk_id for chunk_id, doc_id in snapshot.holding([], asked.filters) if doc_id not in first]
        for chunk, _ in _passages(snapshot, across):
            if _units(snapshot, chunk, inside):
                first.setdefault(chunk.doc_id, chunk.chunk_id)
    fresh = {source.doc_id: is_fresh(source) for source in snapshot.documents() if source.doc_id in first}
    left_out = tuple(source.path for source in snapshot.documents() if not fresh.get(source.doc_id, True))
    ids = [chunk_id for doc_id, chunk_id in first.items() if fresh.get(doc_id)]
    shown = [
        _Mention(chunk, source, units[0])
        for chunk, source in snapshot.passages(ids[:MAX_SHOWN])
        if (units := _units(snapshot, chunk, inside))
    ]
    return _mentions(snapshot, asked, sorted(shown, key=_newest), len(ids), left_out)


def of_asked_days(snapshot: Snapshot, filters: Filters) -> Filters:
    """The filters; with days that the question asks for they let only what lies inside through, if anything does."""
    if filters.source != FROM_QUESTION or filters.within:
        return filters
    inside = replace(filters, within=True)
    return inside if snapshot.any_passes(inside) else filters


def _words(part: str, asked: MentionQuestion) -> Part:
    """The words of a part with their spellings; what is quoted is one phrase, as it is written."""
    phrases = [(quoted or single).strip() for quoted, single in QUOTED.findall(part)]
    tokens = [token.strip(",;:!?()[]\"'“”„«»").rstrip(".") for token in _TOKEN.findall(QUOTED.sub(" ", part))]
    return [
        *(_Word([phrase], [phrase]) for phrase in phrases if phrase),
        *(_word(token, asked) for token in tokens if token and has_content(token)),
    ]


def _word(token: str, asked: MentionQuestion) -> _Word:
    forms = plain_forms(token, asked.language)
    others = [] if asked.strict else other_forms(token)  # "are about buying": "bought" is about it, and does not say it
    spelled = spellings_asked(token, asked.language)
    searched = [token, *forms, *forms_asked(token, asked.language), *spelled, *other_forms(token)]
    return _Word(list(dict.fromkeys(searched)), list(dict.fromkeys([*forms, *spelled, *others])))


def _by_note(snapshot: Snapshot, asked: MentionQuestion, wanted: Sequence[Sequence[Part]]) -> dict[str, list[_Mention]]:
    """Of each note that holds all parts of an alternative, the sentences that tell them, by its id."""
    inside = of_asked_days(snapshot, asked.filters)
    parts = [part for alternative in wanted for part in alternative]
    ids = [chunk_id for part in parts for chunk_id, _ in snapshot.holding([w.searched for w in part], asked.filters)]
    held: dict[str, set[int]] = defaultdict(set)
    told: dict[str, dict[tuple[int, int], _Mention]] = defaultdict(dict)
    for chunk, source in _passages(snapshot, list(dict.fromkeys(ids))):
        units = _units(snapshot, chunk, inside)
        said = [text for unit in units for text in _said(unit)]
        links = () if _is_cut(chunk, inside) else chunk.links
        whole = Written([*said, *links] if asked.each else [chunk.context, *said, *links])
        here = {number for number, part in enumerate(parts) if units and _holds(whole, part)}
        if not here:
            continue
        held[source.doc_id] |= here
        for mention in _in_chunk(chunk, source, units, [parts[number] for number in sorted(here)], wanted):
            told[source.doc_id].setdefault((mention.unit.start, mention.unit.end), mention)
    return {doc_id: list(told[doc_id].values()) for doc_id in told if _has_all(held[doc_id], wanted)}


def _has_all(held: set[int], wanted: Sequence[Sequence[Part]]) -> bool:
    """Whether all parts of an alternative are held; parts are numbered throughout."""
    first = 0
    for alternative in wanted:
        if held.issuperset(range(first, first + len(alternative))):
            return True
        first += len(alternative)
    return False


def _in_chunk(
    chunk: Chunk, source: Source, units: Sequence[Unit], parts: Sequence[Part], wanted: Sequence[Sequence[Part]]
) -> list[_Mention]:
    """The sentences that hold all words of a part; where none does, the one that holds most."""
    found = []
    for unit in units:
        written = Written(_said(unit))
        times = sum(_times(written, part) for part in parts)
        share = max(_share(written, [word for part in each for word in part]) for each in wanted)
        found.append(_Mention(chunk, source, unit, share, times))
    telling = [mention for mention in found if mention.times]
    return telling or [replace(max(found, key=lambda mention: mention.share), times=1)]


def _said(unit: Unit) -> list[str]:
    return [unit.plain, *(link.url for link in unit.links)]


def _holds(written: Written, part: Part) -> bool:
    return _share(written, part) == 1.0


def _share(written: Written, part: Part) -> float:
    """The share of the words that is there; two neighbours are there where they are written as one."""
    held = [written.holds(word.written) for word in part]
    for number in range(len(part) - 1):
        joined = [part[number].written[0] + other for other in part[number + 1].written]
        if not (held[number] and held[number + 1]) and written.count(joined):
            held[number] = held[number + 1] = True
    return sum(held) / max(len(held), 1)


def _times(written: Written, part: Part) -> int:
    """How often one word or phrase is there; a sentence that holds several words is one mention of them."""
    if not _holds(written, part):
        return 0
    return max(written.count(part[0].written), 1) if len(part) == 1 else 1


def _units(snapshot: Snapshot, chunk: Chunk, inside: Filters) -> list[Unit]:
    """The sentences of a passage, of asked days those alone that stand under these."""
    units = list(outer_units(chunk)) or [Unit(chunk.start, chunk.end, chunk.plain)]
    if not _is_cut(chunk, inside):
        return units
    document = snapshot.document(chunk.doc_id)
    places = Places(document) if document else None
    return [unit for unit in units if places and _lies_in(places.of(unit.start, unit.end).date, inside)]


def _is_cut(chunk: Chunk, inside: Filters) -> bool:
    """Whether some of the passage may stand under other days than those that are asked for."""
    return inside.within and not _lies_in(chunk.place.date, inside)


def _lies_in(days: DateRange | None, filters: Filters) -> bool:
    return days is not None and (filters.since or date.min) <= days.since and days.until <= (filters.until or date.max)


def _fresh(
    snapshot: Snapshot, found: dict[str, list[_Mention]], is_fresh: Callable[[Source], bool]
) -> tuple[dict[str, list[_Mention]], tuple[str, ...]]:
    """What is of files that are as they were indexed, and the paths of the others."""
    sources = [source for source in snapshot.documents() if source.doc_id in found]
    stale = {source.doc_id: source.path for source in sources if not is_fresh(source)}
    return {doc_id: each for doc_id, each in found.items() if doc_id not in stale}, tuple(stale.values())


def _passages(snapshot: Snapshot, ids: Sequence[str]) -> Iterator[tuple[Chunk, Source]]:
    for first in range(0, len(ids), READ_AT_ONCE):
        yield from snapshot.passages(ids[first : first + READ_AT_ONCE])


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
    one, several = _NOUNS.get(asked.filters.kinds, ("note", "notes"))
    noted = f"{notes} {one if notes == 1 else several}{f' {days}' if days else ''}"
    if asked.each:
        return f"{total} {'mention' if total == 1 else 'mentions'} of {asked.subject} in {noted}."
    if not asked.subject:
        return f"There {'is' if notes == 1 else 'are'} {noted}."
    return f"{noted} {'mentions' if notes == 1 else 'mention'} {asked.subject}."
