"""The catalog: what the commits say, in SQLite, fast to ask; and state.db, what only this home knows."""

from tuiback.catalog.audit import Audit
from tuiback.catalog.catalog import Catalog
from tuiback.catalog.check_dates import CheckDates, Coverage
from tuiback.catalog.compare import same_content
from tuiback.catalog.ended import EndedVersion
from tuiback.catalog.paths import short_id
from tuiback.catalog.reader import CatalogReader
from tuiback.catalog.rows import (
    AccountOverview,
    Alias,
    AuditRow,
    DayGrowth,
    Entry,
    Hit,
    JobRow,
    JournalRow,
    Point,
    TaskTotals,
    Totals,
)
from tuiback.catalog.search_filling import SearchFiller
from tuiback.catalog.search_query import SearchQuery, parse_query
from tuiback.catalog.searching import SearchScope
from tuiback.catalog.sieve import Sieve, SievedPack
from tuiback.catalog.state import State
from tuiback.catalog.tree import page_key

__all__ = [
    "AccountOverview", "Alias", "Audit", "AuditRow", "Catalog", "CatalogReader", "CheckDates", "Coverage", "DayGrowth",
    "EndedVersion", "Entry", "Hit", "JobRow", "JournalRow", "Point", "SearchFiller", "SearchQuery", "SearchScope",
    "Sieve", "SievedPack", "State", "TaskTotals", "Totals", "page_key", "parse_query", "same_content", "short_id",
]
