"""Runs that are killed: at every durable system call, and two hundred times at random."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.reliability.driver import Order
from benchmarks.reliability.ledger import Ledger
from benchmarks.reliability.scenarios import Figure
from benchmarks.reliability.victims import Drivers, Told, drivers, need_strace

__all__ = ["CALLS", "Killed", "at_random", "calls_of_a_run", "every_call", "killed_at", "killed_at_random"]

CALLS = ("pwrite64", "fdatasync", "fsync", "rename", "ftruncate", "unlink", "write")
RANDOM_KILLS = 200
SHORT_RANDOM_KILLS = 10
SHORT_POINTS = 12
NOTES = 30


@dataclass(frozen=True, slots=True)
class Killed:
    """What came of one kill: by signal or not, acknowledged before it, faults, strings embedded twice."""

    died: bool
    acked: int
    faults: tuple[str, ...]
    twice: int


def every_call(work: Path, short: bool) -> list[Figure]:
    """A small run, killed at the n-th call of each kind for every n."""
    need_strace()
    with drivers() as runs:
        found = calls_of_a_run(runs, work / "count")
        points = [(call, n) for call in CALLS for n in range(1, found.get(call, 0) + 1)]
        if short:
            points = points[:: max(1, len(points) // SHORT_POINTS)]
        killed = {f"{call}-{n}": killed_at(runs, work / f"{call}-{n}", call, n) for call, n in points}
    told = ", ".join(f"{call} {found[call]}" for call in CALLS if call in found)
    return [Figure("durable calls of a run", told), *_figures(killed)]


def killed_at(runs: Drivers, work: Path, call: str, n: int) -> Killed:
    """Two rounds over two notes, killed at the n-th call; then checked, resumed and checked again."""
    ledger, order = small(runs, work)
    code, told = runs.traced(order, f"{call}:signal=KILL:when={n}")
    return _examined(runs, ledger, order, code, told)


def calls_of_a_run(runs: Drivers, work: Path) -> dict[str, int]:
    """How often an unhurt run makes each of the calls."""
    _, order = small(runs, work)
    counted = work / "counted"
    code, _ = runs.traced(order, log=counted)
    assert code == 0
    names = re.findall(r"^\d+ +(\w+)\(", counted.read_text("utf-8", "replace"), re.MULTILINE)
    return {call: names.count(call) for call in CALLS if call in names}


def small(runs: Drivers, work: Path) -> tuple[Ledger, Order]:
    """Two short notes, and a second version of one for a second round: as few calls as show every kind of step."""
    ledger = Ledger(work / "notes")
    for path in ("first.md", "second.md"):
        ledger.write(path, note(path, 1, sections=2))
    ledger.write("second.md", note("second.md", 2, sections=2), folder=work / "later")
    (work / "none").mkdir()
    order = runs.order(ledger.notes, work / "index")
    return ledger, replace(order, rounds=(str(work / "none"), str(work / "later")))


def note(path: str, version: int, sections: int = 5) -> str:
    """A note of some sections; a new version changes all but the first."""
    parts = [f"## Part {n}\n\nWords of {path}, part {n}, version {version if n else 0}.\n" for n in range(sections)]
    return f"# {path}\n\n" + "\n".join(parts)


def _examined(runs: Drivers, ledger: Ledger, order: Order, code: int, told: Told) -> Killed:
    ledger.take(told)
    index = Path(order.index)
    faults = ledger.faults(index)
    for folder in order.rounds:  # what the run had not come to
        for file in Path(folder).iterdir():
            file.replace(ledger.notes / file.name)
    again, resumed = runs.run(replace(runs.order(ledger.notes, index)))
    faults += [] if again == 0 else [f"the next run ended with {again}: {resumed.error}"]
    faults += ledger.unfinished(index)
    faults += [f"left behind: {file.name}" for file in index.glob("*.tmp")]
    twice = len(told.kept & set(resumed.embedded))
    return Killed(code == -9, len(told.acked), tuple(faults), twice)


def at_random(work: Path, short: bool) -> list[Figure]:
    """An index that is written to all the time, its writer killed again and again."""
    with drivers() as runs:
        killed = killed_at_random(runs, work, kills=SHORT_RANDOM_KILLS if short else RANDOM_KILLS)
    return _figures({str(number): each for number, each in enumerate(killed)})


def killed_at_random(runs: Drivers, work: Path, *, kills: int, seed: int = 7) -> list[Killed]:
    """Some notes are changed, added, deleted and renamed before each run; the state goes on from kill to kill."""
    dice, ledger, index = random.Random(seed), Ledger(work / "notes"), work / "index"
    for number in range(NOTES):
        ledger.write(f"{number}.md", note(f"{number}.md", 0))
    longest_s, killed, before = _seconds_of_a_run(runs, ledger, work / "timed"), list[Killed](), Told()
    while sum(each.died for each in killed) < kills:
        _change(ledger, dice, len(killed) + 1)
        victim = runs.start(runs.order(ledger.notes, index))
        time.sleep(dice.uniform(0, longest_s))
        victim.kill()
        code, told = victim.wait(), victim.told()
        ledger.take(told)
        twice = len(before.kept & set(told.embedded))
        killed.append(Killed(code == -9, len(told.acked), tuple(ledger.faults(index)), twice))
        longest_s *= 1.05 if code == -9 else 0.9  # a run that ended was waited for too long
        before = told
    code, told = runs.run(runs.order(ledger.notes, index))
    faults = ledger.unfinished(index) + ([] if code == 0 else [f"the last run ended with {code}: {told.error}"])
    return [*killed, Killed(False, len(told.acked), tuple(faults), len(before.kept & set(told.embedded)))]


def _seconds_of_a_run(runs: Drivers, ledger: Ledger, index: Path) -> float:
    started = time.monotonic()
    runs.run(runs.order(ledger.notes, index))
    return time.monotonic() - started


def _change(ledger: Ledger, dice: random.Random, version: int) -> None:
    for path in dice.sample(ledger.paths, k=min(len(ledger.paths), 8)):
        ledger.write(path, note(path, version))
    for gone in dice.sample(ledger.paths, k=max(1, len(ledger.paths) - NOTES)):
        ledger.write(gone, None)
    ledger.write(f"new-{version}.md", note(gone, version))
    ledger.write(f"{dice.randrange(NOTES)}.md", note("again", version))


def _figures(killed: dict[str, Killed]) -> list[Figure]:
    faults = [f"{name}: {fault}" for name, each in killed.items() for fault in each.faults]
    lost = [fault for fault in faults if "lost" in fault]
    died = sum(each.died for each in killed.values())
    twice = sum(each.twice for each in killed.values())
    return [
        Figure("runs killed", f"{died} of {len(killed)}", "more than none", died > 0),
        Figure("documents acknowledged before a kill", str(sum(each.acked for each in killed.values()))),
        Figure("lost", _told(lost), "0", not lost),
        Figure("torn or otherwise not whole", _told([each for each in faults if each not in lost]), "0", not faults),
        Figure("strings embedded twice", str(twice), "0", twice == 0),
    ]


def _told(faults: Sequence[str]) -> str:
    return f"{len(faults)}: {'; '.join(faults[:5])}" if faults else "0"
