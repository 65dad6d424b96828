"""Tells on whose behalf the engine acts: the person behind a command, wherever it came from."""

import contextlib
import os
import pwd
import socket
import struct
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass

# pid, uid and gid as the kernel knows them: struct ucred in unix(7).
_CREDENTIALS = struct.Struct("3i")
# What another process says of itself is kept, but no more of it than this.
_ORIGIN_LENGTH = 120


@dataclass(frozen=True, slots=True)
class Asker:
    """A person: user name, user id, and from where the command came."""

    who: str
    uid: int
    origin: str


_asker: ContextVar[Asker | None] = ContextVar("asker", default=None)


_reason: ContextVar[str] = ContextVar("reason", default="")


def give_reason(reason: str) -> None:
    """Say why everything that follows is done; a command that has a reason of its own keeps it."""
    _reason.set(reason)


def given_reason() -> str:
    """Why things are done, "" where nobody said."""
    return _reason.get()


def user_name(uid: int) -> str:
    """The user's name; the number where the machine knows none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def origin_of(environ: Mapping[str, str]) -> str:
    """From where this process was started: the terminal, the address of an SSH client, who used sudo."""
    found: list[str] = []
    for descriptor in (0, 1, 2):
        with contextlib.suppress(OSError):
            found.append(os.ttyname(descriptor).removeprefix("/dev/"))
            break
    # "client address, client port, server address, server port": ssh(1).
    if client := environ.get("SSH_CONNECTION", "").partition(" ")[0]:
        found.append(f"ssh from {client}")
    if user := environ.get("SUDO_USER"):
        found.append(f"sudo by {user}")
    return ", ".join(found)[:_ORIGIN_LENGTH] or "no terminal"


def local_asker() -> Asker:
    """Whoever runs this process."""
    uid = os.getuid()
    return Asker(user_name(uid), uid, origin_of(os.environ))


def peer_asker(connection: socket.socket, told_origin: str) -> Asker:
    """Whoever is at the other end of a Unix socket: the user as the kernel says, the origin as that process says."""
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    pid, uid, _ = _CREDENTIALS.unpack(raw)
    origin = f"process {pid}" + (f", {told_origin[:_ORIGIN_LENGTH]}" if told_origin else "")
    return Asker(user_name(uid), uid, origin)


@contextlib.contextmanager
def asked_by(asker: Asker) -> Iterator[None]:
    """Within, and in tasks that begin there, the engine acts for this person."""
    token = _asker.set(asker)
    try:
        yield
    finally:
        _asker.reset(token)


def current_asker() -> Asker:
    """The person behind what happens now; who runs this process where nobody else asked."""
    return _asker.get() or local_asker()
