"""Keeps what catalogs and disks say between two pictures, and asks again only where something was committed."""

import contextlib
from collections.abc import Mapping
from datetime import datetime

from tuiback.engine.archives.archive import Archive
from tuiback.engine.settings.registry import Registry
from tuiback.engine.signalling.past import Past, pasts_of, standing_of
from tuiback.engine.timing.forecast import full_on
from tuiback.errors import EnvironmentFault
from tuiback.model import Clock, CommitHead, StorageStatus

# What is foretold from days changes by the day, and goes through all runs.
FORECAST_EVERY_SECONDS = 600.0
# Accounts become late without any commit.
COUNT_EVERY_SECONDS = 60.0


def storage_of(archive: Archive, full_on: datetime | None) -> StorageStatus:
    """Measure a repository and the volume that it lies on."""
    used, total = archive.repository.backend.free_bytes()
    totals = archive.reader.totals()
    return StorageStatus(
        name=archive.ref.name,
        url=archive.ref.url,
        disk_used=used,
        disk_total=total,
        logical_bytes=totals.logical_bytes,
        stored_bytes=totals.stored_bytes,
        catalog_bytes=totals.catalog_bytes,
        full_on=full_on,
        search_lag=archive.search_lag,
    )


class Forecasts:
    """When the volumes will be full, thought over now and then."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._known: dict[str, tuple[float, datetime | None]] = {}

    def full_on(self, archive: Archive) -> datetime | None:
        """For the volume of one repository; None while nothing can be said."""
        now = self._clock.monotonic()
        thought_at, answer = self._known.get(archive.ref.name, (float("-inf"), None))
        if now - thought_at >= FORECAST_EVERY_SECONDS:
            used, total = archive.repository.backend.free_bytes()
            stored = ((day.day, day.bytes_stored) for day in archive.reader.growth())
            answer = full_on(stored, total - used if total else None, self._clock.now())
            self._known[archive.ref.name] = now, answer
        return answer


class Remembered:
    """Of each task its past, of each repository its storage, and how all accounts stand, as asked last."""

    def __init__(self, archives: Mapping[str, Archive], registry: Registry, clock: Clock) -> None:
        self._archives = archives
        self._registry = registry
        self._clock = clock
        self._forecasts = Forecasts(clock)
        self._asked: dict[str, tuple[tuple[CommitHead, ...], tuple[str, ...]]] = {}
        self._counted_at = float("-inf")
        self._past: dict[str, Past] = {}
        self.storage: dict[str, StorageStatus] = {}
        self.standing: Mapping[str, int] = {}

    def past(self, task: str) -> Past:
        """The task's past, an empty one while nothing was asked about it."""
        return self._past.get(task, Past())

    def ask(self) -> None:
        """Ask everything again that may have changed; in a thread, because catalogs and disks may take their time."""
        committed = False
        for name, archive in self._archives.items():
            tasks = tuple(t.name for t in self._registry.tasks if self._registry.task(t.name)[0] is archive)
            asked = archive.reader.heads(), tasks
            # Thousands of accounts, and nothing has been committed for hours.
            if self._asked.get(name) != asked:
                self._past |= pasts_of(archive.reader, tasks)
                self._asked[name] = asked
                committed = True
            # One that can't be reached now is shown as it was; an alert tells of it.
            with contextlib.suppress(EnvironmentFault):
                self.storage[name] = storage_of(archive, self._forecasts.full_on(archive))
        if committed or self._clock.monotonic() - self._counted_at >= COUNT_EVERY_SECONDS:
            readers = [archive.reader for archive in self._archives.values()]
            self.standing = standing_of(readers, self._clock.now())
            self._counted_at = self._clock.monotonic()
