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
from tuiback.engine.board import Board
from tuiback.engine.commands import (
    CancelJob,
    Command,
    Export,
    Leave,
    PauseTask,
    PutTask,
    PutTenant,
    Restore,
    RunTasks,
    SetLimits,
    StopTask,
)
from tuiback.engine.dispatch import Dispatcher
from tuiback.engine.home import Home, RepositoryRef
from tuiback.engine.jobs import Jobs
from tuiback.engine.limits import ACCOUNTS_DEFAULT, FILES_DEFAULT, Gate, cap_for_ram
from tuiback.engine.registry import Registry
from tuiback.errors import UsageError
from tuiback.model import Clock, EngineInfo, EngineStatus
from tuiback.store import Secret

REPAINT_SECONDS = 1.0


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
        self._accounts = Gate(ACCOUNTS_DEFAULT)
        self._files = Gate(FILES_DEFAULT)
        self._activity = activity
        self._registry = Registry(self._archives, activity, clock)
        self._dispatcher = Dispatcher(self._registry, self._accounts, self._files, activity, clock)
        self._jobs = Jobs(self._archives, self._registry, activity, clock)
        gates = (self._accounts, self._files)
        self._board = Board(
            self.info, self._archives, self._registry, self._dispatcher, gates, self._jobs.statuses, activity, clock
        )
        self._handlers: dict[type[Command], Callable[[Any], Awaitable[dict[str, object]]]] = {
            RunTasks: self._dispatcher.run,
            StopTask: self._dispatcher.stop,
            PauseTask: self._dispatcher.pause,
            PutTenant: self._registry.put_tenant,
            PutTask: self._registry.put_task,
            Restore: self._jobs.restore,
            Export: self._jobs.export,
            CancelJob: self._jobs.cancel,
            SetLimits: self._set_limits,
            Leave: self._leave,
        }
        self._painting: asyncio.Task[None] | None = None
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

            self._archives[ref.name] = await Archive.open(self._home, ref, secret, self._clock, say)
        await self._registry.load()
        await self._board.repaint()
        self._painting = asyncio.ensure_future(self._paint())

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
        await self._dispatcher.stop_all()
        await self._jobs.stop_all()
        if self._painting is not None:
            self._painting.cancel()
            await asyncio.wait([self._painting])
        await self._registry.close()
        for archive in self._archives.values():
            await archive.close()
