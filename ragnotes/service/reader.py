"""JSON to shapes, for the thin client: the same look at every field that pydantic takes, without its import."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from enum import StrEnum
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from ragnotes.service.shapes import Shape

__all__ = ["read"]

_Read = TypeVar("_Read", bound=Shape)
_SHOWN_CHARS = 40
"""Of what is not as it should be."""


def read(shape: type[_Read], content: str | bytes) -> _Read:
    """The shape that JSON holds; fields that it has besides are passed over.

    Raises ValueError where it is no JSON, a field is missing, or one is of another kind, with the field's name.
    """
    try:
        return _shape(shape, json.loads(content), "")
    except RecursionError:
        raise ValueError("its JSON is nested too deeply") from None


def _shape(shape: type[_Read], value: object, at: str) -> _Read:
    if not isinstance(value, dict):
        raise ValueError(f"{at or 'it'} is no object")
    found = dict[str, Any]()
    for name, kind in _fields(shape).items():  # type: ignore[arg-type]  # mypy takes a class for what it makes
        where = f"{at}.{name}" if at else name
        if name in value:
            found[name] = _value(kind, value[name], where)
        elif hasattr(shape, name):
            found[name] = getattr(shape, name)
        else:
            raise ValueError(f"{where} is missing")
    made = shape()
    vars(made).update(found)
    return made


def _is_utf8(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:  # JSON may spell half of a character
        return False
    return True


@cache
def _fields(shape: type[Shape]) -> dict[str, Any]:
    return get_type_hints(shape)


def _value(kind: Any, value: Any, at: str) -> Any:  # noqa: ANN401  whatever JSON holds, of whatever kind
    """The value where it is of that kind. Raises ValueError."""
    origin, of = get_origin(kind) or kind, get_args(kind)
    if origin in (Union, UnionType):  # of one kind and None
        return None if value is None else _value(next(each for each in of if each is not NoneType), value, at)
    if origin is Mapping and isinstance(value, dict):
        return {name: _value(of[1], each, f"{at}.{name}") for name, each in value.items()}
    if origin in (list, Sequence) and isinstance(value, list):
        return [_value(of[0], each, f"{at}.{number}") for number, each in enumerate(value)]
    if origin is Literal and value in of:
        return value
    if isinstance(origin, type) and issubclass(origin, Shape):
        return _shape(origin, value, at)
    if isinstance(origin, type) and issubclass(origin, StrEnum) and value in [*origin]:
        return origin(value)
    if isinstance(value, str) and not _is_utf8(value):
        raise ValueError(f"{at} is no text")
    if type(value) is origin or (origin is float and type(value) is int):
        return value
    raise ValueError(f"{at} cannot be {json.dumps(value)[:_SHOWN_CHARS]}")
