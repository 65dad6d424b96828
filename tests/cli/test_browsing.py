"""Tests of points, ls and cat on a home filled by hand."""

import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import Tuiback
from tests.cli.seed import ADDRESS, DRIVE, FIRST_HELLO, GONE, HOSTILE, MAILBOX, PLAN, SECOND_HELLO


def paths(tuiback: Tuiback, home: Path, *arguments: str) -> list[str]:
    """The paths that ls lists."""
    return [row["path"] for row in tuiback("ls", "--home", home, "--json", *arguments).rows]


def test_points(tuiback: Tuiback, seeded: Path) -> None:
    """Recovery points come newest first, one object a line, with all their fields."""
    rows = tuiback("points", "--home", seeded, "--json", MAILBOX).rows
    assert rows[0] == {
        "schema": "tuiback.points/1", "snapshot": 2, "taken_at": "2026-11-22T22:00:00Z",
        "verified_until": "2026-11-22T22:00:00Z", "run": 2, "items": 2, "bytes": 14 + len(SECOND_HELLO),
        "outcome": "partial",
    }  # fmt: skip
    assert [row["snapshot"] for row in rows] == [2, 1]


def test_a_name_that_fits_two_accounts(tuiback: Tuiback, seeded: Path) -> None:
    """One person's address names mailbox and drive: exit 6 with both, told apart by the prefix."""
    ended = tuiback("points", "--home", seeded, "--json", ADDRESS)
    assert ended.code == 6
    assert ended.document["code"] == "ambiguous"
    for kind in ("mailbox", "drive"):
        assert f"{kind}:{ADDRESS}" in ended.document["what"]
    for text in (f"mailbox:{ADDRESS.upper()}", f"mailbox:{'Eve'}", MAILBOX):
        assert tuiback("points", "--home", seeded, text).code == 0
    assert len(tuiback("points", "--home", seeded, "--json", ADDRESS, "--task", "files").rows) == 1


def test_ls_of_a_folder(tuiback: Tuiback, seeded: Path) -> None:
    """A row has all fields of the contract; the slash in a name is escaped in its path."""
    rows = tuiback("ls", "--home", seeded, "--json", MAILBOX).rows
    assert [row["path"] for row in rows] == ["Posteingang", "Projects%2F2026"]
    assert rows[1] == {
        "schema": "tuiback.ls/1", "id": "f-projects", "account_id": MAILBOX, "kind": "folder",
        "path": "Projects%2F2026", "name": "Projects/2026", "size": 0, "modified": "2026-11-20T10:00:00Z",
        "versions": 1, "snapshot": 2, "deleted_at": None,
    }  # fmt: skip


def test_ls_at_a_point(tuiback: Tuiback, seeded: Path) -> None:
    """What was deleted since is there at the earlier point, and not at the later."""
    for point in ("#1", "1", "2026-11-21", "2026-11-20T23:00Z"):
        assert paths(tuiback, seeded, MAILBOX, "@inbox", "--at", point) == ["Posteingang/gone", "Posteingang/hello"]
    for point in ("#2", "latest", "2026-11-23"):
        assert paths(tuiback, seeded, MAILBOX, "@inbox/", "--at", point) == ["Posteingang/hello"]
    assert tuiback("ls", "--home", seeded, MAILBOX, "--at", "2026-11-19").code == 6
    assert tuiback("ls", "--home", seeded, MAILBOX, "--at", "#3").code == 6
    assert tuiback("ls", "--home", seeded, MAILBOX, "--at", "whenever").code == 2


def test_ls_below(tuiback: Tuiback, seeded: Path) -> None:
    """-R lists everything below; --kind and --limit choose among it."""
    everything = paths(tuiback, seeded, MAILBOX, "-R")
    assert sorted(everything) == [
        "Posteingang", "Posteingang/hello", "Projects%2F2026", f"Projects%2F2026/{HOSTILE}",
    ]  # fmt: skip
    assert paths(tuiback, seeded, MAILBOX, "-R", "--kind", "folder") == ["Posteingang", "Projects%2F2026"]
    assert paths(tuiback, seeded, MAILBOX, "-R", "--limit", "1") == everything[:1]
    assert paths(tuiback, seeded, DRIVE, "Docs", "-R") == ["Docs/plan.txt"]


def test_ls_of_an_item(tuiback: Tuiback, seeded: Path) -> None:
    """A path that names an item lists that item."""
    (row,) = tuiback("ls", "--home", seeded, "--json", MAILBOX, "Posteingang/hello").rows
    assert (row["id"], row["versions"], row["size"]) == ("m-hello", 2, len(SECOND_HELLO))


@pytest.mark.parametrize("arguments", [["@inbox"], ["-R"]])
def test_ls_of_what_was_deleted(tuiback: Tuiback, seeded: Path, arguments: list[str]) -> None:
    """--deleted shows when an item went, and the point that still has it."""
    (row,) = tuiback("ls", "--home", seeded, "--json", "--deleted", MAILBOX, *arguments).rows
    assert row["id"] == "m-gone"
    assert row["path"] == "Posteingang/gone"
    assert row["deleted_at"] == "2026-11-22T22:00:00Z"
    assert tuiback("cat", "--home", seeded, MAILBOX, row["path"], "--at", str(row["snapshot"])).out == GONE


def test_hostile_names_do_not_reach_the_terminal(tuiback: Tuiback, seeded: Path) -> None:
    """Neither the table nor the JSON carries a sender's escape sequence."""
    for extra in ([], ["--json"]):
        ended = tuiback("ls", "--home", seeded, MAILBOX, "-R", *extra)
        assert b"red" in ended.out
        assert b"\x1b" not in ended.out
        assert "\u202e" not in ended.out.decode()


def test_cat(tuiback: Tuiback, seeded: Path) -> None:
    """A message comes as EML, a file as it is, byte for byte, at any point."""
    assert tuiback("cat", "--home", seeded, MAILBOX, "@inbox/hello").out == SECOND_HELLO
    assert tuiback("cat", "--home", seeded, MAILBOX, "@inbox/hello", "--at", "#1").out == FIRST_HELLO
    assert tuiback("cat", "--home", seeded, DRIVE, "Docs/plan.txt").out == PLAN


def test_cat_by_id(tuiback: Tuiback, seeded: Path) -> None:
    """An id without a point means the last version that existed, also of what is deleted."""
    assert tuiback("cat", "--home", seeded, MAILBOX, "--id", "m-gone").out == GONE
    assert tuiback("cat", "--home", seeded, MAILBOX, "--id", "m-hello", "--at", "#1").out == FIRST_HELLO
    assert tuiback("cat", "--home", seeded, MAILBOX, "--id", "m-gone", "--at", "#2").code == 6


@pytest.mark.parametrize(
    ("arguments", "code"),
    [([MAILBOX], 2), ([MAILBOX, "@inbox"], 2), ([MAILBOX, "/"], 2), ([MAILBOX, "@inbox/none"], 6),
     ([MAILBOX, "x", "--id", "y"], 2), (["nobody@acme.example", "x"], 6)],
)  # fmt: skip
def test_cat_of_what_is_no_item(tuiback: Tuiback, seeded: Path, arguments: list[str], code: int) -> None:
    """Folders, accounts and what isn't there have no bytes; stdout stays empty."""
    ended = tuiback("cat", "--home", seeded, *arguments)
    assert (ended.code, ended.out, ended.err.count("\n")) == (code, b"", 1)


def test_damage_is_9(tuiback: Tuiback, seeded: Path) -> None:
    """A pack that is not what was written is found by cat and by check; the rest is still told."""
    for pack in (seeded / "repository" / "packs").rglob("*"):
        if pack.is_file():
            data = bytearray(pack.read_bytes())
            data[len(data) // 3] ^= 1
            pack.chmod(0o600)
            pack.write_bytes(data)
    ended = tuiback("cat", "--home", seeded, MAILBOX, "@inbox/hello")
    assert ended.code == 9
    checked = tuiback("check", "--home", seeded, "--read-data", "--json")
    assert checked.code == 9
    assert checked.document["ok"] is False
    assert checked.document["damaged"] == len(checked.document["findings"]) > 0
    assert len(checked.err.splitlines()) <= 20


def test_an_unmounted_repository_is_7(tuiback: Tuiback, seeded: Path) -> None:
    """An empty folder in the repository's place is left empty; what the catalog knows is still listed."""
    shutil.rmtree(seeded / "repository")
    (seeded / "repository").mkdir()
    for line in (["cat", MAILBOX, "@inbox/hello"], ["check"], ["rebuild-catalog"], ["run", "mail"]):
        ended = tuiback("--home", seeded, *line)
        assert (ended.code, ended.err.count("\n")) == (7, 1)
        assert "mount" in ended.err
    assert list((seeded / "repository").iterdir()) == []
    assert tuiback("ls", "--home", seeded, MAILBOX).code == 0
