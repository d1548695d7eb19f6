"""The JSON bodies of requests, checked: what a server takes and the thin client sends. Imports no web framework."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, model_validator
from pydantic_core import PydanticCustomError

from ragnotes.clock import moment_of, parse_day, zone_of
from ragnotes.kinds import Kind
from ragnotes.service.limits import MAX_FIELDS, MAX_FILTER_CHARS, MAX_LIMIT, MAX_VALUE_CHARS, MAX_VALUES

__all__ = ["AskBody", "FiltersBody", "SearchBody", "SyncBody"]


def _day(value: object) -> object:
    if value is None or isinstance(value, date):
        return value
    try:
        return parse_day(str(value))
    except ValueError as error:
        raise PydanticCustomError("day", "{why}", {"why": str(error)}) from None


def _moment(value: object) -> object:
    if value is None or isinstance(value, datetime):
        return value
    try:
        return moment_of(str(value))
    except ValueError as error:
        raise PydanticCustomError("moment", "{why}", {"why": str(error)}) from None


def _zone(name: str | None) -> str | None:
    try:
        return name if name is None or zone_of(name) else None
    except ValueError as error:
        raise PydanticCustomError("zone", "{why}", {"why": str(error)}) from None


def _words(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise PydanticCustomError("unicode", "holds half a character") from None
    return text


def _few(values: object) -> object:
    """The values, counted before each is looked at: half a million wrong ones took ten seconds to be told."""
    if isinstance(values, list) and len(values) > MAX_VALUES:
        raise PydanticCustomError("filter", "has more than {most} values", {"most": MAX_VALUES})
    return () if values is None else values


def _short(values: tuple[str, ...]) -> tuple[str, ...]:
    if sum(map(len, values)) > MAX_FILTER_CHARS:
        raise PydanticCustomError("filter", "has more than {most} characters in all", {"most": MAX_FILTER_CHARS})
    return values


Words = Annotated[str, AfterValidator(_words)]
Day = Annotated[date | None, BeforeValidator(_day), PlainSerializer(lambda day: day and day.isoformat())]
Moment = Annotated[datetime | None, BeforeValidator(_moment), PlainSerializer(lambda now: now and now.isoformat())]
Zone = Annotated[str | None, AfterValidator(_zone)]
_ListOrNone = BeforeValidator(_few)
Value = Annotated[Words, Field(max_length=MAX_VALUE_CHARS)]
Values = Annotated[tuple[Value, ...], Field(max_length=MAX_VALUES), AfterValidator(_short), _ListOrNone]
Kinds = Annotated[tuple[Kind, ...], Field(max_length=MAX_VALUES), _ListOrNone]


class FiltersBody(BaseModel):
    """The filters of a request, and when it is asked: `now` and `tz` say what `yesterday` is.

    An unknown field is refused: a misspelt filter must not answer from all notes.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    since: Day = None
    until: Day = None
    tags: Values = ()
    paths: Values = ()
    kinds: Kinds = ()
    speakers: Values = ()
    now: Moment = None
    tz: Zone = None

    @model_validator(mode="before")
    @classmethod
    def _has_few_fields(cls, body: object) -> object:
        if isinstance(body, dict) and len(body) > MAX_FIELDS:
            raise PydanticCustomError("fields", "there are more than {most} fields", {"most": MAX_FIELDS})
        return body


class SearchBody(FiltersBody):
    """`explain` is accepted and changes nothing: hits always carry what their score is made of."""

    query: Words
    limit: int = Field(default=10, ge=1, le=MAX_LIMIT)
    explain: bool = False
    surroundings: bool = False


class AskBody(FiltersBody):
    """`conversation_id` is one that a server gave, `new` to begin one, or `last`; without it nothing is kept."""

    question: Words
    limit: int = Field(default=10, ge=1, le=MAX_LIMIT)
    explain: bool = False
    surroundings: bool = False
    stream: bool = False
    llm: bool = True
    keep_unsupported: bool = False
    deadline_ms: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    conversation_id: Words | None = Field(default=None, max_length=100)


class SyncBody(BaseModel):
    """How to bring the index up to date; each is as the option of `ragnotes index`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rebuild: bool = False
    allow_empty: bool = False
    retry_failed: bool = False
