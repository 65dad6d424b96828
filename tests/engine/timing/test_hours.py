"""Allowed hours are those of the text, week by week, through changes of the clock."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuiback.engine.timing.hours import Hours, parse_hours, show_hours
from tuiback.errors import UsageError

BERLIN = ZoneInfo("Europe/Berlin")
NIGHTS = "mon-fri 20:00-06:00,sat-sun"


def at(text: str, zone: ZoneInfo = BERLIN) -> datetime:
    """A moment by its local time."""
    return datetime.fromisoformat(text).replace(tzinfo=zone)


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        ("2026-11-23T19:59", False),
        ("2026-11-23T20:00", True),
        ("2026-11-24T05:59", True),
        ("2026-11-24T06:00", False),
        ("2026-11-28T12:00", True),
        ("2026-11-30T05:59", False),
        ("2026-11-30T00:00", False),
        ("2026-11-29T23:59", True),
    ],
)
def test_nights_and_weekends(moment: str, is_open: bool) -> None:
    """A span past midnight belongs to the day on which it begins; a day without hours is open all day."""
    assert parse_hours(NIGHTS, BERLIN).is_open(at(moment)) is is_open


def test_a_span_may_run_from_sunday_into_monday() -> None:
    """The week has no seam."""
    hours = parse_hours("sun 22:00-04:00", BERLIN)
    assert hours.spans == ((0, 240), (9960, 10080))
    assert hours.next_change(at("2026-11-29T23:00")) == at("2026-11-30T04:00")


def test_nothing_given_is_always() -> None:
    """Without a window nothing ever changes."""
    hours = parse_hours("", BERLIN)
    assert hours.next_change(at("2026-11-23T12:00")) is None
    assert show_hours(hours) == "always"


@pytest.mark.parametrize(
    "text", ["8-17", "mon 8-17", "mo", "mon-fry", "mon 25:00-26:00", "mon 10:61-11:00", ",", "mon x"]
)
def test_bad_windows_are_named(text: str) -> None:
    """The error shows how to write it."""
    with pytest.raises(UsageError, match=r"fri 20:00"):
        parse_hours(text, BERLIN)


def test_the_hour_that_is_left_out_never_opens_and_the_one_that_comes_twice_opens_twice() -> None:
    """In Berlin 02:00-03:00 is missing on 2026-03-29 and comes twice on 2026-10-25."""
    hours = parse_hours("sun 02:00-03:00", BERLIN)
    spring = datetime(2026, 3, 28, 23, tzinfo=UTC)
    assert not any(hours.is_open(spring + timedelta(minutes=minute)) for minute in range(24 * 60))
    autumn = datetime(2026, 10, 24, 23, tzinfo=UTC)
    assert sum(hours.is_open(autumn + timedelta(minutes=minute)) for minute in range(24 * 60)) == 120


@given(
    st.lists(st.tuples(st.integers(0, 10_079), st.integers(1, 3000)), max_size=4),
    st.datetimes(datetime(2026, 3, 20), datetime(2026, 11, 5)),
    st.sampled_from(["Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"]),
)
def test_nothing_changes_before_the_next_change(spans: list[tuple[int, int]], moment: datetime, zone: str) -> None:
    """Up to the next change every minute has the same answer, and then another one."""
    hours = Hours(tuple((start, min(start + length, 10_080)) for start, length in sorted(spans)), ZoneInfo(zone))
    now = moment.replace(second=0, microsecond=0, tzinfo=UTC)
    change = hours.next_change(now)
    answer = hours.is_open(now)
    last = change or now + timedelta(days=8)
    step = timedelta(minutes=7)
    while now < last:
        assert hours.is_open(now) == answer
        now += step
    if change is not None:
        assert hours.is_open(change) != answer
        assert hours.is_open(change - timedelta(minutes=1)) == answer
