"""Sets the process up for work on much content: memory used again, few searches for garbage, quick turns of threads."""

import ctypes
import gc
import sys
from functools import cache

# Their numbers in glibc's malloc.h; see https://man7.org/linux/man-pages/man3/mallopt.3.html
_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3
# glibc's own limit for blocks that don't get a mapping of their own.
_LONGEST_KEPT_BYTES = 32 * 1024 * 1024
_KEPT_BYTES = 64 * 1024 * 1024
# Rows and parts live until the next commit and form no cycles: searching them at every 700th object, as Python does
# by default, finds nothing.
_OBJECTS_BEFORE_SEARCH = 100_000
# A thread that comes back from hashing or sealing waits so long for one that runs Python; by default it is ten times
# as long, and the second core is idle meanwhile.
_TURN_SECONDS = 0.0005


@cache
def prepare_process() -> None:
    """Do it once for this process.

    By default every block from 128 KiB on goes back to the kernel when it is freed, which then clears each page of
    the next one; cutting and sealing are quicker in memory that is used again. Without glibc that part is left out.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, _LONGEST_KEPT_BYTES)
        mallopt(_M_TRIM_THRESHOLD, _KEPT_BYTES)
    # Modules and classes stay until the end: no search needs to look at them.
    gc.freeze()
    _, middle, old = gc.get_threshold()
    gc.set_threshold(_OBJECTS_BEFORE_SEARCH, middle, old)
    sys.setswitchinterval(_TURN_SECONDS)
