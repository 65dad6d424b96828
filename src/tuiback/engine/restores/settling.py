"""Brings what an export writes to its disk while it still writes, so that the end waits for little, and tells faults.

A system that is left alone keeps hundreds of megabytes for itself: they are written when somebody waits for them, on
one core, and what the disk refuses then is told to nobody.
"""

import ctypes
import errno
import os
import threading
from collections.abc import Callable
from contextlib import suppress

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
    """Does so for one folder, on a thread of its own once there is much. Ended by close()."""

    def __init__(self, folder: str, sync: SyncVolume = sync_volume) -> None:
        self._folder = folder
        self._sync = sync
        self._descriptor: int | None = None
        self._changed = threading.Condition()
        self._waiting_bytes = 0
        self._ended = False
        self._fault: OSError | None = None
        self._thread: threading.Thread | None = None

    def add(self, size: int) -> None:
        """So many bytes more are written. A folder that may be written to but not read is left to the system."""
        with self._changed:
            self._waiting_bytes += size
            if self._descriptor is None:
                # What the disk refuses from now on is told to this descriptor.
                with suppress(OSError):
                    self._descriptor = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            if self._descriptor is None or self._ended or self._waiting_bytes < _STEP_BYTES:
                return
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, args=(self._descriptor,), name="export-settling")
                self._thread.start()
            self._changed.notify_all()

    def finish(self) -> None:
        """Return when much that was written is on the disk; nobody waits for little, least of all behind others.

        Raises StorageFull when anything since the start isn't.
        """
        self._end()
        if self._thread is not None and self._descriptor is not None:
            self._try(self._descriptor)
        if self._fault is not None:
            what = f"what was written did not all reach the disk ({self._fault.strerror})"
            raise StorageFull(what, self._folder, "check the disk and export again") from self._fault

    def close(self) -> None:
        """End it, wherever it is."""
        self._end()
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _end(self) -> None:
        with self._changed:
            self._ended = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()

    def _work(self, descriptor: int) -> None:
        while self._fault is None and self._is_worth_it():
            self._try(descriptor)

    def _try(self, descriptor: int) -> None:
        try:
            self._sync(descriptor)
        except OSError as e:
            self._fault = self._fault or e

    def _is_worth_it(self) -> bool:
        with self._changed:
            self._changed.wait_for(lambda: self._ended or self._waiting_bytes >= _STEP_BYTES)
            self._waiting_bytes = 0
            return not self._ended
