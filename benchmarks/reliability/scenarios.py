"""The long runs: what each proves, and where it stands. Its figures go to docs/reliability.md.

A scenario is a function of a folder to work in and whether to be short. It returns its figures, raises `Skipped` where
it cannot run on this machine, and anything else where what it proves does not hold.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

__all__ = ["SCENARIOS", "Figure", "Scenario", "Skipped"]


@dataclass(frozen=True, slots=True)
class Figure:
    """One measure. `held` says whether it is what is wanted; a figure that is only told leaves `wanted` empty."""

    measure: str
    value: str
    wanted: str = ""
    held: bool = True


class Skipped(Exception):
    """The scenario cannot run on this machine; says why."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """`function` is `module:name` under benchmarks, imported when it is run."""

    name: str
    proves: str
    function: str

    def run(self, work: Path, *, short: bool) -> list[Figure]:
        module, _, name = self.function.partition(":")
        found: Callable[[Path, bool], list[Figure]] = getattr(import_module(f"benchmarks.{module}"), name)
        return found(work, short)


SCENARIOS: tuple[Scenario, ...] = (
    Scenario("kill-every-call", "Killed at every durable system call", "reliability.kills:every_call"),
    Scenario("kill-at-random", "Killed at random, 200 times", "reliability.kills:at_random"),
    Scenario("power-cut", "Power cut", "reliability.power:power_cuts"),
    Scenario("disk-full", "Disk full, at twenty offsets", "reliability.disk:full_disks"),
    Scenario("refused-calls", "Writes and syncs that fail", "reliability.disk:refused_calls"),
    Scenario("limits", "Limits of size, open files and memory", "reliability.disk:limits"),
    Scenario("damaged-files", "Bits flipped and ends cut off", "reliability.damage:cut_or_flipped"),
    Scenario("cut-logs", "Write-ahead logs cut off", "reliability.damage:cut_logs"),
    Scenario("old-vectors", "Vectors of another generation or index", "reliability.damage:old_vectors"),
    Scenario("copies", "Plain copies while writing", "reliability.damage:copies"),
    Scenario("stopped-writer", "Writer stopped for half a minute", "reliability.holding:stopped_writer"),
    Scenario("state-machine", "Any changes and crashes, against a dictionary", "reliability.machine:changes"),
    Scenario("ten-thousand-files", "Ten thousand notes", "reliability.folder:ten_thousand_files"),
    Scenario("million-lines", "A note of a million lines", "reliability.folder:million_lines"),
    Scenario("hostile-pdfs", "PDFs made to hurt", "reliability.bombs:hostile_pdfs"),
    Scenario("hostile-texts", "Texts made to hurt", "reliability.bombs:hostile_texts"),
    Scenario("many-at-once", "Twenty askers while notes change", "reliability.load:many_askers"),
    Scenario("beside-work", "How long one waits beside other work", "reliability.load:waits_beside_work"),
)
