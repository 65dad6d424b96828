"""Remembers what checks found broken, so that an alert stands until a check as thorough finds all whole."""

from pathlib import Path
from typing import TYPE_CHECKING

from tuiback.catalog import AlertBook, AlertRow
from tuiback.engine.signalling.alerts import Severity
from tuiback.model import Clock

if TYPE_CHECKING:
    from tuiback.engine.upkeep.checking import Extent


def note_check(
    alerts: Path, clock: Clock, repository: str, extent: "Extent", damaged: int, *, repaired: bool = False
) -> None:
    """A check found so many things damaged, or none; `repaired` says that all is whole since.

    Raises EnvironmentFault, FormatTooNew, Damage.
    """
    alert = f"damage:{repository}"
    depth = _depth(extent)
    book = AlertBook.open(alerts)
    try:
        before = next((row for row in book.reported() if row.alert == alert), None)
        if damaged and not repaired:
            text = f"a check found {damaged} things damaged"
            remedy = "see 'tuiback check', then save what can be with 'tuiback check --repair'"
            # Found by a deeper check it stays until one of that depth; more damage is news.
            deepest = max(depth, int(before.news[0])) if before else depth
            news = f"{deepest}{damaged:09}"
            row = AlertRow(alert, Severity.CRITICAL, clock.now(), repository, text, remedy, news)
            book.report(row)
        elif before is not None and (repaired or depth >= int(before.news[0])):
            book.withdraw(alert)
    finally:
        book.close()


def _depth(extent: "Extent") -> int:
    """How much a check sees: a sample may find damage, yet proves nothing whole but what it read."""
    if extent.read_data:
        return 3
    return 2 if extent.scrub else 1
