"""The command `watch`: the index follows the notes until it is stopped."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from ragnotes import console
from ragnotes.errors import IndexLocked, RagnotesError
from ragnotes.events import IndexSummary, Progress
from ragnotes.options import CorpusOption, EmbedderOption, IndexOption, JsonOption
from ragnotes.running import opened, print_json
from ragnotes.service.encoding import status_json, summary_json
from ragnotes.service.wire import FileJson
from ragnotes.settings import load_settings
from ragnotes.types import FileStatus

if TYPE_CHECKING:
    from ragnotes.service.library import Library

__all__ = ["watch_notes"]


def watch_notes(
    ctx: typer.Context,
    *,
    corpus: CorpusOption = None,
    index: IndexOption = None,
    as_json: JsonOption = False,
    scan_every: Annotated[
        float | None, typer.Option(min=1, metavar="SECONDS", help="Compare all notes so often. [default: 60]")
    ] = None,
    embedder: EmbedderOption = None,
) -> None:
    """Keep the index up to date with the notes, until Ctrl-C. A line for each run that changed something."""
    from ragnotes.service.following import LOCKED_S, watch_of

    flags = {"corpus": corpus, "index": index, "embedder": embedder, "scan_every_s": scan_every}
    settings = load_settings(flags)
    stop = threading.Event()
    with opened(ctx.obj, settings) as library, _stopped_by_sigterm(stop):
        console.show_note(f"watching {', '.join(map(str, settings.corpus))} (stop with Ctrl-C)")
        runs = _Runs(library, stop, as_json=as_json)
        watch = watch_of(settings, stop, console.show_note)
        for _ in watch.looks():
            if not runs.run():
                watch.look_within(LOCKED_S)


class _Stopped(Exception):
    """The run under way was ended by SIGTERM; what it did until then is kept."""


class _Runs:
    """Run after run over the notes, and what was told of the last one."""

    def __init__(self, library: Library, stop: threading.Event, *, as_json: bool) -> None:
        self._library = library
        self._stop = stop
        self._as_json = as_json
        self._last: tuple[int, int] | None = None
        """Generation and number of failed files."""
        self._trouble = ""

    def run(self) -> bool:
        """Whether the index is up to date now, and not merely in the hands of another process.

        A first run that fails raises its error: then nothing is set up as it should be.
        """
        try:
            summary = self._library.update(self._go_on)
        except _Stopped:
            return True
        except RagnotesError as error:
            if self._last is None and not isinstance(error, IndexLocked):
                raise
            self._tell_trouble(error)
            return not isinstance(error, IndexLocked)
        self._trouble = ""
        self._tell(summary)
        return True

    def _go_on(self, _: Progress) -> None:
        if self._stop.is_set():
            raise _Stopped

    def _tell(self, done: IndexSummary) -> None:
        now = (done.generation, done.failed)
        changed = done.added or done.changed or done.moved or done.removed or done.failed
        if now == self._last or (self._last is None and not changed):
            self._last = now
            return
        failed_before, self._last = (self._last[1] if self._last else 0), now
        summary = summary_json(done)
        if self._as_json:
            print_json(summary)
        else:
            console.show_summary(summary, self._failed() if done.failed > failed_before else [])

    def _failed(self) -> list[FileJson]:
        return [file for file in status_json(self._library.status()).files if file.status is FileStatus.FAILED]

    def _tell_trouble(self, error: RagnotesError) -> None:
        """What keeps the index from following, once; a lock is waited out without a word."""
        line = str(error)
        if line != self._trouble and not isinstance(error, IndexLocked):
            console.show_error(error)
        self._trouble = line


@contextmanager
def _stopped_by_sigterm(stop: threading.Event) -> Iterator[None]:
    """SIGTERM sets `stop`, so that a run ends at its next file; a second one ends it at once."""

    def end(_signal: int, _frame: FrameType | None) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        stop.set()

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
