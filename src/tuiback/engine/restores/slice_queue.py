"""Hands the slices of an export to whoever writes them, and counts what came of them in the order of the plan."""

import threading
from collections import deque
from dataclasses import dataclass

from tuiback.engine.restores.slices import ExportReport, Slice, Written

# Folders enough for every lane to have one of its own.
_SLICES_WAITING = 32


@dataclass(frozen=True, slots=True)
class Portion:
    """A slice to write, the number-th of the plan; the folder is its first item's."""

    number: int
    planned: Slice
    folder: str


class SliceQueue:
    """Thread-safe. `report` and `manifest` have what is written up to the first slice that is not."""

    def __init__(self) -> None:
        self.report = ExportReport()
        self.manifest: list[bytes] = []
        self._changed = threading.Condition()
        self._waiting: deque[Portion] = deque()
        self._folders: dict[int, str] = {}
        self._given = 0
        self._done: dict[int, Written] = {}
        self._counted = 0
        self._fault: BaseException | None = None
        self._ended = False

    def put(self, planned: Slice) -> None:
        """Let it be written when a lane is free; waits while many are waiting. Raises what was given to fail()."""
        folder = planned[0].path.rpartition("/")[0]
        with self._changed:
            self._changed.wait_for(lambda: len(self._waiting) < _SLICES_WAITING or self._fault or self._ended)
            self._raise_fault()
            self._waiting.append(Portion(self._given, planned, folder))
            self._given += 1
            self._changed.notify_all()

    def put_done(self, written: Written) -> None:
        """Count what needed no writing, behind what was put before."""
        with self._changed:
            self._given += 1
            self._count(self._given - 1, written)

    def take(self, lane: int, *, wait: bool = True) -> Portion | None:
        """The next slice for that lane, of a folder that no other one writes to if there is such a one.

        Two that make files in one folder would wait for each other at every file. None at the end, and without `wait`
        when there is none now.
        """
        with self._changed:
            self._changed.wait_for(lambda: not wait or self._waiting or self._fault or self._ended)
            if not self._waiting or self._fault or self._ended:
                return None
            others = {folder for other, folder in self._folders.items() if other != lane}
            place = next((n for n, portion in enumerate(self._waiting) if portion.folder not in others), 0)
            portion = self._waiting[place]
            del self._waiting[place]
            self._folders[lane] = portion.folder
            self._changed.notify_all()
            return portion

    def done(self, portion: Portion, written: Written) -> None:
        """Count what came of it."""
        with self._changed:
            self._count(portion.number, written)

    def give_back(self, portions: list[Portion]) -> None:
        """Let others write these."""
        with self._changed:
            self._waiting.extendleft(reversed(portions))
            self._changed.notify_all()

    def fail(self, error: BaseException) -> None:
        """Give no more out, and tell whoever puts and waits."""
        with self._changed:
            self._fault = self._fault or error
            self._changed.notify_all()

    def end(self) -> None:
        """Give no more out."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    @property
    def ended(self) -> bool:
        """Whether no more is given out."""
        return self._ended or self._fault is not None

    def wait_until_done(self) -> bool:
        """Return when all that was put is counted, False when it ended before. Raises what was given to fail()."""
        with self._changed:
            self._changed.wait_for(lambda: self._counted == self._given or self._fault or self._ended)
            self._raise_fault()
            # A slice that was in hand then counts as done, but is not whole.
            return not self._ended

    def waiting(self) -> int:
        """How many slices of more than one item nobody writes yet."""
        with self._changed:
            return sum(len(portion.planned) > 1 for portion in self._waiting)

    def _count(self, number: int, written: Written) -> None:
        self._done[number] = written
        while (ready := self._done.pop(self._counted, None)) is not None:
            self.report.add(ready.report)
            self.manifest += ready.manifest
            self._counted += 1
        self._changed.notify_all()

    def _raise_fault(self) -> None:
        if self._fault is not None:
            raise self._fault
