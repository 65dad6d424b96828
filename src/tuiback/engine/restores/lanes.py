"""Has the slices of an export written on several lanes at once: threads here and, for much, processes beside this one.

Threads share the interpreter, so that small items are written hardly quicker by two of them than by one.
"""

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from tuiback.engine.restores.ahead import helpers_of_this_machine
from tuiback.engine.restores.beside import Opening
from tuiback.engine.restores.helper import Helper
from tuiback.engine.restores.settling import Settling
from tuiback.engine.restores.slice_queue import Portion, SliceQueue
from tuiback.engine.restores.slices import ExportReport, Slice, SliceWriter, Written
from tuiback.engine.restores.targets import Target
from tuiback.errors import EnvironmentFault
from tuiback.store.side_process import SideProcess

# It writes one slice while the next one travels.
_SLICES_UNDER_WAY = 2


@dataclass(frozen=True, slots=True)
class HelpFrom:
    """How many processes help, and from how many waiting slices of several items: each process takes 0.2 s to start.

    Long files, each a slice by itself, are no reason for one: most of their work is done outside of the interpreter,
    where the threads of one process don't wait for each other. Those of `ahead` are started already.
    """

    helpers: int
    slices: int = 8
    ahead: tuple[SideProcess, ...] = ()


def help_of_this_machine() -> HelpFrom:
    """As many helpers as it has cores for."""
    return HelpFrom(helpers_of_this_machine())


class Lanes:
    """Writes slices in any order and tells what came of them in the order of the plan. Ended by close()."""

    def __init__(self, writer: SliceWriter, target: Target, opening: Opening | None, help_from: HelpFrom) -> None:
        """`opening` is what helpers need; None where there can be none."""
        self._writer = writer
        self._target = target
        self._opening = opening
        self._help_from = help_from
        self._ahead = deque(help_from.ahead)
        self._queue = SliceQueue()
        self._threads: list[threading.Thread] = []
        self._helpers: list[Helper] = []
        self._called = False
        self._settling = None if opening is None else Settling(opening.place.folder)
        self._helped = False

    @property
    def report(self) -> ExportReport:
        """What is written and what failed so far."""
        return self._queue.report

    @property
    def manifest(self) -> list[bytes]:
        """The lines of what is written so far."""
        return self._queue.manifest

    def put(self, planned: Slice) -> None:
        """Let the slice be written; waits while many are waiting. Raises StorageFull."""
        self._queue.put(planned)
        if len(self._threads) < self._target.at_once:
            self._start(partial(self._work_here, spare=bool(self._threads)))
        if not self._called and self._opening is not None and self._queue.waiting() >= self._help_from.slices:
            self._called = True
            for _ in range(self._help_from.helpers):
                started = self._ahead.popleft() if self._ahead else None
                self._start(partial(self._work_beside, self._opening, started))

    def put_done(self, written: Written) -> None:
        """Count what needed no writing."""
        self._queue.put_done(written)

    def wait_until_done(self) -> bool:
        """Return when everything is written, False when it was closed before. Raises StorageFull.

        Nothing can be put afterwards.
        """
        done = self._queue.wait_until_done()
        self._queue.end()
        return done

    def settle(self) -> None:
        """Return when what was written is on the disk, if it is much. Raises StorageFull."""
        if self._settling is not None:
            self._settling.finish()

    def close(self) -> None:
        """End all lanes behind the file that each has in hand."""
        self._queue.end()
        self._writer.stop()
        for helper in tuple(self._helpers):
            helper.stop()
        for thread in self._threads:
            thread.join()
        while self._ahead:
            self._ahead.popleft().abandon()
        if self._settling is not None:
            self._settling.close()

    def _start(self, work: Callable[[int], None]) -> None:
        lane = len(self._threads)
        thread = threading.Thread(target=self._tell_fault, args=(work, lane), name=f"export-{lane}")
        self._threads.append(thread)
        thread.start()

    def _tell_fault(self, work: Callable[[int], None], lane: int) -> None:
        try:
            work(lane)
        except BaseException as e:  # noqa: BLE001 - whoever waits for the export raises it
            self._queue.fail(e)

    def _work_here(self, lane: int, *, spare: bool = False) -> None:
        """Write slices in this process; one that is spare only until there is help."""
        while not (spare and self._helped) and (portion := self._queue.take(lane)) is not None:
            self._done(portion, self._writer.write(portion.planned))

    def _work_beside(self, opening: Opening, started: SideProcess | None, lane: int) -> None:
        """Have slices written by a process; where it can't be had, or ends before its time, they are written here."""
        try:
            helper = Helper(opening) if started is None else Helper(opening, started)
        except EnvironmentFault:
            return
        under_way: deque[Portion] = deque()
        try:
            self._helpers.append(helper)
            if self._queue.ended:
                return
            helper.wait_until_ready()
            self._helped = True
            self._feed(helper, under_way, lane)
        except (EOFError, OSError):
            # It is gone before anybody else touches what it had in hand.
            helper.close()
            if not self._queue.ended:
                self._take_back(under_way)
                self._work_here(lane)
        finally:
            helper.close()

    def _feed(self, helper: Helper, under_way: deque[Portion], lane: int) -> None:
        while True:
            while len(under_way) < _SLICES_UNDER_WAY and (portion := self._queue.take(lane, wait=not under_way)):
                self._target.note(one.path for one in portion.planned)
                under_way.append(portion)
                helper.send(portion.planned)
            if not under_way:
                return
            written = helper.receive()
            self._done(under_way.popleft(), written)

    def _done(self, portion: Portion, written: Written) -> None:
        if self._settling is not None:
            self._settling.add(written.report.bytes)
        self._queue.done(portion, written)

    def _take_back(self, portions: deque[Portion]) -> None:
        self._target.take_back(one.path for portion in portions for one in portion.planned)
        self._queue.give_back(list(portions))
