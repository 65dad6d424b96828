"""Tests of audit on a home filled by hand."""

import sqlite3
from pathlib import Path

from tests.cli.conftest import Tuiback
from tests.cli.seed import DRIVE, MAILBOX


def test_audit(tuiback: Tuiback, seeded: Path, tmp_path: Path) -> None:
    """What was looked at, brought back and changed: by whom, from where, why; the chain is whole."""
    assert tuiback("--home", seeded, "cat", MAILBOX, "--id", "m-hello", "--reason", "ticket 1").code == 0
    out = tmp_path / "out"
    assert tuiback("--home", seeded, "export", DRIVE, "--to", out, "--reason", "ticket 2").code == 0
    assert tuiback("--home", seeded, "task", "pause", "mail", "--reason", "ticket 3").code == 0
    key = tmp_path / "second.key"
    assert tuiback("--home", seeded, "key", "add", "--key-file", key, "--reason", "ticket 4").code == 0
    rows = tuiback("--json", "--home", seeded, "audit").rows
    assert [(row["action"], row["reason"]) for row in rows] == [
        ("cat", "ticket 1"), ("export", "ticket 2"), ("pause", "ticket 3"), ("key-add", "ticket 4"),
    ]  # fmt: skip
    assert all(row["who"] and row["origin"] and row["uid"] >= 0 for row in rows)
    assert [row["accounts"] for row in rows] == [[MAILBOX], [DRIVE], [], []]
    mine = tuiback("--json", "--home", seeded, "audit", "--account", MAILBOX).rows
    assert [row["action"] for row in mine] == ["cat"]
    assert tuiback("--json", "--home", seeded, "audit", "--since", "2099-01-01").rows == []


def test_an_audit_that_was_changed(tuiback: Tuiback, seeded: Path) -> None:
    """The list still comes; what is wrong goes to stderr, with the code of damage."""
    for item_id in ("m-hello", "m-hello"):
        tuiback("--home", seeded, "cat", MAILBOX, "--id", item_id)
    connection = sqlite3.connect(seeded / "catalogs" / "main" / "state.db")
    connection.execute("UPDATE audit_trail SET entry = replace(entry, 'cat', 'ls') WHERE number = 1")
    connection.commit()
    connection.close()
    ended = tuiback("--json", "--home", seeded, "audit")
    assert (ended.code, len(ended.rows)) == (9, 2)
    assert "entry 1 of" in ended.err
