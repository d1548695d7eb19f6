from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from ragnotes.errors import NotFound, ServerError
from ragnotes.events import IndexSummary, Progress
from ragnotes.service.jobs import KEPT_JOBS, IndexJobs, Job
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
    for begin in (jobs.start, jobs.run_anew):
        with pytest.raises(ServerError, match="is being stopped"):
            begin()


class Runs:
    """Runs that wait at a gate, and what each was asked for."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.begun: list[set[str]] = []
        self.at_once = 0
        self.most_at_once = 0

    def update(self, progress: Callable[[Progress], None], **options: bool) -> IndexSummary:
        self.begun.append(set(options))
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        progress(Progress(0, 1))
        assert self.gate.wait(WAIT_S)
        self.at_once -= 1
        return IndexSummary(added=len(self.begun))


def running(jobs: IndexJobs, job: Job) -> Job:
    """The job, as soon as it runs."""
    deadline = time.monotonic() + WAIT_S
    while (now := jobs.get(job.id)).state != "running":
        assert time.monotonic() < deadline, now
        time.sleep(0.005)
    return now


def test_a_run_that_retries_waits_for_one_that_does_not_and_is_joined_by_others() -> None:
    runs = Runs()
    jobs = IndexJobs(runs.update)
    plain = running(jobs, jobs.start())
    retrying = jobs.start(retry_failed=True)
    assert plain.id != retrying.id
    assert jobs.get(retrying.id).state == "queued"
    assert jobs.start().id == jobs.start(retry_failed=True).id == retrying.id
    runs.gate.set()
    assert jobs.run_anew().state == "done"
    assert (jobs.get(plain.id).state, jobs.get(retrying.id).state) == ("done", "done")
    assert (runs.begun[:2], runs.most_at_once) == ([set(), {"retry_failed"}], 1)


def test_however_many_runs_are_asked_for_one_waits_with_the_options_of_all() -> None:
    runs = Runs()
    jobs = IndexJobs(runs.update)
    under_way = running(jobs, jobs.start())
    before = threading.active_count()
    waiting = {jobs.start(**{name: True}).id for _ in range(3 * KEPT_JOBS) for name in ("rebuild", "allow_empty")}
    assert len(waiting) == 1
    assert threading.active_count() == before + 1
    assert jobs.get(under_way.id).state == "running"
    runs.gate.set()
    assert jobs.run_anew().state == "done"
    assert runs.begun[:2] == [set(), {"rebuild", "allow_empty"}]


def test_only_runs_that_have_ended_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ragnotes.service.jobs.KEPT_JOBS", 2)
    runs = Runs()
    runs.gate.set()
    jobs = IndexJobs(runs.update)
    ended = [jobs.run_anew() for _ in range(3)]
    assert [job.state for job in ended] == ["done"] * 3
    runs.gate.clear()
    under_way = running(jobs, jobs.start())
    queued = jobs.start(rebuild=True)
    for job in ended:
        with pytest.raises(NotFound):
            jobs.get(job.id)
    assert [jobs.get(job.id).state for job in (under_way, queued)] == ["running", "queued"]
    runs.gate.set()
    assert jobs.run_anew().state == "done"


def test_a_new_run_is_not_the_one_that_may_have_passed_by_the_change() -> None:
    runs = Runs()
    jobs = IndexJobs(runs.update)
    under_way = running(jobs, jobs.start())
    timer = threading.Timer(0.2, runs.gate.set)
    timer.start()
    ended = jobs.run_anew()
    timer.join()
    assert (ended.id != under_way.id, ended.state, len(runs.begun)) == (True, "done", 2)
    assert (jobs.get(under_way.id).state, runs.most_at_once) == ("done", 1)
