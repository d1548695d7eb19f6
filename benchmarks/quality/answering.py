"""Questions put to a library, and how good the answers are."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks.quality.verdicts import Share
from ragnotes.answers import Answer, Citation, Mode
from ragnotes.asking.answering import Request
from ragnotes.assembly import Library
from ragnotes.evaluation.judging import citation_parts, gives_answer, holds_evidence
from ragnotes.evaluation.questions import Question
from ragnotes.events import Final

__all__ = [
    "Asked",
    "Good",
    "abstained",
    "abstention_curve",
    "answered_well",
    "ask",
    "first_passages",
    "of_the_evidence",
    "of_the_note",
    "percentile",
    "precision",
    "quotes",
    "words",
]

Good = Callable[[Question, Citation], bool]


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with its answer, and how long that took."""

    question: Question
    answer: Answer
    seconds: float


def ask(library: Library, questions: Sequence[Question], *, llm: bool) -> list[Asked]:
    """The answers to the questions, in order; before them one loads what is needed, put so that no cache knows it."""
    if questions:
        _answer(library, f"Tell me: {questions[0].text}", llm=llm)
    asked = []
    for question in questions:
        began = time.perf_counter()
        answer = _answer(library, question.text, llm=llm)
        asked.append(Asked(question, answer, time.perf_counter() - began))
    return asked


def _answer(library: Library, text: str, *, llm: bool) -> Answer:
    *_, last = library.ask(Request(text, llm=llm))
    assert isinstance(last, Final)
    return last.answer


def answered_well(asked: Sequence[Asked]) -> Share:
    """The answers that hold an accepted one."""
    hits = [any(gives_answer(one.answer.text, answer) for answer in one.question.answers) for one in asked]
    return Share(sum(hits), len(hits))


def words(asked: Sequence[Asked]) -> float:
    """The median number of words of the answers that were given."""
    return median([len(one.answer.text.split()) for one in asked if one.answer.answered] or [0])


def precision(asked: Sequence[Asked], is_good: Good) -> tuple[float, int]:
    """The share of good citations, averaged over the questions that were answered, and how many those are."""
    shares = [
        sum(is_good(one.question, citation) for citation in one.answer.citations) / len(one.answer.citations)
        if one.answer.citations
        else 0.0
        for one in asked
        if one.answer.answered
    ]
    return (sum(shares) / len(shares) if shares else 0.0), len(shares)


def of_the_note(question: Question, citation: Citation) -> bool:
    """Whether a citation is of the note that the question was asked about."""
    return citation.source.path == question.note


def of_the_evidence(question: Question, citation: Citation) -> bool:
    """Whether a citation holds the evidence, or an accepted answer in the note of the question."""
    parts = citation_parts(citation)
    if holds_evidence(parts, question.evidence):
        return True
    named = citation.source.path == question.note
    return named and any(gives_answer(" ".join(parts), answer) for answer in question.answers)


def quotes(library: Library, asked: Iterable[Asked]) -> Share:
    """The citations whose quote is the stored text at its offsets."""
    valid = count = 0
    with library.store().reading() as snapshot:
        for citation in (citation for one in asked for citation in one.answer.citations):
            document = snapshot.document(citation.source.doc_id)
            count += 1
            valid += document is not None and document.text[citation.start : citation.end] == citation.quote
    return Share(valid, count)


def abstained(asked: Sequence[Asked]) -> Share:
    return Share(sum(one.answer.mode is Mode.ABSTAINED for one in asked), len(asked))


def first_passages(asked: Sequence[Asked]) -> Share:
    """The questions whose first passage is of the note that they were asked about."""
    first = [one.answer.passages[:1] for one in asked]
    return Share(
        sum(bool(hits) and hits[0].source.path == one.question.note for hits, one in zip(first, asked, strict=True)),
        len(asked),
    )


def abstention_curve(
    answerable: Sequence[Asked], unanswerable: Sequence[Asked], *, steps: int = 20
) -> list[tuple[float, Share, Share]]:
    """At each threshold of confidence: what would be abstained of the unanswerable, and of the answerable."""
    thresholds = [step / steps for step in range(steps + 1)]
    return [(at, _below(unanswerable, at), _below(answerable, at)) for at in thresholds]


def _below(asked: Sequence[Asked], threshold: float) -> Share:
    return Share(sum(_confidence(one.answer) < threshold for one in asked), len(asked))


def _confidence(answer: Answer) -> float:
    """How sure the answer is that the notes hold it; where nothing is judged, 1 if it is answered and else 0."""
    return float(answer.answered) if answer.confidence is None else answer.confidence


def percentile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0
