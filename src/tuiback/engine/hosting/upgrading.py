"""Brings all databases of a home that an older tuiback left to this one's version, before an engine opens them."""

from collections.abc import Callable
from pathlib import Path

from tuiback.catalog import alert_book, schema, state
from tuiback.catalog.upgrading import Versioned, disk_free, refuse_without_room, upgrade
from tuiback.engine.activity import Activity
from tuiback.engine.clock import SystemClock
from tuiback.engine.home import Home, alerts_path
from tuiback.engine.log_file import LogFile
from tuiback.errors import TuibackError


def databases_of(home: Home) -> list[Versioned]:
    """Every database of the home that is there, in the order in which they are brought up to date.

    Catalogs first: where the largest fails, the older tuiback still finds all the others as they were.
    """
    names = list(home.repositories)
    found = [Versioned(home.catalog_path(name), schema.MIGRATIONS) for name in names]
    found += [Versioned(home.state_path(name), state.MIGRATIONS) for name in names]
    found.append(Versioned(alerts_path(home), alert_book.MIGRATIONS))
    return [each for each in found if each.path.exists()]


def find_older(home: Home) -> list[Versioned]:
    """The databases that an older tuiback made. Raises FormatTooNew where a newer one made any of the others."""
    databases = databases_of(home)
    older = [each for each in databases if each.is_older()]
    if older:
        for each in databases:
            each.refuse_newer()
    return older


def bring_up_to_date(
    home: Home,
    told: Callable[[str], None] = lambda _: None,
    free_bytes: Callable[[Path], int] = disk_free,
) -> None:
    """Upgrade what is older, for all of which there must be room before the first is touched.

    `told` is told each step in words, and "" at the end; the home's log is told what was done. Raises StorageFull and
    other EnvironmentFaults, with each file whole and as it was; HomeBusy while an engine holds the home.
    """
    if not find_older(home):
        return
    from tuiback.engine.hosting.host import HomeLock

    activity = Activity(SystemClock(), LogFile(home.path))
    lock = HomeLock(home.path)
    try:
        # Another process may have been faster.
        older = find_older(home)
        refuse_without_room(older, free_bytes)
        for each in older:
            before = each.version()
            copy = upgrade(each, told, free_bytes)
            activity.add(
                "info", "upgrade", f"{each.path} went from version {before} to {each.newest}; before that it was {copy}"
            )
    except TuibackError as error:
        activity.add("error", "upgrade", str(error))
        raise
    finally:
        told("")
        lock.release()
