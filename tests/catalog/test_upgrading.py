"""An older database is brought up to date with room for it, behind a copy, and all or nothing, wherever that ends."""

import contextlib
import errno
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlite_utils import Database

from tuiback.catalog import Catalog, upgrading
from tuiback.catalog.migrations import Migration, migrate
from tuiback.catalog.schema import MIGRATIONS
from tuiback.catalog.upgrading import Versioned, copies_of, refuse_without_room, upgrade
from tuiback.errors import Damage, EnvironmentFault, StorageFull, TuibackError

ROOT = Path(__file__).parents[2]
DIE = "TUIBACK_TEST_DIES_AT"
# What happens in an upgrade, in this order.
MOMENTS = ("copying", "copied", "step 2", "in step 2", "step 3", "done")


def reach(moment: str) -> None:
    """Come to a moment of an upgrade; a process that is to die there does."""
    if os.environ.get(DIE) == moment:
        os.kill(os.getpid(), signal.SIGKILL)


def _make(database: Database) -> None:
    database.execute("CREATE TABLE things (name TEXT)")
    database.execute("INSERT INTO things VALUES ('kept')")


def _widen(database: Database) -> None:
    database.execute("ALTER TABLE things ADD COLUMN size INTEGER NOT NULL DEFAULT 7")
    reach("in step 2")


def _more(database: Database) -> None:
    database.execute("CREATE TABLE more (name TEXT)")


STEPS = (Migration(1, "make", _make), Migration(2, "widen", _widen), Migration(3, "more", _more))


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A file of version 1, in WAL mode like all of ours."""
    path = tmp_path / "catalog.db"
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        migrate(connection, path, STEPS[:1])
    return path


def content(path: Path) -> tuple[int, list[tuple[object, ...]]]:
    """The version and the rows."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        return version, connection.execute("SELECT * FROM things").fetchall()


OLD: tuple[int, list[tuple[object, ...]]] = (1, [("kept",)])
NEW: tuple[int, list[tuple[object, ...]]] = (3, [("kept", 7)])


def test_a_copy_is_made_and_every_step_told(old: Path) -> None:
    """The copy is the file as it was, for its owner only; a second time there is nothing to do."""
    words: list[str] = []
    copy = upgrade(Versioned(old, STEPS), words.append)
    assert copy == old.with_name("catalog.db.version-1")
    assert (content(copy), content(old)) == (OLD, NEW)
    assert copy.stat().st_mode & 0o777 == 0o600
    assert words[-3:] == [
        "catalog.db: copying, 100 %", "catalog.db: step 2 of 3, widen", "catalog.db: step 3 of 3, more",
    ]  # fmt: skip
    assert upgrade(Versioned(old, STEPS), words.append) is None
    assert len(words) == 3
    assert upgrade(Versioned(old.with_name("none.db"), STEPS)) is None


def test_one_copy_is_kept(old: Path) -> None:
    """The newest; those of earlier upgrades go once this one has succeeded."""
    upgrade(Versioned(old, STEPS[:2]))
    copy = upgrade(Versioned(old, STEPS))
    assert copies_of(old) == [copy] == [old.with_name("catalog.db.version-2")]


def test_without_room_nothing_is_begun(old: Path) -> None:
    """How much is missing and where is told; a copy that is of no use any more counts as room."""
    before = old.read_bytes()
    with pytest.raises(StorageFull) as refused:
        upgrade(Versioned(old, STEPS), free_bytes=lambda _: 5_000_000)
    assert "catalog.db up to date needs 16 MB on its volume, 5 MB are free; nothing was changed" in refused.value.what
    assert (refused.value.subject, "free 11 MB there" in refused.value.remedy) == (str(old.parent), True)
    assert (old.read_bytes(), copies_of(old)) == (before, [])
    half = old.with_name("catalog.db.version-1.new")
    with half.open("wb") as file:
        file.truncate(12_000_000)
    refuse_without_room([Versioned(old, STEPS)], lambda _: 5_000_000)
    with pytest.raises(StorageFull):
        refuse_without_room([Versioned(old, STEPS)] * 2, lambda _: 5_000_000)
    assert half.exists()


def _failing(error: Exception, at: str = "") -> Callable[..., None]:
    def fail(*arguments: object) -> None:
        if at in str(arguments):
            raise error

    return fail


def _unfit(database: Database) -> None:
    database.execute("INSERT INTO nothing VALUES (1)")


def _full(database: Database) -> None:
    database.execute("PRAGMA max_page_count = 1")
    database.execute("CREATE TABLE large AS SELECT randomblob(100000)")


@pytest.mark.parametrize(
    ("breaks", "steps", "kind"),
    [
        ("fsync", STEPS, StorageFull),
        ("rename", STEPS, StorageFull),
        ("told", STEPS, StorageFull),
        ("", (*STEPS, Migration(4, "unfit", _unfit)), EnvironmentFault),
        ("", (*STEPS, Migration(4, "full", _full)), StorageFull),
        ("", (*STEPS, Migration(4, "buggy", _failing(ZeroDivisionError("oops")))), EnvironmentFault),
    ],
    ids=["fsync", "rename", "copying", "statement", "full", "bug"],
)
def test_whatever_fails_leaves_the_file_as_it_was(
    old: Path, monkeypatch: pytest.MonkeyPatch, breaks: str, steps: tuple[Migration, ...], kind: type[TuibackError]
) -> None:
    """It says so, names the file, and once the trouble is over the next call goes through."""
    full = OSError(errno.ENOSPC, "No space left on device")
    with monkeypatch.context() as patch:
        if breaks == "fsync":
            patch.setattr(os, "fsync", _failing(full))
        if breaks == "rename":
            patch.setattr(Path, "rename", _failing(full))
        with pytest.raises(kind, match=f"could not be brought to version {steps[-1].number} and is as it was") as told:
            upgrade(Versioned(old, steps), _failing(full, "copying") if breaks == "told" else lambda _: None)
    assert (told.value.subject, told.value.exit_code) == (str(old), 7)
    assert content(old) == OLD
    assert not list(old.parent.glob("*.new"))
    upgrade(Versioned(old, STEPS))
    assert (content(old), content(old.with_name("catalog.db.version-1"))) == (NEW, OLD)


def test_who_else_has_it_open_is_left_alone(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine of the older tuiback still runs: nothing changes under it."""
    monkeypatch.setattr(upgrading, "_ALONE_SECONDS", 0.0)
    with contextlib.closing(sqlite3.connect(old)) as engine:
        engine.execute("SELECT * FROM things").fetchall()
        with pytest.raises(EnvironmentFault, match="no other tuiback runs"):
            upgrade(Versioned(old, STEPS))
    assert (content(old), copies_of(old)) == (OLD, [])


def test_another_process_was_faster(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the look and the lock: there is nothing left to do, and its copy stays."""
    database = Versioned(old, STEPS)
    open_alone = upgrading._open_alone

    def slow(path: Path) -> sqlite3.Connection:
        monkeypatch.setattr(upgrading, "_open_alone", open_alone)
        assert upgrade(database) is not None
        return open_alone(path)

    monkeypatch.setattr(upgrading, "_open_alone", slow)
    assert upgrade(database) is None
    assert content(old.with_name("catalog.db.version-1")) == OLD


@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_at_any_moment(old: Path, moment: str) -> None:
    """The file is the old one or the new one, and the next start makes it the new one, with one copy of the old."""
    code = f"from {__name__} import die_in_upgrade; die_in_upgrade({str(old)!r})"
    died = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, DIE: moment}, cwd=ROOT, timeout=60, check=False
    )
    assert died.returncode == -signal.SIGKILL
    assert (old.with_name("catalog.db.version-1.new").exists()) == (moment == "copying")
    # Looking at the file would tidy it up; the next start may not count on that.
    beside = old.with_name("look")
    beside.mkdir()
    for file in old.parent.glob("catalog.db*"):
        shutil.copy(file, beside)
    assert content(beside / old.name) == (NEW if moment == "done" else OLD)
    shutil.rmtree(beside)
    upgrade(Versioned(old, STEPS))
    assert content(old) == NEW
    assert copies_of(old) == [old.with_name("catalog.db.version-1")]
    assert content(copies_of(old)[0]) == OLD


def die_in_upgrade(path: str) -> None:
    """Run in a process of its own: upgrade the file and die at the moment that the environment names."""

    def told(words: str) -> None:
        for moment in ("copying", "step 2", "step 3"):
            if moment in words:
                reach(moment)

    rename = Path.rename

    def copied(half: Path, copy: Path) -> Path:
        renamed = rename(half, copy)
        reach("copied")
        return renamed

    Path.rename = copied  # type: ignore[assignment, method-assign]
    upgrade(Versioned(Path(path), STEPS), told)
    reach("done")


def test_what_expired_is_in_no_copy(tmp_path: Path) -> None:
    """Writing the catalog anew, as a prune does, ends its copies: they name what is gone."""
    path = tmp_path / "catalog.db"
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        migrate(connection, path, MIGRATIONS[:1])
        connection.execute("INSERT INTO identity (repository_id) VALUES ('repo-1')")
    catalog = Catalog.open(path)
    assert copies_of(path) == [tmp_path / "catalog.db.version-1"]
    catalog.compact()
    catalog.close()
    assert copies_of(path) == []


def test_a_file_that_is_none(tmp_path: Path) -> None:
    """It is told as ever, and no copy of it is made."""
    path = tmp_path / "catalog.db"
    path.write_bytes(b"no database, though it is long enough to be one" * 100)
    with pytest.raises(Damage):
        upgrade(Versioned(path, STEPS))
    assert copies_of(path) == []
