"""The stores that the contract suites run over."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from ragnotes.ports import Store
from ragnotes.stores.local import LocalStore
from ragnotes.stores.sharing import Bounds
from tests.stores.samples import OpenStore


@contextmanager
def local_store(directory: Path) -> Iterator[Store]:
    with closing(LocalStore.open(directory / "index", create=True)) as store:
        yield store


@contextmanager
def coded_store(directory: Path) -> Iterator[Store]:
    """One that is searched by codes however few its vectors are."""
    with closing(LocalStore.open(directory / "index", create=True, bounds=Bounds(0, 0))) as store:
        yield store


@contextmanager
def large_store(directory: Path) -> Iterator[Store]:
    """One that is searched by codes and scored by what is in memory."""
    with closing(LocalStore.open(directory / "index", create=True, bounds=Bounds(0, 10**6))) as store:
        yield store


STORES: dict[str, OpenStore] = {"local": local_store, "large": large_store, "coded": coded_store}


@pytest.fixture(params=STORES)
def open_store(request: pytest.FixtureRequest) -> OpenStore:
    return STORES[request.param]


@pytest.fixture
def store(open_store: OpenStore, tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path) as opened:
        yield opened
