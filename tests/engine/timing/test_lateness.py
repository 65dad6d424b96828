"""Accounts are late by the objective of their task."""

from datetime import UTC, datetime, timedelta

import pytest

from tuiback.catalog import AccountOverview
from tuiback.engine.timing.lateness import with_late
from tuiback.model import Account, AccountKind, Task

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
NIGHTLY = Task(name="mail", tenant="acme", service="exchange", objective="26h", created_at=NOW - timedelta(days=9))


@pytest.mark.parametrize(
    ("task", "state", "hours", "shown"),
    [
        ("mail", "ok", 25, "ok"),
        ("mail", "ok", 27, "late"),
        ("mail", "ok", None, "late"),
        ("mail", "failed", 27, "failed"),
        ("mail", "gone", 27, "gone"),
        ("removed", "ok", 27, "ok"),
    ],
)
def test_only_what_seems_ok_turns_late(task: str, state: str, hours: int | None, shown: str) -> None:
    """A worse state stays; without its task there is no objective."""
    last_ok_at = None if hours is None else NOW - timedelta(hours=hours)
    account = Account("mailbox:eve", AccountKind.MAILBOX, "acme", task, "eve", "Eve", "eve@x")
    overview = AccountOverview(account, (), state, last_ok_at, 1, 1, 1, 0)
    assert [each.state for each in with_late([overview], [NIGHTLY], NOW)] == [shown]
