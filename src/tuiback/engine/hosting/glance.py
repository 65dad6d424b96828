"""Finds the engine that runs for a home, greets it, and takes one look: all that `status` needs, and quickly loaded."""

import contextlib
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec

from tuiback import __version__
from tuiback.engine import codec
from tuiback.engine.asking import origin_of, user_name
from tuiback.engine.clock import SystemClock
from tuiback.engine.commands import Hello
from tuiback.errors import HomeBusy, NotAllowed, TuibackError
from tuiback.model import EngineStatus

SOCKET = "engine.sock"
HELLO_SECONDS = 10.0
RESTART = "to change the engine's, 'systemctl restart tuiback', or end 'tuiback serve' and start it again"


@contextlib.contextmanager
def short_socket_path(home: Path) -> Iterator[str]:
    """A path to the home's socket that fits into the 107 bytes a socket address has, however deep the home lies."""
    # Who may pass through the folder need not be able to list it.
    folder = os.open(home, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{SOCKET}"
    finally:
        os.close(folder)


def find_engine(home: Path) -> socket.socket | None:
    """A connection to the engine that another process hosts, None when none runs."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    try:
        with short_socket_path(home) as path:
            connection.connect(path)
    except OSError:
        connection.close()
        return None
    return connection


def greet(connection: socket.socket, file: BinaryIO) -> Hello:
    """Exchange the first frames; `file` reads the connection. Raises HomeBusy, and NotAllowed for a stranger."""
    connection.settimeout(HELLO_SECONDS)
    now, origin = SystemClock().now(), origin_of(os.environ)
    # One that lets nobody in may have hung up by now; what it said can still be read.
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        connection.sendall(codec.hello(__version__, os.getpid(), "console", now, origin))
    try:
        engine = codec.decode_hello(file.readline())
    except (OSError, msgspec.DecodeError) as e:
        raise _silent() from e
    if engine.grants == codec.STRANGER:
        raise NotAllowed(
            "the engine of this home lets only its owner and members of its groups in", user_name(os.getuid()),
            "ask its owner to add you to one",
        )  # fmt: skip
    if engine.protocol != codec.PROTOCOL:
        raise not_understood(engine)
    connection.settimeout(None)
    return engine


def look(home: Path) -> EngineStatus | None:
    """The running engine's picture of this moment; None where no engine runs, or ends just now. Raises HomeBusy."""
    connection = find_engine(home)
    if connection is None:
        return None
    with connection, connection.makefile("rb") as file:
        engine = greet(connection, file)
        connection.settimeout(HELLO_SECONDS)
        try:
            told = (codec.decode_told(line) for line in file if line.endswith(b"\n"))
            return next((each.status for each in told if each.status is not None), None)
        except msgspec.DecodeError as e:
            raise not_understood(engine) from e
        except OSError as e:
            raise _silent() from e


def not_understood(engine: Hello) -> TuibackError:
    """The engine and this program are too far apart."""
    what = f"the engine of this home is tuiback {engine.version} (process {engine.pid}), this is {__version__}"
    if engine.protocol > codec.PROTOCOL:
        return HomeBusy(what, "", f"upgrade this one to {engine.version}")
    if engine.protocol < codec.PROTOCOL:
        return HomeBusy(what, "", RESTART)
    return HomeBusy(what, "", f"upgrade the older of them; {RESTART}")


def _silent() -> HomeBusy:
    return HomeBusy("the engine of this home does not answer", "", "look for a stuck tuiback process")
