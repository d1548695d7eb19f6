"""What the routes are given: the library, and the little state of a running server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from anyio import CapacityLimiter
from fastapi import Depends, Request

from ragnotes.service.admission import Admission
from ragnotes.service.jobs import IndexJobs
from ragnotes.service.library import Library
from ragnotes.service.warm_up import WarmUp

__all__ = ["Service", "ServiceDep"]


@dataclass(frozen=True, slots=True)
class Service:
    """A library being served. `asking` bounds the threads that answer, so that other routes always find one."""

    library: Library
    jobs: IndexJobs
    warm_up: WarmUp
    admission: Admission
    asking: CapacityLimiter


async def _service(request: Request) -> Service:
    service = request.app.state.service
    assert isinstance(service, Service)
    return service


ServiceDep = Annotated[Service, Depends(_service)]
