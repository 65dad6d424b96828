"""A line to an engine that runs in another process; light, so that the first frame need not wait."""

import concurrent.futures
import contextlib
import socket
import threading
from pathlib import Path
from typing import Protocol

import msgspec

from tuiback.engine import codec
from tuiback.engine.asking import Role, given_reason
from tuiback.engine.commands import Command
from tuiback.engine.hosting.glance import find_engine, greet, not_understood
from tuiback.errors import HomeBusy, TuibackError
from tuiback.model import EngineStatus

Answer = concurrent.futures.Future[dict[str, object]]


class Link(Protocol):
    """What a console needs of an engine."""

    hosted: bool

    @property
    def role(self) -> str:
        """What the person here may do: viewer, operator or admin."""
        ...

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
        # Why the engine can't be understood, once it said something that this version has no words for.
        self.fault: TuibackError | None = None
        self._engine = greet(connection, self._file)
        threading.Thread(target=self._listen, name="attached", daemon=True).start()

    @property
    def engine_version(self) -> str:
        """Which tuiback the engine is."""
        return self._engine.version

    @property
    def role(self) -> str:
        """What the person here may do, as the engine said; one that asked nobody let everybody do everything."""
        return self._engine.grants or Role.ADMIN

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
                answer.set_exception(self.fault or _engine_ended())
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
        except msgspec.DecodeError:
            self.fault = not_understood(self._engine)
        except (OSError, ValueError):
            pass
        finally:
            self._file.close()
            self._connection.close()
            with self._lock:
                waiting, self._waiting = self._waiting, {}
            for answer in waiting.values():
                if not answer.done():
                    answer.set_exception(self.fault or _engine_ended())

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
    connection = find_engine(home)
    if connection is None:
        return None
    try:
        return AttachedLink(connection)
    except BaseException:
        connection.close()
        raise
