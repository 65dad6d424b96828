"""Names the few verbs that the store needs of a place for bytes, and opens such a place by its URL."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from tuiback.errors import EnvironmentFault, UsageError


class AlreadyThere(EnvironmentFault):
    """A create found its name taken; the repository decides what that means, so it never leaves the store."""

    code = "already_there"


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
        """(used, total) bytes of the disk behind it."""
        ...


def open_backend(url: str) -> Backend:
    """The backend of a folder path or file:// URL; nothing is created. Raises UsageError for other schemes."""
    from tuiback.store.folder import FolderBackend

    scheme, colon, rest = url.partition("://")
    if not colon:
        return FolderBackend(url)
    if scheme == "file" and rest.startswith("/"):
        return FolderBackend(rest)
    raise UsageError(f"{scheme}:// is not a place this version can store to", url, "name a folder")
