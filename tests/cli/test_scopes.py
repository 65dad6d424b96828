"""Whom and what a task covers, and what becomes of it all, verb by verb against the simulated tenant."""

import json
import os
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Tuiback
from tuiback.simtenant import Plan, Server

DAY_SECONDS = 25 * 3600


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A company whose departments are groups, and all departments one more."""
    with Server(Plan(users=4, messages=2, files_per_user=12)) as served:
        yield served


@pytest.fixture
def acme(tuiback: Tuiback, home: Path, server: Server) -> Path:
    """A home that knows the simulated tenant."""
    server.reset()
    at = server.endpoints
    secret = home.parent / "secret"
    secret.write_text(f"{at.client_secret}\n")
    added = tuiback(
        "--home", home, "tenant", "add", "acme", "--tenant-id", at.tenant_id, "--client-id", at.client_id,
        "--client-secret-file", secret, "--cloud", "custom", "--graph-url", at.graph_url, "--authority", at.authority,
    )  # fmt: skip
    assert added.code == 0, added.err
    return home


def run(tuiback: Tuiback, home: Path, task: str) -> dict[str, Any]:
    """Run a task, which ends ok."""
    ended = tuiback("--json", "--home", home, "run", task)
    assert ended.code == 0, ended.err
    (told,) = ended.document["runs"]
    assert isinstance(told, dict)
    return told


def states(tuiback: Tuiback, home: Path) -> list[str]:
    """How the accounts stand, in alphabetical order."""
    return sorted(row["state"] for row in tuiback("--json", "--home", home, "account", "list").rows)


def test_a_group_is_looked_up_at_each_run(tuiback: Tuiback, acme: Path, server: Server) -> None:
    """Members of nested groups are covered, who is excluded is not; who left the group is gone."""
    line = ("--home", acme, "task", "add", "files", "--tenant", "acme", "--service", "onedrive")
    assert tuiback(*line, "--group", "All staff").code == 0
    assert run(tuiback, acme, "files")["accounts"] == 4
    address = tuiback("--json", "--home", acme, "account", "list").rows[0]["address"]
    assert tuiback("--home", acme, "task", "edit", "files", "--exclude", address).code == 0
    assert run(tuiback, acme, "files")["accounts"] == 3
    assert states(tuiback, acme) == ["gone", "ok", "ok", "ok"]
    assert tuiback("--home", acme, "task", "edit", "files", "--group", "Sales").code == 0
    with urllib.request.urlopen(f"{server.endpoints.control_url}/stats", timeout=60) as answer:
        routes = json.loads(answer.read())["by_route"]
    assert any("transitiveMembers" in route for route in routes)
    assert run(tuiback, acme, "files")["accounts"] < 3
    assert states(tuiback, acme).count("gone") > 1


def test_a_group_that_is_not_there(tuiback: Tuiback, acme: Path) -> None:
    """The run fails and names the group; nobody is taken for gone."""
    line = ("--home", acme, "task", "add", "mail", "--tenant", "acme", "--service", "exchange")
    assert tuiback(*line, "--group", "All staff").code == 0
    run(tuiback, acme, "mail")
    assert tuiback("--home", acme, "task", "edit", "mail", "--group", "Nobody").code == 0
    ended = tuiback("--home", acme, "run", "mail")
    assert (ended.code, "Nobody: there is no such group" in ended.err) == (6, True)
    assert states(tuiback, acme) == ["ok"] * 4


def test_paths_that_are_left_out(tuiback: Tuiback, acme: Path) -> None:
    """Neither fetched nor lost when the pattern goes: then everything that was left out is backed up."""
    line = ("--home", acme, "task", "add", "files", "--tenant", "acme", "--service", "onedrive", "--all")
    assert tuiback(*line, "--exclude-path", "*.docx", "--exclude-path", "Projects/").code == 0
    some = run(tuiback, acme, "files")
    account = tuiback("--json", "--home", acme, "account", "list").rows[0]["account_id"]
    paths = [row["path"] for row in tuiback("--json", "--home", acme, "ls", account, "-R").rows]
    assert paths
    assert not [path for path in paths if path.endswith(".docx") or (path.startswith("Projects/") and "." in path)]
    assert tuiback("--home", acme, "task", "edit", "files", "--exclude-path", "*.nothing").code == 0
    more = run(tuiback, acme, "files")
    assert some["items_new"] + more["items_new"] == 4 * 12
    assert run(tuiback, acme, "files")["items_new"] == 0


def test_a_renamed_task_goes_on(tuiback: Tuiback, acme: Path) -> None:
    """Under its new name it knows what is backed up, and shows all of its runs."""
    line = ("--home", acme, "task", "add", "files", "--tenant", "acme", "--service", "onedrive", "--all")
    assert tuiback(*line).code == 0
    run(tuiback, acme, "files")
    assert tuiback("--home", acme, "task", "rename", "files", "documents").code == 0
    again = run(tuiback, acme, "documents")
    assert (again["items_new"], again["accounts"]) == (0, 4)
    assert [row["run"] for row in tuiback("--json", "--home", acme, "runs", "documents").rows] == [2, 1]
    assert tuiback("--home", acme, "run", "files").code == 6


def test_dropped_data_leaves_with_the_next_prunes(tuiback: Tuiback, acme: Path) -> None:
    """The accounts are gone at once, the space is decided on by the next prune and freed a day later; mail stays."""
    for name, service in (("files", "onedrive"), ("mail", "exchange")):
        line = ("--home", acme, "task", "add", name, "--tenant", "acme", "--service", service, "--all")
        assert tuiback(*line).code == 0
        run(tuiback, acme, name)
    assert tuiback("--home", acme, "task", "remove", "files").code == 2
    assert tuiback("--home", acme, "task", "remove", "files", "--data", "drop").code == 0
    assert {row["task"] for row in tuiback("--json", "--home", acme, "account", "list").rows} == {"mail"}
    told = tuiback("--json", "--home", acme, "prune").document
    assert told["reclaimable_bytes"] > 100_000
    for path in (acme / "repository").rglob("*"):
        earlier = path.stat().st_mtime - DAY_SECONDS
        os.utime(path, (earlier, earlier))
    freed = tuiback("--json", "--home", acme, "prune").document["freed_bytes"]
    assert freed >= told["reclaimable_bytes"]
    assert tuiback("--json", "--home", acme, "check", "--read-data").document["ok"]
    assert run(tuiback, acme, "mail")["items_new"] == 0
