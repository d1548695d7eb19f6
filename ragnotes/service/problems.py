"""Errors as RFC 9457 problems: one table from error to status, and the handlers that make every refusal a problem."""

from __future__ import annotations

import re
from collections.abc import Mapping

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from ragnotes import errors
from ragnotes.errors import GeneratorBusy, IndexLocked, RagnotesError
from ragnotes.service.error_json import problem_json
from ragnotes.service.openai_errors import error_of_problem, is_openai_route, openai_headers, openai_status
from ragnotes.service.shapes import PROBLEM_TYPE
from ragnotes.service.wire import FieldProblemJson, ProblemJson

__all__ = ["PRIVATE_HEADERS", "STATUSES", "add_handlers", "http_problem", "problem_of", "respond"]

STATUSES: Mapping[type[RagnotesError], int] = {
    errors.UsageError: 422,
    errors.NotFound: 404,
    errors.IndexMissing: 409,
    errors.IndexMismatch: 409,
    errors.CorpusError: 409,
    errors.LoadError: 422,
    errors.IndexLocked: 503,
    errors.IndexWriteFailed: 507,
    errors.IndexDamaged: 500,
    errors.ModelError: 503,
    errors.GeneratorFailed: 503,
    errors.GeneratorBusy: 503,
    errors.ServerError: 502,
    errors.ServerGone: 502,
    errors.EvaluationError: 422,
    errors.SettingsError: 500,
    RagnotesError: 500,
}
"""The status of each error; a test compares it with the exception tree."""

PRIVATE_HEADERS: Mapping[str, str] = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""Of every response: no cache keeps it, and a browser runs nothing of it."""
_LOCKED_RETRY_S = 5
MAX_FAULTS = 20
"""Faults of one request that are named."""
MAX_SHOWN_CHARS = 200

_HTTP: Mapping[int, tuple[str, str]] = {
    400: ("bad-request", "correct the request"),
    401: (
        "unauthorized",
        "use the one that serve was given or ragnotes key made: RAGNOTES_API_KEY, or Authorization: Bearer KEY",
    ),
    403: ("forbidden", "send it from the server's own origin, or without a browser"),
    404: ("not-found", "the routes are listed in /openapi.json"),
    405: ("method-not-allowed", "the routes are listed in /openapi.json"),
    408: ("too-slow", "send it in one go"),
    413: ("body-too-large", "send less"),
    414: ("url-too-long", "send less"),
    415: ("unsupported-media-type", "send JSON with the header Content-Type: application/json"),
    422: ("invalid-request", "the fields are listed in /openapi.json"),
    429: ("too-many-guesses", "send the right key, or wait"),
    431: ("headers-too-large", "send less"),
    500: ("internal", "the server's log says more; the notes and the index are safe"),
    503: ("not-ready", "wait, and try again"),
}


def problem_of(error: Exception) -> ProblemJson:
    """The problem that stands for any error. Errors that nobody raised on purpose tell nothing of the inside."""
    if isinstance(error, RagnotesError):
        return problem_json(error, STATUSES[type(error)])
    if isinstance(error, OSError) and errors.is_out_of_files(error):
        return http_problem(503, "the server has as many files open as it may", hint="try again in a second")
    return http_problem(500, "something went wrong that should not have")


def http_problem(status: int, detail: str, *, hint: str | None = None) -> ProblemJson:
    """A problem of HTTP itself."""
    slug, usual_hint = _HTTP.get(status, (f"http-{status}", "correct the request"))
    title = slug.replace("-", " ").capitalize()
    return ProblemJson(type=PROBLEM_TYPE + slug, title=title, status=status, detail=detail, hint=hint or usual_hint)


def respond(problem: ProblemJson, headers: Mapping[str, str] | None = None, *, path: str = "") -> Response:
    """The answer that a problem is to a request of that path."""
    headers = {**PRIVATE_HEADERS, **(headers or {})}
    if is_openai_route(path):
        return Response(
            error_of_problem(problem).model_dump_json(),
            status_code=openai_status(problem),
            headers={**headers, **openai_headers(problem)},
            media_type="application/json",
        )
    return Response(
        problem.model_dump_json(exclude_none=True),
        status_code=problem.status,
        headers=headers,
        media_type="application/problem+json",
    )


def add_handlers(app: FastAPI) -> None:
    """From here on every error of `app` is answered with a problem."""
    app.add_exception_handler(RagnotesError, _ragnotes_error)
    app.add_exception_handler(RequestValidationError, _invalid_request)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(OSError, _system_error)
    app.add_exception_handler(Exception, _unexpected)


async def _ragnotes_error(request: Request, error: Exception) -> Response:
    headers = {}
    if isinstance(error, GeneratorBusy):
        headers["Retry-After"] = str(error.retry_after_s)
    if isinstance(error, IndexLocked):
        headers["Retry-After"] = str(_LOCKED_RETRY_S)
    return respond(problem_of(error), headers, path=request.url.path)


async def _invalid_request(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    fields = [
        FieldProblemJson(field=_field(fault["loc"]), problem=_shown(re.sub(r"^Value error, ", "", fault["msg"])))
        for fault in error.errors()[:MAX_FAULTS]
    ]
    detail = "; ".join(f"{fault.field}: {fault.problem}" for fault in fields)
    return respond(http_problem(422, detail).model_copy(update={"errors": fields}), path=request.url.path)


def _field(location: tuple[int | str, ...]) -> str:
    """`since`, `tags.0`; for JSON that cannot be read, `body` and the position."""
    names = location[1:] if len(location) > 1 and isinstance(location[1], str) else location
    return _shown(".".join(str(name) for name in names))


def _shown(text: str) -> str:
    """What a request is told of itself: enough to find the place, not all that it sent."""
    return text if len(text) <= MAX_SHOWN_CHARS else f"{text[:MAX_SHOWN_CHARS]}…"


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return respond(http_problem(error.status_code, str(error.detail)), error.headers, path=request.url.path)


async def _system_error(request: Request, error: Exception) -> Response:
    problem = problem_of(error)
    if problem.status != 503:
        raise error
    return respond(problem, {"Retry-After": "1"}, path=request.url.path)


async def _unexpected(request: Request, error: Exception) -> Response:
    # starlette raises it again, so that the log has it, and uvicorn then closes: no client may begin another request
    return respond(problem_of(error), {"Connection": "close"}, path=request.url.path)
