"""Questions drafted from a person's own notes, for that person to edit: a start for a question file.

No model writes them. Each form of content gives a form of question whose answer is known because it was put together
from that answer: the link of an anchor, the day of an entry, the cell of a table row, the items under a heading, the
number in a sentence. What is drafted is verbatim in the notes, so a proposed file can be evaluated as it stands.
"""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from ragnotes.asking.words import content_stems
from ragnotes.errors import EvaluationError
from ragnotes.evaluation.judging import holds_evidence, normalised
from ragnotes.evaluation.questions import Question
from ragnotes.places import HEADING_SEPARATOR, Places
from ragnotes.ports import Snapshot
from ragnotes.reading.markup import cells_of
from ragnotes.types import Chunk, DateRange, Document, Kind, Unit

__all__ = ["propose", "question_line"]

MIN_WORDS, MAX_WORDS = 4, 30
"""Content words of a unit that a question is made from: fewer say nothing, more are no single fact."""
MAX_LABEL_CHARS = 90
MAX_ANSWER_CHARS = 60
MIN_ITEMS, MAX_ITEMS = 3, 8
_DAY_QUESTION = "What did I note on"
ALIKE = 0.75
"""The share of common words from which on two questions are the same question."""

_LINK = re.compile(
    r"(?<!!)\[([^\[\]\n]{4,90})\]\(<?(https?://(?:[^\s()<>]|\([^\s()<>]*+\))++)>?(?:\s+(?:\"[^\"\n]*\"|'[^'\n]*'))?\)"
)
_MARKER = re.compile(r"^\s*(?:>\s*)*(?:[-*+]|\d{1,3}[.)])\s+(?:\[[ xX]\]\s+)?")
_DATED = re.compile(r"^\d{1,4}[-/.]\d{1,2}(?:[-/.]\d{1,4})?[\s:–-]+")
_YEAR = re.compile(r"\b(?:19|20)\d\d\b")
_NUMBER = re.compile(
    r"(?<![\w.,:/^-])([$€£]?(?:\d{2,}|\d(?=[.,]\d|\s?%|[KMGT]B?\b))(?:[.,]\d+)*(?:\s?%|[KMGT]B?\b)?)(?![\w:/-]|[.,]\d)"
)
_NAME = re.compile(r"\b[a-zà-ÿ]+[,;:]? ([A-ZÀ-Þ][\w-]+(?: [A-ZÀ-Þ][\w-]+){1,3})(?=[ .,;:!?)]|$)(?! [A-ZÀ-Þ])")
_MARKUP = re.compile(r"[*_`~|\[\]<>#“”\n\\]|\$[^$]+\$|https?:")
_MONTHS = (
    "January February March April May June July August September October November December".split()  # noqa: SIM905
)


@dataclass(frozen=True, slots=True)
class _Draft:
    """A question without its id; `note` and `kind` are spread over."""

    kind: str
    note: str
    text: str
    evidence: str
    answers: tuple[str, ...]


def propose(snapshot: Snapshot, count: int, *, seed: int = 0) -> list[Question]:
    """At most `count` questions about the documents of a snapshot, spread over notes and kinds of content.

    The same notes and seed give the same questions. No two ask nearly the same, share their evidence, or ask what two
    places in the notes would answer. Raises EvaluationError where nothing can be drafted.
    """
    drafts: list[_Draft] = []
    for source in snapshot.documents():
        document = snapshot.document(source.doc_id)
        if document is not None:
            drafts += _drafts(document, snapshot.chunks(source.doc_id))
    chosen = _spread(_unambiguous(drafts), count, seed)
    if not chosen:
        raise EvaluationError(
            "no question can be drafted from these notes", "write some: see the question file in the README"
        )
    return [
        Question(f"p{number:03}", draft.text, draft.kind, draft.note, draft.evidence, draft.answers)
        for number, draft in enumerate(chosen, start=1)
    ]


def question_line(question: Question) -> str:
    """The question as a line of a question file."""
    return json.dumps(
        {
            "id": question.id,
            "type": question.type,
            "question": question.text,
            "note": question.note,
            "evidence": question.evidence,
            "answers": list(question.answers),
            "answerable": question.answerable,
        },
        ensure_ascii=False,
    )


def _drafts(document: Document, chunks: Sequence[Chunk]) -> Iterator[_Draft]:
    places = Places(document)
    headings = Counter(chunk.place.heading for chunk in chunks)
    for chunk in chunks:
        units = _smallest(chunk.units)
        found = [
            *_link_drafts(document, chunk),
            *(_list_drafts(document, chunk, units) if headings[chunk.place.heading] == 1 else ()),
            *(draft for unit in units for draft in _unit_drafts(document, places, unit)),
        ]
        yield from (draft for draft in found if holds_evidence([chunk.text, *chunk.links], draft.evidence))


def _entry_day(document: Document, places: Places, unit: Unit) -> DateRange | None:
    """The day of the entry that the unit is of: of a log, or of a note that is named by its day.

    The one date of another note says when it was filed, and nobody would ask for what it says by that.
    """
    day = places.date(unit.start)
    if document.kind is not Kind.NOTE or day is None or day.since != day.until:
        return None
    return day if day != document.metadata.date or day.since.isoformat() in document.path else None


def _smallest(units: Sequence[Unit]) -> list[Unit]:
    """The units without those that hold others: a short list is one beside its items."""
    return [
        unit
        for unit in units
        if not any(other != unit and unit.start <= other.start and other.end <= unit.end for other in units)
    ]


def _link_drafts(document: Document, chunk: Chunk) -> Iterator[_Draft]:
    for match in _LINK.finditer(chunk.text):
        anchor, url = " ".join(match[1].split()), match[2].rstrip(".,;")
        if len(content_stems(anchor)) >= 2 and not _MARKUP.search(anchor):
            short = re.sub(r"^https?://(?:www\.)?", "", url).rstrip("/")
            yield _Draft("link", document.path, f"What was the link for “{anchor}”?", url, (short,))


def _list_drafts(document: Document, chunk: Chunk, units: Sequence[Unit]) -> Iterator[_Draft]:
    heading = (chunk.place.heading or "").split(HEADING_SEPARATOR)[-1]
    items = [unit for unit in units if _MARKER.match(_source(document, unit))]
    answers = tuple(dict.fromkeys(_MARKER.sub("", unit.plain).strip(" .;:,") for unit in items))
    if not heading or not _is_label(heading) or not MIN_ITEMS <= len(answers) <= MAX_ITEMS:
        return
    if len(items) == len(units) and all(content_stems(answer) and _is_short(answer) for answer in answers):
        text = f"What is listed under “{heading}”?"
        yield _Draft("list", document.path, text, _source(document, items[0]).strip(), answers)


def _unit_drafts(document: Document, places: Places, unit: Unit) -> Iterator[_Draft]:
    source = _source(document, unit).strip()
    if source.startswith("|"):
        yield from _row_drafts(document, unit, source)
        return
    plain = _MARKER.sub("", unit.plain).strip()
    if not plain[:1].isalnum() or not _says_enough(plain) or not _is_label(plain):
        return
    day = _entry_day(document, places, unit)
    if day is not None and not _YEAR.search(plain):
        label, written = _label(_DATED.sub("", plain)), _written(day)
        yield _Draft("date", document.path, f"When did I note “{label}”?", source, written)
        yield _Draft("date", document.path, f"{_DAY_QUESTION} {written[0]}?", source, (label,))
    yield from _gap_drafts(document, plain, source)


def _row_drafts(document: Document, unit: Unit, source: str) -> Iterator[_Draft]:
    """A question for each cell of a table row that its row and column name."""
    header = [cell.strip() for cell in unit.lead.split(HEADING_SEPARATOR)[0].split("|")]
    cells = [cell.strip() for cell in unit.plain.split("|")]
    if not len(header) == len(cells) == len(cells_of(source)) or "\n" in source:  # an empty cell shifts the others
        return
    for column, cell in zip(header[1:], cells[1:], strict=True):
        named = column and any(letter.isalpha() for letter in cells[0])
        if named and normalised(cell) and _is_short(cell) and normalised(cell) not in normalised(cells[0]):
            text = f"What is the {column} of {cells[0]}?"
            yield _Draft("table", document.path, text, source, (cell,))


def _gap_drafts(document: Document, plain: str, source: str) -> Iterator[_Draft]:
    """A question for the only number, and for the only name, of a sentence."""
    for what, pattern in (("number", _NUMBER), ("name", _NAME)):
        found = list(pattern.finditer(plain))
        if len(found) == 1:
            start, end = found[0].span(1)
            text = f"Which {what} is missing in “{plain[:start]}…{plain[end:]}”?"
            yield _Draft("fact", document.path, text, source, (plain[start:end],))


def _unambiguous(drafts: Sequence[_Draft]) -> list[_Draft]:
    """The drafts that one place answers, in order; all the notes of a day answer what was noted on it."""
    by_text: dict[str, list[_Draft]] = {}
    for draft in drafts:
        by_text.setdefault(draft.text, []).append(draft)
    kept = []
    for text, same in by_text.items():
        answers = tuple(dict.fromkeys(answer for draft in same for answer in draft.answers))
        if text.startswith(_DAY_QUESTION):
            kept.append(replace(same[0], answers=answers))
        elif len(same) == 1:
            kept.append(same[0])
    return kept


def _spread(drafts: Sequence[_Draft], count: int, seed: int) -> list[_Draft]:
    """Up to `count` drafts, taken in turn from the kind and then the note that have given least so far."""
    shuffled = list(drafts)
    random.Random(seed).shuffle(shuffled)
    waiting: dict[str, dict[str, list[_Draft]]] = {}
    for draft in shuffled:
        waiting.setdefault(draft.kind, {}).setdefault(draft.note, []).append(draft)
    kinds, notes = Counter[str](), Counter[str]()
    chosen: list[_Draft] = []
    while waiting and len(chosen) < count:
        pairs = [(kind, note) for kind in waiting for note in waiting[kind]]
        kind, note = min(pairs, key=lambda pair: (kinds[pair[0]], notes[pair[1]], *pair))
        draft = waiting[kind][note].pop()
        if not waiting[kind][note]:
            del waiting[kind][note]
        if not waiting[kind]:
            del waiting[kind]
        if not any(_alike(draft, other) for other in chosen):
            chosen.append(draft)
            kinds[kind] += 1
            notes[note] += 1
    return chosen


def _alike(draft: _Draft, other: _Draft) -> bool:
    mine, theirs = (set(content_stems(each.text)) for each in (draft, other))
    return draft.evidence == other.evidence or len(mine & theirs) >= ALIKE * len(mine | theirs)


def _source(document: Document, unit: Unit) -> str:
    return document.text[unit.start : unit.end]


def _label(plain: str) -> str:
    """The beginning of a text, cut at a word."""
    text = plain.strip().rstrip(".!?;:,")
    return text if len(text) <= MAX_LABEL_CHARS else text[:MAX_LABEL_CHARS].rsplit(" ", 1)[0].rstrip(".!?;:,")


def _says_enough(plain: str) -> bool:
    return MIN_WORDS <= len(content_stems(plain)) <= MAX_WORDS


def _is_short(answer: str) -> bool:
    return len(answer) <= MAX_ANSWER_CHARS


def _is_label(text: str) -> bool:
    return bool(text.strip()) and not _MARKUP.search(text)


def _written(day: DateRange) -> tuple[str, str, str]:
    """A day as it may be written in an answer."""
    month = _MONTHS[day.since.month - 1]
    return f"{day.since.day} {month} {day.since.year}", f"{month} {day.since.day}", day.since.isoformat()
