"""Continuous tasks ask as often as it pays, and no more often than Microsoft's rules allow."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuiback.engine.timing.pace import FLOOR_SECONDS, LastRun, next_interval_seconds

SERVICES = st.sampled_from(sorted(FLOOR_SECONDS))
RUNS = st.builds(
    LastRun,
    interval_seconds=st.floats(0, 1e6), run_seconds=st.floats(0, 1e5), changes=st.integers(0, 1000),
    throttled=st.booleans(), allowance_used=st.floats(0, 1),
)  # fmt: skip


@given(SERVICES, RUNS)
def test_never_below_the_floor_and_never_busy_all_the_time(service: str, last: LastRun) -> None:
    """Whatever the newest run was like, the service's floor holds, and a run takes a quarter of the time at most."""
    interval = next_interval_seconds(service, last)
    assert interval >= FLOOR_SECONDS[service]
    assert last.run_seconds <= 0.2500001 * (interval + last.run_seconds)


def test_a_quiet_mailbox_is_asked_ever_less_and_a_busy_one_soon_again() -> None:
    """Up to an hour apart, and down to five minutes within a few runs."""
    interval, seen = next_interval_seconds("exchange", None), []
    for _ in range(10):
        interval = next_interval_seconds("exchange", LastRun(interval, 2, 0, False, 0))
        seen.append(interval)
    assert seen == sorted(seen)
    assert seen[-1] == 3600
    for _ in range(4):
        interval = next_interval_seconds("exchange", LastRun(interval, 2, 5, False, 0))
    assert interval == 300


@pytest.mark.parametrize("scarce", [LastRun(600, 2, 50, True, 0), LastRun(600, 2, 50, False, 0.9)])
def test_where_the_allowance_is_scarce_others_come_first(scarce: LastRun) -> None:
    """Throttled, or with four fifths used, it goes slower although much changes."""
    assert next_interval_seconds("exchange", scarce) > 600


def test_teams_are_asked_once_a_day() -> None:
    """Microsoft's terms for polling."""
    assert next_interval_seconds("teams", LastRun(86_400, 2, 500, False, 0)) == 86_400
