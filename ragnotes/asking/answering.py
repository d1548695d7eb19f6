"""A question to a checked answer, as one stream of events: passages first, then tokens, citations, and the whole.

The notes answer, not the model. Evidence is picked before the model is asked; the model sees nothing else; what it
writes is checked sentence by sentence, and where nothing of it stands, the evidence itself is the answer.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import tzinfo
from typing import TypeVar

from ragnotes.answers import NO_FILTERS, Answer, Evidence, Filters, Hit, Mode, Unmatched
from ragnotes.asking.abstention import confidence_in, reason_to_abstain
from ragnotes.asking.answer_forms import Formed, form_answer, passages_wanted
from ragnotes.asking.clues import JUDGED_HITS
from ragnotes.asking.drafting import PROMPT_EVIDENCE, Task, draft_sentences
from ragnotes.asking.evidence import select_evidence
from ragnotes.asking.fusion import dense_weight
from ragnotes.asking.link_questions import asks_for_link, subject_of_link
from ragnotes.asking.lists import asks_for_list
from ragnotes.asking.mention_questions import MentionQuestion, mentions_asked
from ragnotes.asking.own_time import FROM_QUESTION, holdings_of, limited_to_own_time, subject_of
from ragnotes.asking.own_words import asks_for_a_kind
from ragnotes.asking.recency import of_the_outermost_day
from ragnotes.asking.retrieval import retrieve_fresh
from ragnotes.asking.surroundings import with_surroundings
from ragnotes.asking.telling import Telling
from ragnotes.asking.unmatched import unmatched
from ragnotes.asking.verification import verifier
from ragnotes.asking.words import has_content
from ragnotes.clock import UNSTATED, Clock
from ragnotes.dates import DayMonthOrder
from ragnotes.errors import ModelError, UsageError
from ragnotes.events import Event, Final, Found, Passages
from ragnotes.ports import Embedder, Reading, Snapshot
from ragnotes.ports import Generator as LanguageModel
from ragnotes.turns import Turn
from ragnotes.types import Source, Vectors

__all__ = ["MAX_QUESTION_CHARS", "Asker", "Request"]

MAX_QUESTION_CHARS = 4000

_F = TypeVar("_F", Found, "_Found")


@dataclass(frozen=True, slots=True)
class Request:
    """A question and how it is to be answered. `deadline_s` counts from the start of the answer.

    `surroundings` asks for the text around the passages, `keep_unsupported` for what the model wrote and no note says.
    `conversation` is one to continue, `new`, or `last`, and None keeps nothing; without one, `earlier` are the turns
    that the question may refer to.
    """

    question: str
    filters: Filters = NO_FILTERS
    limit: int = 10
    llm: bool = True
    surroundings: bool = False
    keep_unsupported: bool = False
    deadline_s: float | None = None
    clock: Clock = UNSTATED
    cancelled: Callable[[], bool] = field(default=lambda: False)
    conversation: str | None = None
    earlier: tuple[Turn, ...] = ()


@dataclass(frozen=True, slots=True)
class Asker:
    """Answers questions over one store. `no_model` says why there is no generator, where there is none.

    A thread of the `pool` embeds a question while its words are looked for; without one it is embedded first. `zone` is
    the time zone of questions that state none, `order` which number of `3/4` is the day. `reread` brings files that
    have changed up to date in the store until `stopped()`, and gives those where it could.
    """

    store: Reading
    embedder: Embedder
    generator: LanguageModel | None
    no_model: str | None
    is_fresh: Callable[[Source], bool]
    answer_tokens: int
    pool: Executor | None = None
    zone: tzinfo | None = None
    order: DayMonthOrder | None = None
    reread: Callable[[Sequence[str], Callable[[], bool]], Sequence[str]] = lambda *_: ()

    def search(
        self,
        query: str,
        *,
        filters: Filters = NO_FILTERS,
        limit: int = 10,
        surroundings: bool = False,
        clock: Clock = UNSTATED,
    ) -> Found:
        """The passages for `query`. Raises UsageError on an empty or endless query."""
        query = checked_question(query)
        laps = _Laps()
        vector = self._embedded(query)

        def search(snapshot: Snapshot) -> Found:
            limited, subject = self._in_time(snapshot, query, filters, clock)
            hits, left_out = self._retrieve(snapshot, query, subject, vector, limited, limit)
            hits = with_surroundings(snapshot, hits) if surroundings else hits
            foreign = unmatched(snapshot, limited) if not hits else ()
            return Found(
                query, tuple(hits), limited, snapshot.generation, laps.laps, tuple(left_out), unmatched=foreign
            )

        with self._found_in(search, lambda: False) as (_, found):
            laps.lap("search")
            return found

    def ask(self, request: Request) -> Iterator[Event]:
        """The events of one answer, `Final` last. Raises UsageError on an empty or endless question.

        A late answer is told from the best evidence found so far; a cancelled one ends without `Final`.
        """
        question = checked_question(request.question)
        laps = _Laps()
        if request.cancelled():
            return

        def stopped() -> bool:
            return laps.stopped(request)

        with self._found_in(lambda snapshot: self._found(snapshot, question, request), stopped) as (snapshot, found):
            laps.lap("search")
            if request.cancelled():
                return
            yield Passages(found.passages)
            judged = self._judged(snapshot, question, found, stopped)
            laps.lap("evidence")
        if request.cancelled():
            return
        telling = Telling(judged.formed.reason)
        if judged.formed.reason is None:
            yield from self._tell(telling, request, question, judged, laps)
        laps.lap("answer")
        yield Final(_answer(question, found, judged, telling, laps))

    def _embedded(self, question: str) -> Callable[[], Vectors]:
        """Gives the embedding of the question, shape (dimension,), made while this thread looks for its words."""
        if self.pool is None:
            vector = self.embedder.embed_queries([question])[0]
            return lambda: vector
        made = self.pool.submit(self.embedder.embed_queries, [question])
        return lambda: made.result()[0]

    @contextmanager
    def _found_in(self, search: Callable[[Snapshot], _F], stopped: Callable[[], bool]) -> Iterator[tuple[Snapshot, _F]]:
        """A snapshot, and what a search finds in it; files it would leave out are read again first, where possible."""
        with self.store.reading() as snapshot:
            found = search(snapshot)
            reread = tuple(self.reread(found.left_out, stopped))
            if not reread:
                yield snapshot, found
                return
        with self.store.reading() as snapshot:
            yield snapshot, replace(search(snapshot), reread=reread)

    def _found(self, snapshot: Snapshot, question: str, request: Request) -> _Found:
        """The hits for the question, and what is known of it by then."""
        vector = self._embedded(question)
        filters, subject = self._in_time(snapshot, question, request.filters, request.clock)
        mentions = mentions_asked(question, filters, today=request.clock.today(self.zone), order=self.order)
        filters = mentions.filters if mentions else filters
        wanted = max(request.limit, PROMPT_EVIDENCE, JUDGED_HITS, passages_wanted(question))
        hits, left_out = self._retrieve(snapshot, question, subject, vector, filters, wanted)
        shown = hits[: request.limit]
        return _Found(
            vector=vector(),
            filters=filters,
            subject=subject_of_link(subject) if asks_for_link(question) else subject,
            mentions=mentions,
            hits=hits,
            passages=tuple(with_surroundings(snapshot, shown) if request.surroundings else shown),
            left_out=left_out,
            unmatched=unmatched(snapshot, filters) if not hits else (),
            generation=snapshot.generation,
        )

    def _judged(self, snapshot: Snapshot, question: str, found: _Found, stopped: Callable[[], bool]) -> _Judged:
        """The evidence of the hits, whether the notes hold the answer, and what is to be told."""
        filters, subject, hits = found.filters, found.subject, found.hits
        evidence = select_evidence(
            snapshot,
            self.embedder,
            found.vector,
            hits,
            subject=subject,
            filters=filters,
            passages=passages_wanted(question),
            stopped=stopped,
        )
        late = stopped()  # then the evidence is in another order, and it is not known what the notes hold
        embedder = None if late else self.embedder
        confidence = confidence_in(snapshot, embedder, hits, evidence, filters, question=question, subject=subject)
        reason = reason_to_abstain(
            snapshot, hits, evidence, filters, found.left_out, subject=subject, confidence=confidence
        )
        reason = "late" if late and reason == "low_support" else reason
        evidence = of_the_outermost_day(evidence, filters) if filters.order else evidence
        formed = form_answer(
            snapshot,
            question,
            evidence,
            subject=subject,
            filters=filters,
            reason=reason,
            mentions=found.mentions,
            is_fresh=self.is_fresh,
            order=self.order,
        )
        return _Judged(evidence, confidence, formed)

    def _in_time(self, snapshot: Snapshot, question: str, filters: Filters, clock: Clock) -> tuple[Filters, str]:
        """The filters with what the question says of time, and what it asks for besides."""
        today = clock.today(self.zone)
        holds = holdings_of(snapshot, filters)
        filters = limited_to_own_time(question, filters, today=today, order=self.order, holds=holds)
        return filters, subject_of(question, filters, today=today, order=self.order)

    def _retrieve(
        self,
        snapshot: Snapshot,
        question: str,
        subject: str,
        vector: Callable[[], Vectors],
        filters: Filters,
        limit: int,
    ) -> tuple[list[Hit], list[str]]:
        query = subject if filters.order and has_content(subject) else question  # "latest" is no word to look for
        return retrieve_fresh(
            snapshot,
            query,
            vector,
            filters=filters,
            limit=limit,
            is_fresh=self.is_fresh,
            weight=dense_weight(question, self.embedder),
            as_noted=filters.source == FROM_QUESTION
            and not (filters.order or has_content(subject) or asks_for_a_kind(question)),
        )

    def _tell(self, telling: Telling, request: Request, question: str, judged: _Judged, laps: _Laps) -> Iterator[Event]:
        """The model's sentences where they stand, else the evidence itself."""
        extracted = judged.formed.extracted
        telling.reason = extracted.reason
        if request.llm and not extracted.settled and not asks_for_list(question):  # a draft tells one thing
            task = Task(
                question,
                judged.evidence,
                extracted.told,
                self.answer_tokens,
                lambda: laps.stopped(request),
                verifier(self.store, self.embedder),
                request.keep_unsupported,
            )
            yield from self._tell_draft(telling, task)
        if not telling.sentences:
            for checked in extracted.told:
                yield from telling.tell(checked)
            if telling.reason is None and laps.stopped(request):
                telling.reason = "late"

    def _tell_draft(self, telling: Telling, task: Task) -> Iterator[Event]:
        """The sentences of the model's draft that stand; where none does, `telling` knows why."""
        if self.generator is None:
            telling.reason = self.no_model
            return
        if task.stopped():
            telling.reason = "late"
            return
        draft = draft_sentences(self.generator, task)
        try:
            with closing(draft):
                telling.usage = yield from telling.tell_all(draft)
            reason = "late" if task.stopped() else "draft_not_supported"
        except ModelError as error:
            reason = f"no draft: {error}"
        if telling.sentences:
            telling.model = self.generator.name
        else:
            telling.reason = reason


@dataclass(frozen=True, slots=True)
class _Found:
    """What the search gave: `hits` are those that are judged, `passages` those that are shown."""

    vector: Vectors
    filters: Filters
    subject: str
    mentions: MentionQuestion | None
    hits: Sequence[Hit]
    passages: tuple[Hit, ...]
    left_out: Sequence[str]
    unmatched: tuple[Unmatched, ...]
    generation: int
    reread: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Judged:
    """What of the hits bears on the question, how sure it is that it answers it, and what is told."""

    evidence: Sequence[Evidence]
    confidence: float | None
    formed: Formed


class _Laps:
    """Milliseconds by stage since the start."""

    def __init__(self) -> None:
        self._started = self._last = time.monotonic()
        self.laps: dict[str, float] = {}

    def lap(self, stage: str) -> None:
        now = time.monotonic()
        self.laps[stage] = round((now - self._last) * 1000, 1)
        self._last = now

    def total_ms(self) -> float:
        return round((time.monotonic() - self._started) * 1000, 1)

    def stopped(self, request: Request) -> bool:
        """Whether nobody waits any more: the question was cancelled, or its answer is late."""
        late = request.deadline_s is not None and time.monotonic() - self._started > request.deadline_s
        return late or request.cancelled()


def _answer(question: str, found: _Found, judged: _Judged, telling: Telling, laps: _Laps) -> Answer:
    formed = judged.formed
    return Answer(
        question=question,
        mode=Mode.ABSTAINED if formed.reason else Mode.GENERATED if telling.model else Mode.EXTRACTIVE,
        reason=telling.reason,
        sentences=tuple(telling.sentences),
        citations=tuple(telling.citations),
        passages=found.passages,
        filters=found.filters,
        model=telling.model,
        generation=found.generation,
        timings_ms=laps.laps | {"total": laps.total_ms()},
        usage=telling.usage,
        left_out=tuple(sorted({*found.left_out, *formed.left_out})),
        reread=found.reread,
        unmatched=found.unmatched,
        total=formed.total,
        more=0 if telling.model else formed.extracted.more,
        confidence=judged.confidence,
    )


def checked_question(question: str) -> str:
    """The question without surrounding white space. Raises UsageError where it is empty or endless."""
    question = question.strip()
    if not question:
        raise UsageError("the question is empty", 'ask something, such as: ask "Which notes mention FAISS?"')
    if len(question) > MAX_QUESTION_CHARS:
        raise UsageError(
            f"the question has {len(question)} characters, over the limit of {MAX_QUESTION_CHARS}", "shorten it"
        )
    return question
