"""Knows which runs of one archive are in progress, and which packs they may rest on without saying so yet."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from tuiback.model import PackTable


class UnderWay:
    """The runs of one archive in progress; touched on the engine's loop only.

    A part is in committed packs long before the version that needs it is staged, while a large file is still read.
    """

    def __init__(self) -> None:
        self._begun = 0
        # Of each run, how many packs had been committed when it began.
        self._runs: dict[int, int] = {}
        self._packs: list[str] = []

    @contextmanager
    def run(self) -> Iterator[None]:
        """Within, a run is in progress."""
        self._begun += 1
        number = self._begun
        self._runs[number] = len(self._packs)
        try:
            yield
        finally:
            del self._runs[number]
            if not self._runs:
                self._packs.clear()

    def committed(self, packs: Iterable[PackTable]) -> None:
        """These packs are part of the repository now."""
        if self._runs:
            self._packs += [pack.pack_id for pack in packs]

    def packs(self) -> frozenset[str]:
        """The packs committed since the oldest run in progress began."""
        return frozenset(self._packs[min(self._runs.values(), default=len(self._packs)) :])

    def still(self) -> Callable[[], bool]:
        """What tells, whenever it is asked, whether any of the runs in progress now still is."""
        now = frozenset(self._runs)
        return lambda: not now.isdisjoint(self._runs)
