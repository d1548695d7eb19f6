"""A made-up journal of 2023 and 2024 that writes its dates in every way people do, and notes that have none."""

from __future__ import annotations

from datetime import date, timedelta

__all__ = ["NOW", "TODAY", "UNDATED", "journal"]

NOW, TODAY = "2024-07-17T21:30", date(2024, 7, 17)
"""A Wednesday."""

_ERRANDS = ("fixed the fence", "read about lichens", "cooked lentils", "called Marta", "ran 5 km along the river")

UNDATED = {
    "history.md": (
        "# History\n\nThe battle of Wandiwash was fought in 1760.\n\nThe Bastille fell in Paris in 1789.\n\n"
        "Preußen wurde 1760 von Friedrich dem Großen regiert.\n"
    ),
    "papers.md": (
        "# Papers\n\nThe 2017 paper on attention was written by Vaswani.\n\nPublished in 2023: LIMA, liked it.\n"
    ),
    "house.md": "# House\n\nThe router is reset with a paper clip. The party may bring rain.\n",
}


def _daily() -> dict[str, str]:
    """A file for each day of three weeks up to today, in folders as Obsidian makes them."""
    days = [TODAY - timedelta(days=back) for back in range(21)]
    return {
        f"daily/{day:%Y/%m/%d}.md": f"# Morning\n\nI {_ERRANDS[day.day % 5]} and slept {day.day % 4 + 5} hours.\n"
        for day in days
    }


def _log() -> str:
    """A log of 2023 with month/day items, some of them nested, and a heading for each month."""
    lines = ["# 2023 Log", ""]
    for month in range(1, 13):
        lines += [f"* {month}/{day:02} - {_ERRANDS[day % 5]}, page {month * day}" for day in (5, 13, 22)]
        lines.append(f"\t* more on page {month * 22}: the margin is wide")
    return "\n".join(lines) + "\n"


def _runs() -> str:
    first = date(2023, 5, 29)
    rows = [f"| {first + timedelta(days=n)} | {3 + n % 4} km | river |" for n in range(0, 21, 2)]
    return "# Runs\n\n| Date | Distance | Where |\n|---|---|---|\n" + "\n".join(rows) + "\n"


def _diary() -> str:
    entries = [f"**{day:%B} {day.day}**\n\nPlanted beans in bed {day.day}.\n" for day in _days(date(2024, 3, 1), 12, 2)]
    return "---\ntitle: Garden\ndate: 2024-03-01\n---\n\n" + "\n".join(entries)


def _headings() -> str:
    entries = [
        f"## {day.day} {day:%B}\n\nDrew a heron at pond {day.day}.\n" for day in _days(date(2023, 12, 27), 12, 2)
    ]
    return "# Sketches\n\n" + "\n".join(entries).replace("## 27 December", "## 27 December 2023")


def _days(first: date, count: int, step: int) -> list[date]:
    return [first + timedelta(days=step * number) for number in range(count)]


def journal() -> dict[str, str]:
    """The files of the journal, the undated ones included."""
    return {
        **_daily(),
        "log.md": _log(),
        "runs.md": _runs(),
        "garden.md": _diary(),
        "sketches.md": _headings(),
        "weeks/2023-W13.md": "# Plan\n\nPlan the trip to the lake.\n",
        "months/March 2023.md": "# Books\n\nFinished a book on tides.\n",
        "spanish/31.03.2023.md": "# Cocina\n\nCociné lentejas con laurel.\n",
        "german.md": "# Tagebuch\n\n## 22. Mai 2023\n\nÜber Flechten gelesen.\n\n## 3. Juni 2023\n\nAm See gewesen.\n",
        "june.md": "# June\n\n## Q2 2023\n\nWe decided to paint the hall.\n\n## Week 22 2024\n\nPacked for the lake.\n",
        **UNDATED,
    }
