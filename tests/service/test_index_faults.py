"""What a server answers while its index is held by another program, or cannot be written."""

from __future__ import annotations

import resource
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from benchmarks.reliability.holding import foreign_lock
from benchmarks.reliability.kills import note
from ragnotes.assembly import Library
from ragnotes.models.hashing import HashingEmbedder
from ragnotes.ports import Embedder, Generator
from tests.fakes import WAIT_S, fake_settings, serving

FILE_BYTES = 300 * 1024


class WithoutModels(Library):
    """A real library, with the embedder that needs no model."""

    def _load_embedder(self) -> Embedder:
        return HashingEmbedder()

    def _start_generator(self) -> Generator | str:
        return "no model: none is wanted"


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    folder = tmp_path / "notes"
    folder.mkdir()
    (folder / "a.md").write_text(note("a.md", 1))
    return folder


@pytest.fixture
def index(notes: Path, tmp_path: Path) -> Path:
    """An index of the notes, open nowhere."""
    with closing(WithoutModels(fake_settings(corpus=(notes,), index=tmp_path / "index"))) as library:
        library.update()
    return tmp_path / "index"


@pytest.fixture
def server(notes: Path, index: Path) -> Iterator[httpx.Client]:
    library: Any = WithoutModels(fake_settings(corpus=(notes,), index=index))
    with serving(library) as url, httpx.Client(base_url=url, timeout=4 * WAIT_S, trust_env=False) as client:
        yield client
    library.close()


def test_while_another_program_writes_searches_are_answered_and_a_run_ends_as_locked(
    server: httpx.Client, notes: Path, index: Path
) -> None:
    assert server.post("/v1/search", json={"query": "words"}).status_code == 200
    (notes / "b.md").write_text(note("b.md", 1))
    with foreign_lock(index, "NORMAL"):
        assert server.post("/v1/search", json={"query": "words"}).status_code == 200
        job = ended(server)
    assert (job["state"], job["error"]["status"]) == ("failed", 503)
    assert job["error"]["type"] == "urn:ragnotes:index-locked"
    assert ended(server)["state"] == "done"


def test_while_another_program_lets_nobody_read_it_is_503_with_retry_after_and_then_goes_on(
    server: httpx.Client, index: Path
) -> None:
    with foreign_lock(index, "EXCLUSIVE"):
        refused = server.post("/v1/search", json={"query": "words"})
        assert refused.status_code == 503
        assert int(refused.headers["Retry-After"]) > 0
        assert refused.json()["type"] == "urn:ragnotes:index-locked"
        assert server.get("/ready").status_code == 503
        assert server.get("/health").status_code == 200
    assert server.post("/v1/search", json={"query": "words"}).status_code == 200
    assert server.get("/ready").status_code == 200


def test_a_run_that_finds_no_room_ends_with_507_and_the_index_answers_on(server: httpx.Client, notes: Path) -> None:
    for number in range(40):
        (notes / f"{number}.md").write_text(note(f"{number}.md", 1, sections=30))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_BYTES, hard))
    try:
        job = ended(server)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert job["state"] == "failed"
    assert (job["error"]["status"], job["error"]["type"]) == (507, "urn:ragnotes:index-write-failed")
    assert server.post("/v1/search", json={"query": "words"}).status_code == 200
    again = ended(server)
    assert again["state"] == "done"
    assert len(server.get("/v1/documents").json()) == 41


def test_where_no_file_can_be_opened_it_is_503_with_retry_after_and_then_goes_on(server: httpx.Client) -> None:
    assert server.get("/health").status_code == 200  # from here on there is a connection
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    try:
        refused = server.post("/v1/search", json={"query": "words"})
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert refused.status_code == 503
    assert int(refused.headers["retry-after"]) > 0
    assert "open" in refused.json()["detail"]
    assert server.post("/v1/search", json={"query": "words"}).status_code == 200


def ended(server: httpx.Client) -> Any:
    job = server.post("/v1/index/sync", json={}).json()
    end = time.monotonic() + 4 * WAIT_S
    while job["state"] not in ("done", "failed") and time.monotonic() < end:
        job = server.get(f"/v1/jobs/{job['id']}").json()
        time.sleep(0.01)
    return job
