"""Tests of what a run's end means for cron, and of the line shown while it goes on."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tuiback.cli.running import exit_code, trouble_of
from tuiback.cli.waiting import exit_code_of, job_line, run_line
from tuiback.model import (
    ActivityLine,
    EngineInfo,
    EngineStatus,
    JobStatus,
    TaskState,
    TaskStatus,
    ThrottleStatus,
)

NOW = datetime(2026, 11, 23, tzinfo=UTC)


def ended(outcome: str, exit: int | None = None, **fields: Any) -> dict[str, Any]:  # noqa: A002
    """A run's report, with the exit code of the error that kept it from doing anything."""
    report: dict[str, Any] = {"task": "mail", "outcome": outcome, "owed": 0, **fields}
    if exit is not None:
        report["error"] = {"code": "c", "exit": exit, "what": "what", "subject": "it", "remedy": "do that"}
    return report


def picture(**fields: Any) -> EngineStatus:
    """An engine's picture."""
    return EngineStatus(1, NOW, EngineInfo("running", 1, "run", NOW, "0"), **fields)


def task(name: str, state: TaskState, **fields: Any) -> TaskStatus:
    """A task's row."""
    numbers: dict[str, Any] = dict.fromkeys(
        ("accounts", "accounts_done", "gone", "owed", "items_done", "items_expected", "bytes_read", "bytes_stored",
         "throttled", "failed"), 0,
    )  # fmt: skip
    nothing: dict[str, Any] = dict.fromkeys(
        ("run", "eta_seconds", "last_run_at", "last_ok_at", "last_outcome", "next_run_at")
    )
    rates = {"items_per_second": 0.0, "bytes_per_second": 0.0}
    facts = {"tenant": "acme", "service": "exchange", "mode": "manual", **numbers, **nothing, **rates, **fields}
    return TaskStatus(name=name, state=state, **facts)


@pytest.mark.parametrize(
    ("runs", "code"),
    [
        ([ended("ok")], 0),
        ([ended("ok"), ended("skipped")], 0),
        ([ended("partial")], 3),
        ([ended("cancelled")], 3),
        ([ended("paused")], 3),
        ([ended("failed")], 1),
        ([ended("failed"), ended("ok")], 3),
        ([ended("failed", 8)], 8),
        ([ended("failed", 8), ended("failed", 8)], 8),
        ([ended("failed", 7), ended("ok")], 3),
        ([ended("ok"), ended("failed", 9)], 9),
    ],
)
def test_exit_codes(runs: list[dict[str, Any]], code: int) -> None:
    """Alone, a failure says its reason; beside a success it is partial; damage is never hidden."""
    assert exit_code(runs) == code


def test_outcomes_of_jobs() -> None:
    """A job that was stopped leaves something to do."""
    assert [exit_code_of(outcome) for outcome in ("ok", "partial", "failed", "cancelled")] == [0, 3, 1, 3]


def test_trouble_is_told_once() -> None:
    """A run that failed says why; one that is partial names the accounts; a good one says nothing."""
    lines = (
        ActivityLine(1, NOW, "error", "eve@acme.example", "mailbox is locked"),
        ActivityLine(2, NOW, "error", "eve@acme.example", "mailbox is locked"),
        ActivityLine(3, NOW, "info", "bob@acme.example", "hello"),
        ActivityLine(4, NOW, "warn", "mail", "partial: 2 accounts"),
    )
    assert trouble_of([ended("ok")], picture(activity=lines)) == []
    assert trouble_of([ended("failed", 8)], None) == ["mail: failed: it: what; do that"]
    assert trouble_of([ended("partial", owed=3)], picture(activity=lines)) == [
        "mail: partial, 3 owed; see 'tuiback owed' and 'tuiback account list'",
        "eve@acme.example: mailbox is locked",
    ]


def test_the_trouble_of_earlier_runs_is_not_told_again() -> None:
    """An engine that lives for months has said much; what counts comes after the start of the run."""
    lines = (
        ActivityLine(1, NOW, "error", "eve@acme.example", "of yesterday"),
        ActivityLine(2, NOW, "info", "mail", "run 7 started (manual)"),
        ActivityLine(3, NOW, "error", "eve@acme.example", "of today"),
    )
    told = trouble_of([ended("partial", run=7)], picture(activity=lines))
    assert told[1:] == ["eve@acme.example: of today"]


def test_the_line_of_a_run() -> None:
    """It adds up what is running and says in plain words who asks us to wait."""
    tasks = (
        task("mail", TaskState.RUNNING, accounts=5, accounts_done=1, items_done=1200, bytes_per_second=1.5e6),
        task("files", TaskState.THROTTLED, accounts=5, accounts_done=2, items_done=34),
        task("old", TaskState.IDLE, accounts=100, accounts_done=100, items_done=9),
    )
    throttle = ThrottleStatus("acme", "sharepoint", 1, 4, 3, 46.6, 100, 2, 0.0)
    assert run_line(picture(tasks=tasks, throttles=(throttle,))) == (
        "mail, files  3/10 accounts  1,234 items  1.5 MB/s  sharepoint asks us to wait 47 s"
    )
    assert run_line(picture()) == "starting"


def test_the_line_of_a_job() -> None:
    """It shows the newest job of its kind."""
    jobs = (
        JobStatus(3, "export", "eve", "running", None, 10, 2000, 5_000_000, 0, ""),
        JobStatus(2, "export", "eve", "ended", "ok", 1, 1, 1, 0, ""),
        JobStatus(4, "restore", "eve", "running", None, 0, 1, 0, 0, ""),
    )
    assert job_line("export")(picture(jobs=jobs)) == "export 3: 10/2,000 items, 5.0 MB"
    assert job_line("export")(picture()) == "export: starting"
