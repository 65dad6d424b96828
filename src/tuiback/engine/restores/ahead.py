"""Starts the processes that help with an export, if need be before anything else of it is loaded."""

from contextlib import suppress

from tuiback.errors import EnvironmentFault
from tuiback.store.side_process import SideProcess, available_cores

# A helper takes some 80 MB of memory.
_HELPERS_MAX = 3
# Fewer are written before a process has started.
_ITEMS_MIN = 4096
_MODULE = "tuiback.engine.restores.beside"


def helpers_of_this_machine() -> int:
    """One for each core but the one that this process has."""
    return min(_HELPERS_MAX, available_cores() - 1)


def start() -> SideProcess:
    """One process, which waits to be told what it helps with. Raises EnvironmentFault."""
    return SideProcess(_MODULE)


def start_for(items: int) -> tuple[SideProcess, ...]:
    """The processes for an export that is known to have so many items: for HelpFrom. None where they can't be had."""
    started: list[SideProcess] = []
    with suppress(EnvironmentFault):
        for _ in range(helpers_of_this_machine() if items >= _ITEMS_MIN else 0):
            started.append(start())  # noqa: PERF401 - those before one that can't be started are kept
    return tuple(started)
