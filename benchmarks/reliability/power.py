"""A power cut: what had reached the disk when an index was being written, and nothing else.

The index lies on an ext4 file system in a file that is mounted as a disk. The writer is stopped at a random moment,
that file is copied, and the copy is mounted: what the kernel still held in memory is not in it. The same is done with
syncs that are pretended, to see that this test can lose something.
"""

from __future__ import annotations

import random
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.reliability.kills import note
from benchmarks.reliability.ledger import Ledger
from benchmarks.reliability.scenarios import Figure, Skipped
from benchmarks.reliability.victims import Drivers, drivers, mounted, need_root, need_strace, tracing

__all__ = ["power_cuts"]

CUTS = 20
SHORT_CUTS = 3
CONTROLS = 5
PRETENDED = ("fdatasync:retval=0", "fsync:retval=0")
"""Says that it is on the disk, and does nothing."""
NOTES = 60
DISK_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Cut:
    """What came of one cut: documents acknowledged before it, and what is wrong with the index in the copy."""

    acked: int
    faults: tuple[str, ...]


def power_cuts(work: Path, short: bool) -> list[Figure]:
    """Cuts at random moments, and as many without waiting for the disk."""
    need_root("mounting an image")
    need_strace()
    number = SHORT_CUTS if short else CUTS
    with drivers() as runs:
        cuts = [power_cut(runs, work / str(each), seed=each) for each in range(number)]
        control = [
            power_cut(runs, work / f"off-{each}", seed=each, pretended=PRETENDED)
            for each in range(min(number, CONTROLS))
        ]
    faults = [fault for cut in cuts for fault in cut.faults]
    lost = sum(bool(cut.faults) for cut in control)
    return [
        Figure("power cuts", str(len(cuts))),
        _acknowledged(cuts),
        Figure("lost or torn", f"{len(faults)}: {'; '.join(faults[:3])}" if faults else "0", "0", not faults),
        Figure(
            "cuts that lose something where syncs are only pretended",
            f"{lost} of {len(control)}",
            "more than none: the test can tell",
            lost > 0,
        ),
    ]


def _acknowledged(cuts: Sequence[Cut]) -> Figure:
    acked = sum(cut.acked for cut in cuts)
    return Figure("documents acknowledged before a cut", str(acked), "more than none", acked > 0)


def power_cut(runs: Drivers, work: Path, *, seed: int, pretended: Sequence[str] = ()) -> Cut:
    """One cut amid a run over sixty notes, some of whose system calls may only be `pretended`."""
    work.mkdir(parents=True)
    ledger = Ledger(work / "notes")
    for number in range(NOTES):
        ledger.write(f"{number}.md", note(f"{number}.md", seed))
    image = work / "disk.img"
    with disk(image, work / "disk") as folder:
        victim = runs.start(replace(runs.order(ledger.notes, folder / "index"), held=bool(pretended)))
        with tracing(victim, *pretended) if pretended else nullcontext():
            victim.go_on()
            victim.wait_for(acked=random.Random(seed).randrange(1, NOTES))
            victim.stop()
            told = victim.told()  # before the copy: what is acknowledged later need not be in it
            shutil.copyfile(image, work / "copy.img")
            victim.kill()
            victim.go_on()
            victim.wait()
    ledger.take(told)
    with _mount(work / "copy.img", work / "copy") as folder:
        try:
            faults = ledger.faults(folder / "index") if told.acked else []
        except Exception as error:  # an index that cannot be opened is what is looked for
            faults = [f"{type(error).__name__}: {error}"]
    for name in ("disk.img", "copy.img"):
        (work / name).unlink()
    return Cut(len(told.acked), tuple(faults))


@contextmanager
def disk(image: Path, folder: Path) -> Iterator[Path]:
    """A new ext4 file system in the file `image`, mounted at `folder`."""
    if shutil.which("mkfs.ext4") is None:
        raise Skipped("mkfs.ext4 is not installed")
    with image.open("wb") as file:
        file.truncate(DISK_BYTES)
    subprocess.run(["mkfs.ext4", "-q", "-F", str(image)], check=True)
    with _mount(image, folder) as at:
        yield at


@contextmanager
def _mount(image: Path, folder: Path) -> Iterator[Path]:
    mounted(["-o", "loop", str(image)], folder)
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)
