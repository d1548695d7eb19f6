from __future__ import annotations

from datetime import date

import pytest

from ragnotes.spelled_dates import in_words, shortly
from ragnotes.types import DateRange


@pytest.mark.parametrize(
    ("since", "until", "words"),
    [
        ("2023-05-01", "2023-05-07", "from 1 to 7 May 2023"),
        ("2023-05-22", "2023-05-22", "from 22 May 2023"),
        ("2023-05-28", "2023-06-03", "from 28 May to 3 June 2023"),
        ("2023-12-20", "2024-01-05", "from 20 December 2023 to 5 January 2024"),
        ("2023-05-01", "2023-05-31", "from May 2023"),
        ("2023-01-01", "2023-12-31", "from 2023"),
        ("2023-05-22", None, "since 22 May 2023"),
        (None, "2023-05-22", "until 22 May 2023"),
        ("0001-01-01", "2023-05-22", "until 22 May 2023"),
        (None, None, ""),
    ],
)
def test_days_are_said_as_a_person_would(since: str | None, until: str | None, words: str) -> None:
    assert in_words(date.fromisoformat(since) if since else None, date.fromisoformat(until) if until else None) == words


@pytest.mark.parametrize(
    ("days", "short"),
    [
        ("2023-05-22", "2023-05-22"),
        ("2023-05-01/2023-05-31", "2023-05"),
        ("2023-01-01/2023-12-31", "2023"),
        ("2023-05-01/2023-05-07", "2023-05-01/2023-05-07"),
        ("9999-12-31", "9999-12-31"),
    ],
)
def test_whole_months_and_years_are_short(days: str, short: str) -> None:
    assert shortly(DateRange.parse(days)) == short
