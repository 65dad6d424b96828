"""Remembers which directory objects changed, in which properties, and when in the order of things."""

from collections.abc import Iterator
from dataclasses import dataclass

# Stands for an object that appeared or vanished: every property changed.
EVERYTHING = frozenset({"*"})
# A member of a group: the kind of object and its number.
Member = tuple[str, int]


@dataclass(frozen=True, slots=True)
class DirectoryChange:
    """One change of one object; `members` of a group that came or went with it."""

    serial: int
    names: frozenset[str]
    members: tuple[Member, ...] = ()

    def shows(self, selected: frozenset[str] | None) -> bool:
        """Whether somebody who follows the `selected` properties is told."""
        return selected is None or self.names == EVERYTHING or bool(self.names & selected)


class DirectoryLog:
    """The changes of all users, or of all groups, numbered from 1."""

    def __init__(self) -> None:
        self._changes: list[DirectoryChange] = []

    @property
    def latest(self) -> int:
        """The number of the last change, 0 before the first."""
        return len(self._changes)

    def add(self, serial: int, names: frozenset[str] = EVERYTHING, members: tuple[Member, ...] = ()) -> None:
        """Note a change."""
        self._changes.append(DirectoryChange(serial, names, members))

    def between(self, after: int, until: int) -> Iterator[DirectoryChange]:
        """The changes numbered after `after` up to `until`, in order."""
        yield from self._changes[after:until]
