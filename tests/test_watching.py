"""Hints and looks: what is told early, what is found anyway, and what is not worth a look."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import watchfiles

from ragnotes.watching import Watch

WAIT_S = 20.0
QUIET_S = 1.7
"""Longer than a look that follows another by itself."""


class Looking:
    """The looks at a folder, as they come, and what was told besides."""

    def __init__(self, root: Path, *, scan_every_s: float = 3600.0) -> None:
        self.root = root
        self.times: list[float] = []
        self.told: list[str] = []
        self.on_look: Callable[[], None] = lambda: None
        self._stop = threading.Event()
        self.watch = Watch(
            [root], index=root / "index", stop=self._stop, scan_every_s=scan_every_s, tell=self.told.append
        )
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> Looking:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(WAIT_S)
        assert not self._thread.is_alive()

    def _look(self) -> None:
        for _ in self.watch.looks():
            self.times.append(time.monotonic())
            self.on_look()

    def settle(self) -> None:
        """Wait until nothing more comes by itself."""
        while not self.times or time.monotonic() - self.times[-1] < QUIET_S:
            time.sleep(0.05)
        self.times.clear()

    def delay_s(self) -> float:
        """From now to the next look."""
        started = time.monotonic()
        while not self.times:
            assert time.monotonic() - started < WAIT_S, "nobody looked"
            time.sleep(0.01)
        return self.times[0] - started


@pytest.fixture
def looking(tmp_path: Path) -> Iterator[Looking]:
    (tmp_path / "notes").mkdir()
    with Looking(tmp_path / "notes") as looking:
        yield looking


def replace(root: Path) -> None:
    (root / "a.tmp").write_text("words")
    os.replace(root / "a.tmp", root / "a.md")  # noqa: PTH105


def test_whatever_changes_notes_is_looked_at_within_a_second(looking: Looking) -> None:
    root = looking.root
    (root / "sub").mkdir()
    changes: list[Callable[[], object]] = [
        lambda: (root / "a.md").write_text("words"),
        lambda: replace(root),
        lambda: (root / "a.md").rename(root / "sub/b.md"),
        lambda: (root / ".ragnotesignore").write_text("*.txt"),
        lambda: shutil.rmtree(root / "sub"),
        lambda: Path(os.fsdecode(os.fsencode(root) + b"/caf\xe9.md")).write_text("words"),
        lambda: (root / "c.md").write_text("after a name that the watcher could not tell"),
    ]
    for change in changes:
        looking.settle()
        change()
        assert looking.delay_s() < 1.0
    assert looking.told == []


def test_after_a_new_folder_there_is_another_look_for_what_came_with_it(looking: Looking) -> None:
    looking.settle()
    (looking.root / "new").mkdir()
    time.sleep(QUIET_S)
    assert len(looking.times) == 2


def test_a_burst_of_changes_is_few_looks(looking: Looking) -> None:
    looking.settle()
    for number in range(500):
        (looking.root / f"{number}.md").write_text("words")
    last = time.monotonic()
    time.sleep(QUIET_S)
    assert looking.times[-1] > last - 0.001
    assert len(looking.times) <= 2 + 2 * (looking.times[-1] - looking.times[0])


def test_what_cannot_change_the_index_is_not_looked_at(looking: Looking) -> None:
    for folder in ("index", ".git"):
        (looking.root / folder).mkdir()
    looking.settle()
    (looking.root / "index/ragnotes.sqlite3").write_text("written by the run itself")
    (looking.root / ".git/index.md").write_text("hidden")
    (looking.root / "photo.png").write_text("of no known kind")
    time.sleep(QUIET_S)
    assert looking.times == []


def test_what_changes_during_a_look_is_looked_at_after_it(looking: Looking) -> None:
    looking.settle()
    looking.on_look = lambda: time.sleep(0.4)
    (looking.root / "a.md").write_text("words")
    looking.delay_s()
    (looking.root / "b.md").write_text("words")
    time.sleep(QUIET_S)
    assert len(looking.times) >= 2


def test_a_folder_that_goes_and_comes_back_is_watched_again(looking: Looking) -> None:
    looking.settle()
    away = looking.root.with_name("away")
    looking.root.rename(away)
    looking.delay_s()
    assert "cannot be watched" in _told(looking)
    away.rename(looking.root)
    looking.settle()
    (looking.root / "a.md").write_text("words")
    assert looking.delay_s() < 1.0


def _told(looking: Looking) -> str:
    deadline = time.monotonic() + WAIT_S
    while not looking.told and time.monotonic() < deadline:
        time.sleep(0.02)
    return " ".join(looking.told)


def test_without_any_hint_the_folder_is_looked_at_every_so_often(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when the system's queue of events ran over."""

    def nothing(*_: object, stop_event: threading.Event, **__: object) -> Iterator[set[tuple[int, str]]]:
        while not stop_event.wait(0.05):
            yield set()

    monkeypatch.setattr(watchfiles, "watch", nothing)
    with Looking(tmp_path, scan_every_s=0.3) as looking:
        time.sleep(2)
    assert 4 <= len(looking.times) <= 8


def test_where_nothing_can_be_watched_there_is_a_look_every_second_and_a_word_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> Iterator[set[tuple[int, str]]]:
        raise OSError(28, "inotify watch limit reached")

    monkeypatch.setattr(watchfiles, "watch", refuse)
    with Looking(tmp_path) as looking:
        time.sleep(3.5)
    assert 3 <= len(looking.times) <= 5
    [line] = looking.told
    assert line.startswith(f"{tmp_path} cannot be watched, so changes are looked for: [Errno 28] inotify watch limit")
