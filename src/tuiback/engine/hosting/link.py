"""A console's or a command's line to the engine of a home, wherever that runs: here, or in another process."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from tuiback.engine.asking import Role
from tuiback.engine.commands import Command
from tuiback.engine.home import Home, RepositoryRef
from tuiback.engine.hosting.attach import Answer, Link, attach, with_reason
from tuiback.errors import HomeBusy
from tuiback.model import EngineStatus

if TYPE_CHECKING:
    from tuiback.engine.hosting.host import EngineHost
    from tuiback.store import Secret

# Whoever loses the race for the lock waits this long for the winner's socket.
ATTACH_SECONDS = 5.0
Told = Callable[[str], None]

__all__ = ["HostedLink", "Link", "attach", "attach_or_host", "host"]


class HostedLink:
    """The engine runs in this process."""

    hosted = True
    role = Role.ADMIN

    def __init__(self, engine: "EngineHost") -> None:
        self._engine = engine

    def status(self) -> EngineStatus | None:
        """The newest picture."""
        return self._engine.status

    @property
    def warnings(self) -> tuple[str, ...]:
        """What was found as the repositories were opened that somebody must know."""
        return self._engine.warnings

    def submit(self, command: Command) -> Answer:
        """Send a command."""
        return self._engine.submit(with_reason(command))

    def say(self, text: str) -> None:
        """Say in the activity what happened to this process."""
        self._engine.say("info", "engine", text)

    def close(self) -> None:
        """End the engine at a checkpoint."""
        self._engine.close()


def host(
    home: Home, role: str, secret_for: "Callable[[RepositoryRef], Secret]", told: Told = lambda _: None
) -> HostedLink:
    """Host the engine in this process. Raises HomeBusy when another does, and what keeps a repository closed.

    `told` hears what takes long before there is an engine: bringing an older tuiback's databases up to date.
    """
    # What an engine needs takes longer to load than all the rest; whoever only attaches does without it.
    from tuiback.engine.hosting.host import EngineHost
    from tuiback.engine.hosting.upgrading import bring_up_to_date

    bring_up_to_date(home, told)
    engine = EngineHost(home, role, secret_for)
    engine.wait_until_ready()
    return HostedLink(engine)


def attach_or_host(
    home: Home, role: str, secret_for: "Callable[[RepositoryRef], Secret]", told: Told = lambda _: None
) -> Link:
    """A line to the home's engine: attached where one runs, hosted here where none does."""
    deadline = time.monotonic() + ATTACH_SECONDS
    while True:
        attached = attach(home.path)
        if attached is not None:
            return attached
        try:
            return host(home, role, secret_for, told)
        except HomeBusy:
            if time.monotonic() >= deadline:
                raise
            time.sleep(0.1)
