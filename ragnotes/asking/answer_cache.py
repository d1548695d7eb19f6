"""Answers given before, for the same question asked again: no search, no model, the same events in the same order.

An answer is kept for one generation of the index, one model and one day, and served only while every file that it
shows or cites is as it was. What came of haste or of a failing model is not kept.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from threading import Lock

from ragnotes.answers import Answer, Hit
from ragnotes.asking.answering import Asker, Request
from ragnotes.clock import UNSTATED
from ragnotes.events import Event, Final, Passages, Queued
from ragnotes.types import Source

__all__ = ["AnswerCache", "ask_cached", "is_cached"]

_HASTY = ("no ", "late")
"""How the reasons begin that say nothing of the notes: `no model`, `no draft`, `late`."""


def _never() -> bool:
    return False


class AnswerCache:
    """The events of the answers asked for last, at most `size` of them. Any thread may call any method."""

    def __init__(self, size: int = 128) -> None:
        self._size = size
        self._kept: OrderedDict[Hashable, tuple[Event, ...]] = OrderedDict()
        self._lock = Lock()

    def __len__(self) -> int:
        with self._lock:
            return len(self._kept)

    def get(self, key: Hashable, is_fresh: Callable[[Source], bool]) -> tuple[Event, ...] | None:
        """What was kept under `key`, None where nothing was or one of its files is no longer as it was."""
        with self._lock:
            events = self._kept.get(key)
            if events is None:
                return None
            self._kept.move_to_end(key)
        if all(map(is_fresh, _sources(events))):  # outside the lock: it asks the disk
            return events
        with self._lock:
            self._kept.pop(key, None)
        return None

    def keep(self, key: Hashable, events: Sequence[Event]) -> None:
        """Keep these events, and forget those asked for longest ago."""
        with self._lock:
            self._kept[key] = tuple(event for event in events if not isinstance(event, Queued))
            self._kept.move_to_end(key)
            while len(self._kept) > self._size:
                self._kept.popitem(last=False)


def ask_cached(asker: Asker, request: Request, cache: AnswerCache) -> Iterator[Event]:
    """The events of `asker`'s answer, out of the cache where it was given before."""
    started = time.monotonic()
    key = _key(asker, request)
    if events := cache.get(key, asker.is_fresh):
        yield from _again(events, started)
        return
    told: list[Event] = []
    for event in asker.ask(request):
        told.append(event)
        if isinstance(event, Final) and not _hasty(event.answer, request, started):
            # A model behind a URL tells its name only when it is first asked.
            cache.keep(replace(key, model=_model(asker), generation=event.answer.generation), told)
        yield event


def is_cached(asker: Asker, request: Request, cache: AnswerCache) -> bool:
    """Whether the answer was given before, so that no model is needed for it."""
    return cache.get(_key(asker, request), asker.is_fresh) is not None


@dataclass(frozen=True, slots=True)
class _Key:
    """Everything that an answer depends on."""

    asked: Request
    today: date
    model: str | None
    lineage: str
    generation: int


def _key(asker: Asker, request: Request) -> _Key:
    """The key of an answer to this; the hour, and how long one waits for it, are nothing of that."""
    asked = replace(request, question=request.question.strip(), clock=UNSTATED, deadline_s=None, cancelled=_never)
    with asker.store.reading() as snapshot:
        return _Key(asked, request.clock.today(asker.zone), _model(asker), snapshot.lineage, snapshot.generation)


def _model(asker: Asker) -> str | None:
    return asker.generator.name if asker.generator else None


def _hasty(answer: Answer, request: Request, started: float) -> bool:
    """Whether the same may not be told again.

    Another try may give another answer: this one was cut short, lacks the model or a file, or counts what stands in
    files that are not looked at again.
    """
    cut_short = request.deadline_s is not None and time.monotonic() - started > request.deadline_s
    failed = answer.reason is not None and answer.reason.startswith(_HASTY)
    counted = answer.total is not None or answer.more > 0  # rests on files that it does not show
    return cut_short or failed or counted or bool(answer.left_out or answer.reread) or request.cancelled()


def _again(events: Sequence[Event], started: float) -> Iterator[Event]:
    for event in events:
        if isinstance(event, Final):
            spent_ms = round((time.monotonic() - started) * 1000, 1)
            spent = {"cached": spent_ms, "total": spent_ms}
            event = Final(replace(event.answer, timings_ms=spent, usage={}))  # noqa: PLW2901
        yield event


def _sources(events: Sequence[Event]) -> set[Source]:
    """The documents whose text is in these events."""
    hits = [hit for event in events if isinstance(event, Passages) for hit in event.hits]
    answers = [event.answer for event in events if isinstance(event, Final)]
    cited = {citation.source for answer in answers for citation in answer.citations}
    return cited | {source for hit in hits for source in _sources_of(hit)}


def _sources_of(hit: Hit) -> Iterator[Source]:
    yield hit.source
    for copy in hit.also:
        yield from _sources_of(copy)
