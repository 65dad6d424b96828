"""Checks a repository from within the engine: on a thread that leaves the processor to the runs, and can be stopped."""

import asyncio
import os
import threading
from concurrent.futures import ThreadPoolExecutor

from tuiback.engine.archives.archive import Archive
from tuiback.engine.progress import Progress
from tuiback.engine.upkeep.checking import Checked, Extent, check_repository
from tuiback.model import Clock

_NICENESS = 10
_LINES_TOLD = 20


class _Stopped(Exception):
    """The check is to end where it is."""


async def check_beside(archive: Archive, extent: Extent, clock: Clock, progress: Progress) -> Checked:
    """Check the archive's repository; when the caller is cancelled, the check ends at the next pack it comes to.

    Raises as check_repository() does.
    """
    stopping = threading.Event()

    def reach(done: int, total: int) -> None:
        progress.reach(done, total)
        if stopping.is_set():
            raise _Stopped

    folder = archive.catalog_path.parent
    with ThreadPoolExecutor(1, thread_name_prefix="check", initializer=_step_back) as thread:
        work = asyncio.get_running_loop().run_in_executor(
            thread, check_repository, folder, archive.repository, clock, extent, reach
        )
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            stopping.set()
            await asyncio.wait([work])
            work.exception()
            raise


def damage_lines(checked: Checked) -> list[str]:
    """A line for each thing that is damaged, the first ones of many."""
    return [f"{found.kind} {found.name}: {found.what}" for found in checked.report.damaged[:_LINES_TOLD]]


def _step_back() -> None:
    # On Linux every thread has a niceness of its own: setpriority(2).
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
