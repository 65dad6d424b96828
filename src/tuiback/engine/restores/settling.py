"""Brings what an export writes to its disk while it still writes, so that the end waits for little, and tells faults.

A system that is left alone keeps hundreds of megabytes for itself: they are written when somebody waits for them, on
one core, and what the disk refuses then is told to nobody.
"""

import ctypes
import errno
import os
import threading
from collections.abc import Callable

from tuiback.errors import StorageFull

# Enough for the disk to be worth asking, little enough for the last time to be short.
_STEP_BYTES = 32 << 20
# Some containers allow few system calls.
_NOT_OFFERED = frozenset({errno.ENOSYS, errno.EPERM})

# Returns when all that is written to the file system of this open folder is on its disk. Raises OSError.
SyncVolume = Callable[[int], None]


def sync_volume(descriptor: int) -> None:
    """See SyncVolume, and https://man7.org/linux/man-pages/man2/syncfs.2.html for what the system promises."""
    syncfs = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)
    if syncfs is not None and syncfs(descriptor) and (number := ctypes.get_errno()) not in _NOT_OFFERED:
        raise OSError(number, os.strerror(number))


class Settling:
    """Does so for one folder on a thread of its own. Ended by close()."""

    def __init__(self, folder: str, sync: SyncVolume = sync_volume) -> None:
        """Raises OSError for a folder that may be written to but not read."""
        self._folder = folder
        self._sync = sync
        # What the disk refuses from now on is told to this descriptor.
        self._descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self._changed = threading.Condition()
        self._waiting_bytes = 0
        self._is_much = False
        self._ended = False
        self._fault: OSError | None = None
        self._thread = threading.Thread(target=self._work, name="export-settling")
        self._thread.start()

    def add(self, size: int) -> None:
        """So many bytes more are written."""
        with self._changed:
            self._waiting_bytes += size
            if self._waiting_bytes >= _STEP_BYTES:
                self._is_much = True
                self._changed.notify_all()

    def finish(self) -> None:
        """Return when much that was written is on the disk; nobody waits for little, least of all behind others.

        Raises StorageFull when anything since the start isn't.
        """
        self._end()
        try:
            if self._is_much and self._fault is None:
                self._sync(self._descriptor)
        except OSError as e:
            self._fault = e
        if self._fault is not None:
            what = f"what was written did not all reach the disk ({self._fault.strerror})"
            raise StorageFull(what, self._folder, "check the disk and export again") from self._fault

    def close(self) -> None:
        """End it, wherever it is."""
        self._end()
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _end(self) -> None:
        with self._changed:
            self._ended = True
            self._changed.notify_all()
        self._thread.join()

    def _work(self) -> None:
        while self._fault is None and self._is_worth_it():
            try:
                self._sync(self._descriptor)
            except OSError as e:
                self._fault = e

    def _is_worth_it(self) -> bool:
        with self._changed:
            self._changed.wait_for(lambda: self._ended or self._waiting_bytes >= _STEP_BYTES)
            self._waiting_bytes = 0
            return not self._ended
