"""The application: guards, routes and problems around a library that is already built."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from anyio import CapacityLimiter, current_time, to_thread
from fastapi import FastAPI
from starlette.middleware.body_limit import RequestBodyLimitMiddleware

from ragnotes import __version__
from ragnotes.service import (
    openapi,
    routes_asking,
    routes_conversations,
    routes_health,
    routes_library,
    routes_openai,
)
from ragnotes.service.admission import Admission
from ragnotes.service.following import Following
from ragnotes.service.guards import MAX_BODY_BYTES, Guards
from ragnotes.service.jobs import IndexJobs
from ragnotes.service.keys import Keys
from ragnotes.service.library import Library
from ragnotes.service.parts import Service
from ragnotes.service.problems import add_handlers
from ragnotes.service.warm_up import WarmUp
from ragnotes.settings import Settings

__all__ = ["create_app"]

SPARE_THREADS = 8
"""Threads for answers that need no model, beside those that run or wait for it."""
_END_S = 2.0
"""When the server ends, what indexes and what loads have this long together. README: SIGTERM within ten seconds."""


def create_app(library: Library, *, settings: Settings, token: str | None = None) -> FastAPI:
    """The service over `library`, which stays the caller's to close. `token` is as good as the API key.

    It begins to load both models when it starts. There are no pages at /docs: they would load scripts from elsewhere.
    Raises SettingsError where there is a key file that cannot be trusted.
    """
    service = Service(
        library=library,
        jobs=IndexJobs(library.update),
        warm_up=WarmUp(library),
        admission=Admission(settings.queue_length),
        asking=CapacityLimiter(settings.queue_length + 1 + SPARE_THREADS),
    )

    following = Following(service.jobs, settings) if settings.watch else None

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        service.warm_up.start()
        if following:
            following.start()
        yield
        if following:
            following.stop()
        until = current_time() + _END_S
        await to_thread.run_sync(service.jobs.stop, _END_S)
        await to_thread.run_sync(service.warm_up.join, max(0.0, until - current_time()))

    app = FastAPI(
        title="ragnotes",
        version=__version__,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.service = service
    add_handlers(app)
    app.add_middleware(RequestBodyLimitMiddleware, max_body_size=MAX_BODY_BYTES)
    app.add_middleware(Guards, settings=settings, keys=Keys(settings, token=token))
    app.include_router(routes_asking.router, responses=openapi.ASKING)
    app.include_router(routes_conversations.router, responses=openapi.LIBRARY)
    app.include_router(routes_openai.router, responses=openapi.OPENAI)
    app.include_router(routes_library.router, responses=openapi.LIBRARY)
    app.include_router(routes_health.router, responses=openapi.HEALTH)
    return app
