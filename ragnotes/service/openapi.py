"""What the OpenAPI document says of refusals: which statuses a group of routes can give, and in which media type."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ragnotes.service.openai_errors import OpenAiErrorJson

__all__ = ["ASKING", "HEALTH", "LIBRARY", "OPENAI"]

Responses = dict[int | str, dict[str, Any]]

_WHY: Mapping[int, str] = {
    400: "The request is malformed, or its Host is not this server",
    401: "The API key is missing or wrong",
    403: "The request comes from a page of another origin",
    404: "There is no such thing",
    408: "The body did not come in time",
    409: "The index is missing, or is of another embedder or corpus",
    413: "The body is too large",
    414: "The address is too long",
    415: "The body is not JSON",
    422: "A field cannot be used: `errors` says which",
    429: "Too many wrong API keys were tried",
    431: "The headers are too many or too long",
    500: "A mistake in ragnotes, or a damaged index",
    502: "The language model's server cannot be reached",
    503: "Too much is asked at once, or something is still loading: see Retry-After",
    507: "The disk is full, or cannot be written to",
}


def _problems(*statuses: int) -> Responses:
    """RFC 9457 problems; their schema is in the document because jobs carry one."""
    shape = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemJson"}}}
    return {status: {"description": _WHY[status], "content": shape} for status in statuses}


HEALTH = _problems(400, 500, 503)
ASKING = _problems(*_WHY)
LIBRARY = _problems(*(status for status in _WHY if status != 502))
OPENAI: Responses = {
    status: {"description": why, "model": OpenAiErrorJson}
    for status, why in _WHY.items()
    if status != 415  # told as 400: see `openai_errors`
}
