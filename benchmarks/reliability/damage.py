"""Files of an index that are cut off, flipped, exchanged or copied amid writing: found, refused or without effect.

Nothing of it may ever show as a passage that was not in the notes.
"""

from __future__ import annotations

import random
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.reliability.kills import note
from benchmarks.reliability.ledger import Held, Ledger, Torn, findings, indexed
from benchmarks.reliability.scenarios import Figure
from benchmarks.reliability.victims import Drivers, drivers
from ragnotes.errors import IndexDamaged, IndexMismatch, IndexMissing

__all__ = ["copies", "cut_logs", "cut_or_flipped", "flip", "old_vectors"]

DATABASE, LOG, VECTORS = "ragnotes.sqlite3", "ragnotes.sqlite3-wal", "vectors.faiss"
PLACES = 200
SHORT_PLACES = 12
COPIES = 20
SHORT_COPIES = 3
NOTES = 8

WHOLE, FOUND = "whole", "found"

Change = Callable[[Path, random.Random], None]


@dataclass(frozen=True, slots=True)
class Damaged:
    """What a damage came to: found by the check, refused by a reader, or the index as it was."""

    found: bool
    refused: bool
    same: bool


def cut_or_flipped(work: Path, short: bool) -> list[Figure]:
    """One bit flipped, or the end cut off, at two hundred places of the database and of the vectors' file."""
    places = SHORT_PLACES if short else PLACES
    with drivers() as runs:
        index = _made(runs, work).resolve()
    figures = []
    for name in (DATABASE, VECTORS):
        for what, change in (("bits flipped", flip), ("ends cut off", _cut)):
            damaged = [damage(index, work / "hurt", name, change, seed) for seed in range(places)]
            figures += _figures(f"{what} in {name}", damaged)
    return figures


def damage(index: Path, hurt: Path, name: str, change: Change, seed: int) -> Damaged:
    """A copy of the index with one of its files changed, checked and then read."""
    whole = indexed(index)
    shutil.rmtree(hurt, ignore_errors=True)
    shutil.copytree(index, hurt)
    change(hurt / name, random.Random(seed))
    try:
        found = bool(findings(hurt))
    except (IndexDamaged, IndexMismatch, IndexMissing):
        found = True
    try:
        return Damaged(found, refused=False, same=indexed(hurt) == whole)
    except Torn:
        return Damaged(found, refused=False, same=False)
    except (IndexDamaged, IndexMismatch, IndexMissing):
        return Damaged(found, refused=True, same=False)


def flip(file: Path, dice: random.Random) -> None:
    content = bytearray(file.read_bytes())
    content[dice.randrange(len(content))] ^= 1 << dice.randrange(8)
    file.write_bytes(content)


def _cut(file: Path, dice: random.Random) -> None:
    content = file.read_bytes()
    file.write_bytes(content[: dice.randrange(len(content))])


def _figures(what: str, damaged: Sequence[Damaged]) -> list[Figure]:
    unnoticed = sum(not (each.found or each.refused or each.same) for each in damaged)
    told = (
        f"{len(damaged)}: check finds {sum(each.found for each in damaged)},"
        f" reading refuses {sum(each.refused for each in damaged)}, same results {sum(each.same for each in damaged)}"
    )
    return [Figure(what, told), Figure(f"{what}, other results and not found", str(unnoticed), "0", unnoticed == 0)]


def cut_logs(work: Path, short: bool) -> list[Figure]:
    """The write-ahead log of a writer that was killed, cut off at many lengths."""
    faults = list[str]()
    with drivers() as runs:
        ledger, index, sizes = _with_log(runs, work)
        for number in range(SHORT_PLACES if short else PLACES // 4):
            hurt = work / "hurt"
            shutil.rmtree(hurt, ignore_errors=True)
            shutil.copytree(index, hurt)
            with (hurt / LOG).open("r+b") as log:
                log.truncate(random.Random(number).randrange(sizes))
            faults += ledger.faults(hurt)
            code, told = runs.run(runs.order(ledger.notes, hurt))
            faults += ([] if code == 0 else [told.error]) + ledger.unfinished(hurt)
            ledger.forget_acknowledged()
    return [
        Figure("bytes of log that were cut at", str(sizes), "more than none", sizes > 0),
        Figure("torn documents, and runs that did not resume", _told(faults), "0", not faults),
    ]


def _with_log(runs: Drivers, work: Path) -> tuple[Ledger, Path, int]:
    """Notes and an index whose writer was killed before the log was folded in, and the size of the log."""
    ledger, index = Ledger(work / "notes"), work / "index"
    for number in range(NOTES):
        ledger.write(f"{number}.md", note(f"{number}.md", 1))
    victim = runs.start(runs.order(ledger.notes, index))
    victim.wait_for(acked=NOTES - 1)
    victim.stop()
    copy = work / "stopped"
    shutil.copytree(index, copy)
    victim.kill()
    victim.go_on()
    victim.wait()
    (copy / f"{DATABASE}-shm").unlink(missing_ok=True)
    return ledger, copy, (copy / LOG).stat().st_size


def old_vectors(work: Path, _short: bool) -> list[Figure]:
    """Vectors of an older generation, of another index, and half written, copied over the ones that belong there."""
    with drivers() as runs:
        index = _made(runs, work / "one", version=1)
        old = (index / VECTORS).read_bytes()
        index = _made(runs, work / "one", version=2)
        foreign = (_made(runs, work / "two", version=3) / VECTORS).read_bytes()
    whole, current = indexed(index), (index / VECTORS).read_bytes()
    wrong = [
        name
        for name, content in {"old": old, "foreign": foreign, "half": current[: len(current) // 2]}.items()
        if _read_with(index, content) != whole or (index / VECTORS).read_bytes() != current
    ]
    return [Figure("of an old, a foreign and half a file, believed", ", ".join(wrong) or "none", "none", not wrong)]


def _read_with(index: Path, vectors: bytes) -> dict[str, Held]:
    (index / VECTORS).write_bytes(vectors)
    return indexed(index)


def copies(work: Path, short: bool) -> list[Figure]:
    """Plain copies of the directory while it is written to, by a program that knows nothing of databases."""
    with drivers() as runs:
        came_to = [copied(runs, work / str(number), number) for number in range(SHORT_COPIES if short else COPIES)]
    torn = [each for each in came_to if each not in (WHOLE, FOUND)]
    return [
        Figure("copies", str(len(came_to))),
        Figure("whole, as the index was at some moment", str(came_to.count(WHOLE))),
        Figure("refused, or found by the check", str(came_to.count(FOUND))),
        Figure("torn and not found", _told(torn), "0", not torn),
    ]


def copied(runs: Drivers, work: Path, number: int) -> str:
    """What a copy came to that was made amid a run."""
    ledger = Ledger(work / "notes")
    for each in range(NOTES * 4):
        ledger.write(f"{each}.md", note(f"{each}.md", 1))
    victim = runs.start(runs.order(ledger.notes, work / "index"))
    victim.wait_for(acked=1 + number % NOTES)
    _copy(work / "index", work / "copy")
    victim.wait()
    try:
        if findings(work / "copy"):
            return FOUND
        return "; ".join(ledger.faults(work / "copy")) or WHOLE
    except (IndexDamaged, IndexMismatch, IndexMissing):
        return FOUND


def _copy(index: Path, copy: Path) -> None:
    copy.mkdir()
    for file in sorted(index.iterdir()):
        if file.is_file():
            shutil.copyfile(file, copy / file.name)
            time.sleep(0.002)  # a slower disk


def _made(runs: Drivers, work: Path, version: int = 1) -> Path:
    ledger = Ledger(work / "notes")
    for number in range(NOTES):
        ledger.write(f"{number}.md", note(f"{number}.md", version))
    code, told = runs.run(runs.order(ledger.notes, work / "index"))
    assert code == 0, told.error
    return work / "index"


def _told(faults: Sequence[str]) -> str:
    return f"{len(faults)}: {'; '.join(faults[:3])}" if faults else "0"
