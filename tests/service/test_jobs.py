from __future__ import annotations

import threading
from collections.abc import Callable

from ragnotes.errors import ServerError
from ragnotes.events import IndexSummary, Progress
from ragnotes.service.jobs import IndexJobs
from tests.fakes import WAIT_S


def test_a_run_that_is_stopped_ends_at_its_next_file() -> None:
    first, stopped = threading.Event(), threading.Event()

    def update(progress: Callable[[Progress], None]) -> IndexSummary:
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
