from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from ragnotes.clock import UNSTATED, Clock, moment_of, zone_of


@pytest.mark.parametrize(
    ("now", "zone", "today"),
    [
        ("2024-07-17", None, date(2024, 7, 17)),
        ("2024-07-17T23:30", "Pacific/Auckland", date(2024, 7, 17)),
        ("2024-07-17T23:30Z", "Europe/Madrid", date(2024, 7, 18)),
        ("2024-07-17T23:30+00:00", "America/New_York", date(2024, 7, 17)),
        ("2024-07-17T02:00+02:00", "America/New_York", date(2024, 7, 16)),
    ],
)
def test_a_stated_moment_has_its_day_in_the_zone(now: str, zone: str | None, today: date) -> None:
    assert Clock(moment_of(now), zone_of(zone) if zone else None).today() == today
    assert Clock(moment_of(now)).today(zone_of(zone) if zone else None) == today


def test_unstated_it_is_today_in_the_usual_zone() -> None:
    far_east, far_west = timezone(timedelta(hours=14)), timezone(timedelta(hours=-12))
    assert (UNSTATED.today(far_east) - UNSTATED.today(far_west)).days in (1, 2)
    assert UNSTATED.today() in (date.today(), date.today() + timedelta(days=1))


ENDS = ["0001-01-01T00:00+10:00", "0001-01-02T23:00", "9999-12-31T23:00+00:00", "9999-12-30", "9999-12-30T12:00-12:00"]


@pytest.mark.parametrize("text", ["", "soon", "17.07.2024", "2024-13-01", "12:30", *ENDS])
def test_what_is_no_moment_is_refused_with_how_to_write_one(text: str) -> None:
    with pytest.raises(ValueError, match="is no moment, write it as 2024-01-31"):
        moment_of(text)


@pytest.mark.parametrize("name", ["", "Mars/Olympus", "../etc/passwd", "America", "Europe/madrid/", "UTC\0"])
def test_what_is_no_zone_is_refused_with_how_to_write_one(name: str) -> None:
    with pytest.raises(ValueError, match="is no time zone, write it as Europe/Madrid"):
        zone_of(name)


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Etc/GMT+12"])
@pytest.mark.parametrize("text", ["0001-01-03", "0001-01-03T00:00+14:00", "9999-12-29T23:59-12:00"])
def test_every_moment_that_is_read_has_a_day_in_every_zone(text: str, zone: str) -> None:
    assert Clock(moment_of(text), zone_of(zone)).today().year in (1, 9999)


def test_moments_and_zones_are_read() -> None:
    assert moment_of("2024-07-17T21:30") == datetime(2024, 7, 17, 21, 30)
    assert zone_of("Europe/Madrid") == ZoneInfo("Europe/Madrid")
