"""Brings a database to this program's version by numbered steps, and refuses one that is newer."""

import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tuiback.catalog.connection import write_transaction
from tuiback.errors import Damage, EnvironmentFault, FormatTooNew

if TYPE_CHECKING:
    from sqlite_utils import Database


class Migration(NamedTuple):
    """One step; `number` is the database's user_version afterwards."""

    number: int
    name: str
    function: "Callable[[Database], None]"


def version_of(connection: sqlite3.Connection) -> int:
    """The number of the last migration that the file has seen, 0 for an empty file."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return int(version)


def migrate(
    connection: sqlite3.Connection,
    path: Path,
    migrations: Sequence[Migration],
    on_step: Callable[[Migration], None] = lambda _: None,
) -> None:
    """Run the steps that the file has not seen, all in one transaction. Raises FormatTooNew.

    `on_step` is called before each. A file that holds something is brought up to date by tuiback.catalog.upgrading.
    """
    refuse_newer(connection, path, migrations)
    if version_of(connection) == migrations[-1].number:
        return
    # Imported only where a step runs: it costs 0.15 s.
    from sqlite_utils import Database

    database = Database(connection, execute_plugins=False)
    with write_transaction(connection):
        for migration in migrations[version_of(connection) :]:
            on_step(migration)
            migration.function(database)
            connection.execute(f"PRAGMA user_version = {migration.number}")


def refuse_missing(path: Path) -> None:
    """Raise EnvironmentFault when there is no such file."""
    if not path.exists():
        raise EnvironmentFault("the catalog is missing", str(path), "run tuiback rebuild-catalog")


def refuse_empty(connection: sqlite3.Connection, path: Path) -> None:
    """Raise Damage when no migration has run, as after a crash while the file was made."""
    if not version_of(connection):
        raise Damage("the file is empty", str(path), "run tuiback rebuild-catalog")


def refuse_newer(connection: sqlite3.Connection, path: Path, migrations: Sequence[Migration]) -> None:
    """Raise FormatTooNew when a newer tuiback has written the file."""
    version, newest = version_of(connection), migrations[-1].number
    if version > newest:
        raise FormatTooNew(
            f"has version {version}, this tuiback knows {newest}", str(path), "install the newer tuiback again"
        )


def refuse_older(connection: sqlite3.Connection, path: Path, migrations: Sequence[Migration]) -> None:
    """Raise EnvironmentFault when a migration is still to run, which only the writer may do."""
    version, newest = version_of(connection), migrations[-1].number
    if version < newest:
        raise EnvironmentFault(
            f"has version {version} and needs {newest}",
            str(path),
            "start tuiback once to bring it up to date: its console, 'tuiback serve' or 'tuiback run --all'",
        )
