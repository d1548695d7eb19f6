"""Every question put to the library, and what came of it: its rank, its answer, and what it adds to each measure."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol, TypeVar

from ragnotes.answers import NO_FILTERS, Answer, Citation, Filters, Hit
from ragnotes.asking.answering import Request
from ragnotes.errors import EvaluationError
from ragnotes.evaluation.judging import citation_parts, fold, gives_answer, hit_parts, holds, holds_evidence
from ragnotes.evaluation.measures import Tally, rank_tallies
from ragnotes.evaluation.questions import Question, QuestionSet
from ragnotes.events import Event, Final, Found, Progress
from ragnotes.ports import Snapshot, Store

__all__ = ["Asked", "Outcome", "ask_all", "check_answerable"]

T = TypeVar("T")

HITS = 10
DOCUMENT_HITS = 60
"""Passages searched where documents are ranked, so that ten documents are among them."""
NOT_FOUND = "(not found)"
SHOWN_IDS = 10


class Asked(Protocol):
    """What is measured: the library, as a person asks it."""

    def store(self) -> Store: ...
    def search(self, query: str, *, filters: Filters, limit: int) -> Found: ...
    def ask(self, request: Request) -> Iterator[Event]: ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """One question, asked. `rank` is that of the first relevant hit, from 1; None where it is not among the first ten.

    An answer, its citations and its time are there only where answers were asked for.
    """

    question: Question
    rank: int | None
    search_ms: float
    tallies: Mapping[str, Tally]
    answer: Answer | None = None
    answer_ms: float | None = None


def ask_all(
    library: Asked, asked: QuestionSet, *, answers: bool, llm: bool, progress: Callable[[Progress], None]
) -> list[Outcome]:
    """The outcome of every question, in order. Raises EvaluationError where the index cannot hold the answers.

    In a question file a question has one relevant item, the first hit that holds its evidence: evidence may stand in
    several passages, and to have found it once is enough. So nDCG is that of one item, and recall@k is the share of
    questions with such a hit among the first k. In a benchmark the items are documents, by the first passage of each.
    """
    with library.store().reading() as snapshot:
        check_answerable(snapshot, asked)
    _warm_up(library, asked.questions[0], llm=answers and llm, answers=answers)
    ranked: dict[str, list[str]] = {}
    relevant: dict[str, Mapping[str, int]] = {}
    outcomes = []
    for number, question in enumerate(asked.questions):
        progress(Progress(number, len(asked.questions), question.text))
        found, search_ms = _timed(partial(_search, library, asked, question.text))
        ranked[question.id], relevant[question.id] = _judged(asked, question, found.hits)
        outcome = Outcome(question, _rank(ranked[question.id], relevant[question.id]), search_ms, {})
        if answers:
            outcome = _answered(library, asked, outcome, llm=llm)
        outcomes.append(outcome)
    counted = {question.id: relevant[question.id] for question in asked.questions if question.answerable}
    ranking = rank_tallies(counted, {name: ranked[name] for name in counted}) if counted else {}
    return [
        replace(outcome, tallies={**ranking.get(outcome.question.id, {}), **outcome.tallies}) for outcome in outcomes
    ]


def check_answerable(snapshot: Snapshot, asked: QuestionSet) -> None:
    """Raises EvaluationError where evidence, a note or a document that questions name is not in the index.

    A question that no system could answer from these notes would only look like a miss.
    """
    paths = {source.path for source in snapshot.documents()}
    if asked.relevant is not None:
        lost = [name for name, grades in asked.relevant.items() if not any(path in paths for path in grades)]
        if lost:
            raise EvaluationError(f"no relevant document of {_ids(lost)} is in the index", "see: ragnotes status")
        return
    answerable = [question for question in asked.questions if question.answerable]
    lost = [question.id for question in answerable if question.note and not _is_there(question.note, paths)]
    if lost:
        raise EvaluationError(
            f"the index does not hold the note of {_ids(lost)}", "correct `note`, or index the notes: ragnotes index"
        )
    lost = _without_evidence(snapshot, answerable)
    if lost:
        raise EvaluationError(
            f"the evidence of {_ids(lost)} is nowhere in the index",
            "copy it from the note as it stands now, or bring the index up to date: ragnotes index",
        )


def _without_evidence(snapshot: Snapshot, questions: Sequence[Question]) -> list[str]:
    waiting = list(questions)
    for source in snapshot.documents():
        document = snapshot.document(source.doc_id) if waiting else None
        if document is None:
            continue
        links = (link for chunk in snapshot.chunks(source.doc_id) for link in chunk.links)
        parts = [fold(part) for part in (document.text, document.title, *dict.fromkeys(links))]
        waiting = [question for question in waiting if not holds(parts, question.evidence)]
    return [question.id for question in waiting]


def _is_there(note: str, paths: set[str]) -> bool:
    return note in paths or any(path.endswith(f"/{note}") for path in paths)


def _ids(names: Sequence[str]) -> str:
    shown = ", ".join(names[:SHOWN_IDS])
    return shown if len(names) <= SHOWN_IDS else f"{shown} and {len(names) - SHOWN_IDS} more"


def _warm_up(library: Asked, first: Question, *, llm: bool, answers: bool) -> None:
    """One question that nobody times: the models load with it."""
    library.search(first.text, filters=NO_FILTERS, limit=HITS)
    if answers:
        _final(library.ask(Request(first.text, llm=llm)))


def _search(library: Asked, asked: QuestionSet, text: str) -> Found:
    return library.search(text, filters=NO_FILTERS, limit=HITS if asked.relevant is None else DOCUMENT_HITS)


def _judged(asked: QuestionSet, question: Question, hits: Sequence[Hit]) -> tuple[list[str], Mapping[str, int]]:
    """The items found, best first, and the relevant ones with their grades."""
    if asked.relevant is not None:
        paths = list(dict.fromkeys(hit.source.path for hit in hits))
        return paths[:HITS], asked.relevant[question.id]
    items = [hit.chunk.chunk_id for hit in hits]
    holding = (hit.chunk.chunk_id for hit in hits if holds_evidence(hit_parts(hit), question.evidence))
    return items, {next(holding, NOT_FOUND): 1}


def _rank(items: Sequence[str], relevant: Mapping[str, int]) -> int | None:
    return next((rank for rank, item in enumerate(items, start=1) if relevant.get(item, 0) > 0), None)


def _answered(library: Asked, asked: QuestionSet, outcome: Outcome, *, llm: bool) -> Outcome:
    question = outcome.question
    answer, answer_ms = _timed(lambda: _final(library.ask(Request(question.text, llm=llm))))
    with library.store().reading() as snapshot:
        valid = sum(_is_verbatim(snapshot, citation) for citation in answer.citations)
    tallies = _answer_tallies(question, answer) | {"quote_validity": Tally(valid, len(answer.citations))}
    if question.answerable and answer.answered and asked.relevant is None:
        good = sum(_is_good(question, citation) for citation in answer.citations)
        tallies["citation_precision"] = Tally(good, len(answer.citations))
    return replace(outcome, tallies=tallies, answer=answer, answer_ms=answer_ms)


def _answer_tallies(question: Question, answer: Answer) -> dict[str, Tally]:
    tallies: dict[str, Tally] = {}
    if not answer.answered:
        tallies["abstention_precision"] = Tally(not question.answerable, 1)
    if not question.answerable:
        return tallies | {"abstention_recall": Tally(not answer.answered, 1)}
    tallies["wrongly_abstained"] = Tally(not answer.answered, 1)
    if question.answers:
        given = sum(gives_answer(answer.text, accepted) for accepted in question.answers)
        tallies["answer_hit"] = Tally(given > 0, 1)
        if question.type == "list":
            tallies["list_share"] = Tally(given / len(question.answers), 1)
    return tallies


def _is_good(question: Question, citation: Citation) -> bool:
    """Whether a citation holds the evidence, or comes from the named note and holds an accepted answer."""
    parts = citation_parts(citation)
    if holds_evidence(parts, question.evidence):
        return True
    named = bool(question.note) and _is_there(question.note or "", {citation.source.path})
    return named and any(gives_answer(" ".join(parts), answer) for answer in question.answers)


def _is_verbatim(snapshot: Snapshot, citation: Citation) -> bool:
    document = snapshot.document(citation.source.doc_id)
    return document is not None and document.text[citation.start : citation.end] == citation.quote


def _final(events: Iterator[Event]) -> Answer:
    last = None
    for last in events:  # noqa: B007 - an answer is whole when its events have ended
        pass
    assert isinstance(last, Final)
    return last.answer


def _timed(call: Callable[[], T]) -> tuple[T, float]:
    started = time.perf_counter()
    result = call()
    return result, round((time.perf_counter() - started) * 1000, 2)
