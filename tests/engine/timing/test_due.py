"""A task is due as its mode, its window and its newest run have it."""

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from tuiback.engine.timing.due import Standing, check_plan, closes_at, next_run_at, put_back
from tuiback.errors import UsageError
from tuiback.model import Outcome, Task

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
MANUAL = Task("t", "tenant", "exchange", everything=True, created_at=NOW - timedelta(hours=1))
NIGHTLY = replace(MANUAL, mode="scheduled", cron="0 22 * * *")
STEADY = replace(MANUAL, mode="continuous")
NIGHTS = "mon-sun 20:00-06:00"


def ended(hours_ago: float, outcome: Outcome = Outcome.OK, pause_seconds: float = 600) -> Standing:
    """A run of ten minutes that ended so long ago."""
    end = NOW - timedelta(hours=hours_ago)
    return Standing(end - timedelta(minutes=10), end, outcome, pause_seconds)


def test_manual_and_paused_tasks_are_never_due() -> None:
    """Only people start them."""
    assert next_run_at(MANUAL, Standing(), NOW) is None
    assert next_run_at(replace(NIGHTLY, paused=True), Standing(), NOW) is None


def test_a_new_scheduled_task_waits_for_its_first_tick() -> None:
    """What came before it was made is no missed run."""
    assert next_run_at(NIGHTLY, Standing(), NOW) == datetime(2026, 11, 23, 22, tzinfo=UTC)


def test_a_missed_night_is_made_good_at_once() -> None:
    """The newest run is two nights old: due in the past."""
    due = next_run_at(NIGHTLY, ended(62), NOW)
    assert due is not None
    assert due < NOW


def test_a_missed_run_waits_for_its_window() -> None:
    """Slept through on Sunday, it is made good when the window opens, not lost until next Sunday."""
    task = replace(NIGHTLY, cron="0 22 * * sun", window=NIGHTS)
    assert next_run_at(task, ended(7 * 24), NOW) == datetime(2026, 11, 23, 20, tzinfo=UTC)


def test_nothing_was_started_in_times_to_come() -> None:
    """Seen by a clock that was put back, a run of the day after tomorrow began now; others stay as they are."""
    there = put_back(ended(-48), NOW)
    assert (there.started_at, there.ended_at, there.outcome) == (NOW, NOW, Outcome.OK)
    assert next_run_at(NIGHTLY, there, NOW) == datetime(2026, 11, 23, 22, tzinfo=UTC)
    assert put_back(ended(3), NOW) == ended(3)
    assert put_back(Standing(), NOW) == Standing()


def test_a_paused_run_goes_on_when_the_window_opens() -> None:
    """Not at the next tick, and not in the closed hours."""
    task = replace(NIGHTLY, window=NIGHTS)
    assert next_run_at(task, ended(6, Outcome.PAUSED), NOW) == datetime(2026, 11, 23, 20, tzinfo=UTC)


def test_a_scheduled_run_that_failed_is_tried_again_before_its_next_tick() -> None:
    """Ever more seldom, at most every four hours, in its window only, and never later than the tick."""
    moments = [next_run_at(NIGHTLY, replace(ended(0, Outcome.FAILED), failures=number), NOW) for number in range(1, 9)]
    pauses = [round((moment - NOW) / timedelta(minutes=1)) for moment in moments if moment is not None]
    assert pauses == [10, 20, 40, 80, 160, 240, 240, 240]
    assert next_run_at(replace(NIGHTLY, window=NIGHTS), ended(5, Outcome.FAILED), NOW) == NOW.replace(hour=20)
    late = replace(ended(0, Outcome.FAILED), failures=9)
    assert next_run_at(replace(NIGHTLY, cron="30 13 * * *"), late, NOW) == NOW + timedelta(hours=1.5)
    for outcome in (Outcome.PARTIAL, Outcome.CANCELLED, Outcome.OK):
        assert next_run_at(NIGHTLY, ended(5, outcome), NOW) == NOW.replace(hour=22)


def test_continuous_tasks_rest_and_keep_to_their_window() -> None:
    """After the pause, or when the window opens, whichever is later; a new one at once."""
    assert next_run_at(STEADY, Standing(), NOW) == NOW
    assert next_run_at(STEADY, ended(0.1), NOW) == NOW + timedelta(minutes=4)
    assert next_run_at(replace(STEADY, window=NIGHTS), ended(0.1), NOW) == datetime(2026, 11, 23, 20, tzinfo=UTC)


def test_a_clock_put_back_holds_nobody_up() -> None:
    """A run that seems to have ended in two days' time counts as ended now."""
    assert next_run_at(STEADY, ended(-48), NOW) == NOW + timedelta(minutes=10)


def test_a_run_pauses_when_its_window_closes() -> None:
    """Without a window it never must."""
    night = datetime(2026, 11, 23, 23, tzinfo=UTC)
    assert closes_at(replace(MANUAL, window=NIGHTS), night) == datetime(2026, 11, 24, 6, tzinfo=UTC)
    assert closes_at(MANUAL, night) is None


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"mode": "sometimes"}, "no such mode"),
        ({"mode": "scheduled"}, "needs a cron expression"),
        ({"cron": "0 1 * * *"}, "goes with --mode scheduled"),
        ({"mode": "scheduled", "cron": "0 1 * *"}, "five fields"),
        ({"window": "sometimes"}, "no day"),
        ({"tz": "Nowhere/Land"}, "no such time zone"),
    ],
)
def test_plans_that_cannot_work_are_refused(changes: dict[str, str], what: str) -> None:
    """Before they are saved, with the reason."""
    with pytest.raises(UsageError, match=what):
        check_plan(replace(MANUAL, **changes))
