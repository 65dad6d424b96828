"""Tests of export and of what restore is told, on a home filled by hand."""

import hashlib
import json
from pathlib import Path

import pytest

from tests.cli.conftest import Tuiback
from tests.cli.seed import ADDRESS, DRIVE, FIRST_HELLO, GONE, MAILBOX, PLAN, SECOND_HELLO
from tuiback.cli.engaging import secret_source
from tuiback.cli.recovery import _find
from tuiback.engine.archives.view import View
from tuiback.engine.commands import Selection
from tuiback.engine.home import ClosedHome, Home
from tuiback.engine.hosting.link import host
from tuiback.engine.restores.naming import Wanted, get_target, select
from tuiback.errors import Ambiguous, NoSuchThing, UsageError


def contents(folder: Path) -> list[bytes]:
    """The content of every exported file, without the manifest."""
    return sorted(path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.parent != folder)


def wanted(account: str = MAILBOX, *paths: str, ids: tuple[str, ...] = (), at: str | None = None) -> Wanted:
    """What a line names."""
    return Wanted(account, paths, ids, None, at)


@pytest.fixture
def view(seeded: Path) -> View:
    """Sight of the seeded home."""
    return View(Home.open(seeded))


def test_selections(view: View) -> None:
    """No path is everything at the point; paths and ids are items, each once; the root is everything again."""
    assert select(view, wanted()) == Selection(account_id=MAILBOX, seq=2)
    assert select(view, wanted(MAILBOX, at="#1")) == Selection(account_id=MAILBOX, seq=1)
    both = select(view, wanted(MAILBOX, "@inbox/hello", "@inbox", "Posteingang/hello", ids=("m-hostile",)))
    assert both.item_ids == ("m-hostile", "m-hello", "f-inbox")
    assert select(view, wanted(MAILBOX, "@inbox", "/")).item_ids == ()


def test_ids_without_a_point_are_the_last_versions(view: View) -> None:
    """A deleted item comes from the last point that shows it; ids of different points need one named."""
    assert select(view, wanted(ids=("m-gone",))) == Selection(account_id=MAILBOX, seq=1, item_ids=("m-gone",))
    assert select(view, wanted(ids=("m-hello",))).seq == 2
    with pytest.raises(UsageError, match="--at"):
        select(view, wanted(ids=("m-gone", "m-hello")))
    assert select(view, wanted(ids=("m-gone", "m-hello"), at="#1")).item_ids == ("m-gone", "m-hello")
    with pytest.raises(NoSuchThing):
        select(view, wanted(ids=("m-gone",), at="#2"))


def test_a_target_is_of_the_source_s_kind(view: View) -> None:
    """An address alone, which mailbox and drive share, means the one that the source is; a kind or an id is obeyed."""
    assert get_target(view, ADDRESS, MAILBOX) == MAILBOX
    assert get_target(view, ADDRESS, DRIVE) == DRIVE
    assert get_target(view, f"drive:{ADDRESS}", MAILBOX) == DRIVE
    assert get_target(view, DRIVE, MAILBOX) == DRIVE
    with pytest.raises(Ambiguous):
        get_target(view, ADDRESS, "archive:eve-archive")
    with pytest.raises(NoSuchThing):
        get_target(view, "nobody@acme.example", MAILBOX)


def test_the_engine_finds_what_others_name(seeded: Path, view: View) -> None:
    """Whoever can't read the files of the home gets the same selections from its engine, and the same refusals."""
    closed = ClosedHome(seeded)
    engine = host(Home.open(seeded), "serve", secret_source())
    try:
        for asked in (wanted(), wanted(MAILBOX, "@inbox/hello", at="#1"), wanted(ids=("m-gone",))):
            assert _find(closed, asked, None) == (select(view, asked), None)
        assert _find(closed, wanted(at="1 minute ago"), DRIVE)[1] == DRIVE
        assert _find(closed, wanted(DRIVE), ADDRESS)[1] == DRIVE
        with pytest.raises(NoSuchThing, match="no such account"):
            _find(closed, wanted("mailbox:nobody@x.example"))
    finally:
        engine.close()


def test_export(tuiback: Tuiback, seeded: Path, tmp_path: Path) -> None:
    """A mailbox comes out byte for byte, beside a manifest of hashes that isn't counted."""
    out = tmp_path / "out"
    ended = tuiback("--json", "--home", seeded, "export", MAILBOX, "@inbox", "--to", out)
    assert ended.code == 0
    assert {name: ended.document[name] for name in ("schema", "outcome", "files", "bytes")} == {
        "schema": "tuiback.export/1", "outcome": "ok", "files": 1, "bytes": len(SECOND_HELLO),
    }  # fmt: skip
    assert contents(out) == [SECOND_HELLO]
    (line,) = (out / "tuiback-manifest.jsonl").read_text().splitlines()
    assert json.loads(line)["sha256"] == hashlib.sha256(SECOND_HELLO).hexdigest()


def test_export_of_a_point(tuiback: Tuiback, seeded: Path, tmp_path: Path) -> None:
    """The earlier point still has what was deleted and changed."""
    assert tuiback("--home", seeded, "export", MAILBOX, "--at", "#1", "--to", tmp_path / "out").code == 0
    assert {FIRST_HELLO, GONE} <= set(contents(tmp_path / "out"))
    assert tuiback("--home", seeded, "export", DRIVE, "--to", tmp_path / "files").code == 0
    assert contents(tmp_path / "files") == [PLAN]


def test_export_of_what_is_not_there(tuiback: Tuiback, seeded: Path, tmp_path: Path) -> None:
    """Unknown accounts, paths and forms are told before anything is written."""
    out = tmp_path / "out"
    assert tuiback("--home", seeded, "export", "nobody", "--to", out).code == 6
    assert tuiback("--home", seeded, "export", MAILBOX, "@inbox/none", "--to", out).code == 6
    assert tuiback("--home", seeded, "export", MAILBOX, "--to", out, "--format", "mbox").code == 2
    assert tuiback("--home", seeded, "export", MAILBOX).code == 2
    assert not out.exists()


@pytest.mark.parametrize(
    "arguments",
    [["--to", "site:x"], ["--to", "account:"], ["--place", "exact"], ["--place", "new-folder:"],
     ["--on-conflict", "overwrite"], ["--on-conflict", "clobber"]],
)  # fmt: skip
def test_restores_that_are_refused(tuiback: Tuiback, seeded: Path, arguments: list[str]) -> None:
    """Targets and places of later versions, and overwriting without --yes off a terminal, are wrong usage."""
    ended = tuiback("--json", "--home", seeded, "restore", MAILBOX, "@inbox", *arguments)
    assert (ended.code, ended.document["exit"], ended.err.count("\n")) == (2, 2, 1)


def test_a_restore_to_nobody(tuiback: Tuiback, seeded: Path) -> None:
    """The target account must be known."""
    assert tuiback("--home", seeded, "restore", MAILBOX, "--to", "account:nobody").code == 6
