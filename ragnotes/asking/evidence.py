"""Hits to evidence: the sentences, list items and table rows that bear on the question, verbatim, best first.

A unit is judged by what it means (cosine to the question), by how much of the question's rare words it holds, and by
the passage it stands in. Words of its heading and table header count for it too, though less: a row under "Cache Type"
need not repeat the word.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence

from ragnotes.answers import NO_FILTERS, Evidence, Filters, Hit
from ragnotes.asking.verbs import other_forms
from ragnotes.asking.words import content_stems, has_content, held_stems, query_terms, stems
from ragnotes.matching import folded, spoken_by
from ragnotes.places import HEADING_SEPARATOR, Places
from ragnotes.ports import Embedder, Snapshot
from ragnotes.types import Unit, Vectors

__all__ = ["PASSAGES", "question_weights", "select_evidence"]

PASSAGES = 5
"""Passages whose units are judged. Eight gave no more answers on squad and the seed notes, and take longer."""
UNITS = 64
"""Units that are judged at the most; each is embedded."""
CONTEXT_SHARE = 0.6
"""How much a question's word counts that only the context of a unit holds."""
OTHER_SPEAKER = 0.8
"""What is left of a unit's score where the question names a speaker, and somebody else speaks."""
FEW = 100
"""Fewer passages than these count as so many: in ten, what is in one is not common, nor what is in none rare."""
MAX_SLIPS = 3
"""Unknown words of a question that are looked into."""
_WORD = re.compile(r"\w+")
_DENIED = re.compile(r"n['’]t$")
"""Verbs that carry nothing: `aren't`, `didn't`."""
_SAYS = re.compile(
    r"\b(?:says?|said|tells?|told|thinks?|thought|argues?|argued|mention\w*|explain\w*|according to|opinion|view"
    r"|dijo|dice|según|sagte?|meinte?|laut|erklärte?)\b",
    re.IGNORECASE,
)

COSINE_WEIGHT, COVERAGE_WEIGHT, PASSAGE_WEIGHT = 0.45, 0.35, 0.20
"""How the parts of a unit's score are mixed; docs/log.md has what other mixtures gave."""


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
) -> list[Evidence]:
    """The units of the best hits, best first; ties go to the better passage, then to the earlier unit.

    `vector` is the question's embedding. `subject` is the part of the question that a unit must speak of; where it has
    no content, none need. With a filter on speakers every unit is theirs alone; where the question names a speaker,
    the units of others count less.
    """
    rarity = question_weights(snapshot, subject) if has_content(subject) else {}
    places = _places(snapshot, hits[:passages])
    all_units = [(hit, unit) for hit in hits[:passages] for unit in hit.chunk.units]
    if filters.speakers:
        all_units = [(hit, unit) for hit, unit in all_units if spoken_by(_voices(places, hit, unit), filters.speakers)]
    units = ([(hit, unit) for hit, unit in all_units if _tells(hit, unit)] or all_units)[:UNITS]
    if not units:
        return []
    vectors = embedder.embed_documents([_in_context(hit, unit) for hit, unit in units])
    cosines = (vectors @ vector).tolist()
    named = _named(subject, [speaker for hit, unit in units for speaker in _voices(places, hit, unit)])
    evidence = []
    for (hit, unit), cosine in zip(units, cosines, strict=True):
        urls = tuple(dict.fromkeys(link.url for link in unit.links))
        share = coverage(rarity, " ".join((unit.plain, *urls)), f"{hit.chunk.context} {unit.lead}")
        score = COSINE_WEIGHT * max(cosine, 0.0) + COVERAGE_WEIGHT * share + PASSAGE_WEIGHT * hit.score
        if named and not named & set(_voices(places, hit, unit)):
            score *= OTHER_SPEAKER
        evidence.append(
            Evidence(
                hit=hit,
                unit=unit,
                text=hit.chunk.text[unit.start - hit.chunk.start : unit.end - hit.chunk.start],
                score=round(score, 6),
                cosine=round(cosine, 6),
                coverage=round(share, 6),
                place=places[hit.source.doc_id].of(unit.start, unit.end),
                links=urls,
            )
        )
    return sorted(evidence, key=lambda item: (-item.score, item.hit.rank, item.unit.start))


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


def _in_context(hit: Hit, unit: Unit) -> str:
    """What is embedded for a unit: its words after the innermost thing that says what it is about."""
    about = unit.lead or (hit.chunk.place.heading or hit.source.title).split(HEADING_SEPARATOR)[-1]
    return f"{about}: {unit.plain}"
