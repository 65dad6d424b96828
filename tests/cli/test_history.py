"""Tests of runs, owed, account list and status on a home filled by hand."""

from pathlib import Path

import pytest

from tests.cli.conftest import Tuiback
from tests.cli.seed import ADDRESS, DRIVE, MAILBOX


def test_runs(tuiback: Tuiback, seeded: Path) -> None:
    """Runs come newest first with their counters beside their other fields."""
    rows = tuiback("--json", "--home", seeded, "runs").rows
    assert [(row["run"], row["outcome"], row["owed"]) for row in rows] == [(2, "partial", 1), (1, "ok", 0)]
    assert rows[1]["items_new"] == 3
    assert "counters" not in rows[0]
    assert [row["run"] for row in tuiback("--json", "--home", seeded, "runs", "--since", "2026-11-21").rows] == [2]
    assert tuiback("--json", "--home", seeded, "runs", "files").rows == []
    assert tuiback("--home", seeded, "runs", "--since", "latest").code == 2


def test_one_run(tuiback: Tuiback, seeded: Path) -> None:
    """By its number, with what it counted."""
    document = tuiback("--json", "--home", seeded, "runs", "show", "2").document
    assert (document["run"], document["outcome"], document["owed"]) == (2, "partial", 1)
    assert len(tuiback("--home", seeded, "runs", "show", "2").out.splitlines()) == 2
    assert tuiback("--home", seeded, "runs", "show", "9").code == 6


def test_owed(tuiback: Tuiback, seeded: Path) -> None:
    """What is owed names the item, the account, the error and its request."""
    (row,) = tuiback("--json", "--home", seeded, "owed").rows
    assert row == {
        "schema": "tuiback.owed/1", "id": "m-owed", "account": ADDRESS, "account_id": MAILBOX,
        "path": "Posteingang/late", "since": "2026-11-22T22:00:00Z", "tries": 2, "error": "500: no",
        "request_id": "r-1", "acknowledged": None,
    }  # fmt: skip
    assert tuiback("--json", "--home", seeded, "owed", "files").rows == []
    assert len(tuiback("--json", "--home", seeded, "owed", "--account", MAILBOX).rows) == 1
    assert tuiback("--json", "--home", seeded, "owed", "--account", "nobody").code == 6


def test_accounts(tuiback: Tuiback, seeded: Path) -> None:
    """Every account is listed with all its fields, one object a line."""
    rows = {row["account_id"]: row for row in tuiback("--json", "--home", seeded, "account", "list").rows}
    assert set(rows) == {MAILBOX, DRIVE}
    assert rows[MAILBOX] == {
        "schema": "tuiback.account-list/1", "account_id": MAILBOX, "kind": "mailbox", "name": "Eve",
        "address": ADDRESS, "aliases": [ADDRESS], "task": "mail", "state": "ok",
        "last_ok_at": "2026-11-20T22:00:00Z", "points": 2, "items": 2, "bytes": rows[MAILBOX]["bytes"], "owed": 1,
        "gone_at": None, "gone_reason": None,
    }  # fmt: skip
    assert len(tuiback("--json", "--home", seeded, "account", "list", "files").rows) == 1
    assert tuiback("--json", "--home", seeded, "account", "list", "--state", "gone").rows == []
    assert ADDRESS.encode() in tuiback("--home", seeded, "account", "list").out


def test_one_account(tuiback: Tuiback, seeded: Path) -> None:
    """As in the list, and besides its addresses with their times and what holds it."""
    assert tuiback("--home", seeded, "hold", "add", DRIVE, "--reason", "matter 17").code == 0
    shown = tuiback("--json", "--home", seeded, "account", "show", DRIVE).document
    (listed,) = [r for r in tuiback("--json", "--home", seeded, "account", "list").rows if r["account_id"] == DRIVE]
    assert (shown.pop("schema"), listed.pop("schema")) == ("tuiback.account-show/1", "tuiback.account-list/1")
    assert {**shown, **listed} == shown
    assert (shown["tenant"], shown["repository"], shown["gone_at"]) == ("acme", "main", None)
    assert [(each["address"], each["until"]) for each in shown["addresses"]] == [(ADDRESS, None)]
    text = tuiback("--home", seeded, "account", "show", DRIVE).out.decode()
    assert f"address        {ADDRESS}" in text
    assert shown["held_by"] in text
    assert tuiback("--home", seeded, "account", "show", ADDRESS).code == 6
    assert tuiback("--home", seeded, "account", "show", "nobody").code == 6


@pytest.mark.parametrize("verb", ["runs", "owed", "account list"])
def test_a_task_that_is_not_there(tuiback: Tuiback, seeded: Path, verb: str) -> None:
    """A mistyped task is told instead of an empty list that looks like good news."""
    ended = tuiback("--json", "--home", seeded, *verb.split(), "mial")
    assert (ended.code, ended.document["subject"]) == (6, "mial")


def test_a_catalog_that_was_lost(tuiback: Tuiback, seeded: Path) -> None:
    """Without the catalog verbs say how to make it anew, and afterwards all is there again."""
    before = tuiback("--json", "--home", seeded, "account", "list").out
    listed = tuiback("--json", "--home", seeded, "ls", MAILBOX, "-R").out
    for file in (seeded / "catalogs" / "main").glob("catalog.db*"):
        file.unlink()
    lost = tuiback("--json", "--home", seeded, "account", "list")
    assert lost.code == 7
    assert "rebuild-catalog" in lost.document["remedy"]
    rebuilt = tuiback("--json", "--home", seeded, "rebuild-catalog").document
    assert rebuilt["items"] == 3
    assert rebuilt["seconds"] >= 0
    assert tuiback("--json", "--home", seeded, "account", "list").out == before
    assert tuiback("--json", "--home", seeded, "ls", MAILBOX, "-R").out == listed
