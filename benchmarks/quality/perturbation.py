"""True answers made from gold answers, and the same answers made false in four ways, with a fixed seed.

`swap`: two sentences trade their citations. `number`: a number becomes another. `negate`: what is said is denied, or
what is denied said. `neighbour`: the sentence cites what stands beside its source, the next sentence or a sentence of
the next passage. Beside these four, `trade`: two names or two numbers of a sentence trade places. True claims are
verbatim, shortened, or a statement made from question and answer.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

from benchmarks.quality.statements import shortened, statement
from ragnotes.answers import Evidence, Hit
from ragnotes.evaluation.judging import fold, gives_answer, normalised
from ragnotes.evaluation.questions import Question
from ragnotes.places import Places
from ragnotes.ports import Snapshot

__all__ = ["FORMS", "KINDS", "Case", "Cited", "Gold", "cases", "gold_claims"]

Kind = Literal["swap", "number", "negate", "neighbour", "trade"]
Form = Literal["verbatim", "shortened", "statement"]
KINDS: tuple[Kind, ...] = ("swap", "number", "negate", "neighbour")
FORMS: tuple[Form, ...] = ("statement", "shortened", "verbatim")
SEED = 20_261_121

_NUMBER = re.compile(r"(?<![\w.,])\d+(?:,\d{3})*(?:\.\d+)?(?![\w])")
_NAMES = re.compile(r"(?<=[a-z,] )[A-Z]\w+(?: [A-Z]\w+)*\b")
_LISTED = re.compile(r"[\s,/–-]*(?:and|or)?\s*")
_WORDS = ("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_NUMBER_WORD = re.compile(rf"\b(?:{'|'.join(_WORDS)})\b", re.I)
_DENIED = re.compile(r"\s(?:not|never)\b|n't\b", re.I)
_AUXILIARY = re.compile(
    r"\b(?:is|are|was|were|has|have|had|can|could|will|would|may|might|must|should|did|does|do)\b", re.I
)
_PAST = re.compile(r"\b[a-z]{2,}ed\b")


@dataclass(frozen=True, slots=True)
class Cited:
    """A sentence of an answer to `question`, and the evidence that it cites."""

    question: str
    text: str
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Case:
    """A true answer and what became of it: sentences with their citations, as many in both."""

    source: str
    kind: Kind
    form: Form
    true: tuple[Cited, ...]
    false: tuple[Cited, ...]


@dataclass(frozen=True, slots=True)
class Gold:
    """The true claims that a gold answer gives, the unit that holds it, and the units beside."""

    question: Question
    forms: Mapping[Form, str]
    evidence: Evidence
    beside: tuple[Evidence, ...]


def cases(
    golds: Sequence[tuple[str, Sequence[Gold]]], *, each: int, kinds: Sequence[Kind] = KINDS, seed: int = SEED
) -> list[Case]:
    """`each` cases of every kind: one in five of the second source where it has them, the rest of the first."""
    made: list[Case] = []
    for kind in kinds:
        draw = random.Random(f"{seed} {kind}")
        wanted = each
        for number, (source, gold) in reversed(list(enumerate(golds))):
            share = wanted if number == 0 else each // 5
            found = list(_some(source, kind, gold, draw, share))
            made += found
            wanted -= len(found)
    return made


def _some(source: str, kind: Kind, golds: Sequence[Gold], draw: random.Random, number: int) -> Iterator[Case]:
    """Up to `number` cases of a kind, the forms of true claims in turn; at the end those that lack the form wanted."""
    order = draw.sample(golds, len(golds))
    given, passed = 0, []
    for turn, gold in enumerate(order):
        form = FORMS[given % len(FORMS)]
        if given == number:
            return
        if form not in gold.forms:
            passed.append(turn)
        elif case := _case(_Wanted(source, kind, form), gold, [*order[turn + 1 :], *order[:turn]], draw):
            given += 1
            yield case
    for turn in passed[: max(number - given, 0) * 3]:
        form = next(form for form in FORMS if form in order[turn].forms)
        case = _case(_Wanted(source, kind, form), order[turn], [*order[turn + 1 :], *order[:turn]], draw)
        if case and given < number:
            given += 1
            yield case


class _Wanted(NamedTuple):
    source: str
    kind: Kind
    form: Form


def _case(wanted: _Wanted, gold: Gold, others: Sequence[Gold], draw: random.Random) -> Case | None:
    kind, form = wanted.kind, wanted.form
    true = Cited(gold.question.text, gold.forms[form], gold.evidence)
    if kind == "swap":
        other = next((other for other in others if _may_swap(gold, other)), None)
        if other is None:
            return None
        second = Cited(other.question.text, other.forms.get(form) or other.forms["verbatim"], other.evidence)
        false = (replace(true, evidence=second.evidence), replace(second, evidence=true.evidence))
        return Case(*wanted, (true, second), false)
    if kind == "neighbour":
        beside = [item for item in gold.beside if not _repeats(gold, item)]
        return Case(*wanted, (true,), (replace(true, evidence=draw.choice(beside)),)) if beside else None
    made = {"number": lambda: _renumbered(true, draw), "negate": lambda: _denied(true.text)}
    text = made.get(kind, lambda: _traded(true.text, draw))()
    return Case(*wanted, (true,), (replace(true, text=text),)) if text else None


def _may_swap(gold: Gold, other: Gold) -> bool:
    """Whether two questions of one note rest on different spans, of which neither answers the other's question."""
    same_note = gold.evidence.hit.source.title == other.evidence.hit.source.title
    apart = gold.evidence.unit.end <= other.evidence.unit.start or other.evidence.unit.end <= gold.evidence.unit.start
    elsewhere = gold.evidence.hit.source != other.evidence.hit.source
    clean = not _repeats(gold, other.evidence) and not _repeats(other, gold.evidence)
    return same_note and (apart or elsewhere) and clean


def _repeats(gold: Gold, item: Evidence) -> bool:
    """Whether another span gives the answer too, and so may carry the claim."""
    return any(gives_answer(item.unit.plain, answer) for answer in gold.question.answers)


def _renumbered(cited: Cited, draw: random.Random) -> str | None:
    """The text with one number changed to one that its source does not hold."""
    known = f"{cited.evidence.unit.plain} {cited.evidence.hit.chunk.context}".lower()
    if found := list(_NUMBER.finditer(cited.text)):
        match = draw.choice(found)
        for _ in range(20):
            new = _other_number(match[0], draw)
            if not re.search(rf"(?<!\d){re.escape(new)}(?!\d)", known):
                return cited.text[: match.start()] + new + cited.text[match.end() :]
    elif found := list(_NUMBER_WORD.finditer(cited.text)):
        match = draw.choice(found)
        free = [word for word in _WORDS if word not in known.split()]
        return cited.text[: match.start()] + draw.choice(free) + cited.text[match.end() :]
    return None


def _traded(text: str, draw: random.Random) -> str | None:
    """The text with two of its names, or two of its numbers, in each other's place; not those of one list."""
    for pattern in draw.sample((_NAMES, _NUMBER), 2):
        found = list(pattern.finditer(text))
        if len(found) < 2:
            continue
        one, other = sorted(draw.sample(found, 2), key=lambda match: match.start())
        between = text[one.end() : other.start()]
        if one[0] != other[0] and not _LISTED.fullmatch(between):
            return f"{text[: one.start()]}{other[0]}{between}{one[0]}{text[other.end() :]}"
    return None


def _other_number(number: str, draw: random.Random) -> str:
    value = number.replace(",", "")
    if "." in value:
        return f"{float(value) + draw.choice((-1, 1)) * draw.randint(1, 9) / 10:g}"
    step = draw.randint(1, 9) * 10 ** draw.randint(0, max(len(value) - 2, 0))
    new = int(value) + draw.choice((-1, 1)) * step
    new = new if new > 0 else int(value) + step
    return f"{new:,}" if "," in number else str(new)


def _denied(text: str) -> str | None:
    """The text saying the opposite; None where it has no place for it."""
    if found := _DENIED.search(text):
        return text[: found.start()] + text[found.end() :]
    if found := _AUXILIARY.search(text):
        return f"{text[: found.end()]} not{text[found.end() :]}"
    if found := _PAST.search(text):
        return f"{text[: found.start()]}never {text[found.start() :]}"
    return None


def gold_claims(snapshot: Snapshot, questions: Sequence[Question]) -> list[Gold]:
    """The true claims that the questions' gold answers give, with the unit that holds each and what stands beside."""
    pieces: dict[str, list[Evidence]] = {}
    for source in snapshot.documents():
        document = snapshot.document(source.doc_id)
        assert document is not None
        places = Places(document)
        pieces[source.path] = [
            _evidence(Hit(chunk, source, 1, 1.0, 1.0, 1.0), number, places)
            for chunk in snapshot.chunks(source.doc_id)
            for number in range(len(chunk.units))
        ]
    return [gold for question in questions if (gold := _gold(question, pieces)) is not None]


def _evidence(hit: Hit, number: int, places: Places) -> Evidence:
    unit, chunk = hit.chunk.units[number], hit.chunk
    text = chunk.text[unit.start - chunk.start : unit.end - chunk.start]
    return Evidence(hit, unit, text, 1.0, 1.0, 1.0, places.of(unit.start, unit.end))


def _gold(question: Question, by_path: Mapping[str, Sequence[Evidence]]) -> Gold | None:
    paths = list(by_path)
    path = next((path for path in paths if path == question.note or path.endswith(f"/{question.note}")), None)
    if path is None:
        return None
    pieces = by_path[path]
    answer, number = _place(question, pieces)
    if number is None:
        return None
    item = pieces[number]
    later = paths[paths.index(path) + 1 :] + paths[: paths.index(path)]
    kin = next((by_path[other][0] for other in later if _of_one_title(by_path[other], item)), None)
    forms: dict[Form, str] = {"verbatim": item.unit.plain}
    if short := shortened(item.unit.plain, answer):
        forms["shortened"] = short
    if said := statement(question.text, answer) if len(answer.split()) <= 8 else None:
        forms["statement"] = said
    return Gold(question, forms, item, tuple(_beside(pieces, number, kin)))


def _place(question: Question, pieces: Sequence[Evidence]) -> tuple[str, int | None]:
    """The accepted answer, and the number of the unit that gives it beside most of the question's words."""
    asked = set(normalised(question.text).split())
    best: tuple[int, int, str] | None = None
    holding = [n for n, item in enumerate(pieces) if _holds(question.evidence, item)]
    for number in holding:
        plain = pieces[number].unit.plain
        for answer in sorted(question.answers, key=len):
            if answer in plain:
                shared = len(asked & set(normalised(plain).split()))
                best = max(best or (shared, -number, answer), (shared, -number, answer), key=lambda item: item[:2])
                break
    return (best[2], -best[1]) if best else ("", None)


def _holds(evidence: str, item: Evidence) -> bool:
    wanted, there = fold(evidence), fold(item.text)
    return any(need in text for need, text in zip(wanted, there, strict=True))


def _of_one_title(pieces: Sequence[Evidence], item: Evidence) -> bool:
    return bool(pieces) and pieces[0].hit.source.title == item.hit.source.title


def _beside(pieces: Sequence[Evidence], number: int, kin: Evidence | None) -> Iterator[Evidence]:
    """The unit after, or else before; and the first of the next passage, or else of another note of that title."""
    item = pieces[number]
    if len(pieces) > 1:
        yield pieces[number + 1] if number + 1 < len(pieces) else pieces[number - 1]
    after = [other for other in pieces[number + 1 :] if other.hit.chunk != item.hit.chunk]
    if passage := (after[0] if after else kin):
        yield passage
