"""Disks that are full or fail, and limits: the run ends with an error, reading goes on, the next run ends well.

An index of twelve notes is brought up to date while something is refused to it: room, a sync, a file's size, file
descriptors, memory, the right to write.
"""

from __future__ import annotations

import os
import resource
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

from benchmarks.reliability.driver import CHILD_FAILED, Order
from benchmarks.reliability.kills import note
from benchmarks.reliability.ledger import Ledger
from benchmarks.reliability.scenarios import Figure
from benchmarks.reliability.victims import Drivers, Told, drivers, mounted, need_root, need_strace

__all__ = ["Refused", "full_disks", "limits", "refused_calls", "with_injection", "with_limit"]

SIZES = 20
SHORT_SIZES = 4
NOTES = 12
TMPFS_BYTES = 64 * 1024 * 1024
PAGE = 4096
SYNCS = 12


@dataclass(frozen=True, slots=True)
class Refused:
    """How a run ended to which something was refused, and what was found wrong then and after the next run."""

    code: int
    error: str
    faults: tuple[str, ...]

    @property
    def told(self) -> bool:
        """Whether it ended well or with an error of ours; never by a signal, and never calling the index damaged."""
        return self.code == 0 or (self.code == CHILD_FAILED and "is damaged" not in self.error)


class Scene:
    """An index of the first versions of some notes, and the second versions waiting."""

    def __init__(self, runs: Drivers, work: Path, index: Path) -> None:
        work.mkdir(parents=True, exist_ok=True)
        self.runs, self.index, self.ledger = runs, index, Ledger(work / "notes")
        for number in range(NOTES):
            self.ledger.write(f"{number}.md", note(f"{number}.md", 1))
        self._done(*runs.run(self.order()))
        for number in range(NOTES // 2, NOTES * 2):
            self.ledger.write(f"{number}.md", note(f"{number}.md", 2))

    def order(self) -> Order:
        return self.runs.order(self.ledger.notes, self.index)

    def _done(self, code: int, told: Told) -> None:
        assert code == 0, told.error
        self.ledger.take(told)

    def refused(self, told: Told) -> list[str]:
        """What is wrong after the run, while the fault still stands."""
        self.ledger.take(told)
        return self.ledger.faults(self.index)

    def resumed(self) -> list[str]:
        """What is wrong after another run without the fault."""
        code, told = self.runs.run(self.order())
        ended = [] if code == 0 else [f"the next run ended with {code}: {told.error}"]
        return [*ended, *self.ledger.unfinished(self.index)]


def full_disks(work: Path, short: bool) -> list[Figure]:
    """A disk with room for a part of what a run writes, from nothing to all of it."""
    need_root("mounting a small disk")
    sizes = SHORT_SIZES if short else SIZES
    with drivers() as runs:
        needed = _room_needed(runs, work / "whole")
        rooms = [needed * each // (sizes - 1) // PAGE * PAGE for each in range(sizes)]
        refused = [with_room(runs, work / str(room), room) for room in rooms]
    return [Figure("room that a whole run takes", f"{needed // 1024} KiB"), *_figures(refused)]


def with_room(runs: Drivers, work: Path, room: int) -> Refused:
    """A run on a disk that has only so many bytes left."""
    with _tmpfs(work / "disk") as disk:
        scene = Scene(runs, work, disk / "index")
        _resize(disk, _used(disk) + room)
        code, told = runs.run(scene.order())
        faults = scene.refused(told)
        _resize(disk, TMPFS_BYTES)
        return Refused(code, told.error, (*faults, *scene.resumed()))


def _room_needed(runs: Drivers, work: Path) -> int:
    with _tmpfs(work / "disk") as disk:
        scene = Scene(runs, work, disk / "index")
        before, most = _used(disk), 0
        victim = runs.start(scene.order())
        while Path(f"/proc/{victim.pid}").exists():
            most = max(most, _used(disk))
        assert victim.wait() == 0
        return max(most, _used(disk)) - before


def refused_calls(work: Path, short: bool) -> list[Figure]:
    """Writes that find no room from the n-th on, and syncs that fail, once or from then on."""
    need_strace()
    every = 7 if short else 1
    plans = [f"pwrite64:error=ENOSPC:when={n}+" for n in range(1, 200, 10 * every)]
    plans += [f"{call}:error=EIO:when={n}{on}" for call in SYNCED for n in range(1, SYNCS, every) for on in ("", "+")]
    with drivers() as runs:
        refused = {plan: with_injection(runs, work / str(number), plan) for number, plan in enumerate(plans)}
    full = [each for plan, each in refused.items() if "ENOSPC" in plan]
    failing = [each for plan, each in refused.items() if "EIO" in plan]
    return [*_figures(full, "no room: "), *_figures(failing, "sync fails: ")]


SYNCED = ("fdatasync", "fsync")


def with_injection(runs: Drivers, work: Path, plan: str) -> Refused:
    """A run whose system calls are answered by the plan."""
    scene = Scene(runs, work, work / "index")
    code, told = runs.traced(scene.order(), plan)
    return Refused(code, told.error, (*scene.refused(told), *scene.resumed()))


def limits(work: Path, short: bool) -> list[Figure]:
    """Limits on the size of a file, on open files and on memory."""
    every = 4 if short else 1
    sizes = [("FSIZE", kilobytes * 1024) for kilobytes in range(8, 600, 32 * every)]
    files = [("NOFILE", number) for number in range(4, 16, every)]
    memory = [("AS", megabytes * 1024 * 1024) for megabytes in range(_megabytes_needed(), 800, 40 * every)]
    figures, numbers = [], count()
    with drivers() as runs:
        for name, chosen in (("size of a file", sizes), ("open files", files), ("memory", memory)):
            refused = [with_limit(runs, work / str(next(numbers)), *each) for each in chosen]
            figures += _figures(refused, f"{name}: ")
    return figures


def with_limit(runs: Drivers, work: Path, name: str, limit: int) -> Refused:
    """A run under a limit of `resource`."""
    scene = Scene(runs, work, work / "index")
    code, told = runs.run(replace(scene.order(), limits=((name, limit),)))
    return Refused(code, told.error, (*scene.refused(told), *scene.resumed()))


def _megabytes_needed() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


@contextmanager
def _tmpfs(folder: Path) -> Iterator[Path]:
    folder.parent.mkdir(parents=True, exist_ok=True)
    mounted(["-t", "tmpfs", "-o", f"size={TMPFS_BYTES}", "none"], folder)
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def _resize(disk: Path, size_bytes: int) -> None:
    subprocess.run(["mount", "-o", f"remount,size={max(size_bytes, PAGE)}", str(disk)], check=True)


def _used(disk: Path) -> int:
    status = os.statvfs(disk)
    return (status.f_blocks - status.f_bfree) * status.f_frsize


def _figures(refused: Sequence[Refused], what: str = "") -> list[Figure]:
    ended = [each for each in refused if each.code != 0]
    untold = [f"{each.code} {each.error}" for each in refused if not each.told]
    faults = [fault for each in refused for fault in each.faults]
    return [
        Figure(f"{what}runs that had to end", f"{len(ended)} of {len(refused)}", "more than none", bool(ended)),
        Figure(f"{what}of these, without a clear error", _told(untold), "0", not untold),
        Figure(f"{what}faults then, and after the next run", _told(faults), "0", not faults),
    ]


def _told(found: Iterable[str]) -> str:
    listed = list(found)
    return f"{len(listed)}: {'; '.join(listed[:3])}" if listed else "0"
