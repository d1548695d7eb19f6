"""When and where a question is asked: what `yesterday` is depends on both."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo

__all__ = ["UNSTATED", "Clock", "moment_of", "parse_day", "zone_of"]


@dataclass(frozen=True, slots=True)
class Clock:
    """A moment and a time zone, each None where nobody stated it. A moment without offset is one of the zone."""

    now: datetime | None = None
    zone: tzinfo | None = None

    def today(self, usual: tzinfo | None = None) -> date:
        """The day it is; unstated, the moment is this one, the zone the `usual`, and that the machine's."""
        zone = self.zone or usual
        if self.now is None:
            return datetime.now(zone).date()
        return self.now.astimezone(zone).date() if self.now.tzinfo else self.now.date()


UNSTATED = Clock()

_MARGIN = timedelta(days=2)
"""Nearer to the ends of the calendar, a moment has no day in some zone, or its day no neighbour."""
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def moment_of(text: str) -> datetime:
    """The moment that an ISO 8601 string names, a day alone being its midnight. Raises ValueError."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = datetime.max
    if not datetime.min + _MARGIN <= moment.replace(tzinfo=None) <= datetime.max - _MARGIN:
        raise ValueError(f"{text!r} is no moment, write it as 2024-01-31, 2024-01-31T18:30 or 2024-01-31T18:30+02:00")
    return moment


def parse_day(text: str) -> date:
    """The day that an ISO 8601 string names. Raises ValueError."""
    try:
        return date.fromisoformat(text if _DAY.fullmatch(text) else "")
    except ValueError:
        raise ValueError(f"{text!r} is no day, write it as 2024-01-31") from None


def zone_of(name: str) -> tzinfo:
    """The time zone of that name in the IANA database. Raises ValueError."""
    from zoneinfo import ZoneInfo  # most questions name none

    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):  # a path, a folder such as America, no such zone
        raise ValueError(f"{name!r} is no time zone, write it as Europe/Madrid or UTC") from None
