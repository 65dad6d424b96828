"""Pauses runs while a disk is nearly full, so that prunes and restores still have room, and lets them go on after."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import psutil

from tuiback.engine.commands import RunTasks
from tuiback.errors import StorageFull, TuibackError
from tuiback.model import Clock, Outcome

if TYPE_CHECKING:
    from tuiback.engine.activity import Activity
    from tuiback.engine.archives.archive import Archive
    from tuiback.engine.backups.dispatch import Dispatcher
    from tuiback.engine.settings.registry import Registry

LOW_SHARE = 0.05
LOW_BYTES = 50 * 1000**3
# Once low, a disk must have so much more than the mark before runs go on: else they would stop and go.
_RECOVERED = 1.1
_LOOK_SECONDS = 2.0
_LOOK_AT_REST_SECONDS = 15.0


class Room(msgspec.Struct, frozen=True):
    """What a file system has left, in bytes; `place` is what of ours lies on it."""

    place: str
    free_bytes: int
    total_bytes: int

    @property
    def mark_bytes(self) -> int:
        """Below this much is too little: 5 % or 50 GB, whichever is smaller."""
        return int(min(LOW_SHARE * self.total_bytes, LOW_BYTES))


def find_shortage(rooms: Iterable[Room], *, was_low: bool) -> Room | None:
    """The first file system that has too little; one that `was_low` must have recovered clearly."""
    part = _RECOVERED if was_low else 1.0
    return next((room for room in rooms if room.free_bytes < part * room.mark_bytes), None)


def disk_room(path: Path) -> Room | None:
    """What the file system of `path` has left; None where there is none to ask."""
    try:
        usage = psutil.disk_usage(str(path))
    except OSError:
        return None
    return Room(str(path), usage.free, usage.total)


def places_of(archive: "Archive") -> tuple[Path, ...]:
    """Where an archive writes on this machine's disks: its catalog, and the repository unless it is elsewhere."""
    catalog = archive.catalog_path.parent
    return (catalog,) if "://" in archive.ref.url else (Path(archive.ref.url), catalog)


class LowWater:
    """Looks after the disks of all archives. run() until cancelled; `resident` engines start paused runs again."""

    def __init__(
        self,
        archives: "Mapping[str, Archive]",
        registry: "Registry",
        dispatcher: "Dispatcher",
        activity: "Activity",
        clock: Clock,
        *,
        resident: bool,
        room_of: Callable[[Path], Room | None] = disk_room,
    ) -> None:
        self._archives = archives
        self._registry = registry
        self._dispatcher = dispatcher
        self._activity = activity
        self._clock = clock
        self._resident = resident
        self._room_of = room_of
        self._short: dict[str, Room] = {}
        self._paused: set[str] = set()

    def is_low(self, task: str) -> bool:
        """Whether the repository of the task has no room for runs."""
        return self._registry.task(task)[0].ref.name in self._short

    async def refusal(self, tenant: str) -> StorageFull | None:
        """Why nothing of this tenant can be backed up now, if so."""
        archive, _ = self._registry.tenant(tenant)
        await self._look_at(archive)
        room = self._short.get(archive.ref.name)
        if room is None:
            return None
        left = f"{room.free_bytes / 1e9:.1f} GB are free and {room.mark_bytes / 1e9:.1f} GB are kept for restores"
        return StorageFull(f"the disk is nearly full: {left}", room.place, "make room, or let 'tuiback prune' do it")

    async def run(self) -> None:
        """Pause runs while there is too little room, and start them again when there is."""
        while True:
            for archive in list(self._archives.values()):
                await self._look_at(archive)
                self._pause(archive)
            await self._go_on()
            await self._clock.sleep(_LOOK_SECONDS if self._dispatcher.runs else _LOOK_AT_REST_SECONDS)

    async def _look_at(self, archive: "Archive") -> None:
        name = archive.ref.name
        rooms = await asyncio.to_thread(lambda: [self._room_of(place) for place in places_of(archive)])
        before = self._short.get(name)
        room = find_shortage((room for room in rooms if room is not None), was_low=before is not None)
        if room is not None:
            self._short[name] = room
            if before is None:
                text = f"{room.place}: the disk is nearly full; runs wait until there is room"
                self._activity.add("error", name, text)
        elif before is not None:
            del self._short[name]
            self._activity.add("ok", name, f"{before.place}: there is room again")

    def _pause(self, archive: "Archive") -> None:
        if archive.ref.name not in self._short:
            return
        for name, run in self._dispatcher.runs.items():
            if self._registry.task(name)[0] is archive:
                self._paused.add(name)
                run.stop(Outcome.PAUSED)

    async def _go_on(self) -> None:
        known = {task.name: task for task in self._registry.tasks}
        for name in sorted(self._paused):
            if name in known and (self.is_low(name) or name in self._dispatcher.runs):
                continue
            self._paused.discard(name)
            if not self._resident or name not in known or known[name].paused:
                continue
            try:
                await self._dispatcher.run(RunTasks(tasks=(name,), trigger="room", wait=False))
            except TuibackError as error:
                self._activity.add("error", name, f"could not go on: {error}")
