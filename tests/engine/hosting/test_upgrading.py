"""A home of an older tuiback is brought up to date as a whole, or left as it was; one of a newer tuiback is refused."""

import contextlib
import json
import sqlite3
from pathlib import Path

import pytest

from tests.cli.conftest import Tuiback, home, tuiback
from tests.engine.rig import SECRET, make_home
from tuiback.catalog import AlertBook, CatalogReader, alert_book, schema, state
from tuiback.catalog.migrations import Migration, migrate
from tuiback.catalog.upgrading import Versioned
from tuiback.engine.home import Home, alerts_path
from tuiback.engine.hosting.host import HomeLock
from tuiback.engine.hosting.link import host
from tuiback.engine.hosting.upgrading import bring_up_to_date, databases_of, find_older
from tuiback.engine.log_file import log_path
from tuiback.errors import EnvironmentFault, FormatTooNew, HomeBusy, StorageFull

__all__ = ["home", "tuiback"]


def make_old(opened: Home) -> None:
    """Put databases of version 1 in the place of the home's."""
    repository_id = opened.repository("main").repository_id
    for path, migrations in (
        (opened.catalog_path("main"), schema.MIGRATIONS),
        (opened.state_path("main"), state.MIGRATIONS),
    ):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            migrate(connection, path, migrations[:1])
            if migrations is schema.MIGRATIONS:
                connection.execute("INSERT INTO identity (repository_id) VALUES (?)", (repository_id,))


@pytest.fixture
def old(tmp_path: Path) -> Home:
    """A home whose catalog and state are of version 1; its alerts have never had another."""
    made = make_home(tmp_path)
    make_old(made)
    AlertBook.open(alerts_path(made)).close()
    return made


def versions(opened: Home) -> dict[str, int]:
    """The version of each database."""
    return {each.path.name: each.version() for each in databases_of(opened)}


OLD = {"catalog.db": 1, "state.db": 1, "alerts.db": 1}
NEW = {"catalog.db": len(schema.MIGRATIONS), "state.db": len(state.MIGRATIONS), "alerts.db": 1}


def test_all_that_is_older_is_brought_up_to_date(old: Home) -> None:
    """Catalogs first; what was done stands in the home's log, with the name of the copy."""
    words: list[str] = []
    bring_up_to_date(old, words.append)
    assert versions(old) == NEW
    files = [line.partition(":")[0] for line in words]
    assert list(dict.fromkeys(files)) == ["catalog.db", "state.db", ""]
    assert words[-1] == ""
    log = [json.loads(line) for line in log_path(old.path).read_text().splitlines()]
    assert [line["subject"] for line in log] == ["upgrade", "upgrade"]
    assert f"before that it was {old.state_path('main')}.version-1" in log[1]["text"]
    bring_up_to_date(old, words.append)
    assert len(log_path(old.path).read_text().splitlines()) == 2


def test_there_must_be_room_for_all_before_the_first(old: Home) -> None:
    """Enough for one of them is not enough; the older tuiback still finds every file as it was."""
    with pytest.raises(StorageFull, match=r"catalog.db, state.db up to date needs 3\d MB"):
        bring_up_to_date(old, free_bytes=lambda _: 20_000_000)
    assert versions(old) == OLD
    assert not list(old.path.rglob("*.version-*"))
    assert '"level":"error"' in log_path(old.path).read_text()
    HomeLock(old.path).release()


def test_what_fails_at_the_catalog_leaves_the_others_alone(old: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """The older tuiback can be installed again; once the trouble is over an engine starts."""

    def broken(_: object) -> None:
        raise ZeroDivisionError

    steps = (*schema.MIGRATIONS[:1], Migration(2, "broken", broken))
    with monkeypatch.context() as patch:
        patch.setattr(schema, "MIGRATIONS", steps)
        with pytest.raises(EnvironmentFault, match="is as it was"):
            host(old, "run", lambda _: SECRET)
    assert versions(old) == OLD
    host(old, "run", lambda _: SECRET).close()
    assert versions(old) == NEW
    CatalogReader(old.catalog_path("main")).close()


def test_while_an_engine_holds_the_home(old: Home) -> None:
    """Nothing is changed under an older tuiback that still runs."""
    lock = HomeLock(old.path)
    with pytest.raises(HomeBusy):
        bring_up_to_date(old)
    lock.release()
    assert versions(old) == OLD


def test_a_newer_file_among_older_ones(old: Home) -> None:
    """A home that is half another's is not touched."""
    with contextlib.closing(sqlite3.connect(alerts_path(old))) as connection:
        connection.execute("PRAGMA user_version = 9")
    with pytest.raises(FormatTooNew, match="has version 9, this tuiback knows 1"):
        bring_up_to_date(old)
    assert versions(old) == OLD | {"alerts.db": 9}


def test_order_and_missing_files(old: Home) -> None:
    """A database that was never made is none that is older."""
    assert [each.path.name for each in find_older(old)] == ["catalog.db", "state.db"]
    old.state_path("main").unlink()
    assert [each.path.name for each in databases_of(old)] == ["catalog.db", "alerts.db"]
    assert Versioned(old.state_path("main"), state.MIGRATIONS).version() == 0
    assert len(alert_book.MIGRATIONS) == 1


def test_an_older_program_meets_a_newer_home(tuiback: Tuiback, home: Path) -> None:
    """Whatever is newer, every verb ends with the environment's code and says what to do."""
    catalog = Home.open(home).catalog_path("main")
    with contextlib.closing(sqlite3.connect(catalog)) as connection:
        connection.execute("PRAGMA user_version = 99")
    for verb in (("status",), ("run", "--all"), ("prune", "--dry-run"), ("task", "list")):
        ended = tuiback("--json", "--home", home, *verb)
        assert (ended.code, ended.document["code"]) == (7, "format_too_new"), verb
        assert "install the newer tuiback" in ended.document["remedy"]
    (home / "home.json").write_text('{"version": 99}')
    ended = tuiback("--json", "--home", home, "status")
    assert (ended.code, ended.document["code"]) == (7, "format_too_new")


def test_a_newer_program_meets_an_older_home(tuiback: Tuiback, home: Path) -> None:
    """Who only looks says what to do; whatever starts an engine does it, and then everybody can look."""
    make_old(Home.open(home))
    refused = tuiback("--json", "--home", home, "status")
    assert (refused.code, "start tuiback once" in refused.document["remedy"]) == (7, True)
    assert tuiback("--home", home, "prune", "--dry-run").code == 0
    assert tuiback("--json", "--home", home, "status").code == 0
    assert versions(Home.open(home)) == NEW
