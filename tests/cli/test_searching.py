"""Tests of search on a home filled by hand."""

from pathlib import Path

import pytest

from tests.cli.conftest import Tuiback
from tests.cli.seed import ADDRESS, DRIVE, FIRST_HELLO, GONE


def ids(tuiback: Tuiback, home: Path, *arguments: str) -> list[str]:
    """What is found."""
    ended = tuiback("search", "--home", home, "--json", *arguments)
    assert ended.code == 0, ended.err
    return [row["id"] for row in ended.rows]


def test_a_find_has_all_fields(tuiback: Tuiback, seeded: Path) -> None:
    """One object a line, with where it lies, the point that shows it and when it was seen."""
    (row,) = tuiback("search", "--home", seeded, "--json", "plan").rows
    assert row == {
        "schema": "tuiback.search/1", "id": "d-plan", "account_id": DRIVE, "account": ADDRESS, "task": "files",
        "path": "Docs/plan.txt", "name": "plan.txt", "kind": "file", "size": 9, "modified": "2026-11-20T10:00:00Z",
        "snapshot": 1, "first_seen": "2026-11-20T22:00:00Z", "last_seen": "2026-11-20T22:00:00Z", "deleted_at": None,
    }  # fmt: skip


def test_what_was_deleted_is_found(tuiback: Tuiback, seeded: Path) -> None:
    """With the point that still has it, which cat and ls understand; --deleted leaves out what is there."""
    (row,) = tuiback("search", "--home", seeded, "--json", "gone").rows
    assert (row["deleted_at"], row["snapshot"]) == ("2026-11-22T22:00:00Z", 1)
    assert tuiback("cat", "--home", seeded, row["account_id"], row["path"], "--at", f"#{row['snapshot']}").out == GONE
    assert ids(tuiback, seeded, "--deleted", "h*") == []
    assert ids(tuiback, seeded, "--deleted", "g*") == ["m-gone"]


def test_search_is_narrowed(tuiback: Tuiback, seeded: Path) -> None:
    """By account, task, kind and time; --limit takes the newest."""
    assert ids(tuiback, seeded, "hello") == ["m-hello"]
    assert ids(tuiback, seeded, "hello", "--account", DRIVE) == []
    assert ids(tuiback, seeded, "hello", "--account", f"mailbox:{ADDRESS}", "--task", "mail") == ["m-hello"]
    assert ids(tuiback, seeded, "plan", "--task", "files", "--kind", "file") == ["d-plan"]
    assert ids(tuiback, seeded, "plan", "--task", "mail") == []
    assert sorted(ids(tuiback, seeded, "type:folder")) == ["d-docs", "f-inbox", "f-projects"]
    assert len(ids(tuiback, seeded, "type:folder", "--limit", "2")) == 2
    assert ids(tuiback, seeded, "hello", "--from", "2026-11-20T10:00Z", "--until", "2026-11-21") == ["m-hello"]
    assert ids(tuiback, seeded, "hello", "--from", "2026-11-21") == []
    assert ids(tuiback, seeded, "hello", "--until", "2026-11-19") == []
    assert ids(tuiback, seeded, "2026", "projects") == ["f-projects"]


def test_an_item_of_several_versions_is_one_find(tuiback: Tuiback, seeded: Path) -> None:
    """Shown as it was last."""
    (row,) = tuiback("search", "--home", seeded, "--json", "hello").rows
    assert (row["snapshot"], row["first_seen"][:10], row["last_seen"][:10]) == (2, "2026-11-20", "2026-11-22")
    assert row["size"] != len(FIRST_HELLO)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [([], 2), (["***"], 2), (['"open'], 2), (["size:5"], 2), (["from:"], 2), (["x", "--from", "whenever"], 2),
     (["x", "--kind", "mail"], 2), (["x", "--task", "none"], 6), (["x", "--account", "nobody"], 6)],
)  # fmt: skip
def test_what_can_not_be_searched(tuiback: Tuiback, seeded: Path, arguments: list[str], code: int) -> None:
    """One line says why, and stdout stays empty."""
    ended = tuiback("search", "--home", seeded, *arguments)
    assert (ended.code, ended.out, ended.err.count("\n")) == (code, b"", 1)


def test_a_table_for_people(tuiback: Tuiback, seeded: Path) -> None:
    """Nothing that a stranger wrote acts on the terminal; nothing found prints nothing."""
    ended = tuiback("search", "--home", seeded, "2jred")
    assert ended.code == 0
    assert b"Projects%2F2026" in ended.out
    assert b"\x1b" not in ended.out
    assert tuiback("search", "--home", seeded, "nosuchword").out == b""


def test_what_is_not_indexed_is_told(tuiback: Tuiback, seeded: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where too much is missing to do it first, stderr says how much; stdout is what is known."""
    with monkeypatch.context() as small:
        small.setattr("tuiback.cli.searching._FILLED_FIRST", 3)
        ended = tuiback("search", "--home", seeded, "--json", "hello")
    assert (ended.code, ended.out) == (0, b"")
    assert "8 items are not indexed yet" in ended.err
    assert ids(tuiback, seeded, "hello") == ["m-hello"]
    assert "indexed" not in tuiback("search", "--home", seeded, "hello").err


def test_status_tells_what_is_not_indexed(tuiback: Tuiback, seeded: Path) -> None:
    """Until it is."""
    assert tuiback("status", "--home", seeded, "--json").document["storage"][0]["search_lag"] == 8
    assert b"8 items are not indexed yet" in tuiback("status", "--home", seeded).out
    assert ids(tuiback, seeded, "hello") == ["m-hello"]
    assert tuiback("status", "--home", seeded, "--json").document["storage"][0]["search_lag"] == 0
    assert b"indexed" not in tuiback("status", "--home", seeded).out
