"""An engine of another version: it answers everybody who attaches with the lines that a test gives it."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec

from tuiback.engine.hosting.host import listen
from tuiback.model import EngineStatus


@contextlib.contextmanager
def forged_engine(home: Path, *lines: str) -> Iterator[None]:
    """Within, whoever attaches to the home is sent these lines and then only listened to."""
    home.mkdir(parents=True, exist_ok=True)
    listener = listen(home)

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                threading.Thread(target=talk, args=(connection,), daemon=True).start()

    def talk(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.sendall("".join(f"{line}\n" for line in lines).encode())
            while connection.recv(65536):
                pass

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def hello(version: str, protocol: int = 1, **more: object) -> str:
    """The first line of an engine of this version."""
    fields = {"protocol": protocol, "version": version, "pid": 4711, "role": "serve", "time": "2026-11-23T10:00:00Z"}
    return msgspec.json.encode({**fields, **more}).decode()


def picture(status: EngineStatus) -> str:
    """A picture as an engine sends it that knows of no field that has a default."""
    sent = {name: value for name, value in msgspec.to_builtins(status).items() if value}
    return msgspec.json.encode({"status": sent}).decode()
