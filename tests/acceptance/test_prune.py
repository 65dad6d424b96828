"""Pruning as a user does it: what expired is freed after its grace, and is really nowhere any more."""

import json
import os
import time
import urllib.parse
import urllib.request
from pathlib import Path

from tests.acceptance.comparing import compare_exports
from tests.acceptance.plain import Plain
from tests.acceptance.program import Installation, simulated
from tests.opened import files_with, objects_with
from tuiback.cli.secret import read_key
from tuiback.engine.archives.archive import open_repository
from tuiback.engine.clock import SystemClock
from tuiback.engine.home import Home
from tuiback.store import Repository

SUBJECT = "The merger with Umbra AG"
MAILS = {
    "merger": f"From: a@x.example\r\nTo: b@x.example\r\nSubject: {SUBJECT}\r\n\r\nThe price is 42 million.\r\n",
    "lunch": "From: a@x.example\r\nTo: b@x.example\r\nSubject: Lunch\r\n\r\nAt noon.\r\n",
    "report": "From: a@x.example\r\nTo: b@x.example\r\nSubject: Report\r\n\r\nAll is well.\r\n",
}


def installed_with(tmp_path: Path, tenant: dict[str, str], keep: str) -> Installation:
    """A home with one task for mail and that rule."""
    installed = Installation(tmp_path / "nas")
    installed.set_up(tenant, services=())
    installed.run("task", "add", "mail", "--tenant", "acme", "--service", "exchange", "--all", "--keep", keep)
    return installed


def delete_mail(plain: Plain, subject: str) -> None:
    """Delete the one message of that subject for good."""
    prefer = {"Prefer": 'IdType="ImmutableId"'}
    for user in plain.users():
        for message in plain.all(f"/users/{user['id']}/messages?$select=id,subject&$top=100", prefer):
            if message["subject"] == subject:
                one = f"/users/{user['id']}/messages/{urllib.parse.quote(message['id'], safe='')}"
                plain.post(f"{one}/permanentDelete", prefer)


def a_day_passes(installed: Installation) -> None:
    """Everything in the repository is a day older by the store's time."""
    for path in Path(installed.repository).rglob("*"):
        earlier = path.stat().st_mtime - 25 * 3600
        os.utime(path, (earlier, earlier))


def opened(installed: Installation) -> Repository:
    """The repository with its keys."""
    ref = Home.open(installed.home).repository("main")
    assert ref.key_file is not None
    return open_repository(ref, read_key(Path(ref.key_file)), SystemClock(), to_write=False)


def test_an_expired_mail_is_nowhere_any_more(tmp_path: Path) -> None:
    """Deleted at Microsoft, expired and pruned: no object decrypted with all keys and no page of the home has it."""
    mail = tmp_path / "mail"
    mail.mkdir()
    for name, text in MAILS.items():
        (mail / f"{name}.eml").write_bytes(text.encode())
    with simulated("--mail", str(mail), "--users", "1") as tenant:
        plain = Plain(tenant)
        installed = installed_with(tmp_path, tenant, "1v")
        installed.run("run", "--all")
        assert objects_with(opened(installed), SUBJECT.encode())
        delete_mail(plain, SUBJECT)
        for change in range(2):
            plain.control("mutate", {"changes": 5, "seed": change})
            installed.run("run", "--all")
        dry = installed.ask("prune", "--dry-run")
        assert dry["schema"] == "tuiback.prune/1"
        first = installed.ask("prune")
        assert (first["expired_versions"], first["freed_bytes"]) == (dry["expired_versions"], 0)
        assert first["reclaimable_bytes"] > 0
        a_day_passes(installed)
        installed.run("run", "--all")
        second = installed.ask("prune")
        assert second["freed_bytes"] >= first["reclaimable_bytes"]
        assert second["retained_bytes"] == 0
        for expired in (SUBJECT.encode(), b"42 million"):
            assert objects_with(opened(installed), expired) == []
            assert files_with(installed.home, expired) == []
        assert installed.ask("check", "--read-data")["ok"]
        assert compare_exports(installed, plain) > 0


def test_a_prune_is_a_command_to_the_engine_that_runs(tmp_path: Path) -> None:
    """Asked for while a backup runs in another process, that process prunes beside it; both end well."""
    with simulated("--users", "1", "--messages", "40", "--latency", "100") as tenant:
        installed = installed_with(tmp_path, tenant, "1v")
        run = installed.start("--json", "run", "--all")
        deadline = time.monotonic() + 60
        while not (installed.home / "engine.sock").exists():
            assert run.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert installed.ask("prune")["outcome"] == "ok"
        out, _ = run.communicate(timeout=60)
        assert json.loads(out)["runs"][0]["outcome"] == "ok"
        assert installed.ask("check", "--read-data")["ok"]
