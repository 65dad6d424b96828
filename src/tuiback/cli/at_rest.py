"""How everything stands while no engine runs, in the shape of an engine's picture."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tuiback import __version__
from tuiback.cli.alerts import open_alerts
from tuiback.errors import TuibackError
from tuiback.model import AlertStatus, EngineInfo, EngineStatus, StorageStatus, TaskStatus

if TYPE_CHECKING:
    from tuiback.engine.archives.view import View
    from tuiback.engine.home import Home


def picture_at_rest(view: "View", *, with_disks: bool) -> EngineStatus:
    """What the catalogs remember; its engine is "stopped" and has process 0.

    Asking the disks takes what opens a repository, which loads slowly: without it their sizes are 0.
    """
    from tuiback.engine.signalling.past import shown_tenant, standing_of

    now = datetime.now(UTC)
    return EngineStatus(
        number=0,
        time=now,
        engine=EngineInfo("stopped", 0, "", now, __version__),
        tasks=tasks_at_rest(view),
        storage=tuple(_storage(view, name, with_disk=with_disks) for name in view.home.repositories),
        alerts=alerts_at_rest(view.home),
        tenants=tuple(shown_tenant(tenant) for _, tenant in view.tenants()),
        standing=standing_of((reader for _, reader in view.readers()), now),
    )


def tasks_at_rest(view: "View") -> tuple[TaskStatus, ...]:
    """Every task as the catalogs remember it."""
    from tuiback.engine.signalling.past import at_rest, pasts_of

    standing = []
    for _, reader in view.readers():
        tasks = reader.tasks()
        pasts = pasts_of(reader, [task.name for task in tasks])
        standing += [at_rest(task, pasts[task.name]) for task in tasks]
    return tuple(standing)


def alerts_at_rest(home: "Home") -> tuple[AlertStatus, ...]:
    """The alerts that were open when an engine looked last."""
    return tuple(
        AlertStatus(row.alert, row.severity, row.since, row.subject, row.text, row.remedy, row.acked_at is not None)
        for row in open_alerts(home)
    )


def _storage(view: "View", name: str, *, with_disk: bool) -> StorageStatus:
    reader, url = view.reader(name), view.home.repository(name).url
    totals = reader.totals()
    used, total = _disk(url) if with_disk else (0, 0)
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


def _disk(url: str) -> tuple[int, int]:
    from tuiback.store import open_backend

    try:
        return open_backend(url).free_bytes()
    except TuibackError:
        # What the catalog knows is told while the repository is not mounted, too.
        return 0, 0
