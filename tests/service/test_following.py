"""`serve --watch`: a running server's index follows the notes."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest
import uvicorn

from ragnotes.events import IndexSummary
from ragnotes.service.app import create_app
from ragnotes.service.following import Following
from ragnotes.service.jobs import IndexJobs, Job
from ragnotes.service.server import bind
from ragnotes.stores.local import LocalStore
from tests.fakes import WAIT_S
from tests.own_library import OwnLibrary, own_settings


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes/a.md").write_text("The heron stands in the pond.\n")
    return tmp_path / "notes"


@pytest.fixture
def server(notes: Path) -> Iterator[httpx.Client]:
    """A client of a server that follows its notes, whose first run is done."""
    settings = own_settings(notes.parent, watch=True, history=False, scan_every_s=600)  # so that hints are what does it
    with closing(OwnLibrary(settings)) as library, bind("127.0.0.1", 0) as listener:
        app = create_app(library, settings=settings)
        server = uvicorn.Server(uvicorn.Config(app, log_level="critical", timeout_graceful_shutdown=1))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with httpx.Client(base_url=url, timeout=WAIT_S, trust_env=False) as client:
            seconds_until(client, "heron", "a.md")
            yield client
        server.should_exit = True
        thread.join(WAIT_S)
        assert not thread.is_alive()


def found(server: httpx.Client, query: str) -> list[str]:
    answer = server.post("/v1/search", json={"query": query, "limit": 10})
    return [hit["path"] for hit in answer.json().get("hits", []) if query in hit["text"]]


def seconds_until(server: httpx.Client, query: str, *paths: str) -> float:
    """Until exactly these files are found by that word."""
    started = time.monotonic()
    while sorted(found(server, query)) != sorted(paths):
        assert time.monotonic() - started < WAIT_S, found(server, query)
        time.sleep(0.02)
    return time.monotonic() - started


def test_a_note_is_found_within_two_seconds_of_its_saving_and_lost_with_its_deletion(
    server: httpx.Client, notes: Path
) -> None:
    delays = []
    for number in range(3):
        time.sleep(0.3)
        (notes / f"{number}.md").write_text(f"The otter{number} swims.\n")
        delays.append(seconds_until(server, f"otter{number}", f"{number}.md"))
    (notes / "new.tmp").write_text("The badger digs.\n")
    os.replace(notes / "new.tmp", notes / "0.md")  # noqa: PTH105
    delays.append(seconds_until(server, "badger", "0.md"))
    assert found(server, "otter0") == []
    (notes / "0.md").rename(notes / "moved.md")
    delays.append(seconds_until(server, "badger", "moved.md"))
    (notes / "moved.md").unlink()
    delays.append(seconds_until(server, "badger"))
    (notes / ".ragnotesignore").write_text("a.md\n")
    delays.append(seconds_until(server, "heron"))
    assert min(delays) < 2.0, "the others are held up only by what else the machine does"


def test_a_run_that_fails_is_told_once_and_made_up_for(
    server: httpx.Client, notes: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        notes.rename(notes.with_name("away"))
        deadline = time.monotonic() + WAIT_S
        while "does not exist" not in caplog.text and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(2.5)
        assert caplog.text.count("the notes could not be indexed") == 1
    notes.with_name("away").rename(notes)
    (notes / "b.md").write_text("The otter swims.\n")
    seconds_until(server, "otter", "b.md")


def test_another_writer_is_waited_out(server: httpx.Client, notes: Path) -> None:
    with closing(LocalStore.open(notes.parent / "index")) as other, other.writer():
        (notes / "b.md").write_text("The otter swims.\n")
        time.sleep(2.5)
        assert found(server, "otter") == []
    seconds_until(server, "otter", "b.md")


class Failing(IndexJobs):
    """Jobs whose first run ends in a mistake that nobody foresaw."""

    def __init__(self) -> None:
        super().__init__(lambda _: IndexSummary())
        self.begun = 0
        self.second = threading.Event()

    def run_anew(self) -> Job:
        self.begun += 1
        if self.begun == 1:
            raise KeyError("heron")
        self.second.set()
        return super().run_anew()


def test_the_watching_goes_on_after_an_error_that_nobody_foresaw(
    notes: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("ragnotes.service.following.PAUSE_S", 0.05)
    jobs = Failing()
    following = Following(jobs, own_settings(notes.parent))
    following.start()
    assert jobs.second.wait(WAIT_S)
    following.stop()
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert "the notes are watched anew" in caplog.text


def test_a_sync_beside_the_watching_is_one_run_at_a_time(server: httpx.Client, notes: Path) -> None:
    for number in range(5):
        (notes / f"{number}.md").write_text(f"The otter{number} swims.\n")
        assert server.post("/v1/index/sync", json={"retry_failed": number % 2 == 0}).status_code == 202
    for number in range(5):
        seconds_until(server, f"otter{number}", f"{number}.md")
    refused = server.post("/v1/index/sync", json={"retry": True})
    assert (refused.status_code, refused.json()["type"]) == (422, "urn:ragnotes:invalid-request")
