"""The measures against figures worked out by hand, and the intervals against what a bootstrap must keep."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragnotes.evaluation.measures import NOTHING, RETRIEVAL, Tally, differ, estimate, rank_tallies

TALLIES = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)).map(lambda pair: Tally(min(pair), max(pair))))


def test_one_relevant_item_counts_by_its_rank() -> None:
    ranked = {"first": ["a", "b"], "sixth": [*"bcdefa"], "never": ["b"], "nothing": []}
    found = rank_tallies({name: {"a": 1} for name in ranked}, ranked)
    values = {name: [tallies[measure].got for measure in RETRIEVAL] for name, tallies in found.items()}
    assert values["first"] == [1, 1, 1, 1, 1]
    assert values["sixth"] == pytest.approx([0, 0, 1, 1 / 6, 1 / math.log2(7)], abs=1e-6)
    assert values["never"] == values["nothing"] == [0, 0, 0, 0, 0]
    assert {tally.of for tallies in found.values() for tally in tallies.values()} == {1.0}


def test_grades_and_several_relevant_items_count_as_usual() -> None:
    found = rank_tallies({"q": {"a": 2, "b": 1, "c": 1}}, {"q": ["x", "a", "b"]})["q"]
    gained = 2 / math.log2(3) + 1 / math.log2(4)
    ideal = 2 / math.log2(2) + 1 / math.log2(3) + 1 / math.log2(4)
    expected = {"recall@1": 0, "recall@5": 2 / 3, "recall@10": 2 / 3, "mrr@10": 1 / 2, "ndcg@10": gained / ideal}
    assert {name: tally.got for name, tally in found.items()} == pytest.approx(expected, abs=1e-6)


def test_what_stands_beyond_the_tenth_place_does_not_count() -> None:
    ranked = {"q": [f"x{number}" for number in range(10)] + ["a"]}
    assert set(rank_tallies({"q": {"a": 1}}, ranked)["q"].values()) == {Tally(0, 1)}


def test_a_measure_is_the_share_of_all_and_counts_only_whom_it_concerns() -> None:
    found = estimate([Tally(1, 1), Tally(1, 3), NOTHING])
    assert (found.value, found.n) == (0.5, 2)
    assert estimate([NOTHING]).value is None


def test_an_interval_is_as_wide_as_theory_says() -> None:
    found = estimate([Tally(number % 2, 1) for number in range(400)])
    half = 1.96 * math.sqrt(0.25 / 400)
    assert found.low == pytest.approx(0.5 - half, abs=0.01)
    assert found.high == pytest.approx(0.5 + half, abs=0.01)


@given(TALLIES)
def test_an_interval_holds_its_value_and_is_the_same_each_time(tallies: list[Tally]) -> None:
    found = estimate(tallies)
    assert found == estimate(tallies)
    if found.value is not None:
        assert found.low is not None
        assert found.high is not None
        assert 0 <= found.low <= found.value + 1e-6
        assert found.value - 1e-6 <= found.high <= 1


def test_a_paired_difference_is_surer_than_its_two_sides() -> None:
    old = [Tally(number % 2, 1) for number in range(100)]
    new = [Tally(1, 1) if number < 10 else tally for number, tally in enumerate(old)]
    found = differ(old, new)
    assert (found.value, found.n) == (0.05, 100)
    assert found.low is not None
    assert found.low > 0
    assert estimate(old).high > estimate(new).low  # type: ignore[operator]


@given(TALLIES)
def test_nothing_differs_from_itself_and_sides_swap_signs(tallies: list[Tally]) -> None:
    found = differ(tallies, tallies)
    assert found.value in (0, None)
    assert (found.low, found.high) in ((0, 0), (None, None))
    worst = [Tally(0, tally.of) for tally in tallies]
    there, back = differ(worst, tallies), differ(tallies, worst)
    if there.value is not None and there.high is not None and back.value is not None and back.low is not None:
        assert there.value == -back.value
        assert there.high == pytest.approx(-back.low, abs=1e-5)


def test_a_question_that_counts_on_one_side_only_is_no_gain_by_itself() -> None:
    found = differ([Tally(1, 1), NOTHING], [Tally(1, 1), Tally(1, 1)])
    assert (found.value, found.n) == (0, 2)
