"""Hits to evidence: the sentences, list items and table rows that bear on the question, verbatim, best first.

A unit is judged by what it means (cosine to the question), by how much of the question's rare words it holds, and by
the passage it stands in. Words of its heading and table header count for it too, though less: a row under "Cache Type"
need not repeat the word. So do those of the sentence before; and it should hold the kind of thing that is asked for.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from ragnotes.answers import NO_FILTERS, Evidence, Filters, Hit
from ragnotes.asking.answer_types import AnswerType, holds_type, type_asked
from ragnotes.asking.verbs import other_forms
from ragnotes.asking.words import content_stems, has_content, held_stems, query_terms, stems
from ragnotes.matching import folded, spoken_by
from ragnotes.places import HEADING_SEPARATOR, Places
from ragnotes.ports import Embedder, Snapshot
from ragnotes.types import Unit, Vectors

__all__ = ["EMBEDDED_AT_ONCE", "PASSAGES", "in_context", "question_weights", "select_evidence"]

PASSAGES = 5
"""Passages whose units are judged. Eight gave no more answers on squad and the seed notes, and take longer."""
UNITS = 64
"""Units that are judged at the most; each is embedded."""
EMBEDDED_AT_ONCE = 16
"""After so many units somebody may have left, or the answer be late."""
CONTEXT_SHARE = 0.6
"""How much a question's word counts that only the context of a unit holds."""
OTHER_SPEAKER = 0.8
"""What is left of a unit's score where the question names a speaker, and somebody else speaks."""
FEW = 100
"""Fewer passages than these count as so many: in ten, what is in one is not common, nor what is in none rare."""
MAX_SLIPS = 3
"""Unknown words of a question that are looked into."""
_WORD = re.compile(r"\w+")
_POINTS_BACK = re.compile(
    r"(?:he|she|it|they|this|these|those|that|his|her|its|their|such|both|here|there|the\s+(?:latter|former)"
    r"|er|sie|es|dies\w{0,2}|sein\w{0,2}|ihr\w{0,2}|dort|beide"
    r"|él|ella|ellos|ellas|esto|est[aeo]s?|es[aeo]s?|su|sus|ambos|allí|il|elle|ils|elles|ce|cela|cette|ces|son|sa|ses)\b",
    re.IGNORECASE,
)
_DENIED = re.compile(r"n['’]t$")
"""Verbs that carry nothing: `aren't`, `didn't`."""
_SAYS = re.compile(
    r"\b(?:says?|said|tells?|told|thinks?|thought|argues?|argued|mention\w*|explain\w*|according to|opinion|view"
    r"|dijo|dice|según|sagte?|meinte?|laut|erklärte?)\b",
    re.IGNORECASE,
)

COSINE_WEIGHT, COVERAGE_WEIGHT, PASSAGE_WEIGHT = 0.45, 0.35, 0.20
"""How the parts of a unit's score are mixed; docs/log.md has what other mixtures gave."""
BEFORE_WEIGHT, POINTING_WEIGHT = 0.10, 0.30
"""How much the question's words count that only the unit before holds; more where a pronoun points there."""
MISFIT = 0.10
"""What a unit loses that holds nothing of the kind asked for: no name for "who", no number for "how many"."""


def question_weights(snapshot: Snapshot, question: str) -> dict[str, float]:
    """The stems of the question's content words with their rarity in the notes (inverse document frequency, over 0).

    A word that the notes do not hold weighs most: an answer that lacks it does not bear on the question. One that may
    be a slip of the pen counts as what it was meant for.
    """
    terms = [term for term in query_terms(question) if (term.isalnum() or "'" in term) and not _DENIED.search(term)]
    forms = {term: [term, *other_forms(term)] for term in terms}
    frequencies = snapshot.frequencies(list(dict.fromkeys(form for each in forms.values() for form in each)))
    unknown = [term for term in terms if not any(frequencies.get(form, 0) for form in forms[term])][:MAX_SLIPS]
    meant = {term: found[0] for term in unknown if (found := snapshot.respelled([term]))}
    if meant:
        terms = list(dict.fromkeys(word for term in terms for word in meant.get(term, term).split()))
        forms = {term: forms.get(term, [term]) for term in terms}
        frequencies |= snapshot.frequencies([term for term in terms if term not in frequencies])
    total = max(snapshot.count(), FEW)
    return {
        stem: math.log(1 + (total - count + 0.5) / (count + 0.5))
        for term in terms
        for stem, count in [(stems(term)[0], min(sum(frequencies.get(form, 0) for form in forms[term]), total))]
    }


def select_evidence(
    snapshot: Snapshot,
    embedder: Embedder,
    vector: Vectors,
    hits: Sequence[Hit],
    *,
    subject: str,
    filters: Filters = NO_FILTERS,
    passages: int = PASSAGES,
    stopped: Callable[[], bool] = lambda: False,
) -> list[Evidence]:
    """The units of the best hits, best first; ties go to the better passage, then to the earlier unit.

    `vector` is the question's embedding. `subject` is the part of the question that a unit must speak of; where it has
    no content, none need. With a filter on speakers every unit is theirs alone; where the question names a speaker,
    the units of others count less. Once `stopped` is true no more units are embedded: what is left is judged by its
    words and by its passage.
    """
    rarity = question_weights(snapshot, subject) if has_content(subject) else {}
    places = _places(snapshot, hits[:passages])
    all_units = [(hit, unit) for hit in hits[:passages] for unit in hit.chunk.units]
    if filters.speakers:
        all_units = [(hit, unit) for hit, unit in all_units if spoken_by(_voices(places, hit, unit), filters.speakers)]
    units = ([(hit, unit) for hit, unit in all_units if _tells(hit, unit)] or all_units)[:UNITS]
    if not units:
        return []
    cosines = _cosines(embedder, vector, units, stopped)
    named = _named(subject, [speaker for hit, unit in units for speaker in _voices(places, hit, unit)])
    kind = type_asked(subject)
    evidence = []
    for (hit, unit), cosine in zip(units, cosines, strict=True):
        item = Evidence(
            hit=hit,
            unit=unit,
            text=hit.chunk.text[unit.start - hit.chunk.start : unit.end - hit.chunk.start],
            score=0.0,
            cosine=round(cosine, 6),
            coverage=round(coverage(rarity, _words_of(unit), f"{hit.chunk.context} {unit.lead}"), 6),
            place=places[hit.source.doc_id].of(unit.start, unit.end),
            links=_urls_of(unit),
        )
        speaks = not named or bool(named & set(_voices(places, hit, unit)))
        score = _score(item, rarity, subject, kind) * (1.0 if speaks else OTHER_SPEAKER)
        evidence.append(replace(item, score=round(score, 6)))
    return sorted(evidence, key=lambda item: (-item.score, item.hit.rank, item.unit.start))


def _score(item: Evidence, rarity: Mapping[str, float], subject: str, kind: AnswerType | None) -> float:
    """How well a piece bears on the subject, which asks for a `kind` of thing, in [0, 1]."""
    score = COSINE_WEIGHT * max(item.cosine, 0.0) + COVERAGE_WEIGHT * item.coverage + PASSAGE_WEIGHT * item.hit.score
    weight = POINTING_WEIGHT if _POINTS_BACK.match(item.unit.plain) else BEFORE_WEIGHT
    score = min(score + weight * _held_before(item, rarity), 1.0)
    dated = kind is AnswerType.TIME and item.place.date is not None
    fits = kind is None or dated or holds_type(kind, f"{item.unit.plain} {item.unit.lead}", subject)
    return max(score if fits else score - MISFIT, 0.0)


def _held_before(item: Evidence, rarity: Mapping[str, float]) -> float:
    """The share of the question's rare words that the unit lacks, and the one right before it in its passage holds."""
    before = [unit for unit in item.hit.chunk.units if unit.end <= item.unit.start]
    total = sum(rarity.values())
    if not before or not total:
        return 0.0
    here, there = held_stems(_words_of(item.unit)), held_stems(before[-1].plain)
    return sum(weight for stem, weight in rarity.items() if stem in there and stem not in here) / total


def _urls_of(unit: Unit) -> tuple[str, ...]:
    return tuple(dict.fromkeys(link.url for link in unit.links))


def _words_of(unit: Unit) -> str:
    return " ".join((unit.plain, *_urls_of(unit)))


def _cosines(
    embedder: Embedder, vector: Vectors, units: Sequence[tuple[Hit, Unit]], stopped: Callable[[], bool]
) -> list[float]:
    """The cosine of each unit to the question; that of its passage where there is no time to embed the unit."""
    found: list[float] = []
    for first in range(0, len(units), EMBEDDED_AT_ONCE):
        if stopped():
            break
        texts = [in_context(hit, unit) for hit, unit in units[first : first + EMBEDDED_AT_ONCE]]
        found += (embedder.embed_documents(texts) @ vector).tolist()
    return [*found, *(hit.cosine for hit, _ in units[len(found) :])]


def _places(snapshot: Snapshot, hits: Sequence[Hit]) -> dict[str, Places]:
    """The places of the hits' documents, by their id."""
    documents = (snapshot.document(doc_id) for doc_id in dict.fromkeys(hit.source.doc_id for hit in hits))
    return {document.doc_id: Places(document) for document in documents if document is not None}


def _voices(places: Mapping[str, Places], hit: Hit, unit: Unit) -> tuple[str, ...]:
    return places[hit.source.doc_id].speakers(unit.start, unit.end)


def _named(question: str, speakers: Sequence[str]) -> set[str]:
    """The speakers whom the question names: by a capitalised word, or by any where it asks what somebody said."""
    words = _WORD.findall(question)
    asked = words if _SAYS.search(question) else [word for word in words if word[0].isupper()]
    stated = {folded(word) for word in asked if has_content(word)}
    return {speaker for speaker in speakers if stated & {folded(word) for word in _WORD.findall(speaker)}}


def coverage(rarity: Mapping[str, float], text: str, context: str) -> float:
    """The share of the question's rare words that `text` holds, in [0, 1]; a word only in `context` counts in part."""
    total = sum(rarity.values())
    if not total:
        return 0.0
    here, around = held_stems(text), held_stems(context)
    held = sum(
        weight * (1.0 if stem in here else CONTEXT_SHARE if stem in around else 0.0) for stem, weight in rarity.items()
    )
    return held / total


def _tells(hit: Hit, unit: Unit) -> bool:
    """Whether the unit adds a word to its context; a running title adds none, and seems to fit every question."""
    return not set(content_stems(unit.plain)) <= set(content_stems(f"{hit.source.title} {hit.chunk.context}"))


def in_context(hit: Hit, unit: Unit) -> str:
    """What is embedded for a unit: its words after the innermost thing that says what it is about."""
    about = unit.lead or (hit.chunk.place.heading or hit.source.title).split(HEADING_SEPARATOR)[-1]
    return f"{about}: {unit.plain}"
