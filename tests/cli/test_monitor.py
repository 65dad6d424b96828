"""The one line that a monitoring system reads."""

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from tests.cli.conftest import Tuiback
from tests.cli.test_running import picture, task
from tuiback.cli.monitor import State, monitor_line
from tuiback.model import AlertStatus, StorageStatus, Task, TaskState

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
NIGHTLY = Task(name="mail", tenant="acme", service="exchange", mode="scheduled", objective="26h", created_at=NOW)


def alert(severity: str, *, acked: bool = False) -> AlertStatus:
    """An open alert."""
    return AlertStatus(f"x:{severity}", severity, NOW, "mail", f"{severity} | thing\nhere", "", acked)


@pytest.mark.parametrize(
    ("severities", "state"),
    [
        ([], State.OK),
        (["info"], State.OK),
        (["info", "warning"], State.WARNING),
        (["warning", "critical"], State.CRITICAL),
    ],
)
def test_the_worst_alert_decides(severities: list[str], state: State) -> None:
    """Those that somebody knows of count for nothing; hostile words break no line and no performance data."""
    alerts = (*map(alert, severities), alert("critical", acked=True))
    code, line = monitor_line(picture(alerts=alerts), [NIGHTLY], NOW)
    assert code is state
    text, bar, performance = line.partition(" | ")
    assert text.startswith(f"TUIBACK {state.name} - ")
    assert (bar, "\n" in line, "|" in performance) == (" | ", False, False)


def test_a_dead_engine_is_critical_where_tasks_wait_for_it() -> None:
    """Not where all is done by hand or from cron; what is late by then is said too."""
    dead = picture(tasks=(task("mail", TaskState.IDLE, last_ok_at=NOW - timedelta(hours=27)),))
    dead = replace(dead, engine=replace(dead.engine, pid=0))
    code, line = monitor_line(dead, [NIGHTLY], NOW)
    assert code is State.CRITICAL
    assert "no engine runs, so 1 task will not run" in line
    assert "no run was ok within 26h" in line
    by_hand = replace(NIGHTLY, mode="manual", objective="")
    assert monitor_line(dead, [by_hand], NOW)[0] is State.OK
    assert monitor_line(dead, [replace(NIGHTLY, paused=True)], NOW)[0] is State.OK
    assert monitor_line(dead, [replace(by_hand, objective="26h")], NOW)[0] is State.CRITICAL


def test_performance_data() -> None:
    """Counts, ages in seconds and sizes in bytes."""
    last_ok_at = NOW - timedelta(hours=1)
    tasks = (task("a", TaskState.RUNNING, run=3, owed=2), task("b", TaskState.IDLE, last_ok_at=last_ok_at))
    storage = (StorageStatus("main", "/nas", 40, 100, 0, 12, 0),)
    _, line = monitor_line(picture(tasks=tasks, storage=storage, alerts=(alert("warning"),)), [], NOW)
    assert line.partition(" | ")[2] == (
        "tasks=2;;;0 running=1;;;0 owed=2;;;0 alerts=1;;;0 oldest_ok=3600s;;;0 'stored_main'=12B;;;0"
        " 'free_main'=60B;;;0;100"
    )


def test_what_can_not_be_known(tuiback: Tuiback, tmp_path: object) -> None:
    """No home: unknown, and the reason on the line."""
    ended = tuiback("--home", f"{tmp_path}/nothing", "status", "--monitor")
    assert ended.code == State.UNKNOWN
    assert ended.out.startswith(b"TUIBACK UNKNOWN - ")
