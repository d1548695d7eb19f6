"""Errors to problems, and back to errors at a client."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ragnotes.errors import IndexMissing, NotFound, RagnotesError, ServerError, UsageError
from ragnotes.service.shapes import PROBLEM_TYPE, ProblemShape

if TYPE_CHECKING:
    from ragnotes.service.wire import ProblemJson

__all__ = ["error_of", "problem_json"]


def problem_json(error: RagnotesError, status: int) -> ProblemJson:
    """An error as a problem. Its type is the name of its class: `urn:ragnotes:index-missing`."""
    from ragnotes.service.wire import ProblemJson  # a server's; the thin client has the shape alone

    name = _type_of(type(error))
    return ProblemJson(
        type=name,
        title=name.removeprefix(PROBLEM_TYPE).replace("-", " ").capitalize(),
        status=status,
        detail=error.problem,
        hint=error.hint,
    )


def error_of(problem: ProblemShape) -> RagnotesError:
    """The error that a server's problem stands for, as far as its kind matters to a client; else a ServerError."""
    kinds: tuple[type[RagnotesError], ...] = (IndexMissing, UsageError, NotFound)
    by_type = {_type_of(kind): kind for kind in kinds} | {f"{PROBLEM_TYPE}invalid-request": UsageError}
    return by_type.get(problem.type, ServerError)(problem.detail, problem.hint)


def _type_of(kind: type[RagnotesError]) -> str:
    return PROBLEM_TYPE + re.sub(r"(?<!^)(?=[A-Z])", "-", kind.__name__).lower()
