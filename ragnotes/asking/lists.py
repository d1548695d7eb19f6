"""Questions that want several things: "what are the types of …?", "which tools …?", "list all …".

The best piece of evidence is often one item of the list that was asked for. Then its neighbours belong to the answer,
each with its own citation; so do pieces of other notes that fit the question about as well.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from ragnotes.answers import Evidence, Hit
from ragnotes.asking.duplicates import says_again
from ragnotes.asking.words import content_stems, held_stems, stems
from ragnotes.places import HEADING_SEPARATOR, Places
from ragnotes.ports import Snapshot
from ragnotes.types import Chunk, Unit

__all__ = ["MAX_ITEMS", "asks_for_list", "is_item", "items_for"]

MAX_ITEMS = 10
CHUNKS_AROUND = 3
"""How many passages before and after the best one are looked through for the rest of its list."""
LEAST_ITEMS = 2
CLOSE = 0.85
"""How near an item of another list must come to the best one's score to belong to the answer."""

_PLURAL = r"[a-zß-ÿ-]+(?<!ss)(?<!us)(?<!is)s|people|children|criteria|data|media|phenomena"
_LIST = re.compile(
    r"^\W*(?:please\s+)?(?:list|enumerate|name|tell\s+me)\s+(?:me\s+)?(?:all|the|some|every|my|our|\w+s\b)"
    rf"|^\W*(?:what|which)(?:['’]re|\s+(?:are|were))\s+(?:all\s+)?(?:the|my|our|some|its|their|his|her)\s+"
    rf"(?:[\w'’-]+\s+){{0,3}}?(?:{_PLURAL})\b"
    rf"|\b(?:what|which)\s+(?:[\w'’-]+\s+){{0,2}}?(?:{_PLURAL})\s+(?:(?:of|for|in|on|about)\s+(?:[\w'’-]+\s+){{1,4}})?"
    r"(?:are|were|do|does|did|have|has|had|can|could|should|will|would|must|exist)\b"
    r"|^\W*what\s+(?:all\s+)?did\s+(?:\w+\s+){1,3}(?:recommend|suggest|advise|propose|list)\b"
    r"|^\W*(?:welche\s+\w+\s+(?:sind|waren|haben|gibt|gab|habe\s+ich)|was\s+sind\s+die|nenne"
    r"|qué\s+\w+s\s+|cu[aá]les\s+(?:son|eran)|quels?\s+sont|quelles\s+sont)\b",
    re.IGNORECASE,
)
_LEAD = re.compile(
    r"^\W*(?:please\s+)?(?:list|enumerate|name|show|give|tell|nenne|liste)(?:\s+(?:me|all|every|the|some|of|my|our|mir|alle"
    r"|die))*\s+",
    re.IGNORECASE,
)
"""What a question for a list opens with, which is no word of what is listed."""
_ITEM = re.compile(r"\s*(?:[-*+•]|\d{1,3}[.)])\s")


def asks_for_list(question: str) -> bool:
    """Whether the question wants several things told."""
    return _LIST.search(question) is not None


def items_for(snapshot: Snapshot, subject: str, evidence: Sequence[Evidence]) -> list[Evidence]:
    """All items that answer, in the order of their list, then those of other lists; [] where the best is no item."""
    if not evidence:
        return []
    best = evidence[0]
    if announced := list(_announced(snapshot, best)):
        return announced
    if several := _several(snapshot, evidence):
        return several
    if not _mark(best.text):
        return []
    asked = set(content_stems(_LEAD.sub("", subject)))
    found = list(_whole_list(snapshot, best)) if _is_about(best, asked) else [best]
    least = CLOSE * best.score
    others = [item for item in evidence if item.score >= least and _mark(item.text) and item.coverage >= best.coverage]
    kept = list(found)
    for item in others:
        if not any(_overlap(item, other) or says_again(item.unit.plain, other.unit.plain) for other in kept):
            kept.append(item)
    return kept if len(kept) > 1 else []


def is_item(text: str) -> bool:
    """Whether the text is one item of a list, or one row of a table."""
    return bool(_mark(text))


def _mark(text: str, column: int | None = None) -> str:
    """What kind of item it is: `row`, `item`; "" for a sentence, and for several items in one.

    Where it is known at which column it stands, it may have items below it, further in.
    """
    if text.startswith("|") or text.lstrip().lower().startswith("<tr"):
        return "row"
    first, *others = text.split("\n")
    beside = [line for line in others if _ITEM.match(line) and (column is None or _indent(line) <= column)]
    return "item" if _ITEM.match(first) and not beside else ""


def _is_about(best: Evidence, asked: set[str]) -> bool:
    """Whether what stands above the list says what is asked for, and not the one item that was found."""
    heading = (best.hit.chunk.place.heading or "").split(HEADING_SEPARATOR)
    above = held_stems(" ".join((*heading[-2:], best.unit.lead, best.hit.source.title)))
    alone = held_stems(best.unit.plain) - above
    return len(asked & above) >= max(len(asked) / 2, 1) and len(asked & alone) <= len(asked) / 4


def _whole_list(snapshot: Snapshot, best: Evidence) -> Iterator[Evidence]:
    """The items around the best one, of the same kind and depth, under the same words."""
    chunks = _around(snapshot, best.hit.chunk)
    units = [(chunk, unit) for chunk in chunks for unit in _single(chunk, _mark(best.text))]
    number = next((n for n, (_, unit) in enumerate(units) if unit.start == best.unit.start), None)
    document = snapshot.document(best.hit.source.doc_id)
    if number is None or document is None:
        yield best
        return
    places, column = Places(document), _column(document.text, best.unit.start)
    for chunk, unit in units:
        same = (
            _same_list(unit.lead, best.unit.lead, row=_mark(best.text) == "row")
            and _column(document.text, unit.start) == column
        )
        if same and chunk.place.heading == best.hit.chunk.place.heading and _joined(document.text, unit, best.unit):
            yield best if unit == best.unit else _told_at(best, (chunk, unit), places, document.text)


def _same_list(lead: str, other: str, *, row: bool) -> bool:
    """Whether both stand under the same words; under a merged cell a row has that besides the table's header."""
    ours, theirs = lead.split(HEADING_SEPARATOR), other.split(HEADING_SEPARATOR)
    header = min(len(ours), len(theirs), max(len(ours), len(theirs)) - 1) or 1
    return lead == other or (row and ours[:header] == theirs[:header] and max(len(ours), len(theirs)) - header <= 1)


def _announced(snapshot: Snapshot, best: Evidence) -> Iterator[Evidence]:
    """The items that stand under the best piece: under a line that ends with a colon, or under an item, deeper."""
    document = snapshot.document(best.hit.source.doc_id)
    item = _mark(best.text) == "item"
    if document is None or not (item or best.unit.plain.rstrip().endswith(":")):
        return
    text = document.text
    least = _column(text, best.unit.start) + 1 if item else 0
    units = [(chunk, unit) for chunk in _around(snapshot, best.hit.chunk) for unit in _single(chunk, "item")]
    under, end = [], best.unit.end
    for chunk, unit in units:
        if unit.start < best.unit.end:
            continue
        if text[end : unit.start].strip() or _column(text, unit.start) < least:
            break
        under.append((chunk, unit))
        end = unit.end
    column = min((_column(text, unit.start) for _, unit in under), default=0)
    if len(under) > 1:
        places = Places(document)
        yield from (_told_at(best, each, places, text) for each in under if _column(text, each[1].start) == column)


def _several(snapshot: Snapshot, evidence: Sequence[Evidence]) -> list[Evidence]:
    """The outermost items of the best piece, where that is a whole list in one, and of other lists that fit as well."""
    best = evidence[0]
    found: list[Evidence] = []
    for item in evidence:
        close = item.score >= CLOSE * best.score and item.coverage >= best.coverage
        if close or _announcing(item) == _announcing(best):
            parts = list(_items_of(snapshot, item))
            if item == best and len(parts) < LEAST_ITEMS:
                return []
            found += [
                part
                for part in parts
                if not any(_overlap(part, kept) or says_again(part.unit.plain, kept.unit.plain) for kept in found)
            ]
    return found


def _announcing(whole: Evidence) -> list[str]:
    """The words before the items."""
    return stems(whole.unit.plain.partition(":")[0])


def _items_of(snapshot: Snapshot, whole: Evidence) -> Iterator[Evidence]:
    """The outermost items that lie in a piece of several."""
    document = snapshot.document(whole.hit.source.doc_id)
    if document is None or sum(1 for line in whole.text.split("\n") if _ITEM.match(line)) < LEAST_ITEMS:
        return
    chunk, places, end = whole.hit.chunk, Places(document), whole.unit.start
    for unit in chunk.units:
        if end <= unit.start and unit.end <= whole.unit.end and unit != whole.unit:
            end = unit.end
            yield _told_at(whole, (chunk, unit), places, document.text)


def _told_at(best: Evidence, each: tuple[Chunk, Unit], places: Places, text: str) -> Evidence:
    """A unit beside the best one as a piece of evidence; it counts as much, being of the same list."""
    chunk, unit = each
    hit = best.hit if chunk == best.hit.chunk else Hit(chunk, best.hit.source, best.hit.rank, 0.0, 0.0, 0.0)
    urls = tuple(dict.fromkeys(link.url for link in unit.links))
    place = places.of(unit.start, unit.end)
    return replace(best, hit=hit, unit=unit, text=text[unit.start : unit.end], place=place, links=urls)


def _around(snapshot: Snapshot, chunk: Chunk) -> list[Chunk]:
    """The chunk with those before and after it that stand under the same heading."""
    ids = [chunk.chunk_id]
    for _ in range(CHUNKS_AROUND):
        [(before, _)], [(_, after)] = snapshot.neighbours(ids[:1]), snapshot.neighbours(ids[-1:])
        ids = [*([before] if before else []), *ids, *([after] if after else [])]
    found = {each.chunk_id: each for each, _ in snapshot.passages(ids)}
    return [found[chunk_id] for chunk_id in ids if chunk_id in found]


def _single(chunk: Chunk, mark: str) -> Iterator[Unit]:
    for unit in chunk.units:
        start = unit.start - chunk.start
        if _mark(chunk.text[start : unit.end - chunk.start], _column(chunk.text, start)) == mark:
            yield unit


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _column(text: str, start: int) -> int:
    return start - (text.rfind("\n", 0, start) + 1)


def _joined(text: str, unit: Unit, best: Unit) -> bool:
    """Whether nothing but items stands between the two."""
    first, last = sorted((unit, best), key=lambda each: each.start)
    between = text[first.end : last.start].split("\n")
    return all(not line.strip() or _ITEM.match(line) or line.startswith((" ", "\t", "|")) for line in between)


def _overlap(item: Evidence, other: Evidence) -> bool:
    same = item.hit.source.doc_id == other.hit.source.doc_id
    return same and item.unit.start < other.unit.end and other.unit.start < item.unit.end
