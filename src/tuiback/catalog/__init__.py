"""The catalog: what the commits say, in SQLite, fast to ask; and state.db, what only this home knows."""

from tuiback.catalog.catalog import Catalog
from tuiback.catalog.compare import same_content
from tuiback.catalog.paths import short_id
from tuiback.catalog.reader import CatalogReader
from tuiback.catalog.rows import (
    AccountOverview,
    Alias,
    AuditRow,
    Entry,
    JobRow,
    JournalRow,
    Point,
    TaskTotals,
    Totals,
)
from tuiback.catalog.state import State
from tuiback.catalog.tree import page_key

__all__ = [
    "AccountOverview", "Alias", "AuditRow", "Catalog", "CatalogReader", "Entry", "JobRow", "JournalRow", "Point",
    "State", "TaskTotals", "Totals", "page_key", "same_content", "short_id",
]
