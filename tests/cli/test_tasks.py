"""Tests of tasks."""

from pathlib import Path

import pytest

from tests.cli.conftest import Tuiback
from tuiback.catalog import CatalogReader


@pytest.fixture
def with_tenant(tuiback: Tuiback, home: Path, tmp_path: Path) -> Path:
    """A home that knows the tenant acme."""
    (tmp_path / "secret").write_text("x\n")
    added = tuiback(
        "--home", home, "tenant", "add", "acme", "--tenant-id", "t", "--client-id", "c",
        "--client-secret-file", tmp_path / "secret",
    )  # fmt: skip
    assert added.code == 0
    return home


def test_add_and_list(tuiback: Tuiback, with_tenant: Path) -> None:
    """A new task is listed with all its fields before it ever ran."""
    line = ["--home", with_tenant, "task", "add", "mail", "--tenant", "acme", "--service", "exchange", "--all"]
    assert tuiback("--json", *line).document == {"schema": "tuiback.task-add/1", "name": "mail"}
    (row,) = tuiback("--json", "--home", with_tenant, "task", "list").document["tasks"]
    assert row == {
        "name": "mail", "tenant": "acme", "service": "exchange", "mode": "manual", "state": "IDLE", "accounts": 0,
        "gone": 0, "owed": 0, "last_run_at": None, "last_ok_at": None, "last_outcome": None, "next_run_at": None,
    }  # fmt: skip
    assert tuiback(*line).code == 2


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["mail", "--tenant", "nobody", "--service", "exchange", "--all"], 6),
        (["mail", "--tenant", "acme", "--service", "fax", "--all"], 2),
        (["mail", "--tenant", "acme", "--service", "exchange"], 2),
        (["mail", "--tenant", "acme", "--service", "exchange", "--all", "--account", "eve@acme.example"], 2),
        (["mail", "--tenant", "acme", "--service", "exchange", "--account", "eve@acme.example", "--fixed"], 2),
        (["Mail", "--tenant", "acme", "--service", "exchange", "--all"], 2),
        (["mail", "--tenant", "acme", "--service", "exchange", "--all", "--cron", "0 2 * * *"], 2),
        (["mail", "--tenant", "acme", "--service", "exchange", "--all", "--keep", "30"], 2),
        (["mail", "--tenant", "acme", "--service", "exchange", "--all", "--keep", "3651d"], 2),
        (["mail", "--tenant", "acme", "--service", "exchange", "--all", "--keep-gone", "4w"], 2),
    ],
)
def test_what_is_refused(tuiback: Tuiback, with_tenant: Path, arguments: list[str], code: int) -> None:
    """Each wrong task is one line and leaves no task behind."""
    ended = tuiback("--home", with_tenant, "task", "add", *arguments)
    assert (ended.code, ended.err.count("\n")) == (code, 1)
    assert tuiback("--home", with_tenant, "task", "list").out == b""


def test_retention_is_kept_with_the_task(tuiback: Tuiback, with_tenant: Path) -> None:
    """Without the options everything is kept, for ever."""
    rules = {"a": [], "b": ["--keep", "7d,4w,12m,3y", "--keep-gone", "365d"], "c": ["--keep", "all"]}
    for name, options in rules.items():
        line = ("task", "add", name, "--tenant", "acme", "--service", "exchange", "--account", f"{name}@acme.example")
        assert tuiback("--home", with_tenant, *line, *options).code == 0
    reader = CatalogReader(next(with_tenant.rglob("catalog.db")))
    kept = [(task.keep, task.keep_gone) for task in reader.tasks()]
    reader.close()
    assert kept == [("all", "forever"), ("7d,4w,12m,3y", "365d"), ("all", "forever")]


def test_status_before_the_first_run(tuiback: Tuiback, with_tenant: Path) -> None:
    """Without an engine the status says so and still has every field."""
    document = tuiback("--json", "--home", with_tenant, "status").document
    assert set(document) == {
        "schema", "engine", "tasks", "throttles", "limits", "storage", "health", "alerts", "version",
    }  # fmt: skip
    assert document["engine"]["state"] == "stopped"
    assert set(document["engine"]) == {"state", "pid", "host", "since", "version"}
    assert document["health"]["state"] == "ok"
    text = tuiback("--home", with_tenant, "status").out.decode()
    assert "not running" in text
    assert "tuiback task add" in text
