"""Tests of tasks."""

from datetime import UTC, datetime, timedelta
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
        "schema", "engine", "tasks", "throttles", "limits", "storage", "health", "alerts", "version", "tenants",
    }  # fmt: skip
    assert document["engine"]["state"] == "stopped"
    assert set(document["engine"]) == {"state", "pid", "host", "since", "version"}
    assert document["health"]["state"] == "ok"
    text = tuiback("--home", with_tenant, "status").out.decode()
    assert "not running" in text
    assert "tuiback task add" in text


def add(tuiback: Tuiback, home: Path, *options: str) -> None:
    """Add the task "mail" with these options."""
    line = ("task", "add", "mail", "--tenant", "acme", "--service", "exchange", "--all")
    assert tuiback("--home", home, *line, *options).code == 0


def shown(tuiback: Tuiback, home: Path) -> dict[str, object]:
    """The task's plan and standing."""
    return tuiback("--json", "--home", home, "task", "show", "mail").document


def test_edit_changes_what_is_named_and_nothing_else(tuiback: Tuiback, with_tenant: Path) -> None:
    """Mode, window and scope change one by one; another mode forgets the timetable of before."""
    add(tuiback, with_tenant, "--keep", "30d")
    before = shown(tuiback, with_tenant)
    edit = ("--json", "--home", with_tenant, "task", "edit", "mail")
    plan = ("--mode", "scheduled", "--cron", "0 22 * * *", "--tz", "Europe/Berlin", "--priority", "3")
    assert tuiback(*edit, *plan).document == {"schema": "tuiback.task-edit/1", "name": "mail"}
    after = shown(tuiback, with_tenant)
    changed = {key for key in before if before[key] != after[key]}
    assert changed == {"mode", "cron", "tz", "priority"}
    assert tuiback(*edit, "--window", "mon-fri 20:00-06:00").code == 0
    assert tuiback(*edit, "--mode", "continuous", "--account", "eve@acme.example").code == 0
    last = shown(tuiback, with_tenant)
    assert (last["cron"], last["window"], last["keep"]) == ("", "mon-fri 20:00-06:00", "30d")
    assert (last["everything"], last["accounts"], last["named_accounts"]) == (False, 0, ["eve@acme.example"])
    assert (before["least_pause_seconds"], last["least_pause_seconds"]) == (None, 300)


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (["--cron", "0 22 * * *"], 2),
        (["--mode", "scheduled"], 2),
        (["--window", "sometimes"], 2),
        (["--tz", "Nowhere/Land"], 2),
        (["--keep", "30"], 2),
        (["--all", "--account", "eve@acme.example"], 2),
    ],
)
def test_an_edit_that_cannot_work_changes_nothing(
    tuiback: Tuiback, with_tenant: Path, options: list[str], code: int
) -> None:
    """One line and the old plan."""
    add(tuiback, with_tenant)
    before = shown(tuiback, with_tenant)
    ended = tuiback("--home", with_tenant, "task", "edit", "mail", *options)
    assert (ended.code, ended.err.count("\n")) == (code, 1)
    assert shown(tuiback, with_tenant) == before


def test_pause_and_resume(tuiback: Tuiback, with_tenant: Path) -> None:
    """A paused task says so in every list."""
    add(tuiback, with_tenant)
    for verb, state in (("pause", "PAUS"), ("resume", "IDLE")):
        assert tuiback("--home", with_tenant, "task", verb, "mail").code == 0
        assert shown(tuiback, with_tenant)["state"] == state


def test_removing_asks_what_becomes_of_the_data(tuiback: Tuiback, with_tenant: Path) -> None:
    """Without an answer nothing happens; afterwards the name is free."""
    add(tuiback, with_tenant)
    assert tuiback("--home", with_tenant, "task", "remove", "mail").code == 2
    assert tuiback("--home", with_tenant, "task", "remove", "mail", "--data", "keep").code == 0
    assert tuiback("--home", with_tenant, "task", "show", "mail").code == 6
    assert tuiback("--home", with_tenant, "task", "remove", "mail", "--data", "keep").code == 6
    add(tuiback, with_tenant)


def test_a_task_outside_its_window_is_skipped(tuiback: Tuiback, with_tenant: Path) -> None:
    """`run` says when the window opens and ends with 0; nothing was asked of Microsoft."""
    add(tuiback, with_tenant, "--window", closed_now())
    ended = tuiback("--json", "--home", with_tenant, "run", "mail")
    (run,) = ended.document["runs"]
    assert (ended.code, run["outcome"], run["run"], run["requests"]) == (0, "skipped", None, 0)
    assert run["opens_at"].endswith(":00Z")
    assert "--now" in ended.err


def closed_now() -> str:
    """A window of one hour, in three days."""
    day = (datetime.now(UTC) + timedelta(days=3)).strftime("%a").lower()
    return f"{day} 10:00-11:00"


def test_scopes_that_cannot_be(tuiback: Tuiback, with_tenant: Path) -> None:
    """A group goes with accounts, not with --all; a pattern must say something."""
    line = ("--home", with_tenant, "task", "add", "mail", "--tenant", "acme", "--service", "exchange")
    assert tuiback(*line, "--all", "--group", "sales").code == 2
    assert "is no pattern of paths" in tuiback(*line, "--all", "--exclude-path", "!").err
    assert tuiback(*line, "--group", "sales", "--account", "eve@acme.example", "--exclude-path", "Temp/").code == 0
    shown = tuiback("--json", "--home", with_tenant, "task", "show", "mail").document
    assert (shown["groups"], shown["accounts"], shown["exclude_paths"]) == (["sales"], 0, ["Temp/"])


def test_a_renamed_task_keeps_its_past(tuiback: Tuiback, seeded: Path, tmp_path: Path) -> None:
    """Runs, accounts and figures are found under the new name; the old name is nobody else's; back again works."""
    tasks = tuiback("--json", "--home", seeded, "task", "list").document["tasks"]
    before = next(row for row in tasks if row["last_run_at"])
    old = before["name"]
    runs = tuiback("--json", "--home", seeded, "runs", old).rows
    assert runs
    (tmp_path / "secret").write_text("x\n")
    tenant = ("tenant", "add", before["tenant"], "--tenant-id", "t", "--client-id", "c")
    assert tuiback("--home", seeded, *tenant, "--client-secret-file", tmp_path / "secret").code == 0
    renamed = tuiback("--json", "--home", seeded, "task", "rename", old, "office")
    assert renamed.document == {"schema": "tuiback.task-rename/1", "name": "office"}
    (after,) = (
        row for row in tuiback("--json", "--home", seeded, "task", "list").document["tasks"] if row["name"] == "office"
    )
    assert after == {**before, "name": "office"}
    assert [row["run"] for row in tuiback("--json", "--home", seeded, "runs", "office").rows] == [
        row["run"] for row in runs
    ]
    assert {row["task"] for row in tuiback("--json", "--home", seeded, "account", "list", "office").rows} == {"office"}
    assert tuiback("--home", seeded, "account", "list", old).out == b""
    refused = tuiback(
        "--home", seeded, "task", "add", old, "--tenant", before["tenant"], "--service", "exchange", "--all"
    )
    assert (refused.code, "former name of task office" in refused.err) == (2, True)
    assert tuiback("--home", seeded, "task", "rename", "office", old).code == 0
    assert tuiback("--json", "--home", seeded, "runs", old).rows == runs


def test_renaming_what_is_not_there(tuiback: Tuiback, with_tenant: Path) -> None:
    """Each is refused with the contract's code."""
    assert tuiback("--home", with_tenant, "task", "rename", "nothing", "else").code == 6
    assert tuiback("--home", with_tenant, "task", "rename", "nothing", "No Name").code == 2
