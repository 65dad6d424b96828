"""Tests of setting a tenant up, backing it up and bringing it back, verb by verb, against the simulated tenant."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Tuiback
from tuiback.simtenant import Plan, Server

LIMIT_SECONDS = 60


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """One simulated tenant for all tests of this module."""
    with Server(Plan(users=2, messages=6, files_per_user=4)) as served:
        yield served


def control(server: Server, verb: str, **body: Any) -> Any:
    """Tell the simulated tenant to misbehave, or ask it what it did."""
    data = json.dumps(body).encode() if body else None
    request = urllib.request.Request(f"{server.endpoints.control_url}/{verb}", data)
    with urllib.request.urlopen(request, timeout=LIMIT_SECONDS) as answer:
        return json.loads(answer.read() or b"{}")


def files_of(server: Server, address: str) -> dict[str, str]:
    """The SHA-256 of each file in a user's drive, by path, as the simulated tenant serves it."""
    items = control(server, f"manifest?account={address}")["items"]
    return {item["path"]: item["sha256"] for item in items if item["kind"] == "file"}


def add_tenant(tuiback: Tuiback, home: Path, server: Server, secret: str) -> None:
    """Make the simulated tenant known, and a task for each service."""
    at = server.endpoints
    secret_file = home.parent / "secret"
    secret_file.write_text(f"{secret}\n")
    added = tuiback(
        "--home", home, "tenant", "add", "acme", "--tenant-id", at.tenant_id, "--client-id", at.client_id,
        "--client-secret-file", secret_file, "--cloud", "custom", "--graph-url", at.graph_url,
        "--authority", at.authority,
    )  # fmt: skip
    assert added.code == 0, added.err
    for name, service in (("mail", "exchange"), ("files", "onedrive")):
        line = ["task", "add", name, "--tenant", "acme", "--service", service, "--all"]
        assert tuiback("--home", home, *line).code == 0


@pytest.fixture
def acme(tuiback: Tuiback, home: Path, server: Server) -> Path:
    """A home that knows the simulated tenant."""
    server.reset()
    add_tenant(tuiback, home, server, server.endpoints.client_secret)
    return home


def test_run(tuiback: Tuiback, acme: Path) -> None:
    """A run tells all its fields; the next one finds nothing to do; an unknown task is exit 6."""
    (run,) = tuiback("--json", "--home", acme, "run", "mail").document["runs"]
    assert set(run) >= {
        "run", "task", "outcome", "joined", "accounts", "items_new", "items_changed", "items_removed",
        "items_unchanged", "skipped", "owed", "bytes_read", "bytes_stored", "requests", "throttled", "seconds",
    }  # fmt: skip
    assert (run["task"], run["outcome"], run["joined"], run["accounts"]) == ("mail", "ok", False, 2)
    assert run["items_new"] == 12
    both = tuiback("--json", "--home", acme, "run", "--all").document["runs"]
    assert {run["task"]: run["outcome"] for run in both} == {"mail": "ok", "files": "ok"}
    assert tuiback("--home", acme, "run", "nothing").code == 6
    saved = tuiback("--json", "--home", acme, "usage").document["saved_by_runs"]
    assert saved["read_bytes"] == run["bytes_read"] + sum(other["bytes_read"] for other in both)
    assert 0 < saved["single_instance_bytes"] + saved["base64_bytes"] < saved["read_bytes"]


def test_cron_is_silent(tuiback: Tuiback, acme: Path) -> None:
    """A good run in cron says nothing at all."""
    ended = tuiback("--home", acme, "run", "--all")
    assert (ended.code, ended.out, ended.err) == (0, b"", "")


def test_a_rolled_back_repository_is_told_to_cron(tuiback: Tuiback, acme: Path, server: Server, tmp_path: Path) -> None:
    """It is healed, so the exit code stays 0; what was found and done is a warning once, and an alert until it is."""
    repository = Path(tuiback("--json", "--home", acme, "repository", "list").document["repositories"][0]["url"])
    assert tuiback("--home", acme, "run", "mail").code == 0
    shutil.copytree(repository, tmp_path / "older")
    control(server, "mutate", changes=9, seed=1)
    assert tuiback("--home", acme, "run", "mail").code == 0
    shutil.rmtree(repository)
    (tmp_path / "older").rename(repository)
    healed = tuiback("--json", "--home", acme, "run", "mail")
    assert (healed.code, healed.document["runs"][0]["outcome"]) == (0, "ok")
    (warning,) = healed.document["warnings"]
    assert warning.startswith(f"main: the repository at {repository} was rolled back: it lacks commits")
    assert "listed again, and what it lacks of them is fetched" in warning
    assert healed.err == f"Warning: {warning}\n"
    told = tuiback("--json", "--home", acme, "logs").rows
    assert [row["text"].partition(":")[0] for row in told if row["subject"] == "main" and row["level"] != "info"] == [
        f"the repository at {repository} was rolled back", "alert", "alert closed"
    ]
    assert tuiback("--home", acme, "run", "mail").err == ""


def test_one_account(tuiback: Tuiback, acme: Path) -> None:
    """--account runs one of the task's; one that the task doesn't have is exit 6."""
    assert tuiback("--home", acme, "run", "mail").code == 0
    address = tuiback("--json", "--home", acme, "account", "list", "mail").rows[0]["address"]
    (run,) = tuiback("--json", "--home", acme, "run", "mail", "--account", address).document["runs"]
    assert (run["outcome"], run["accounts"]) == ("ok", 1)
    assert tuiback("--home", acme, "run", "mail", "--account", "nobody@acme.example").code == 6


@pytest.mark.usefixtures("hasty")
def test_an_item_that_fails_is_owed(tuiback: Tuiback, acme: Path, server: Server) -> None:
    """Messages that can't be read make the run partial and are owed; when they can, the debt is gone."""
    control(server, "fault", match=r"GET .*/\$value", status=403, times=-1, body="")
    ended = tuiback("--json", "--home", acme, "run", "mail")
    assert ended.code == 3
    owed = tuiback("--json", "--home", acme, "owed").rows
    assert len(owed) == 12
    assert set(owed[0]) >= {"id", "account", "path", "since", "tries", "error", "request_id"}
    assert len(ended.err.splitlines()) <= 20
    server.reset()
    (again,) = tuiback("--json", "--home", acme, "run", "--all", "--retry-owed").document["runs"]
    assert (again["task"], again["outcome"], again["items_new"]) == ("mail", "ok", 12)
    assert tuiback("--json", "--home", acme, "owed").rows == []
    assert tuiback("--json", "--home", acme, "run", "mail", "--retry-owed").document["runs"] == []
    assert tuiback("--home", acme, "run", "mial", "--retry-owed").code == 6


def test_a_wrong_secret_is_8(tuiback: Tuiback, home: Path, server: Server) -> None:
    """Microsoft's refusal is told in one line with the exit code that monitoring knows."""
    server.reset()
    add_tenant(tuiback, home, server, "wrong")
    ended = tuiback("--json", "--home", home, "run", "mail")
    assert ended.code == 8
    assert ended.document["runs"][0]["outcome"] == "failed"
    assert ended.err.count("\n") == 1
    assert "wrong" not in ended.out.decode()


def test_restore(tuiback: Tuiback, acme: Path, server: Server) -> None:
    """A dry run writes nothing, a restore writes into a new folder, and in place all is found as it was."""
    assert tuiback("--home", acme, "run", "files").code == 0
    account = tuiback("--json", "--home", acme, "account", "list", "files").rows[0]
    before = files_of(server, account["address"])
    line = ["--json", "--home", acme, "restore", account["account_id"]]
    planned = tuiback(*line, "--dry-run")
    assert planned.code == 0
    create = planned.document["planned"]["create"]
    assert create >= 4
    told = tuiback(*line[1:], "--dry-run")
    assert told.out.decode() == f"restore (dry run): ok, would create {create}, overwrite 0, skip 0, conflict 0\n"
    assert files_of(server, account["address"]) == before
    done = tuiback(*line)
    assert done.code == 0, done.err
    assert set(done.document) >= {
        "job", "outcome", "planned", "restored", "skipped", "failed", "degraded", "rewritten", "verified",
    }  # fmt: skip
    assert (done.document["restored"], done.document["failed"]) == (create, 0)
    after = files_of(server, account["address"])
    assert sorted(after.values()) == sorted([*before.values(), *before.values()])
    undone = tuiback("--json", "--home", acme, "job", "undo", str(done.document["job"]))
    assert (undone.code, undone.document["removed"], undone.document["kind"]) == (0, create, "undo")
    assert files_of(server, account["address"]) == before
    again = tuiback(*line, "--place", "in-place")
    assert (again.document["restored"], again.document["skipped"]) == (0, create)


def test_a_running_engine_is_joined_and_seen(tuiback: Tuiback, acme: Path, server: Server) -> None:
    """While one process runs a task, another sees it in `status`, and SIGTERM ends it at a checkpoint with 143."""
    control(server, "fault", match=r"GET .*/messages/delta", status=503, retry_after=30, times=-1)
    command = [sys.executable, "-m", "tuiback", "--home", str(acme), "run", "mail"]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as running:
        try:
            deadline = time.monotonic() + LIMIT_SECONDS
            document: dict[str, Any] = {"engine": {"state": "stopped"}}
            while document["engine"]["state"] != "running" and time.monotonic() < deadline:
                document = tuiback("--json", "--home", acme, "status").document
            assert (document["engine"]["host"], document["engine"]["pid"]) == ("run", running.pid)
            assert next(task for task in document["tasks"] if task["name"] == "mail")["run"] == 1
            joined = tuiback("--json", "--home", acme, "run", "mail", "--no-wait")
            assert (joined.code, joined.document["runs"][0]["run"]) == (0, 1)
            assert tuiback("--home", acme, "rebuild-catalog").code == 5
            os.kill(running.pid, signal.SIGTERM)
            assert running.wait(LIMIT_SECONDS) == 143
        finally:
            running.kill()
    server.reset()
    assert tuiback("--home", acme, "run", "mail", "--no-wait").code == 2
    assert tuiback("--home", acme, "run", "mail").code == 0
