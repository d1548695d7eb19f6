from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.fakes import FakeLibrary, serving

Served = tuple[FakeLibrary, httpx.Client]


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    library = FakeLibrary()
    with serving(library, queue_length=1) as url, httpx.Client(base_url=url, timeout=10, trust_env=False) as client:
        yield library, client


@pytest.fixture
def library(served: Served) -> FakeLibrary:
    """A fresh library, behind `server`."""
    served[0].reset()
    return served[0]


@pytest.fixture
def server(library: FakeLibrary, served: Served) -> httpx.Client:
    """A client of a real server of `library`."""
    return served[1]
