"""Scheduled tasks are due when cron says so, in their own zone and hours, and missed ticks are made good once."""

from datetime import UTC, datetime, timedelta

import pytest

from tuiback.engine.timing.timetable import parse_timetable
from tuiback.errors import UsageError


def utc(text: str) -> datetime:
    """A moment in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_the_zone_of_the_task_counts() -> None:
    """22:00 in Berlin is 21:00 UTC in winter and 20:00 in summer."""
    timetable = parse_timetable("0 22 * * *", "Europe/Berlin", "")
    assert timetable.due_at(utc("2026-11-23T12:00")) == utc("2026-11-23T21:00")
    assert timetable.due_at(utc("2026-07-01T12:00")) == utc("2026-07-01T20:00")


def test_a_night_that_a_clock_change_shortens_still_has_its_run() -> None:
    """02:30 does not exist in Berlin on 2026-03-29: the run comes in that night all the same, and once."""
    timetable = parse_timetable("30 2 * * *", "Europe/Berlin", "")
    ticks = []
    moment = utc("2026-03-27T12:00")
    for _ in range(4):
        moment = timetable.next_tick(moment) or moment
        ticks.append(moment)
    assert [tick.date().day for tick in ticks] == [28, 29, 30, 31]


def test_a_tick_outside_the_hours_waits_for_them() -> None:
    """Noon is put off to eight in the evening."""
    timetable = parse_timetable("0 12 * * *", "Europe/Berlin", "mon-fri 20:00-06:00")
    assert timetable.due_at(utc("2026-11-23T08:00")) == utc("2026-11-23T19:00")


def test_missed_ticks_are_made_good_by_one_run() -> None:
    """After three nights asleep one run is due at once; it counts for all three."""
    timetable = parse_timetable("0 1 * * *", "UTC", "")
    now = utc("2026-11-26T09:00")
    due = timetable.due_at(utc("2026-11-23T01:00"))
    assert due is not None
    assert due <= now
    newest = timetable.last_tick(now)
    assert newest == utc("2026-11-26T01:00")
    assert timetable.due_at(newest) == utc("2026-11-27T01:00")


def test_a_run_that_begins_on_the_tick_makes_it_good() -> None:
    """Beginning in the very second of a tick counts for it."""
    timetable = parse_timetable("*/5 * * * *", "UTC", "")
    assert timetable.last_tick(utc("2026-11-23T10:05")) == utc("2026-11-23T10:05")
    assert timetable.last_tick(utc("2026-11-23T10:04:59")) == utc("2026-11-23T10:00")
    assert timetable.next_tick(utc("2026-11-23T10:05")) == utc("2026-11-23T10:05") + timedelta(minutes=5)


@pytest.mark.parametrize(
    ("cron", "zone", "what"),
    [
        ("0 22 * *", "UTC", "five fields"),
        ("0 0 22 * * *", "UTC", "five fields"),
        ("0 25 * * *", "UTC", "does not understand"),
        ("0 0 30 2 *", "UTC", "(never comes|does not understand)"),
        ("0 22 * * *", "Europe/Atlantis", "no such time zone"),
        ("0 22 * * *", "../etc/passwd", "no such time zone"),
    ],
)
def test_bad_schedules_are_named(cron: str, zone: str, what: str) -> None:
    """The error says which part is wrong."""
    with pytest.raises(UsageError, match=what):
        parse_timetable(cron, zone, "")
