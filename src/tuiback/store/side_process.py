"""Runs a module of ours in a process beside this one, for work that would hold this one's interpreter.

The two talk over one connection, whose messages are bytes. The other process lives as long as it: when this one closes
it, or dies in whatever way, the other finds the end and leaves. What a terminal or a service manager sends to the whole
group is meant for this process alone, which then ends the other in its own order.
"""

import os
import signal
import subprocess
import sys
from multiprocessing.connection import Connection, Pipe

from tuiback.errors import EnvironmentFault

# Longer than what it has in hand takes.
_ENDING_SECONDS = 20
_LEFT_TO_THE_OTHER = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class SideProcess:
    """One such process, running from now on: `python -m module`, which calls own_connection(). Ended by close()."""

    def __init__(self, module: str) -> None:
        """Raises EnvironmentFault when no process can be started."""
        self.connection, theirs = Pipe()
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and a module of ours
                # -P: nothing is imported from the folder that somebody happens to stand in.
                [sys.executable, "-P", "-m", module, str(theirs.fileno())],
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                # The console owns the terminal; what goes wrong is told over the connection.
                stderr=subprocess.DEVNULL,
            )
        except OSError as e:
            self.connection.close()
            raise EnvironmentFault(f"a process can't be started ({e.strerror})", module, "free some memory") from e
        finally:
            theirs.close()

    @property
    def pid(self) -> int:
        """Its number."""
        return self._process.pid

    def close(self) -> None:
        """Let it finish what it has in hand, and wait for its end."""
        self.connection.close()
        try:
            self._process.wait(_ENDING_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def available_cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0))


def own_connection() -> Connection:
    """In the process beside: the connection to the one that started it. Call it first."""
    for number in _LEFT_TO_THE_OTHER:
        signal.signal(number, signal.SIG_IGN)
    return Connection(int(sys.argv[1]))
