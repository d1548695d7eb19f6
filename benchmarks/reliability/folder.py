"""Large folders: ten thousand notes, one note of a million lines. Each is measured in a process of its own.

Texts are embedded by hashing, so that what is measured is ragnotes and not the model.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from benchmarks.reliability.scenarios import Figure
from ragnotes.answers import NO_FILTERS
from ragnotes.events import IndexSummary, Progress
from ragnotes.indexing import Indexer
from ragnotes.models.hashing import HashingEmbedder
from ragnotes.reading.loaders import Limits
from ragnotes.service.following import Following
from ragnotes.service.jobs import IndexJobs
from ragnotes.settings import Settings
from ragnotes.stores.local import LocalStore

__all__ = ["million_lines", "ten_thousand_files"]

FILES, SHORT_FILES = 10_000, 1_000
LINES, SHORT_LINES = 1_000_000, 10_000
DIMENSION = 384
MEMORY_MB = 300
RESCAN_S = 2.0
CHANGE_S = 1.0
CHANGES = 5
WAIT_S = 60.0


def ten_thousand_files(work: Path, short: bool) -> list[Figure]:
    """The first index, scans of what is unchanged, and one changed file while the folder is watched."""
    number = SHORT_FILES if short else FILES
    for each in range(number):
        _write(work / "notes" / f"{each % 100:02}" / f"{each % 7}" / f"note-{each:05}.md", _note(each))
    told = _measured("notes", work)
    scans, changes = told["scans_s"], told["changes_s"]
    return [
        Figure("files", f"{number:,}", "", told["files"] == [number]),
        Figure("first index", f"{told['first_s'][0]:.0f} s"),
        _memory(told),
        Figure("unchanged scan", f"{max(scans):.2f} s", f"at most {RESCAN_S:g} s", max(scans) <= RESCAN_S),
        Figure("notes opened by it", str(told["opened"][0]), "0", told["opened"] == [0]),
        Figure(
            "a changed note is found after",
            f"{max(changes):.2f} s",
            f"at most {CHANGE_S:g} s",
            max(changes) <= CHANGE_S,
        ),
    ]


def million_lines(work: Path, short: bool) -> list[Figure]:
    """One note that is longer than any person writes."""
    number = SHORT_LINES if short else LINES
    _write(work / "notes" / "long.txt", "x of a log\n" * number)
    told = _measured("lines", work)
    return [
        Figure("lines", f"{number:,}", "", told["files"] == [1]),
        Figure("first index", f"{told['first_s'][0]:.0f} s"),
        _memory(told),
    ]


def _memory(told: dict[str, list[float]]) -> Figure:
    used_mb = told["memory_mb"][0]
    return Figure("memory above start", f"{used_mb:.0f} MB", f"at most {MEMORY_MB} MB", used_mb <= MEMORY_MB)


def _measured(what: str, work: Path) -> dict[str, list[float]]:
    command = [sys.executable, "-m", "benchmarks.reliability.folder", what, str(work)]
    environ = os.environ | {"OMP_WAIT_POLICY": "PASSIVE"}  # as the embedder sets it, which is not loaded here
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, env=environ)
    told: dict[str, list[float]] = json.loads(done.stdout)
    return told


def _note(number: int) -> str:
    return (
        f"# Note {number}\n\nIt rained on day {number}, and word{number} was noted by person{number % 97}.\n\n"
        f"## Costs\n\nThe cache of {number} took {number * 3} MB.\n"
    )


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _timed(act: Callable[[], object]) -> float:
    started = time.monotonic()
    act()
    return time.monotonic() - started


def _main(what: str, work: Path) -> None:
    with closing(LocalStore.open(work / "index", create=True)) as store:
        indexer = Indexer(store, HashingEmbedder(DIMENSION), (work / "notes",), work / "index", Limits())
        indexer.embedder.embed_documents(["warm up"])
        before = _peak_mb()
        told: dict[str, object] = {"first_s": [_timed(lambda: indexer.update(_nobody))]}
        told["memory_mb"] = [_peak_mb() - before]
        with store.reading() as snapshot:
            told["files"] = [len(snapshot.documents())]
        if what == "notes":
            told["opened"] = [_opened_by(lambda: indexer.update(_nobody))]
            told["scans_s"] = [_timed(lambda: indexer.update(_nobody)) for _ in range(3)]
            told["changes_s"] = _changes(indexer, work)
    print(json.dumps(told))


def _nobody(_: Progress) -> None: ...


def _opened_by(act: Callable[[], object]) -> int:
    """How many notes it opens."""
    seen: list[str] = []

    def listen(event: str, arguments: tuple[object, ...]) -> None:
        if event == "open" and isinstance(arguments[0], str | bytes):
            seen.append(os.fsdecode(arguments[0]))

    sys.addaudithook(listen)
    act()
    return sum(path.endswith((".md", ".txt")) for path in seen)


def _changes(indexer: Indexer, work: Path) -> list[float]:
    """Seconds from the saving of a note to its being found, while a server follows the folder."""

    def update(progress: Callable[[Progress], None], *, retry_failed: bool = False) -> IndexSummary:
        return indexer.update(progress, retry_failed=retry_failed)

    jobs = IndexJobs(update)
    following = Following(jobs, Settings(corpus=indexer.roots, index=indexer.index))
    following.start()
    time.sleep(10)  # the watching begins, and its first looks are over
    try:
        return [_change(indexer, work / "notes" / "00" / "0" / "note-00000.md", each) for each in range(CHANGES)]
    finally:
        following.stop()
        jobs.stop(WAIT_S)


def _change(indexer: Indexer, file: Path, number: int) -> float:
    time.sleep(3)
    text = f"zebra{number} crossed the road"
    query = indexer.embedder.embed_queries([text])[0]
    started = time.monotonic()
    file.write_text(text)
    pause = threading.Event()
    while time.monotonic() - started < WAIT_S:
        with indexer.store.reading() as snapshot:
            [best] = snapshot.dense(query, 1, NO_FILTERS)
            if best.score > 0.99:
                return time.monotonic() - started
        pause.wait(0.01)
    raise AssertionError(f"{file} is not found")


if __name__ == "__main__":
    _main(sys.argv[1], Path(sys.argv[2]))
