"""What a real server with the bundled models does when too much is asked of it, or its parts are stopped and killed."""

from __future__ import annotations

import os
import shutil
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from statistics import median
from typing import Any

import httpx
import pytest

from benchmarks.reliability.bombs import PDFS
from benchmarks.reliability.load import SAMPLE, questions
from benchmarks.reliability.serving import Served, children_of, indexed, rss_bytes, serving

pytestmark = pytest.mark.model

DRAFTED = "Does it make economic sense to own the computer instead of paying a hosted service?"
QUEUE = {"RAGNOTES_QUEUE_LENGTH": "2"}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The sample corpus and its index."""
    folder = tmp_path_factory.mktemp("overload")
    shutil.copytree(SAMPLE, folder / "corpus")
    indexed(folder / "corpus", folder / "index")
    return folder / "corpus", folder / "index"


@pytest.fixture
def apart(built: tuple[Path, Path], tmp_path: Path) -> tuple[Path, Path]:
    """The same for a server of its own: one serves an index."""
    corpus, index = built
    shutil.copytree(index, tmp_path / "index", ignore=shutil.ignore_patterns("server.*", "*.lock", "*.pid"))
    return corpus, tmp_path / "index"


@pytest.fixture(scope="module")
def shared(built: tuple[Path, Path]) -> Iterator[Served]:
    with serving(*built, environ=QUEUE) as server:
        yield server
        assert server.process.poll() is None
        assert "Traceback" not in server.log.read_text()


@pytest.fixture
def served(shared: Served) -> Served:
    """One server for all, whatever was done to it before: its model is loaded."""
    until(lambda: generator_state(shared) == "ready")
    return shared


def post(served: Served, route: str = "/v1/ask", **body: Any) -> httpx.Response:
    with served.client() as client:
        return client.post(route, json=body)


def readers(served: Served) -> list[int]:
    """The processes that read a PDF."""
    return [pid for pid in children_of(served.process.pid) if b"pdf_child" in Path(f"/proc/{pid}/cmdline").read_bytes()]


def seconds_to(act: Callable[[], httpx.Response]) -> float:
    started = time.monotonic()
    assert act().status_code == 200
    return time.monotonic() - started


def until(holds: Callable[[], bool], seconds: float = 180.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def generator_state(served: Served) -> str:
    with served.client() as client:
        return str(client.get("/ready").json()["generator"])


def one_note(folder: Path) -> tuple[Path, Path]:
    """A folder with one short note, and its index."""
    corpus, index = folder / "corpus", folder / "index"
    corpus.mkdir()
    (corpus / "note.md").write_text("The heron stood in the reeds.")
    indexed(corpus, index)
    return corpus, index


def end_in_time(served: Served) -> None:
    """Asks the server to end, which it does in good order within ten seconds."""
    started = time.monotonic()
    served.process.terminate()
    assert served.process.wait(20) == 0
    assert time.monotonic() - started < 10


def test_of_fifty_asks_at_once_some_are_answered_and_the_others_told_when_to_come_again(served: Served) -> None:
    asked = [f"{question} Tell me ({number})." for number, question in enumerate(questions() * 2)][:50]

    def search() -> httpx.Response:
        return post(served, "/v1/search", query="embedding cache")

    alone = [seconds_to(search) for _ in range(5)]
    probes: list[float] = []
    with ThreadPoolExecutor(50) as pool:
        answers = [pool.submit(post, served, question=question) for question in asked]
        while not all(answer.done() for answer in answers):
            probes.append(seconds_to(search))
            time.sleep(0.2)
    statuses = Counter(answer.result().status_code for answer in answers)
    assert statuses.keys() == {200, 503}
    assert statuses[200] >= 3
    refused = [answer.result() for answer in answers if answer.result().status_code == 503]
    assert all(1 <= int(answer.headers["retry-after"]) <= 600 for answer in refused)
    assert all(answer.headers["content-type"] == "application/problem+json" for answer in refused)
    assert median(probes) < max(2.0, 20 * median(alone))
    assert post(served, question=DRAFTED).status_code == 200


def test_the_model_killed_the_notes_still_answer_and_it_comes_back(apart: tuple[Path, Path]) -> None:
    with serving(*apart) as served:
        _killed_twice(served)
        assert "Traceback" not in served.log.read_text()


def _killed_twice(served: Served) -> None:
    first = served.generator_pid()
    assert first
    os.kill(first, signal.SIGKILL)
    assert post(served, "/v1/search", query="embedding cache").status_code == 200
    with served.client() as client:
        assert client.get("/v1/documents").status_code == 200
    answer = post(served, question=f"{DRAFTED} Tell me.")
    assert answer.status_code == 200 or answer.headers["retry-after"]
    until(lambda: served.generator_pid() not in (None, first))
    until(lambda: generator_state(served) == "ready")
    second = served.generator_pid()
    assert second
    os.kill(second, signal.SIGKILL)
    until(lambda: generator_state(served).startswith("absent: ") or served.generator_pid() != second)
    until(lambda: generator_state(served) == "ready")


def test_the_model_stopped_a_deadline_still_holds_and_afterwards_it_goes_on(served: Served) -> None:
    before = post(served, question="What is the cheapest way to run a model at home?").json()
    alone = seconds_to(lambda: post(served, question=f"{DRAFTED} And when?", llm=False))
    pid = served.generator_pid()
    assert pid
    os.kill(pid, signal.SIGSTOP)
    try:
        assert post(served, "/v1/search", query="embedding cache").status_code == 200
        late = post(served, question=f"{DRAFTED} And why?", deadline_ms=500 + 5000 * alone)
        assert (late.status_code, late.json()["mode"]) == (200, "extractive")
    finally:
        with suppress(ProcessLookupError):  # one that says nothing for long is ended and started anew
            os.kill(pid, signal.SIGCONT)
    until(lambda: generator_state(served) == "ready")
    again = post(served, question="What is the cheapest way to run a model at home?", limit=9).json()
    assert again["answer"] == before["answer"]


def test_a_server_that_was_stopped_goes_on(served: Served) -> None:
    with ThreadPoolExecutor(1) as pool:
        served.process.send_signal(signal.SIGSTOP)
        waiting = pool.submit(post, served, "/v1/search", query="embedding cache")
        time.sleep(1)
        assert not waiting.done()
        served.process.send_signal(signal.SIGCONT)
        assert waiting.result().status_code == 200


def test_with_few_file_descriptors_two_hundred_clients_are_served_or_refused(apart: tuple[Path, Path]) -> None:
    with serving(*apart, open_files=64, environ=QUEUE) as served:
        with ThreadPoolExecutor(200) as pool:
            together = threading.Barrier(200)

            def search(number: int) -> str:
                together.wait(60)
                try:
                    answer = post(served, "/v1/search", query=f"embedding cache {number}")
                except httpx.TransportError:
                    return "no connection"
                retry = "retry-after" in answer.headers
                return str(answer.status_code) if answer.status_code != 503 or retry else "503 without Retry-After"

            outcomes = Counter(pool.map(search, range(200)))
        assert outcomes.keys() <= {"200", "503", "no connection"}, outcomes
        assert outcomes["200"] > 0
        until(lambda: post(served, "/v1/search", query="embedding cache").status_code == 200)
        assert "Traceback" not in served.log.read_text()


@pytest.mark.parametrize("hung", [False, True], ids=["writing", "hung"])
def test_sigterm_ends_a_stream_and_the_server_within_ten_seconds(apart: tuple[Path, Path], hung: bool) -> None:
    with serving(*apart) as served:
        pid = served.generator_pid()
        assert pid
        body = {"question": DRAFTED, "stream": True}
        with served.client() as client, client.stream("POST", "/v1/ask", json=body) as response:
            lines = response.iter_lines()
            while next(lines) != "event: passages":
                pass
            if hung:
                os.kill(pid, signal.SIGSTOP)
            started = time.monotonic()
            served.process.terminate()
            events = [line.removeprefix("event: ") for line in lines if line.startswith("event: ")]
        assert events[-1] in ({"error"} if hung else {"error", "final"})
        assert served.process.wait(20) == 0
        assert time.monotonic() - started < 10
        assert not Path(f"/proc/{pid}").exists()
        assert "Traceback" not in served.log.read_text()


def test_sigterm_ends_an_indexing_run_between_two_passages(tmp_path: Path) -> None:
    corpus, index = one_note(tmp_path)
    with serving(corpus, index) as served:
        for number in range(40):
            text = "\n\n".join(f"Paragraph {part} of note {number}. " * 20 for part in range(20))
            (corpus / f"new-{number}.md").write_text(text)
        started_job = post(served, "/v1/index/sync")
        assert started_job.status_code == 202
        job = f"/v1/jobs/{started_job.json()['id']}"
        with served.client() as client:
            until(lambda: bool(client.get(job).json()["progress"]))
            assert client.get(job).json()["state"] == "running"
        end_in_time(served)
        assert "Traceback" not in served.log.read_text()


def test_sigterm_ends_a_server_that_reads_a_pdf_of_5000_pages(tmp_path: Path) -> None:
    corpus, index = one_note(tmp_path)
    with serving(corpus, index) as served:
        (corpus / "pages.pdf").write_bytes(PDFS["pages.pdf"][0]())
        assert post(served, "/v1/index/sync").status_code == 202
        until(lambda: bool(readers(served)))
        time.sleep(1)
        [reader] = readers(served)
        end_in_time(served)
        until(lambda: not Path(f"/proc/{reader}").exists())
        assert "Traceback" not in served.log.read_text()


def test_memory_is_the_same_after_many_questions(served: Served) -> None:
    def ask(number: int) -> int:
        return post(served, question=f"{questions()[number % 45]} {number}", llm=False).status_code

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(ask, range(40))) == {200}
        before = rss_bytes(served.process.pid)
        assert set(pool.map(ask, range(40, 120))) == {200}
    assert rss_bytes(served.process.pid) - before < 100 * 2**20
    assert generator_state(served) == "ready"
