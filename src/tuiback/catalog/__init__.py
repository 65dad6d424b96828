"""The catalog: what the commits say, in SQLite, fast to ask; and state.db, what only this home knows."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tuiback.catalog.alert_book import AlertBook
    from tuiback.catalog.audit import Audit
    from tuiback.catalog.catalog import Catalog
    from tuiback.catalog.check_dates import CheckDates, Coverage
    from tuiback.catalog.compare import same_content
    from tuiback.catalog.ended import EndedVersion
    from tuiback.catalog.paths import short_id
    from tuiback.catalog.reader import CatalogReader
    from tuiback.catalog.rows import (
        AccountOverview,
        AlertRow,
        Alias,
        DayGrowth,
        Entry,
        Hit,
        JobRow,
        JournalRow,
        MessageRow,
        Point,
        RunSavings,
        TaskTotals,
        Totals,
    )
    from tuiback.catalog.search_filling import SearchFiller
    from tuiback.catalog.search_query import SearchQuery, parse_query
    from tuiback.catalog.searching import SearchScope
    from tuiback.catalog.sieve import Sieve, SievedPack
    from tuiback.catalog.state import State
    from tuiback.catalog.tree import page_key
    from tuiback.catalog.upkeep import ChoreRow, Upkeep

__all__ = [
    "AccountOverview", "AlertBook", "AlertRow", "Alias", "Audit", "Catalog", "CatalogReader", "CheckDates",
    "ChoreRow", "Coverage", "DayGrowth", "EndedVersion", "Entry", "Hit", "JobRow", "JournalRow", "MessageRow",
    "Point", "RunSavings", "SearchFiller", "SearchQuery", "SearchScope", "Sieve", "SievedPack", "State", "TaskTotals",
    "Totals", "Upkeep", "page_key", "parse_query", "same_content", "short_id",
]

_PLACES = {
    "alert_book": ("AlertBook",),
    "audit": ("Audit",),
    "catalog": ("Catalog",),
    "check_dates": ("CheckDates", "Coverage"),
    "compare": ("same_content",),
    "ended": ("EndedVersion",),
    "paths": ("short_id",),
    "reader": ("CatalogReader",),
    "rows": (
        "AccountOverview", "AlertRow", "Alias", "DayGrowth", "Entry", "Hit", "JobRow", "JournalRow", "MessageRow",
        "Point", "RunSavings", "TaskTotals", "Totals",
    ),
    "search_filling": ("SearchFiller",),
    "search_query": ("SearchQuery", "parse_query"),
    "searching": ("SearchScope",),
    "sieve": ("Sieve", "SievedPack"),
    "state": ("State",),
    "tree": ("page_key",),
    "upkeep": ("ChoreRow", "Upkeep"),
}  # fmt: skip
_MODULES = {name: module for module, names in _PLACES.items() for name in names}


def __getattr__(name: str) -> object:
    """Load what is asked for when it is: `status` reads a catalog and needs nothing of what writes or searches one."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
