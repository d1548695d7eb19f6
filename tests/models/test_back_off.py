from __future__ import annotations

from ragnotes.models.back_off import CALM_S, LONGEST_S, BackOff


def test_the_first_end_costs_nothing_and_each_that_follows_twice_as_long() -> None:
    back_off = BackOff()
    assert [back_off.ended(1.0) for _ in range(9)] == [0, 1, 2, 4, 8, 16, 32, LONGEST_S, LONGEST_S]
    assert LONGEST_S - 1 < back_off.left_s() <= LONGEST_S


def test_a_long_life_begins_anew() -> None:
    back_off = BackOff()
    assert [back_off.ended(lived_s) for lived_s in (1.0, 1.0, 1.0, CALM_S, 1.0)] == [0, 1, 2, 0, 1]


def test_before_any_end_nothing_waits() -> None:
    assert BackOff().left_s() == 0
