"""Series take place when their patterns say."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tuiback.simtenant.state.recurrence import WrongRecurrence, beginnings

START = datetime(2026, 1, 30, 9, 30, tzinfo=UTC)
FRIDAY = {"daysOfWeek": ["friday"], "index": "last"}


def days(pattern: dict[str, Any], count: int = 3) -> list[str]:
    """The first days of a series."""
    span = {"type": "numbered", "startDate": "2026-01-30", "numberOfOccurrences": count}
    return [f"{each:%m-%d}" for each in beginnings(START, {"pattern": {"interval": 1, **pattern}, "range": span})]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ({"type": "daily", "interval": 2}, ["01-30", "02-01", "02-03"]),
        ({"type": "weekly", "daysOfWeek": ["monday", "friday"]}, ["01-30", "02-02", "02-06"]),
        ({"type": "weekly", "interval": 2, "daysOfWeek": ["sunday", "friday"], "firstDayOfWeek": "monday"},
         ["01-30", "02-01", "02-13"]),
        ({"type": "weekly", "interval": 2, "daysOfWeek": ["sunday", "friday"]}, ["01-30", "02-08", "02-13"]),
        ({"type": "absoluteMonthly", "dayOfMonth": 30}, ["01-30", "02-28", "03-30"]),
        ({"type": "relativeMonthly", **FRIDAY}, ["01-30", "02-27", "03-27"]),
        ({"type": "relativeMonthly", "daysOfWeek": ["monday"], "index": "second"}, ["02-09", "03-09", "04-13"]),
        ({"type": "absoluteYearly", "dayOfMonth": 5, "month": 3}, ["03-05", "03-05", "03-05"]),
        ({"type": "relativeYearly", "month": 1, **FRIDAY}, ["01-30", "01-29", "01-28"]),
    ],
)  # fmt: skip
def test_patterns(pattern: dict[str, Any], expected: list[str]) -> None:
    """The first three days of each kind of pattern, at the time of day of the first."""
    assert days(pattern) == expected


def test_ranges() -> None:
    """A last day counts itself; a series without an end is cut off at about two years of days."""
    daily = {"type": "daily", "interval": 1}
    span = {"type": "endDate", "startDate": "2026-01-30", "endDate": "2026-02-01"}
    found = beginnings(START, {"pattern": daily, "range": span})
    assert [found[0], len(found)] == [START, 3]
    assert len(beginnings(START, {"pattern": daily, "range": {"type": "noEnd", "startDate": "2026-01-30"}})) == 730


@pytest.mark.parametrize(
    "recurrence",
    [
        {}, {"pattern": {"type": "hourly"}, "range": {"type": "noEnd"}}, {"pattern": {"type": "daily"}},
        {"pattern": {"type": "daily", "interval": 0}, "range": {"type": "noEnd"}},
        {"pattern": {"type": "weekly"}, "range": {"type": "noEnd"}},
        {"pattern": {"type": "weekly", "daysOfWeek": ["someday"]}, "range": {"type": "noEnd"}},
        {"pattern": {"type": "daily"}, "range": {"type": "endDate", "endDate": "never"}},
    ],
)  # fmt: skip
def test_what_is_no_recurrence(recurrence: dict[str, Any]) -> None:
    """Unknown patterns, days and dates are refused."""
    with pytest.raises(WrongRecurrence):
        beginnings(START, recurrence)
