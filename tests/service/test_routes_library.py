from __future__ import annotations

import time
from typing import Any

import httpx
import pytest

from ragnotes.errors import CorpusError, IndexDamaged, IndexMismatch, ModelError
from tests.fakes import WAIT_S, FakeLibrary, serving
from tests.service import contract


def _ended(server: httpx.Client, job_id: str) -> dict[str, Any]:
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline:
        job: dict[str, Any] = server.get(f"/v1/jobs/{job_id}").json()
        if job["state"] in ("done", "failed"):
            return job
        time.sleep(0.005)
    raise AssertionError("the job does not end")


def test_documents_are_listed_with_their_outcome(server: httpx.Client) -> None:
    documents = server.get("/v1/documents").json()
    assert documents[0].keys() == contract.FILE | {"doc_id", "title", "kind"}
    assert [(item["path"], item["status"]) for item in documents] == [
        ("cache.md", "indexed"),
        ("papers/borders.pdf", "indexed"),
        ("talks/search.vtt", "indexed"),
    ]


def test_a_document_has_its_stored_text_and_marks(server: httpx.Client, library: FakeLibrary) -> None:
    document = server.get("/v1/documents/d-0").json()
    assert document.keys() == {"doc_id", "path", "title", "kind", "text", "marks", "metadata"}
    assert document["text"] == library.notes["cache.md"]
    assert [mark["type"] for mark in document["marks"]] == ["heading", "page", "cue", "date"]


@pytest.mark.parametrize("path", ["/v1/documents/d-99", "/v1/jobs/none", "/v2/ask"])
def test_what_is_not_there_is_a_404(server: httpx.Client, path: str) -> None:
    response = server.get(path)
    assert (response.status_code, response.json()["type"]) == (404, "urn:ragnotes:not-found")


def test_status_is_that_of_the_command(server: httpx.Client) -> None:
    status = server.get("/v1/status").json()
    assert status.keys() == contract.STATUS
    assert status["counts"] == {"indexed": 3, "stale": 0, "skipped": 0, "failed": 0}


def test_a_sync_runs_to_its_summary(server: httpx.Client) -> None:
    response = server.post("/v1/index/sync", json={})
    assert response.status_code == 202
    job = response.json()
    assert job.keys() == contract.JOB
    assert response.headers["location"] == f"/v1/jobs/{job['id']}"
    ended = _ended(server, job["id"])
    assert (ended["state"], ended["error"]) == ("done", None)
    assert ended["summary"].keys() == contract.SUMMARY
    assert ended["progress"].keys() == {"done", "total", "path"}


def test_a_second_sync_gets_the_run_under_way(server: httpx.Client, library: FakeLibrary) -> None:
    library.indexing.clear()
    first, second = (server.post("/v1/index/sync", json={}).json()["id"] for _ in range(2))
    assert first == second
    library.indexing.set()
    _ended(server, first)
    assert server.post("/v1/index/sync").json()["id"] != first


def test_a_sync_that_fails_says_why(server: httpx.Client, library: FakeLibrary) -> None:
    library.error = CorpusError("the folder is missing", "mount it")
    job = _ended(server, server.post("/v1/index/sync", json={}).json()["id"])
    assert (job["state"], job["summary"]) == ("failed", None)
    assert (job["error"]["type"], job["error"]["hint"]) == ("urn:ragnotes:corpus-error", "mount it")


def _ready(server: httpx.Client) -> httpx.Response:
    """What /ready says once nothing loads any more."""
    deadline = time.monotonic() + WAIT_S
    while "loading" in (response := server.get("/ready")).text and time.monotonic() < deadline:
        time.sleep(0.005)
    return response


def test_ready_names_the_parts(server: httpx.Client) -> None:
    assert server.get("/health").json() == {"status": "ok"}
    assert _ready(server).json() == {
        "ready": True,
        "generation": 1,
        "embedder": "hashing-16",
        "model": "parrot",
        "generator": "ready",
    }


def test_a_damaged_index_is_not_ready(server: httpx.Client, library: FakeLibrary) -> None:
    def damaged() -> bool:
        raise IndexDamaged("the index is damaged", "move it away")

    library.indexed = damaged  # type: ignore[method-assign]
    refused = _ready(server)
    assert (refused.status_code, refused.json()["detail"]) == (503, "the index is damaged")
    del library.indexed


def test_an_index_of_another_embedder_is_not_ready(server: httpx.Client, library: FakeLibrary) -> None:
    library.error = IndexMismatch("indexes/notes was built with another embedder", "run: ragnotes index --rebuild")
    answer = server.get("/ready")
    assert (answer.status_code, answer.json()["hint"]) == (503, "run: ragnotes index --rebuild")


def test_without_a_model_the_server_is_ready_all_the_same() -> None:
    with serving(FakeLibrary(model=False)) as url, httpx.Client(base_url=url, trust_env=False) as server:
        ready = _ready(server)
        assert ready.status_code == 200
        assert (ready.json()["model"], ready.json()["generator"]) == (None, "absent: no model: none is installed")


def test_without_an_index_it_becomes_ready_by_a_sync() -> None:
    with serving(FakeLibrary(indexed=False)) as url, httpx.Client(base_url=url, trust_env=False) as server:
        refused = server.get("/ready")
        assert (refused.status_code, refused.json()["detail"]) == (503, "there is no index yet")
        _ended(server, server.post("/v1/index/sync", json={}).json()["id"])
        assert _ready(server).status_code == 200


def test_without_an_embedder_it_is_not_ready() -> None:
    class NoEmbedder(FakeLibrary):
        @property
        def embedder(self) -> Any:
            raise ModelError("no embedder is installed", "install one")

        @embedder.setter
        def embedder(self, _: object) -> None: ...

    with serving(NoEmbedder()) as url, httpx.Client(base_url=url, trust_env=False) as server:
        refused = _ready(server)
        assert refused.status_code == 503
        assert "no embedder is installed" in refused.json()["detail"]
