"""How much is measured: the sizes of a full run and of a small one."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.speed.inputs import Inputs

__all__ = ["Plan", "full", "say", "small"]


@dataclass(frozen=True, slots=True)
class Plan:
    """The inputs, where indexes and results are kept, the peers' Python (None without peers), and the sizes."""

    inputs: Inputs
    work: Path
    peers: Path | None
    rounds: int
    samples: Sequence[int] = (60,)
    """Numbers of notes drawn from the vaults and indexed in every round."""
    whole_rounds: int = 1
    """Rounds in which the whole of the vaults is indexed."""
    embedded: int = 400
    window_s: float = 0.1
    """How long each product of matrices is repeated."""
    scanned_mb: int = 300
    chunks: Sequence[int] = (1_000, 10_000, 100_000)
    million: int = 1_000_000
    served: int = 10_000
    """Passages behind the idle server."""
    queries: int = 60
    together: int = 160
    """Questions that the searchers share."""
    asked: int = 8
    """Questions asked in each round of `ask`."""
    drafts: int = 3
    small: bool = False

    @property
    def results(self) -> Path:
        return self.work / "results"

    def engines(self, *names: str) -> list[str]:
        """Those of these that can run here."""
        return [name for name in names if name == "ragnotes" or self.peers]

    def in_turn(self, names: Sequence[str]) -> Iterator[list[str]]:
        """The names for each round, each round beginning with another."""
        for number in range(self.rounds):
            at = number % len(names)
            yield [*names[at:], *names[:at]]


def full(inputs: Inputs, work: Path, peers: Path | None, rounds: int) -> Plan:
    return Plan(inputs, work, peers, rounds)


def small(inputs: Inputs, work: Path, peers: Path | None) -> Plan:
    """One round of everything, each with a few items."""
    return Plan(
        inputs,
        work,
        peers,
        rounds=1,
        samples=(2,),
        embedded=8,
        window_s=0.005,
        scanned_mb=4,
        chunks=(100, 300),
        million=300,
        served=100,
        queries=4,
        together=8,
        asked=1,
        drafts=1,
        small=True,
    )


say = partial(print, file=sys.stderr, flush=True)
