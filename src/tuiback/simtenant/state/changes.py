"""Remembers in which order things changed, which is all that delta needs."""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Change:
    """One change: what (`serial`), in which container, and how often the thing had moved by then.

    An `is_sharing` change is one of permissions only; with an `is_new` one the thing came into the container.
    """

    number: int
    container: int
    serial: int
    moves: int
    is_sharing: bool = False
    is_new: bool = False


class ChangeLog:
    """The changes of one mailbox or drive, numbered from 1."""

    def __init__(self) -> None:
        self._changes: list[Change] = []

    @property
    def latest(self) -> int:
        """The number of the last change, 0 before the first."""
        return len(self._changes)

    def add(
        self, container: int, serial: int, moves: int = 0, *, is_sharing: bool = False, is_new: bool = False
    ) -> None:
        """Note that `serial` appeared, changed or vanished in `container`."""
        self._changes.append(Change(len(self._changes) + 1, container, serial, moves, is_sharing, is_new))

    def between(self, after: int, until: int) -> Iterator[Change]:
        """The changes numbered after `after` up to `until`, in order."""
        first = bisect_right(self._changes, after, key=lambda change: change.number)
        yield from self._changes[first:until]
