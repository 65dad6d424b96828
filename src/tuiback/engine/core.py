"""The engine: opens the home's repositories and carries out commands, on one asyncio loop."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

import psutil

from tuiback import __version__
from tuiback.engine.activity import Activity
from tuiback.engine.archive import Archive
from tuiback.engine.board import Board, Work
from tuiback.engine.commands import (
    CancelJob,
    Command,
    EditTask,
    Export,
    Leave,
    PauseTask,
    Prune,
    PutTask,
    PutTenant,
    RemoveTask,
    Restore,
    RunTasks,
    SetLimits,
    StopTask,
)
from tuiback.engine.dispatch import Dispatcher
from tuiback.engine.home import Home, RepositoryRef
from tuiback.engine.indexing import Indexing
from tuiback.engine.jobs import Jobs
from tuiback.engine.limits import ACCOUNTS_DEFAULT, FILES_DEFAULT, Gate, cap_for_ram
from tuiback.engine.registry import Registry
from tuiback.engine.scheduler import Scheduler
from tuiback.errors import UsageError
from tuiback.model import Clock, EngineInfo, EngineStatus, Expired
from tuiback.store import Secret

REPAINT_SECONDS = 1.0
SCHEDULING_ROLES = frozenset({"serve", "console"})


class Engine:
    """One per home. open() before anything else; execute() answers commands; close() leaves a checkpoint."""

    def __init__(
        self, home: Home, role: str, secret_for: Callable[[RepositoryRef], Secret], clock: Clock, activity: Activity
    ) -> None:
        self._home = home
        self._role = role
        self._secret_for = secret_for
        self._clock = clock
        self._since: datetime = clock.now()
        self._archives: dict[str, Archive] = {}
        self._indexings: list[Indexing] = []
        self._accounts = Gate(ACCOUNTS_DEFAULT)
        self._files = Gate(FILES_DEFAULT)
        self._activity = activity
        self._registry = Registry(self._archives, activity, clock)
        self._dispatcher = Dispatcher(self._registry, self._accounts, self._files, activity, clock)
        self._scheduler = Scheduler(self._registry, self._dispatcher, activity, clock)
        self._registry.on_change = self._scheduler.changed
        self._jobs = Jobs(self._archives, self._registry, activity, clock)
        gates = (self._accounts, self._files)
        work = Work(self._dispatcher, self._scheduler, self._jobs.statuses)
        self._board = Board(self.info, self._archives, self._registry, work, gates, activity, clock)
        self._handlers: dict[type[Command], Callable[[Any], Awaitable[dict[str, object]]]] = {
            RunTasks: self._dispatcher.run,
            StopTask: self._dispatcher.stop,
            PauseTask: self._dispatcher.pause,
            PutTenant: self._registry.put_tenant,
            PutTask: self._registry.put_task,
            EditTask: self._registry.edit_task,
            RemoveTask: self._remove_task,
            Restore: self._jobs.restore,
            Export: self._jobs.export,
            Prune: self._prune,
            CancelJob: self._jobs.cancel,
            SetLimits: self._set_limits,
            Leave: self._leave,
        }
        self._painting: asyncio.Task[None] | None = None
        self._scheduling: asyncio.Task[None] | None = None
        self.leaving = asyncio.Event()

    def info(self) -> EngineInfo:
        """Who hosts the engine, and whether it is busy."""
        busy = bool(self._dispatcher.runs) or any(j.state == "running" for j in self._jobs.statuses())
        return EngineInfo("running" if busy else "idle", os.getpid(), self._role, self._since, __version__)

    @property
    def picture(self) -> EngineStatus | None:
        """The newest status."""
        return self._board.picture

    async def open(self) -> None:
        """Open all repositories. Raises what keeps one closed: wrong key, missing, too new, full."""
        for ref in self._home.repositories.values():
            secret = await asyncio.to_thread(self._secret_for, ref)

            def say(text: str, name: str = ref.name) -> None:
                self._activity.add("info", name, text)

            archive = await Archive.open(self._home, ref, secret, self._clock, say)
            self._archives[ref.name] = archive
            self._indexings.append(Indexing(archive, self._activity, self._clock))
        await self._registry.load()
        await self._board.repaint()
        self._painting = asyncio.ensure_future(self._paint())
        # A command that only passes by starts nothing but what it was told to.
        if self._role in SCHEDULING_ROLES:
            self._scheduling = asyncio.ensure_future(self._scheduler.run())

    async def _paint(self) -> None:
        while True:
            await self._clock.sleep(REPAINT_SECONDS)
            await self._board.repaint()

    async def execute(self, command: Command) -> dict[str, object]:
        """Carry a command out; the answer's fields stand with each command. Raises TuibackError."""
        handle = self._handlers.get(type(command))
        if handle is None:
            raise UsageError("this engine does not know the command", type(command).__name__, "upgrade it")
        try:
            return await handle(command)
        finally:
            self._board.forget_slow()

    async def _remove_task(self, command: RemoveTask) -> dict[str, object]:
        """Stop the task, forget it, and let its accounts go where their data is to be dropped."""
        archive, task = self._registry.task(command.task)
        if command.task in self._dispatcher.runs:
            await self._dispatcher.stop(StopTask(task=command.task))
        await self._registry.remove_task(task.name)
        if command.drop:
            for account in await asyncio.to_thread(archive.reader.accounts, task.name):
                archive.committer.stage_expired(Expired(account.account_id, whole=True))
            await archive.committer.commit()
        return {"name": task.name}

    async def _prune(self, command: Prune) -> dict[str, object]:
        answer = await self._jobs.prune(command)
        if not command.dry_run:
            # Whoever was told that it is done may rely on it that no search file holds what expired.
            for indexing in self._indexings:
                await indexing.forget_expired()
        return answer

    async def _leave(self, _: Leave) -> dict[str, object]:
        self.leaving.set()
        return {}

    async def _set_limits(self, command: SetLimits) -> dict[str, object]:
        cap = cap_for_ram(psutil.virtual_memory().total)
        for gate, wanted in ((self._accounts, command.accounts), (self._files, command.files)):
            if wanted is None:
                continue
            if not 1 <= wanted <= cap:
                raise UsageError(f"choose a number from 1 to {cap}, this machine's cap", str(wanted))
            gate.set_limit(wanted)
        return {"accounts": self._accounts.limit, "files": self._files.limit}

    async def close(self) -> None:
        """Stop runs and jobs at a checkpoint, commit, and let go of everything."""
        if self._scheduling is not None:
            self._scheduling.cancel()
            await asyncio.wait([self._scheduling])
            await self._scheduler.close()
        await self._dispatcher.stop_all()
        await self._jobs.stop_all()
        if self._painting is not None:
            self._painting.cancel()
            await asyncio.wait([self._painting])
        await self._registry.close()
        for indexing in self._indexings:
            await indexing.close()
        for archive in self._archives.values():
            await archive.close()
