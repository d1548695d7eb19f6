"""Days in words, as a person is told them: `from 1 to 7 May 2023`, `since 3 June 2023`; and short: `2023-05`."""

from __future__ import annotations

from datetime import date, timedelta

from ragnotes.types import DateRange

__all__ = ["in_words", "shortly"]


def in_words(since: date | None, until: date | None) -> str:
    """The days of a filter with their preposition, no more said than needed; "" without any bound."""
    if since in (None, date.min):
        return f"until {_day(until)}" if until else ""
    assert since is not None
    if until is None:
        return f"since {_day(since)}"
    if whole := _whole(DateRange(since, until)):
        return f"from {since.year}" if whole == "year" else f"from {since:%B} {since.year}"
    if since == until:
        return f"from {_day(since)}"
    if (since.year, since.month) == (until.year, until.month):
        return f"from {since.day} to {_day(until)}"
    first = f"{since.day} {since:%B}" if since.year == until.year else _day(since)
    return f"from {first} to {_day(until)}"


def shortly(days: DateRange) -> str:
    """ISO 8601 as short as it says all: `2023-05-22`, `2023-05`, `2023`, else first and last day."""
    whole = _whole(days)
    return str(days.since)[: {"year": 4, "month": 7}[whole]] if whole else str(days)


def _whole(days: DateRange) -> str | None:
    """`year` or `month` where the days are exactly one."""
    after = days.until + timedelta(days=1) if days.until < date.max else days.until
    if days.since.day != 1 or after.day != 1:
        return None
    months = 12 * (after.year - days.since.year) + after.month - days.since.month
    return "month" if months == 1 else "year" if months == 12 and days.since.month == 1 else None


def _day(day: date) -> str:
    return f"{day.day} {day:%B} {day.year}"
