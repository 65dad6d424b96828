"""Tests of what a POINT means."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

import pytest

from tuiback.engine.restores.points import AtOrBefore, Latest, Numbered, choose_point, parse_point
from tuiback.errors import NoSuchThing, UsageError

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
BERLIN = timezone(timedelta(hours=1))


@dataclass(frozen=True)
class Point:
    seq: int
    taken_at: datetime


POINTS = [Point(seq, datetime(2026, 11, day, 22, 30, tzinfo=UTC)) for seq, day in ((9, 22), (7, 21), (4, 20))]


@pytest.mark.parametrize("text", ["#118", "118"])
def test_numbers_are_snapshots(text: str) -> None:
    """A number is a snapshot's, with or without the sign that shells take for a comment."""
    assert parse_point(text, NOW) == Numbered(118)


def test_latest() -> None:
    """The word `latest` is no time."""
    assert parse_point("latest", NOW) == Latest()


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-21T22:00", datetime(2026, 11, 21, 21, 0, tzinfo=UTC)),
        ("2026-11-21T22:00:30Z", datetime(2026, 11, 21, 22, 0, 30, tzinfo=UTC)),
        ("2026-11-21T22:00+05:30", datetime(2026, 11, 21, 16, 30, tzinfo=UTC)),
        ("2026-11-21 22:00", datetime(2026, 11, 21, 21, 0, tzinfo=UTC)),
        ("2 days ago", datetime(2026, 11, 21, 12, 0, tzinfo=UTC)),
        ("1 hour ago", datetime(2026, 11, 23, 11, 0, tzinfo=UTC)),
        ("3 weeks ago", datetime(2026, 11, 2, 12, 0, tzinfo=UTC)),
    ],
)
def test_times(text: str, moment: datetime) -> None:
    """Times without a zone are local ones; spans count back from now."""
    assert parse_point(text, NOW, BERLIN) == AtOrBefore(moment)


def test_a_date_includes_its_day() -> None:
    """A snapshot taken late on a day is found by the day's date."""
    wanted = parse_point("2026-11-21", NOW, UTC)
    assert choose_point(POINTS, wanted, "a").seq == 7


@pytest.mark.parametrize("text", ["", "#", "#x", "yesterday", "2026-13-01", "2 fortnights ago", "999999 years ago"])
def test_nonsense_is_refused(text: str) -> None:
    """What is no point is a usage error that says what one looks like."""
    with pytest.raises(UsageError, match="2 days ago"):
        parse_point(text, NOW)


def test_the_newest_at_or_before_is_chosen() -> None:
    """A time takes the newest snapshot that was there by then."""
    assert choose_point(POINTS, AtOrBefore(POINTS[1].taken_at), "a") == POINTS[1]
    assert choose_point(POINTS, AtOrBefore(POINTS[0].taken_at - timedelta(seconds=1)), "a") == POINTS[1]
    assert choose_point(POINTS, Latest(), "a") == POINTS[0]


def test_absent_points_are_named() -> None:
    """No snapshot, no such number and nothing that early are each said."""
    with pytest.raises(NoSuchThing, match="no recovery point yet"):
        choose_point([], Latest(), "a")
    with pytest.raises(NoSuchThing, match="no snapshot #5"):
        choose_point(POINTS, Numbered(5), "a")
    with pytest.raises(NoSuchThing, match="at or before 2026-01-01T00:00:00Z"):
        choose_point(POINTS, AtOrBefore(datetime(2026, 1, 1, tzinfo=UTC)), "a")
