"""Runs one command of a tool and says what it took: time, processor and memory, with its writes on the disk."""

import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tuiback.errors import EnvironmentFault

_READ_BYTES = 1 << 20
_TOLD_CHARACTERS = 300


@dataclass(frozen=True, slots=True)
class Command:
    """A command line of a tool and where it runs; `environ` is added to this process's own."""

    arguments: Sequence[str]
    folder: Path
    environ: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Measured:
    """What a command took: wall clock, user and system time with its own children's, and its peak memory."""

    seconds: float
    cpu_seconds: float
    rss_bytes: int


def read_through(folder: Path) -> int:
    """Bring every file below the folder into the page cache, so that no tool reads colder than another; their bytes.

    What other tools left to be written is on the disk before, too.
    """
    os.sync()
    total = 0
    for path in files_below(folder):
        with path.open("rb", buffering=0) as file:
            while piece := file.read(_READ_BYTES):
                total += len(piece)
    return total


def files_below(folder: Path) -> list[Path]:
    """Every file below the folder, in the order of their paths."""
    return sorted(path for path in folder.rglob("*") if path.is_file())


def bytes_below(folder: Path) -> int:
    """The sizes of all files below the folder together."""
    return sum(path.stat().st_size for path in files_below(folder))


def measure(command: Command, *, log: Path, sync: bool = False) -> Measured:
    """Run the command to its end; with `sync` the time includes bringing what it wrote to the disk.

    Raises EnvironmentFault with the last line it said when it fails.
    """
    with log.open("wb") as said:
        begun = time.monotonic()
        process = subprocess.Popen(  # noqa: S603 - a tool that the caller chose, without a shell
            command.arguments, cwd=command.folder, env={**os.environ, **command.environ},
            stdin=subprocess.DEVNULL, stdout=said, stderr=said,
        )  # fmt: skip
        try:
            # Unlike resource.getrusage() it tells the peak memory of this child, not of the largest so far.
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        finally:
            if process.returncode is None:
                process.kill()
                process.wait()
        if sync:
            os.sync()
        seconds = time.monotonic() - begun
    if process.returncode:
        lines = log.read_text(errors="replace").strip().splitlines() or ["it said nothing"]
        what = f"ended with {process.returncode}: {lines[-1][:_TOLD_CHARACTERS]}"
        raise EnvironmentFault(what, " ".join(command.arguments[:4]))
    return Measured(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)
