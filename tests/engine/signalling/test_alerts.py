"""What asks for somebody, and when that is news."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from tuiback.catalog import AlertRow
from tuiback.engine.signalling.alerts import (
    Blocked,
    Condition,
    Credential,
    Departed,
    Facts,
    Severity,
    TaskFacts,
    changes,
    conditions,
    undecided,
)
from tuiback.engine.signalling.past import Past, at_rest
from tuiback.engine.timing.lateness import late_since
from tuiback.model import Outcome, StorageStatus, Task

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
TASK = Task(name="mail", tenant="acme", service="exchange", created_at=NOW - timedelta(days=30))


def task(outcome: Outcome | None, task: Task = TASK, **past: Any) -> TaskFacts:
    """A task whose newest run ended like that."""
    failed = past.pop("failed", 0)
    status = at_rest(task, Past(last_outcome=outcome, **past))
    return TaskFacts(task, replace(status, failed=failed), "the network is down")


def found(**facts: Any) -> dict[str, Condition]:
    """What holds, by id."""
    return {condition.alert: condition for condition in conditions(Facts(NOW, **facts))}


def row(condition: Condition, **changed: Any) -> AlertRow:
    """The alert as it was opened an hour ago."""
    since = NOW - timedelta(hours=1)
    opened = AlertRow(
        condition.alert, condition.severity, since, condition.subject, condition.text, condition.remedy, condition.news
    )
    return replace(opened, **changed)


@pytest.mark.parametrize("outcome", [None, Outcome.OK, Outcome.PAUSED, Outcome.CANCELLED, Outcome.SKIPPED])
def test_most_outcomes_ask_for_nobody(outcome: Outcome | None) -> None:
    """A run that was stopped, or never was, is no trouble."""
    assert found(tasks=(task(outcome, owed=3),)) == {}


def test_a_failed_run_says_why() -> None:
    """Nothing was backed up: critical."""
    condition = found(tasks=(task(Outcome.FAILED),))["failed:mail"]
    assert condition.severity is Severity.CRITICAL
    assert "the network is down" in condition.text


def test_only_new_trouble_of_a_partial_run_is_news() -> None:
    """Debts that were there before are known; a later debt, or one more account that fails, is told again."""
    assert found(tasks=(task(Outcome.PARTIAL),)) == {}
    first = found(tasks=(task(Outcome.PARTIAL, owed=3, owed_since=NOW),))["partial:mail"]
    fewer = found(tasks=(task(Outcome.PARTIAL, owed=1, owed_since=NOW),))["partial:mail"]
    later = found(tasks=(task(Outcome.PARTIAL, owed=1, owed_since=NOW + timedelta(hours=1)),))["partial:mail"]
    fails = found(tasks=(task(Outcome.PARTIAL, owed=3, owed_since=NOW, failed=1),))["partial:mail"]
    known = row(first, acked_at=NOW)
    assert changes([known], [fewer], (), NOW).told == ()
    assert [r.acked_at for r in changes([known], [fewer], (), NOW).reworded] == [NOW]
    for news in (later, fails):
        (told,) = changes([known], [news], (), NOW).told
        assert (told.acked_at, told.since) == (None, known.since)


def test_an_alert_opens_once_and_closes_once() -> None:
    """While the condition holds nothing is told; what was skipped neither opens nor closes."""
    condition = found(tasks=(task(Outcome.FAILED),))["failed:mail"]
    opened = changes([], [condition], (), NOW)
    assert [r.alert for r in opened.told] == ["failed:mail"]
    same = changes(opened.told, [condition], (), NOW)
    assert (same.told, same.reworded, same.closed) == ((), (), ())
    assert changes(opened.told, [], (), NOW).closed == opened.told
    skipped = changes(opened.told, [], {"failed:mail"}, NOW)
    assert (skipped.told, skipped.reworded, skipped.closed) == ((), (), ())
    assert changes([], [condition], {"failed:mail"}, NOW).told == ()


def test_a_run_in_progress_decides_nothing() -> None:
    """Until it has ended, the alerts about the last one stay as they are."""
    running = task(Outcome.PARTIAL, owed=1, owed_since=NOW)
    running = replace(running, status=replace(running.status, run=7))
    facts = Facts(NOW, tasks=(running,), unreachable=(("main", "not mounted"),))
    assert undecided(facts) == {"failed:mail", "partial:mail", "low:main", "full:main"}


@pytest.mark.parametrize(
    ("objective", "last_ok", "is_late"),
    [("26h", 25, False), ("26h", 27, True), ("", 1000, False), ("29d", None, True), ("31d", None, False)],
)
def test_late_by_the_tasks_own_objective(objective: str, last_ok: int | None, is_late: bool) -> None:
    """Counted from the last run that was ok, else from when the task was made."""
    last_ok_at = None if last_ok is None else NOW - timedelta(hours=last_ok)
    late = replace(TASK, objective=objective)
    assert (late_since(late, last_ok_at, NOW) is not None) == is_late
    assert ("late:mail" in found(tasks=(task(Outcome.OK, late, last_ok_at=last_ok_at),))) == is_late
    assert late_since(replace(late, paused=True), last_ok_at, NOW) is None


@pytest.mark.parametrize(
    ("days", "severity"),
    [(61, None), (60, "info"), (31, "info"), (30, "warning"), (8, "warning"), (7, "critical"), (0, "critical"),
     (-1, "critical")],
)  # fmt: skip
def test_a_credential_expires(days: int, severity: str | None) -> None:
    """60, 30 and 7 days ahead, and when it has expired."""
    credential = Credential("acme", "secret", NOW.date() + timedelta(days=days))
    condition = found(credentials=(credential,)).get("credential:acme")
    assert (condition and condition.severity) == severity


def test_each_stage_of_a_credential_is_news_once() -> None:
    """Day by day nothing is told in between."""
    told = []
    alerts: tuple[AlertRow, ...] = ()
    for days in range(65, -3, -1):
        credential = Credential("acme", "secret", NOW.date() + timedelta(days=days))
        new = changes(alerts, list(found(credentials=(credential,)).values()), (), NOW)
        told += [days] * len(new.told)
        alerts = new.told or alerts
    assert told == [60, 30, 7, -1]


def test_an_app_waits_for_consent() -> None:
    """Nothing of the tenant is backed up: critical."""
    waiting = found(credentials=(Credential("acme", "secret", waits=True),))
    assert waiting["consent:acme"].severity is Severity.CRITICAL


def test_a_disk_runs_full() -> None:
    """Low below 5 % or 50 GB, whichever is smaller; a warning when it will be full within 14 days."""
    storage = StorageStatus("main", "/nas", 40 * 10**9, 100 * 10**9, 0, 0, 0)
    cases = {
        (): storage,
        ("full:main",): replace(storage, full_on=NOW + timedelta(days=14)),
        ("low:main",): replace(storage, disk_used=96 * 10**9, full_on=NOW),
    }
    for alerts, measured in cases.items():
        assert tuple(found(storage=(measured,))) == alerts
    assert found(storage=(replace(storage, full_on=NOW + timedelta(days=15)),)) == {}
    big = replace(storage, disk_total=10**13, disk_used=10**13 - 60 * 10**9)
    assert found(storage=(big,)) == {}
    assert found(storage=(replace(storage, disk_total=0, disk_used=0),)) == {}


def test_what_else_is_told() -> None:
    """Accounts that left, blocks that last, repositories and channels that can't be reached."""
    names = tuple(f"u{number}@x" for number in range(9))
    left = (Departed("mail", date(2026, 11, 22), names), Departed("m", date(2026, 1, 1), ()))
    blocked = (Blocked("acme", "outlook", NOW - timedelta(minutes=16)), Blocked("acme", "sharepoint", NOW))
    waits = (("hook", NOW - timedelta(hours=2)), ("mailing", NOW))
    seen = found(departed=left, blocked=blocked, unreachable=(("main", "not mounted"),), undelivered=waits)
    assert set(seen) == {"gone:mail:2026-11-22", "throttle:acme:outlook", "missing:main", "channel:hook"}
    assert "9 accounts left" in seen["gone:mail:2026-11-22"].text
    assert seen["gone:mail:2026-11-22"].text.endswith("and 4 more")


def test_a_disk_that_hovers_about_its_mark_tells_once() -> None:
    """It opens below the mark and closes only clearly above it."""
    told: list[float] = []
    closed: list[float] = []
    alerts: tuple[AlertRow, ...] = ()
    for free in (6, 5.2, 4.9, 5.1, 4.9, 5.4, 5.6, 5.2, 6):
        used = int((100 - free) * 10**9)
        facts = Facts(NOW, storage=(StorageStatus("main", "/nas", used, 100 * 10**9, 0, 0, 0),))
        new = changes(alerts, conditions(facts), undecided(facts), NOW)
        told += [free] * len(new.told)
        closed += [free] * len(new.closed)
        alerts = () if new.closed else new.told or alerts
    assert (told, closed) == ([4.9], [5.6])
