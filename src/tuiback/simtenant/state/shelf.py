"""Keeps what belongs to each person in memory: all that was changed, and of the rest what is in use."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

# What is untouched can be made again at any time; this many stay at hand.
_KEPT_UNCHANGED = 64


class _Changeable(Protocol):
    @property
    def is_changed(self) -> bool: ...


S = TypeVar("S", bound=_Changeable)


class Shelf(Generic[S]):
    """Things by owner: changed ones for good, unchanged ones while they are in use."""

    def __init__(self, make: Callable[[int], S]) -> None:
        self._make = make
        self._changed: dict[int, S] = {}
        self._recent: OrderedDict[int, S] = OrderedDict()

    def find(self, owner: int) -> S | None:
        """The owner's, if it is in memory."""
        return self._recent.get(owner) or self._changed.get(owner)

    def take(self, owner: int) -> S:
        """The owner's, made if need be."""
        held = self.find(owner)
        if held is None:
            held = self._make(owner)
        self._recent[owner] = held
        self._recent.move_to_end(owner)
        self._settle()
        return held

    @property
    def held_count(self) -> int:
        """How many are in memory."""
        return len(self._recent.keys() | self._changed.keys())

    def _settle(self) -> None:
        while len(self._recent) > _KEPT_UNCHANGED:
            owner, oldest = self._recent.popitem(last=False)
            if oldest.is_changed:
                self._changed[owner] = oldest
