"""How everything stands while no engine runs, in the shape of an engine's picture."""

import contextlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tuiback import __version__
from tuiback.cli.alerts import open_alerts
from tuiback.errors import TuibackError
from tuiback.model import AlertStatus, EngineInfo, EngineStatus, StorageStatus, TaskStatus

if TYPE_CHECKING:
    from tuiback.engine.home import Home
    from tuiback.engine.view import View


def picture_at_rest(view: "View") -> EngineStatus:
    """What the catalogs remember; its engine is "stopped" and has process 0."""
    now = datetime.now(UTC)
    return EngineStatus(
        number=0,
        time=now,
        engine=EngineInfo("stopped", 0, "", now, __version__),
        tasks=tasks_at_rest(view),
        storage=tuple(_storage(view, name) for name in view.home.repositories),
        alerts=alerts_at_rest(view.home),
    )


def tasks_at_rest(view: "View") -> tuple[TaskStatus, ...]:
    """Every task as the catalogs remember it."""
    from tuiback.engine.past import at_rest, past_of

    return tuple(at_rest(task, past_of(reader, task.name)) for _, reader in view.readers() for task in reader.tasks())


def alerts_at_rest(home: "Home") -> tuple[AlertStatus, ...]:
    """The alerts that were open when an engine looked last."""
    return tuple(
        AlertStatus(row.alert, row.severity, row.since, row.subject, row.text, row.remedy, row.acked_at is not None)
        for row in open_alerts(home)
    )


def _storage(view: "View", name: str) -> StorageStatus:
    from tuiback.store import open_backend

    reader, url = view.reader(name), view.home.repository(name).url
    totals = reader.totals()
    used = total = 0
    # What the catalog knows is told while the repository is not mounted, too.
    with contextlib.suppress(TuibackError):
        used, total = open_backend(url).free_bytes()
    return StorageStatus(
        name=name,
        url=url,
        disk_used=used,
        disk_total=total,
        logical_bytes=totals.logical_bytes,
        stored_bytes=totals.stored_bytes,
        catalog_bytes=totals.catalog_bytes,
        search_lag=reader.search_lag(),
    )
