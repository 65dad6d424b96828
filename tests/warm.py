"""Starts tuiback as a process of its own that has imported everything already: one that waits for orders is forked.

Importing costs more than most of what a test asks a process for. What is started is a process in all that tests see:
its pid, its signals, its pipes, its exit code and its locks are its own, and whoever started it waits for it.
"""

import atexit
import ctypes
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from typing import IO, Any

ROOT = Path(__file__).parents[1]
# Linux: a process whose parent has ended becomes a child of the nearest ancestor that has set this.
# https://man7.org/linux/man-pages/man2/PR_SET_CHILD_SUBREAPER.2const.html
_PR_SET_CHILD_SUBREAPER = 36
_ORDER_BYTES = 1 << 17
# What commands import when they need it; the console is never among it.
_PARTS = ("cli", "connectors", "engine", "graph", "simtenant", "store")


class Warm(subprocess.Popen[bytes]):
    """`tuiback ARGUMENTS`, started at once; otherwise what Popen is, with nothing on its standard input."""

    def __init__(
        self, *arguments: str, stdout: int | IO[bytes] | None = None, stderr: int | IO[bytes] | None = None,
        env: Mapping[str, str] | None = None,
    ) -> None:  # fmt: skip
        super().__init__(("tuiback", *arguments), stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr, env=env)

    def _execute_child(self, args: tuple[str, ...], *given: Any) -> None:
        # Where Popen has made its pipes and would fork.
        environment, ends = given[5] or os.environ, given[9:15]
        # The process reads from the first pipe and writes to the others; what it has no pipe for is as it is here.
        own = [own if own != -1 else number for number, own in enumerate((ends[0], ends[3], ends[5]))]
        order = {"arguments": args[1:], "environment": dict(environment), "folder": str(Path.cwd())}
        try:
            self.pid = _server().start(order, own)
            self._child_created = True
        finally:
            self._close_pipe_fds(*ends)  # type: ignore[attr-defined]


class _Server:
    """The process that waits for orders; it ends with this one."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            command = [sys.executable, "-m", "tests.warm", str(theirs.fileno())]
            quiet = subprocess.DEVNULL
            self._process = subprocess.Popen(command, stdin=quiet, stdout=quiet, pass_fds=[theirs.fileno()], cwd=ROOT)
        self._connection = ours
        self._turn = threading.Lock()
        atexit.register(self._end)

    def _end(self) -> None:
        self._connection.close()
        self._process.wait()

    def start(self, order: Mapping[str, Any], fds: list[int]) -> int:
        """The pid of a new child of this process, with these as its standard input, output and error."""
        with self._turn:
            prctl = ctypes.CDLL(None).prctl
            prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
            try:
                socket.send_fds(self._connection, [json.dumps(order).encode()], fds)
                pid = int(self._connection.recv(_ORDER_BYTES))
                # From now on it is ours to wait for.
                assert self._connection.recv(_ORDER_BYTES) == b"yours"
            finally:
                prctl(_PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)
        return pid


@cache
def _server() -> _Server:
    return _Server()


def _wait_for_orders(connection: socket.socket) -> list[str]:
    """Fork at every order. Returns in the new process only, with its arguments; ends when nobody can order any more."""
    while True:
        message, fds, _, _ = socket.recv_fds(connection, _ORDER_BYTES, 3)
        if not message:
            sys.exit()
        # What another thread holds at a fork nobody would ever give back.
        assert len(os.listdir("/proc/self/task")) == 1  # noqa: PTH208 - paths aren't what is wanted
        if not (between := os.fork()):
            if pid := os.fork():
                connection.send(str(pid).encode())
                os._exit(0)
            connection.close()
            return _become(json.loads(message), fds)
        for fd in fds:
            os.close(fd)
        os.waitpid(between, 0)
        connection.send(b"yours")


def _become(order: Mapping[str, Any], fds: list[int]) -> list[str]:
    for number, fd in enumerate(fds):
        os.dup2(fd, number)
        os.close(fd)
    os.environ.clear()
    os.environ.update(order["environment"])
    os.chdir(order["folder"])
    return list(order["arguments"])


def _import_all() -> None:
    for part in _PARTS:
        package = import_module(f"tuiback.{part}")
        for module in walk_packages(package.__path__, f"{package.__name__}."):
            import_module(module.name)


if __name__ == "__main__":
    _import_all()
    sys.argv[1:] = _wait_for_orders(socket.socket(fileno=int(sys.argv[1])))
    import_module("tuiback.__main__").main()
