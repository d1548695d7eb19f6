"""Problems in OpenAI's shape, on the routes that have it: what their clients raise by, and when they try again."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict

from ragnotes.service.shapes import PROBLEM_TYPE
from ragnotes.service.wire import ProblemJson

__all__ = ["OpenAiErrorJson", "error_of_problem", "is_openai_route", "openai_headers", "openai_status"]

_STATUSES = {422: 400, 415: 400}
"""OpenAI says 400 to whatever cannot be used."""
_CODES = {401: "invalid_api_key", 404: "model_not_found"}
_NO_RETRY = frozenset({409, 500, 507})
"""What asking again does not mend, though clients would."""


class ErrorJson(BaseModel):
    model_config = ConfigDict(frozen=True)

    message: str
    type: str
    param: str | None = None
    code: str | None = None


class OpenAiErrorJson(BaseModel):
    model_config = ConfigDict(frozen=True)

    error: ErrorJson


def is_openai_route(path: str) -> bool:
    return path in {"/v1/chat/completions", "/v1/models"} or path.startswith("/v1/models/")


def openai_status(problem: ProblemJson) -> int:
    return _STATUSES.get(problem.status, problem.status)


def openai_headers(problem: ProblemJson) -> Mapping[str, str]:
    return {"x-should-retry": "false"} if problem.status in _NO_RETRY else {}


def error_of_problem(problem: ProblemJson) -> OpenAiErrorJson:
    """The problem and its hint as a message, its kind as the code: `index-missing`."""
    status = openai_status(problem)
    message = f"{problem.detail}; {problem.hint}" if problem.hint else problem.detail
    return OpenAiErrorJson(
        error=ErrorJson(
            message=message,
            type="server_error" if status >= 500 else "invalid_request_error",
            param=problem.errors[0].field if problem.errors else None,
            code=_CODES.get(status, problem.type.removeprefix(PROBLEM_TYPE)),
        )
    )
