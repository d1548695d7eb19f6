from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragnotes.asking.quantities import dates_agree, numbers_agree, quantities_in, without_quantities
from ragnotes.types import DateRange


@pytest.mark.parametrize(
    ("text", "values", "unit"),
    [
        ("5 kg", {"5"}, "kg"),
        ("five kilos", {"5"}, "kg"),
        ("150ms", {"150"}, "ms"),
        ("$57,000", {"57000"}, "$"),
        ("1.2 million euros", {"1200000"}, "€"),
        ("1.3B", {"1300000000"}, None),
        ("1.000", {"1.000", "1000"}, None),
        ("3,5 kg", {"3.5"}, "kg"),
        ("the 1970s", {"1970"}, None),
        ("17:30", {"17:30"}, None),
        ("two hundred", {"200"}, None),
        ("twenty-one days", {"21"}, "day"),
        ("34 per cent", {"34"}, "%"),
        ("zwei Stunden", {"2"}, "hour"),
        ("tres horas", {"3"}, "hour"),
    ],
)
def test_a_number_is_read_with_its_unit(text: str, values: set[str], unit: str | None) -> None:
    [found] = quantities_in(text)
    assert (set(found.values), found.unit) == (values, unit)


def test_one_and_both_count_but_need_not() -> None:
    assert numbers_agree("One pump leaks.", "The pump leaks.")
    assert numbers_agree("2 pumps leak.", "Both pumps leak.")
    assert not numbers_agree("3 pumps leak.", "Both pumps leak.")


def test_a_unit_may_stand_in_the_heading_of_a_column() -> None:
    assert numbers_agree("It weighs 5 kg.", "Bag | 5", "Thing | Weight in kg")
    assert not numbers_agree("It weighs 5 kg.", "Bag | 5", "Thing | Price")


@given(st.integers(min_value=1000, max_value=10**9))
def test_grouping_changes_no_number(number: int) -> None:
    assert numbers_agree(str(number), f"{number:,}")
    assert numbers_agree(f"{number:,}", str(number))
    assert not numbers_agree(str(number), f"{number + 1:,}")


def test_a_date_agrees_with_a_date_within_it_and_with_the_day_of_the_note() -> None:
    noted = DateRange.parse("2024-05-01")
    assert dates_agree("On 1 May 2024 it ran.", "It ran.", noted) == (True, "On   it ran.")
    assert dates_agree("In May 2024 it ran.", "2024-05-01: it ran.", None)[0]
    assert not dates_agree("On 2 May 2024 it ran.", "In May 2024 it ran.", noted)[0]


def test_what_is_left_without_quantities_are_the_words() -> None:
    assert without_quantities("the 250GB collection of all 4 models").split() == [
        "the",
        "collection",
        "of",
        "all",
        "models",
    ]
    assert without_quantities("five kilos of salt").split() == ["of", "salt"]
    assert without_quantities("a 5-cylinder engine").split() == ["a", "cylinder", "engine"]
