"""Names the few verbs that the store needs of a place for bytes, and tries whether one keeps its word."""

import contextlib
import os
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Protocol

from tuiback.errors import EnvironmentFault, NoSuchThing


class AlreadyThere(EnvironmentFault):
    """A create found its name taken; the repository decides what that means, so it never leaves the store."""

    code = "already_there"


_PROBE_CREATORS = 3


class Backend(Protocol):
    """A place for named, write-once objects. Names are relative paths with "/" between their segments.

    Every verb raises RepositoryMissing when the place itself is not there, and EnvironmentFault for a refusal
    of the machine. Thread-safe.
    """

    url: str

    def prepare(self) -> None:
        """Make the place for a new repository; the only verb that may create it."""
        ...

    def create(self, name: str, data: Sequence[bytes]) -> None:
        """Write the object durably and whole, or not at all.

        Raises AlreadyThere when the name is taken, StorageFull when the bytes could not be written.
        """
        ...

    def read(self, name: str, offset: int = 0, length: int | None = None) -> bytes:
        """Up to `length` bytes from `offset` on; fewer where the object ends.

        Raises NoSuchThing when there is no such object, Damage when the disk can't read it.
        """
        ...

    def size(self, name: str) -> int:
        """Bytes of the object. Raises NoSuchThing."""
        ...

    def modified(self, name: str) -> datetime:
        """When the object was written, by the clock of the store. Raises NoSuchThing."""
        ...

    def list(self, prefix: str) -> Iterator[str]:
        """The names that start with `prefix`, in order."""
        ...

    def delete(self, name: str) -> None:
        """Remove the object. Raises NoSuchThing."""
        ...

    def probe(self) -> None:
        """Try what the store relies on: create-only, list after create, ranges, delete. Raises EnvironmentFault."""
        ...

    def free_bytes(self) -> tuple[int, int]:
        """(used, total) bytes of the disk behind it; total 0 where there is no known end, and used 0 where unknown."""
        ...


def store_time(backend: Backend) -> datetime:
    """What the clock of the store says now; leaves no trace. Raises EnvironmentFault where nothing can be written."""
    name = f"tmp/time-{os.urandom(8).hex()}"
    # Empty, so that a prune can free space where none is left.
    backend.create(name, ())
    try:
        return backend.modified(name)
    finally:
        with contextlib.suppress(NoSuchThing):
            backend.delete(name)


def probe_place(backend: Backend, what: str, remedy: str) -> None:
    """Try a backend with one small object, created by several at once; leaves no trace.

    Raises EnvironmentFault with `what` and `remedy` when it does not keep the one that came first.
    """
    # Whoever reads alone starts sooner without it.
    from concurrent.futures import ThreadPoolExecutor

    name = f"tmp/probe-{os.urandom(8).hex()}"

    def won(number: int) -> bool:
        try:
            backend.create(name, (b"probe ", bytes([number])))
        except AlreadyThere:
            return False
        return True

    try:
        with ThreadPoolExecutor(_PROBE_CREATORS) as pool:
            winners = [number for number, one in enumerate(pool.map(won, range(_PROBE_CREATORS))) if one]
        late = won(_PROBE_CREATORS)
        kept = [backend.read(name, 6, 1)] == [bytes([number]) for number in winners]
        listed = name in backend.list("tmp/probe-")
    finally:
        with contextlib.suppress(NoSuchThing):
            backend.delete(name)
    if late or not kept or not listed or name in backend.list("tmp/probe-"):
        raise EnvironmentFault(what, backend.url, remedy)
