from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ragnotes.stores.local import LocalStore
from tests.asking.stage import index_notes


@pytest.fixture
def store(tmp_path: Path) -> Iterator[LocalStore]:
    store = index_notes(tmp_path)
    yield store
    store.close()
