import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlite_utils import Database

from tuiback.catalog import Catalog, CatalogReader, same_content
from tuiback.catalog.migrations import Migration, migrate, refuse_older, version_of
from tuiback.catalog.schema import MIGRATIONS
from tuiback.errors import EnvironmentFault, FormatTooNew

from .build import Writer, version


def _make(database: Database) -> None:
    database.create_table("things", {"name": str})
    database.table("things").insert({"name": "kept"})


def _widen(database: Database) -> None:
    database.table("things").add_column("size", int, not_null_default=7)


def _fail(database: Database) -> None:
    database.create_table("half", {"name": str})
    raise ZeroDivisionError


STEPS = (Migration(1, "make", _make), Migration(2, "widen", _widen))


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    """An empty database."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    yield connection
    connection.close()


def test_only_the_steps_not_yet_seen_are_run(connection: sqlite3.Connection) -> None:
    """A file of version 1 keeps its rows and gets what version 2 adds; a third time nothing happens."""
    migrate(connection, Path("x"), STEPS[:1])
    for _ in range(2):
        migrate(connection, Path("x"), STEPS)
        assert version_of(connection) == 2
        assert connection.execute("SELECT name, size FROM things").fetchall() == [("kept", 7)]


def test_a_step_that_fails_leaves_the_file_as_it_was(connection: sqlite3.Connection) -> None:
    """All steps are one transaction."""
    migrate(connection, Path("x"), STEPS[:1])
    with pytest.raises(ZeroDivisionError):
        migrate(connection, Path("x"), (*STEPS, Migration(3, "fail", _fail)))
    assert version_of(connection) == 1
    assert connection.execute("SELECT name FROM sqlite_schema").fetchall() == [("things",)]


def test_newer_and_older_files_are_refused(connection: sqlite3.Connection) -> None:
    """The writer refuses what it doesn't know, a reader also what it may not bring up to date."""
    migrate(connection, Path("x"), STEPS)
    with pytest.raises(FormatTooNew, match="x: has version 2, this tuiback knows 1"):
        migrate(connection, Path("x"), STEPS[:1])
    refuse_older(connection, Path("x"), STEPS)
    with pytest.raises(EnvironmentFault, match="start tuiback once"):
        refuse_older(connection, Path("x"), (*STEPS, Migration(3, "more", _make)))


def test_migrations_are_numbered_from_one() -> None:
    """The number is the position, which migrate() counts on."""
    assert [migration.number for migration in MIGRATIONS] == list(range(1, len(MIGRATIONS) + 1))


def test_a_catalog_of_version_one_is_brought_up_to_date(tmp_path: Path) -> None:
    """It ends with the same tables and content as one made today, and goes on being written."""
    old, new, writer = tmp_path / "old.db", tmp_path / "new.db", Writer()
    connection = sqlite3.connect(old, isolation_level=None)
    migrate(connection, old, MIGRATIONS[:1])
    connection.execute("INSERT INTO identity (repository_id) VALUES ('repo-1')")
    connection.close()
    catalogs = Catalog.open(old), Catalog.create(new, "repo-1")
    writer.commit(versions=(version("m", 1),))
    for catalog in catalogs:
        writer.replay(catalog)
        catalog.close()
    assert same_content(old, new) == []
    schemas = []
    for path in (old, new):
        connection = sqlite3.connect(path)
        schemas.append(connection.execute("SELECT type, name, sql FROM sqlite_schema ORDER BY 1, 2").fetchall())
        connection.close()
    assert schemas[0] == schemas[1]
    CatalogReader(old).close()
