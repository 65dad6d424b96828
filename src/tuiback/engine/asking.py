"""Tells on whose behalf the engine acts: the person behind a command, wherever it came from."""

import contextlib
import os
import pwd
import socket
import struct
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from enum import StrEnum

import msgspec

# pid, uid and gid as the kernel knows them: struct ucred in unix(7).
_CREDENTIALS = struct.Struct("iII")
# The supplementary groups of the other end, from Linux 4.13 on; Python 3.11 has no name for it. socket(7) lacks it:
# https://git.kernel.org/torvalds/c/28b5ba2aa0f55d80adb2624564ed2b170c19519e
_SO_PEERGROUPS = 59
# As much as Python reads of a socket option.
_GROUPS_BYTES = 1024
# What another process says of itself is kept, but no more of it than this.
_ORIGIN_LENGTH = 120


class Role(StrEnum):
    """What a person may do with an engine, the least first: look on, operate it, or anything."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"

    def covers(self, least: "Role") -> bool:
        """Whether this role may do what `least` may."""
        ranks = list(Role)
        return ranks.index(self) >= ranks.index(least)


class Peer(msgspec.Struct, frozen=True):
    """The process at the other end of a socket: whose it is, and the ids of its groups."""

    pid: int
    uid: int
    groups: frozenset[int]


class Asker(msgspec.Struct, frozen=True):
    """A person: user name, user id, from where the command came, and what the person may do."""

    who: str
    uid: int
    origin: str
    role: Role = Role.ADMIN


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


def peer_of(connection: socket.socket) -> Peer:
    """Whoever is at the other end of a Unix socket, as the kernel says."""
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    pid, uid, gid = _CREDENTIALS.unpack(raw)
    groups = {gid}
    # A kernel that doesn't know it, and a process of more groups than fit, leave those of the user.
    with contextlib.suppress(OSError):
        held = connection.getsockopt(socket.SOL_SOCKET, _SO_PEERGROUPS, _GROUPS_BYTES)
        groups.update(gid for (gid,) in struct.iter_unpack("I", held))
    return Peer(pid, uid, frozenset(groups))


def groups_of(peer: Peer) -> frozenset[int]:
    """The groups of a process, and those that its user was added to since it began; may ask the network."""
    try:
        user = pwd.getpwuid(peer.uid)
    except KeyError:
        return peer.groups
    return peer.groups.union(os.getgrouplist(user.pw_name, user.pw_gid))


def peer_asker(peer: Peer, told_origin: str, role: Role) -> Asker:
    """The person of a peer: the user as the kernel says, the origin as that process says."""
    origin = f"process {peer.pid}" + (f", {told_origin[:_ORIGIN_LENGTH]}" if told_origin else "")
    return Asker(user_name(peer.uid), peer.uid, origin, role)


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
