"""Remembers that a repository was rolled back, so that an alert stands until what it lacks was listed again."""

from collections.abc import Mapping
from pathlib import Path

from tuiback.catalog import AlertBook, AlertRow
from tuiback.engine.archives.archive import Archive
from tuiback.engine.signalling.alerts import Severity
from tuiback.model import Clock

_KIND = "rolled-back:"
_REMEDY = "points in time of what is missing are lost: find out who put an older copy in the repository's place"


def note_rollback(alerts: Path, clock: Clock, repository: str, text: str) -> None:
    """The repository lacks commits of this home. Raises EnvironmentFault, FormatTooNew, Damage."""
    book = AlertBook.open(alerts)
    try:
        now = clock.now()
        # Once more before the first is over is news.
        alert = f"{_KIND}{repository}"
        book.report(AlertRow(alert, Severity.WARNING, now, repository, text, _REMEDY, now.isoformat()))
    finally:
        book.close()


def settle_rollbacks(book: AlertBook, archives: Mapping[str, Archive]) -> None:
    """Withdraw what was told and is over: everything was listed again."""
    told = {row.alert for row in book.alerts()}
    for row in book.reported():
        archive = archives.get(row.subject)
        if row.alert.startswith(_KIND) and row.alert in told and archive and not archive.reader.is_listing_again():
            book.withdraw(row.alert)
