"""Others that hold the index: a program that locks the database, a writer that stands still. Readers go on."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from benchmarks.reliability.kills import note
from benchmarks.reliability.ledger import Ledger, indexed
from benchmarks.reliability.scenarios import Figure
from benchmarks.reliability.victims import drivers

__all__ = ["foreign_lock", "stopped_writer"]

STOP_S = 30.0
SHORT_STOP_S = 1.0
NOTES = 40
READ_LIMIT_S = 2.0


def stopped_writer(work: Path, short: bool) -> list[Figure]:
    """A writer that is stopped amid a run for half a minute, and goes on."""
    ledger, index = Ledger(work / "notes"), work / "index"
    with drivers() as runs:
        for number in range(NOTES):
            ledger.write(f"{number}.md", note(f"{number}.md", 1))
        runs.run(runs.order(ledger.notes, index))
        for number in range(NOTES):
            ledger.write(f"{number}.md", note(f"{number}.md", 2))
        victim = runs.start(runs.order(ledger.notes, index))
        victim.wait_for(acked=NOTES // 4)
        victim.stop()
        ledger.take(victim.told())
        acked, torn, waits = len(victim.told().acked), list[str](), list[float]()
        end = time.monotonic() + (SHORT_STOP_S if short else STOP_S)
        while time.monotonic() < end:
            started = time.monotonic()
            indexed(index)
            waits.append(time.monotonic() - started)
            torn += ledger.faults(index)
        victim.go_on()
        code = victim.wait()
    unfinished = ledger.unfinished(index)
    return [
        Figure("documents acknowledged when it was stopped", f"{acked} of {NOTES}", "some", 0 < acked < NOTES),
        Figure("reads of everything meanwhile", str(len(waits)), "more than none", bool(waits)),
        Figure("slowest of them", f"{max(waits):.2f} s", f"under {READ_LIMIT_S:.0f} s", max(waits) < READ_LIMIT_S),
        Figure("of them torn", str(len(torn)), "0", not torn),
        Figure("the writer's end once it went on", f"exit {code}", "exit 0", code == 0 and not unfinished),
    ]


@contextmanager
def foreign_lock(index: Path, mode: str) -> Iterator[None]:
    """The database held as another program would; `mode` is NORMAL, or EXCLUSIVE, which keeps readers out too."""
    database = index / "ragnotes.sqlite3"
    with closing(sqlite3.connect(database, isolation_level=None, timeout=10)) as connection:
        connection.execute(f"PRAGMA locking_mode = {mode}").close()
        connection.execute("BEGIN EXCLUSIVE")
        yield
        connection.rollback()
