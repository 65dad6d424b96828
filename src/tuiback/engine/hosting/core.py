"""The engine: opens the home's repositories and carries out commands, on one asyncio loop."""

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from tuiback import __version__
from tuiback.engine.activity import Activity
from tuiback.engine.archives.archive import Archive
from tuiback.engine.asking import current_asker
from tuiback.engine.backups.acknowledging import Debts
from tuiback.engine.backups.dispatch import Dispatcher
from tuiback.engine.backups.low_water import LowWater, Room, disk_room
from tuiback.engine.backups.scheduler import Scheduler
from tuiback.engine.backups.task_changes import TaskChanges
from tuiback.engine.commands import (
    AckAlert,
    AckOwed,
    AddHold,
    CancelJob,
    ChangeTasks,
    Check,
    CheckTenant,
    Command,
    EditTask,
    EditTenant,
    Export,
    FindCoverage,
    FindItems,
    Leave,
    MakeCheckpoint,
    PauseTask,
    Prune,
    PutTask,
    PutTenant,
    RemoveHold,
    RemoveTask,
    RemoveTenant,
    RenameTask,
    RenewTenant,
    Restore,
    ResumeJob,
    RunTasks,
    SetLimits,
    StopTask,
    TakeOver,
    UndoJob,
)
from tuiback.engine.home import Home, RepositoryRef, alerts_path
from tuiback.engine.hosting.roles import refusal_of
from tuiback.engine.restores.jobs import Jobs
from tuiback.engine.restores.naming import find_items
from tuiback.engine.restores.reopening import Reopening
from tuiback.engine.settings.allotment import Allotment
from tuiback.engine.settings.registry import Registry
from tuiback.engine.settings.settings_copy import SettingsCopy
from tuiback.engine.signalling.board import Board, Work
from tuiback.engine.signalling.damage import note_check
from tuiback.engine.signalling.rollbacks import note_rollback
from tuiback.engine.signalling.signals import Signals
from tuiback.engine.tenancy.coverage import Coverage
from tuiback.engine.tenancy.tenants import Tenants
from tuiback.engine.upkeep.auditing import Auditing
from tuiback.engine.upkeep.holds import Holds
from tuiback.engine.upkeep.indexing import Indexing
from tuiback.engine.upkeep.maintenance import Maintenance
from tuiback.errors import EnvironmentFault, TuibackError, UsageError
from tuiback.model import AlertStatus, Clock, EngineInfo, EngineStatus, Owner
from tuiback.store import Secret

REPAINT_SECONDS = 1.0
SCHEDULING_ROLES = frozenset({"serve", "console"})
Handler = Callable[[Any], Awaitable[dict[str, object]]]


class Engine:
    """One per home. open() before anything else; execute() answers commands; close() leaves a checkpoint."""

    def __init__(
        self,
        home: Home,
        role: str,
        secret_for: Callable[[RepositoryRef], Secret],
        clock: Clock,
        activity: Activity,
        *,
        room_of: Callable[[Path], Room | None] = disk_room,
    ) -> None:
        self._home = home
        self._role = role
        self._secret_for = secret_for
        self._clock = clock
        self._since: datetime = clock.now()
        self._archives: dict[str, Archive] = {}
        self._indexings: list[Indexing] = []
        self._allotment = Allotment(home.path, activity, clock)
        gates = (self._allotment.accounts, self._allotment.files)
        self._signals: Signals | None = None
        self._activity = activity
        # What open() found that whoever waits for the engine must know.
        self.warnings: list[str] = []
        self._registry = Registry(self._archives, activity, clock)
        self._tenants = Tenants(self._registry, self._archives, activity, clock)
        self._dispatcher = Dispatcher(self._registry, *gates, activity, clock)
        self._dispatcher.bandwidth = self._allotment.bandwidth
        self._dispatcher.refusal = self._refusal
        self._scheduler = Scheduler(self._registry, self._dispatcher, activity, clock)
        self._registry.on_change = self._scheduler.changed
        self._low_water = LowWater(
            self._archives, self._registry, self._dispatcher, activity, clock,
            resident=role in SCHEDULING_ROLES, room_of=room_of,
        )  # fmt: skip
        self._scheduler.is_blocked = self._low_water.is_low
        self._auditing = Auditing(self._archives, clock)
        self._settings = SettingsCopy(home.path, self._archives, clock)
        holds = Holds(self._archives, self._registry, clock)
        self._jobs = Jobs(self._archives, self._registry, holds, activity, clock)
        self._jobs.on_check = partial(note_check, alerts_path(home), clock)
        work = Work(self._dispatcher, self._scheduler, self._jobs.desk.statuses, self._alerts, self._low_water.is_low)
        self._board = Board(self.info, self._archives, self._registry, work, gates, activity, clock)
        changes = TaskChanges(self._registry, self._dispatcher, clock)
        self._handlers = self._all_handlers(changes, holds)
        self._painting: asyncio.Task[None] | None = None
        self._scheduling: asyncio.Task[None] | None = None
        self._sealing: asyncio.Task[None] | None = None
        self._guarding: list[asyncio.Task[None]] = []
        self.leaving = asyncio.Event()

    def _all_handlers(self, changes: TaskChanges, holds: Holds) -> dict[type[Command], Handler]:
        """What carries each command out."""
        reopening = Reopening(self._archives, self._registry, self._jobs)
        return {
            RunTasks: self._dispatcher.run,
            StopTask: self._dispatcher.stop,
            PauseTask: self._dispatcher.pause,
            PutTenant: self._tenants.put,
            EditTenant: self._tenants.edit,
            RemoveTenant: self._tenants.remove,
            CheckTenant: self._tenants.check,
            RenewTenant: self._tenants.renew,
            PutTask: changes.put,
            EditTask: changes.edit,
            RemoveTask: changes.remove,
            RenameTask: changes.rename,
            ChangeTasks: changes.change,
            Restore: self._jobs.restore,
            Export: self._jobs.export,
            Prune: self._prune,
            Check: self._jobs.check,
            MakeCheckpoint: self._jobs.checkpoint,
            AddHold: holds.add,
            RemoveHold: holds.remove,
            AckOwed: Debts(self._archives).acknowledge,
            FindItems: partial(find_items, self._home),
            FindCoverage: Coverage(self._archives, self._registry).find,
            CancelJob: self._jobs.desk.cancel,
            ResumeJob: reopening.resume,
            UndoJob: reopening.undo,
            SetLimits: self._set_limits,
            AckAlert: self._ack_alert,
            TakeOver: self._take_over,
            Leave: self._leave,
        }

    def info(self) -> EngineInfo:
        """Who hosts the engine, and whether it is busy."""
        busy = bool(self._dispatcher.runs) or any(j.state == "running" for j in self._jobs.desk.statuses())
        return EngineInfo("running" if busy else "idle", os.getpid(), self._role, self._since, __version__)

    @property
    def picture(self) -> EngineStatus | None:
        """The newest status."""
        return self._board.picture

    async def fresh_picture(self) -> EngineStatus | None:
        """The newest status, which shows what every command has done that ended by now."""
        return await self._board.fresh()

    async def open(self) -> None:
        """Open all repositories. Raises what keeps one closed: wrong key, missing, too new, full."""
        resident = self._role in SCHEDULING_ROLES
        self._signals = await Signals.open(
            self._home, self._archives, self._registry, self._dispatcher, self._activity, self._clock, resident=resident
        )
        for ref in self._home.repositories.values():
            secret = await asyncio.to_thread(self._secret_for, ref)
            try:
                archive = await Archive.open(self._home, ref, secret, self._clock, partial(self._note, ref.name))
            except EnvironmentFault as fault:
                await self._signals.refuse(ref.name, fault)
                raise
            self._archives[ref.name] = archive
            if archive.committer.fault is not None:
                self._activity.add("error", ref.name, str(archive.committer.fault))
            self._indexings.append(Indexing(archive, self._activity, self._clock))
        await self._registry.load()
        await self._settings.stage()
        await self._board.repaint()
        self._painting = asyncio.ensure_future(self._paint())
        self._sealing = asyncio.ensure_future(self._auditing.run())
        self._guarding.append(asyncio.ensure_future(self._low_water.run()))
        self._signals.start(lambda: self._board.picture)
        # A command that only passes by starts nothing but what it was told to.
        if resident:
            self._scheduling = asyncio.ensure_future(self._scheduler.run())
            self._guarding.append(asyncio.ensure_future(self._maintenance().run()))
            self._guarding.append(asyncio.ensure_future(self._settings.run()))

    def _note(self, repository: str, level: str, text: str) -> None:
        self._activity.add(level, repository, text)
        if level == "warn":
            self.warnings.append(f"{repository}: {text}")
            note_rollback(alerts_path(self._home), self._clock, repository, text)

    async def _paint(self) -> None:
        while True:
            await self._clock.sleep(REPAINT_SECONDS)
            self._allotment.look((await self._board.repaint()).throttles)

    def _maintenance(self) -> Maintenance:
        path = self._home.state_path(next(iter(self._home.repositories)))
        is_busy = partial(bool, self._dispatcher.runs)
        return Maintenance(path, self._archives, self.execute, is_busy, self._activity, self._clock)

    async def _refusal(self, tenant: str) -> TuibackError | None:
        return await self._low_water.refusal(tenant) or await self._tenants.refusal(tenant)

    def _alerts(self) -> tuple[AlertStatus, ...]:
        return self._signals.alerts if self._signals else ()

    async def execute(self, command: Command) -> dict[str, object]:
        """Carry a command out; the answer's fields stand with each command. Raises TuibackError."""
        handle = self._handlers.get(type(command))
        if handle is None:
            raise UsageError("this engine does not know the command", type(command).__name__, "upgrade it")
        refusal = refusal_of(command, current_asker(), self._home.access)
        if refusal is not None:
            await self._auditing.refused(command, refusal)
            raise refusal
        try:
            async with self._auditing.noted(command):
                return await handle(command)
        finally:
            self._board.forget_slow()

    def say(self, level: str, subject: str, text: str) -> None:
        """Say in the activity what happened to whoever hosts the engine."""
        self._activity.add(level, subject, text)

    async def _prune(self, command: Prune) -> dict[str, object]:
        answer = await self._jobs.prune(command)
        if not command.dry_run:
            # Whoever was told that it is done may rely on it that no search file holds what expired.
            for indexing in self._indexings:
                await indexing.forget_expired()
        return answer

    async def _take_over(self, _: TakeOver) -> dict[str, object]:
        owner = Owner(self._home.make_home_id(), socket.gethostname(), self._clock.now())
        for archive in self._archives.values():
            await archive.take_over(owner)
        return {}

    async def _leave(self, _: Leave) -> dict[str, object]:
        self.leaving.set()
        return {}

    async def _set_limits(self, command: SetLimits) -> dict[str, object]:
        return self._allotment.change(
            accounts=command.accounts, files=command.files, rate=command.rate, tz=command.tz
        )

    async def _ack_alert(self, command: AckAlert) -> dict[str, object]:
        assert self._signals is not None
        return await self._signals.ack(command)

    async def close(self) -> None:
        """Stop runs and jobs at a checkpoint, commit, and let go of everything."""
        if self._scheduling is not None:
            self._scheduling.cancel()
            await asyncio.wait([self._scheduling])
            await self._scheduler.close()
        # Who starts things by themselves ends first.
        for guard in self._guarding:
            guard.cancel()
        await asyncio.gather(*self._guarding, return_exceptions=True)
        await self._dispatcher.stop_all()
        await self._jobs.desk.stop_all()
        for work in (self._painting, self._sealing):
            if work is not None:
                work.cancel()
                await asyncio.wait([work])
        if self._signals is not None:
            await self._signals.close(self._board)
        await self._registry.close()
        for indexing in self._indexings:
            await indexing.close()
        await self._auditing.seal()
        await self._settings.stage()
        for archive in self._archives.values():
            await archive.close()
