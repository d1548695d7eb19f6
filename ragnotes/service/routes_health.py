"""Whether the process is up, and whether it can answer."""

from __future__ import annotations

from fastapi import APIRouter, Response

from ragnotes.errors import RagnotesError
from ragnotes.service.parts import Service, ServiceDep
from ragnotes.service.problems import http_problem, respond
from ragnotes.service.warm_up import LOADING, READY
from ragnotes.service.wire import ReadyJson

__all__ = ["router"]

router = APIRouter(tags=["health"])


@router.get("/health")
async def health() -> dict[str, str]:
    """The process is up."""
    return {"status": "ok"}


@router.get("/ready", response_model=ReadyJson)
def ready(service: ServiceDep) -> ReadyJson | Response:
    """200 once index and embedder can be used, else 503 with the reason. A missing language model only degrades."""
    embedder = service.warm_up.embedder
    try:
        indexed = service.library.indexed()
    except RagnotesError as error:  # damaged, locked, or of another ragnotes
        return respond(http_problem(503, error.problem, hint=error.hint))
    if not indexed:
        return respond(http_problem(503, "there is no index yet", hint="run: ragnotes index, or POST /v1/index/sync"))
    if embedder == LOADING:
        return respond(http_problem(503, "the embedder is loading"))
    if embedder != READY:
        return respond(http_problem(503, f"the embedder is {embedder}", hint="the server's log says more"))
    try:
        service.library.check_index()
    except RagnotesError as error:  # of another embedder or corpus: every question would be refused
        return respond(http_problem(503, error.problem, hint=error.hint))
    return _ready(service)


def _ready(service: Service) -> ReadyJson:
    library = service.library
    generator = library.generator
    with library.store().reading() as snapshot:
        generation = snapshot.generation
    return ReadyJson(
        ready=True,
        generation=generation,
        embedder=library.embedder.name,
        model=generator.name if generator else None,
        generator=service.warm_up.generator_now(),
    )
