from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from tuiback.catalog.moments import from_text, to_text

MOMENTS = st.datetimes(min_value=datetime(1970, 1, 2), max_value=datetime(2200, 1, 1), timezones=st.just(UTC))


@given(MOMENTS, MOMENTS)
def test_text_keeps_moments_and_their_order(a: datetime, b: datetime) -> None:
    """Comparing the texts compares the moments."""
    assert from_text(to_text(a)) == a
    assert (to_text(a) < to_text(b)) == (a < b)


def test_every_zone_is_written_as_utc() -> None:
    """The same moment has one text."""
    moment = datetime(2026, 11, 23, 8, 30, tzinfo=timezone(timedelta(hours=2)))
    assert to_text(moment) == "2026-11-23T06:30:00.000000+00:00"


def test_no_moment_is_no_text() -> None:
    """None both ways."""
    assert to_text(None) is None
    assert from_text(None) is None
