"""Indexing killed at its system calls; the long version kills at every one of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.reliability.kills import calls_of_a_run, killed_at, killed_at_random
from benchmarks.reliability.scenarios import Skipped
from benchmarks.reliability.victims import Drivers, drivers, need_strace


@pytest.fixture(scope="module")
def runs() -> Iterator[Drivers]:
    with drivers() as started:
        yield started


@pytest.fixture(scope="module")
def calls(runs: Drivers, tmp_path_factory: pytest.TempPathFactory) -> dict[str, int]:
    """How often a small run makes each durable call."""
    try:
        need_strace(install=False)
    except Skipped as why:
        pytest.skip(str(why))
    return calls_of_a_run(runs, tmp_path_factory.mktemp("calls"))


@pytest.mark.parametrize("call", ["pwrite64", "fdatasync", "fsync", "rename", "ftruncate", "unlink", "write"])
@pytest.mark.parametrize("part", [0.4, 1.0])
def test_a_run_killed_at_a_durable_call_is_whole_and_the_next_one_finishes(
    runs: Drivers, calls: dict[str, int], tmp_path: Path, call: str, part: float
) -> None:
    killed = killed_at(runs, tmp_path, call, max(1, int(calls[call] * part)))
    assert killed.died
    assert killed.faults == ()
    assert killed.twice == 0


def test_of_runs_killed_at_random_nothing_is_lost_torn_or_embedded_twice(runs: Drivers, tmp_path: Path) -> None:
    killed = killed_at_random(runs, tmp_path, kills=5)
    assert [each.faults for each in killed] == [()] * len(killed)
    assert sum(each.twice for each in killed) == 0
    assert sum(each.acked for each in killed) > 0
