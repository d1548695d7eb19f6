"""Indexing in the background: one run at a time, its progress and its end."""

from __future__ import annotations

import logging
import threading
import uuid
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from ragnotes.errors import NotFound, RagnotesError, ServerError
from ragnotes.events import IndexSummary, Progress

__all__ = ["IndexJobs", "Job", "JobState"]

JobState = Literal["queued", "running", "done", "failed"]
KEPT_JOBS = 100

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Job:
    """One indexing run with these options of `update`. `summary` is there when it is done, `error` when it failed."""

    id: str
    state: JobState = "queued"
    progress: Progress | None = None
    summary: IndexSummary | None = None
    error: Exception | None = None
    options: frozenset[str] = frozenset()

    @property
    def ended(self) -> bool:
        return self.state in ("done", "failed")


class IndexJobs:
    """Runs `update`, one at a time, each in a thread; the last runs are remembered. Any thread may call any method."""

    def __init__(self, update: Callable[..., IndexSummary]) -> None:
        self._update = update
        self._lock = threading.Lock()
        self._jobs: OrderedDict[str, Job] = OrderedDict()
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()

    def start(self, **options: bool) -> Job:
        """A run with these options of `update`: the one that has not ended, or another that follows it.

        One that is "queued" has not looked at any file yet, and takes on what is wanted besides: there is one at most.
        Raises ServerError once runs are stopped.
        """
        wanted = frozenset(name for name, chosen in options.items() if chosen)
        with self._lock:
            last = next(reversed(self._jobs.values()), None)
            if last is not None and not last.ended and wanted <= last.options:
                return last
            if last is not None and last.state == "queued":
                return self._keep(replace(last, options=last.options | wanted))
            return self._begin(wanted)

    def run_anew(self) -> Job:
        """A run that sees the notes as they are now, to its end; the one under way may have passed by a change."""
        with self._lock:
            last = next(reversed(self._jobs.values()), None)
            job = last if last is not None and last.state == "queued" else self._begin(frozenset())
            thread = self._thread
        if thread is not None:
            thread.join()
        return self.get(job.id)

    def _begin(self, options: frozenset[str]) -> Job:
        """A run that begins when the one before it has ended. Needs the lock."""
        if self._stopping.is_set():
            raise ServerError("the server is being stopped", "start it and sync again")
        job = self._keep(Job(uuid.uuid4().hex, options=options))
        for each in [each.id for each in self._jobs.values() if each.ended][: max(0, len(self._jobs) - KEPT_JOBS)]:
            del self._jobs[each]
        work = (job.id, self._thread)
        self._thread = threading.Thread(target=self._run, args=work, name="indexing", daemon=True)
        self._thread.start()
        return job

    def stop(self, timeout_s: float) -> None:
        """End the run under way at its next file, waiting at most this long: a process that ends amid torch aborts.

        None is begun any more.
        """
        with self._lock:
            self._stopping.set()
            thread = self._thread
        if thread is not None:
            thread.join(timeout_s)

    def get(self, job_id: str) -> Job:
        """The run of that id. Raises NotFound where there is none, or no more."""
        with self._lock:
            job = self._jobs.get(job_id)
        if job is None:
            raise NotFound(f"there is no job {job_id}", "start one with POST /v1/index/sync")
        return job

    def _run(self, job_id: str, before: threading.Thread | None) -> None:
        if before is not None:
            before.join()
        with self._lock:
            job = self._keep(replace(self._jobs[job_id], state="running"))

        def tell(progress: Progress | None) -> None:
            if self._stopping.is_set():
                raise ServerError(
                    "the server stopped during the run; what was indexed is kept", "start it and sync again"
                )
            self._note(replace(job, progress=progress))

        try:
            tell(None)
            summary = self._update(tell, **dict.fromkeys(job.options, True))
        except Exception as error:  # the thread's edge: the job carries it to whoever asks
            if not isinstance(error, RagnotesError):
                _log.exception("indexing failed")
            self._note(replace(self.get(job_id), state="failed", error=error))
        else:
            self._note(replace(self.get(job_id), state="done", summary=summary))

    def _note(self, job: Job) -> None:
        with self._lock:
            self._keep(job)

    def _keep(self, job: Job) -> Job:
        """The job, as it is from now on. Needs the lock."""
        self._jobs[job.id] = job
        return job
