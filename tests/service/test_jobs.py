from __future__ import annotations

import threading
from collections.abc import Callable

from ragnotes.errors import ServerError
from ragnotes.events import IndexSummary, Progress
from ragnotes.service.jobs import IndexJobs
from tests.fakes import WAIT_S


def test_a_run_that_is_stopped_ends_at_its_next_file() -> None:
    first, stopped = threading.Event(), threading.Event()

    def update(progress: Callable[[Progress], None], *, retry_failed: bool = False) -> IndexSummary:
        progress(Progress(0, 2, "a.md"))
        first.set()
        assert stopped.wait(WAIT_S)
        progress(Progress(1, 2, "b.md"))
        raise AssertionError("the run went on")

    jobs = IndexJobs(update)
    job = jobs.start()
    assert first.wait(WAIT_S)
    jobs.stop(timeout_s=0)
    stopped.set()
    jobs.stop(timeout_s=WAIT_S)
    ended = jobs.get(job.id)
    assert (ended.state, ended.progress) == ("failed", Progress(0, 2, "a.md"))
    assert isinstance(ended.error, ServerError)


class Runs:
    """Runs that wait at a gate, and what each was asked for."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.begun: list[bool] = []
        self.at_once = 0
        self.most_at_once = 0

    def update(self, progress: Callable[[Progress], None], *, retry_failed: bool = False) -> IndexSummary:
        self.begun.append(retry_failed)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        progress(Progress(0, 1))
        assert self.gate.wait(WAIT_S)
        self.at_once -= 1
        return IndexSummary(added=len(self.begun))


def test_a_run_that_retries_waits_for_one_that_does_not_and_is_joined_by_others() -> None:
    runs = Runs()
    jobs = IndexJobs(runs.update)
    plain = jobs.start()
    retrying = jobs.start(retry_failed=True)
    assert plain.id != retrying.id
    assert jobs.get(retrying.id).state == "queued"
    assert jobs.start().id == jobs.start(retry_failed=True).id == retrying.id
    runs.gate.set()
    assert jobs.run_anew().state == "done"
    assert (jobs.get(plain.id).state, jobs.get(retrying.id).state) == ("done", "done")
    assert (runs.begun[:2], runs.most_at_once) == ([False, True], 1)


def test_a_new_run_is_not_the_one_that_may_have_passed_by_the_change() -> None:
    runs = Runs()
    jobs = IndexJobs(runs.update)
    under_way = jobs.start()
    while jobs.get(under_way.id).state != "running":
        threading.Event().wait(0.005)
    timer = threading.Timer(0.2, runs.gate.set)
    timer.start()
    ended = jobs.run_anew()
    timer.join()
    assert (ended.id != under_way.id, ended.state, len(runs.begun)) == (True, "done", 2)
    assert (jobs.get(under_way.id).state, runs.most_at_once) == ("done", 1)
