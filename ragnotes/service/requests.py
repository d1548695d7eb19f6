"""Checked bodies to what the library takes: apart from `bodies`, which the thin client imports too."""

from __future__ import annotations

from collections.abc import Callable

from ragnotes.answers import Filters
from ragnotes.asking.answering import Request
from ragnotes.clock import Clock, zone_of
from ragnotes.errors import UsageError
from ragnotes.service.bodies import AskBody, FiltersBody

__all__ = ["clock_of", "filters_of", "request_of"]


def filters_of(body: FiltersBody) -> Filters:
    """The filters that a request asks for. Raises UsageError where no day lies between its dates."""
    if body.since and body.until and body.since > body.until:
        raise UsageError(f"since {body.since} is after until {body.until}", "exchange them")
    return Filters(
        since=body.since,
        until=body.until,
        tags=body.tags,
        paths=body.paths,
        kinds=body.kinds,
        speakers=body.speakers,
        source="request" if body.since or body.until else None,
    )


def clock_of(body: FiltersBody) -> Clock:
    """The clock by which a request is asked, as far as it states one."""
    return Clock(body.now, zone_of(body.tz) if body.tz else None)


def request_of(body: AskBody, *, cancelled: Callable[[], bool] = lambda: False) -> Request:
    """The question that a request asks. Raises UsageError as `filters_of` does."""
    return Request(
        question=body.question,
        filters=filters_of(body),
        limit=body.limit,
        llm=body.llm,
        keep_unsupported=body.keep_unsupported,
        surroundings=body.surroundings,
        deadline_s=body.deadline_ms / 1000 if body.deadline_ms else None,
        clock=clock_of(body),
        cancelled=cancelled,
        conversation=body.conversation_id,
    )
