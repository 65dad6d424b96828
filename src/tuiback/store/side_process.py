"""Runs a module of ours in a process beside this one, for work that would hold this one's interpreter.

The two talk over one connection, see Messages. The other process lives as long as it: when this one closes it, or dies
in whatever way, the other finds the end and leaves. What a terminal or a service manager sends to the whole group is
meant for this process alone, which then ends the other in its own order.
"""

import os
import socket
import subprocess
import sys
from contextlib import suppress

from tuiback.errors import EnvironmentFault
from tuiback.store.messages import Messages

# Longer than what it has in hand takes.
_ENDING_SECONDS = 20


class SideProcess:
    """One such process, running from now on: `python -m module`, which calls own_end(). Ended by close()."""

    def __init__(self, module: str, *descriptors: int) -> None:
        """These descriptors are open there too, their numbers its further arguments.

        Raises EnvironmentFault when no process can be started.
        """
        self._connection, theirs = socket.socketpair()
        self.messages = Messages(self._connection.fileno())
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and a module of ours
                # -P: nothing is imported from the folder that somebody happens to stand in.
                [sys.executable, "-P", "-m", module, *map(str, (theirs.fileno(), *descriptors))],
                pass_fds=(theirs.fileno(), *descriptors),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                # The console owns the terminal; what goes wrong is told over the connection.
                stderr=subprocess.DEVNULL,
            )
        except OSError as e:
            self._connection.close()
            raise EnvironmentFault(f"a process can't be started ({e.strerror})", module, "free some memory") from e
        finally:
            theirs.close()

    @property
    def pid(self) -> int:
        """Its number."""
        return self._process.pid

    def hang_up(self) -> None:
        """Let it finish what it has in hand, and whoever waits for a message of it see that none comes. Not a close().

        Raises OSError after close().
        """
        # Closing alone would not wake a thread that is reading.
        self._connection.shutdown(socket.SHUT_RDWR)

    def kill(self) -> None:
        """End it at once, also where it is stopped, and whoever waits for a message of it. Not a close()."""
        with suppress(OSError):
            self.hang_up()
        self._process.kill()

    def abandon(self) -> None:
        """End it at once, for it has done nothing yet."""
        self._process.kill()
        self.close()

    def close(self) -> None:
        """Let it finish what it has in hand, and wait for its end."""
        self._connection.close()
        try:
            self._process.wait(_ENDING_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def available_cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0))
