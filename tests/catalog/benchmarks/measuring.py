"""Drops files from the system's cache and puts times into words, for the benchmarks beside it; never collected."""

import os
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path


def dropped(path: Path) -> None:
    """Ask the system to forget the file's pages; what was written is put on the disk first."""
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
        os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(file)


def since(started: float) -> float:
    """Milliseconds since a perf_counter() reading."""
    return (time.perf_counter() - started) * 1000


def figures(times: Sequence[float]) -> str:
    """Median, ninth decile and worst of milliseconds."""
    ordered = sorted(times)
    return (
        f"median {statistics.median(ordered):8.2f} ms   p90 {ordered[int(len(ordered) * 0.9)]:8.2f} ms"
        f"   worst {ordered[-1]:8.2f} ms"
    )


def say(line: str) -> None:
    """One line, at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
