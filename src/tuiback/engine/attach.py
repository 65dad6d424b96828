"""A line to an engine that runs in another process; light, so that `status` and the first frame need not wait."""

import concurrent.futures
import contextlib
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import msgspec

from tuiback import __version__
from tuiback.engine import codec
from tuiback.engine.asking import given_reason, origin_of
from tuiback.engine.clock import SystemClock
from tuiback.engine.commands import Command
from tuiback.errors import HomeBusy, TuibackError
from tuiback.model import EngineStatus

SOCKET = "engine.sock"
HELLO_SECONDS = 10.0
Answer = concurrent.futures.Future[dict[str, object]]


class Link(Protocol):
    """What a console needs of an engine."""

    hosted: bool

    def status(self) -> EngineStatus | None:
        """The newest picture, None before the first; never blocks."""
        ...

    def submit(self, command: Command) -> Answer:
        """Send a command; the future holds its answer or raises its TuibackError."""
        ...

    def close(self) -> None:
        """Hosted: end the engine at a checkpoint. Attached: hang up; the engine goes on."""
        ...


def with_reason(command: Command) -> Command:
    """The command with the reason that was given for everything, unless it has its own."""
    reason = command.reason or given_reason()
    return msgspec.structs.replace(command, reason=reason) if reason else command


@contextlib.contextmanager
def short_socket_path(home: Path) -> Iterator[str]:
    """A path to the home's socket that fits into the 107 bytes a socket address has, however deep the home lies."""
    folder = os.open(home, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{SOCKET}"
    finally:
        os.close(folder)


class AttachedLink:
    """The engine runs in another process; a thread reads what it sends."""

    hosted = False

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._file = connection.makefile("rb")
        self._status: EngineStatus | None = None
        self._waiting: dict[int, Answer] = {}
        self._number = 0
        self._lock = threading.Lock()
        self._greet()
        threading.Thread(target=self._listen, name="attached", daemon=True).start()

    def _greet(self) -> None:
        self._connection.settimeout(HELLO_SECONDS)
        now, origin = SystemClock().now(), origin_of(os.environ)
        self._connection.sendall(codec.hello(__version__, os.getpid(), "console", now, origin))
        try:
            theirs = codec.decode_hello(self._file.readline())
        except (OSError, msgspec.DecodeError) as e:
            raise HomeBusy("the engine of this home does not answer", "", "look for a stuck tuiback process") from e
        if theirs.protocol != codec.PROTOCOL:
            raise HomeBusy(
                f"the engine of this home is tuiback {theirs.version} (pid {theirs.pid}), this is {__version__}",
                "",
                "let it end, or use the same version",
            )
        self._connection.settimeout(None)

    def status(self) -> EngineStatus | None:
        """The newest picture."""
        return self._status

    def submit(self, command: Command) -> Answer:
        """Send a command."""
        answer: Answer = concurrent.futures.Future()
        with self._lock:
            self._number += 1
            self._waiting[self._number] = answer
            frame = codec.ask(self._number, with_reason(command))
            try:
                self._connection.sendall(frame)
            except OSError:
                del self._waiting[self._number]
                answer.set_exception(_engine_ended())
        return answer

    def close(self) -> None:
        """Hang up."""
        with contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)
        self._connection.close()

    def _listen(self) -> None:
        try:
            for line in self._file:
                self._take(codec.decode_told(line))
        except (OSError, ValueError, msgspec.DecodeError):
            pass
        finally:
            self._file.close()
            self._connection.close()
            with self._lock:
                waiting, self._waiting = self._waiting, {}
            for answer in waiting.values():
                if not answer.done():
                    answer.set_exception(_engine_ended())

    def _take(self, told: codec.Told) -> None:
        if told.status is not None:
            self._status = told.status
        if told.number is None:
            return
        answer = self._waiting.pop(told.number)
        if told.fault is not None:
            answer.set_exception(codec.error_of(told.fault))
        else:
            answer.set_result(told.answer or {})


def _engine_ended() -> TuibackError:
    return HomeBusy("the engine ended before it answered", "", "run the command again")


def attach(home: Path) -> AttachedLink | None:
    """A line to the engine that another process hosts, None when none runs."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    try:
        with short_socket_path(home) as path:
            connection.connect(path)
    except OSError:
        connection.close()
        return None
    try:
        return AttachedLink(connection)
    except BaseException:
        connection.close()
        raise
