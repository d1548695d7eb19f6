"""A server that keeps its index up to date by itself: a run for each look at the notes, through the server's jobs."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from ragnotes.errors import IndexLocked, RagnotesError
from ragnotes.service.jobs import IndexJobs, Job
from ragnotes.settings import Settings
from ragnotes.watching import Watch

__all__ = ["LOCKED_S", "Following", "watch_of"]

LOCKED_S = 1.0
"""Where another process writes, the next try is so much later."""
PAUSE_S = 10.0
"""After a mistake of ours the watching begins anew so much later."""

_log = logging.getLogger(__name__)


class Following:
    """Runs `jobs` in a thread whenever the notes are worth a look. A run that fails is told and tried again."""

    def __init__(self, jobs: IndexJobs, settings: Settings) -> None:
        self._jobs = jobs
        self._stop = threading.Event()
        self._watch = watch_of(settings, self._stop, _log.warning)
        self._thread = threading.Thread(target=self._follow, name="watching", daemon=True)
        self._told = ""

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """No run is begun any more."""
        self._stop.set()

    def _follow(self) -> None:
        while not self._stop.is_set():
            try:
                self._run_at_looks()
            except Exception:  # the thread's edge: nobody else would see that the index follows no more
                if not self._stop.is_set():  # a server that ends refuses runs
                    _log.exception("the notes are watched anew in %g s", PAUSE_S)
            self._stop.wait(PAUSE_S)

    def _run_at_looks(self) -> None:
        for _ in self._watch.looks():
            job = self._jobs.run_anew()
            if isinstance(job.error, IndexLocked):
                self._watch.look_within(LOCKED_S)
            self._tell(job)

    def _tell(self, job: Job) -> None:
        """A failure in a line of the log, the same one once; the job itself has it too."""
        line = str(job.error) if isinstance(job.error, RagnotesError) else ""  # others are in the log already
        if line and line != self._told and not self._stop.is_set():
            _log.warning("the notes could not be indexed, and will be looked at again: %s", line)
        self._told = line


def watch_of(settings: Settings, stop: threading.Event, tell: Callable[[str], None]) -> Watch:
    """The watch over the notes that the settings name; `tell` is given a line where it cannot be kept."""
    return Watch(settings.corpus, index=settings.index, stop=stop, scan_every_s=settings.scan_every_s, tell=tell)
