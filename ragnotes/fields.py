"""What pydantic is to do with a field, told without importing it, which takes longer than all the thin client does."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler
    from pydantic_core import CoreSchema

__all__ = ["Made", "Within"]


class Within:
    """Bounds of a field, by the names that they have in pydantic's schemas."""

    def __init__(self, **bounds: float) -> None:
        self._bounds = bounds

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return {**handler(source), **self._bounds}


class Made:
    """What a field is made by, of the value that was given. It may raise ValueError."""

    def __init__(self, make: Callable[[Any], object]) -> None:
        self._make = make

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        from pydantic_core.core_schema import no_info_before_validator_function

        return no_info_before_validator_function(self._make, handler(source))
