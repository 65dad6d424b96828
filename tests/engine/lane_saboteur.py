"""A world whose backups have a process beside them, and deaths of either process or of both."""

import asyncio
import mmap
import os
import random
import signal
import struct
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from tests.engine import saboteur
from tests.engine.rig import Rig
from tests.engine.saboteur import DIED, Death, Place, Work, World
from tuiback.engine.archives import archive as archives
from tuiback.store import lane, short_parts
from tuiback.store.beside import Beside
from tuiback.store.lane import Lane

_DEADLINE_SECONDS = 30.0
# Behind it a process that answers no more is given up.
_ANSWER_SECONDS = 0.5
_COUNTS = struct.Struct("<3Q")


@dataclass(frozen=True, slots=True)
class LaneDeath(Death):
    """When the process beside dies: before its n-th order or so many seconds after it waits for orders.

    With `both`, the other one dies at that moment too. With `stopped` it is not killed but answers no more.
    """

    lane_orders: int | None = None
    lane_seconds: float | None = None
    both: bool = False
    stopped: bool = False


class Shared:
    """What is known of the process beside, readable when all are dead."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, _COUNTS.size)

    @property
    def pid(self) -> int:
        """Its number; 0 where none has begun."""
        return self._get()[0]

    @property
    def orders(self) -> int:
        """How many orders it was given."""
        return self._get()[1]

    @property
    def killed(self) -> bool:
        """Whether it was."""
        return bool(self._get()[2])

    def begin(self, pid: int) -> None:
        """That one has begun."""
        self._memory[:] = _COUNTS.pack(pid, 0, 0)

    def count(self) -> None:
        """It gets an order."""
        self._memory[:] = _COUNTS.pack(self.pid, self.orders + 1, self.killed)

    def kill(self, by: signal.Signals) -> None:
        """Let it die, unless it has ended."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, by)
            self._memory[:] = _COUNTS.pack(self.pid, self.orders, 1)

    def _get(self) -> tuple[int, int, int]:
        pid, orders, killed = _COUNTS.unpack(self._memory[:])
        return pid, orders, killed


class LaneWorld(World):
    """Many short mails change, all works have a process beside them, and none of those is left behind."""

    def __init__(self, folder: Path, chance: random.Random) -> None:
        self.shared = Shared()
        self.orders = 0
        super().__init__(folder, chance)

    def change(self, place: Place) -> None:
        """See World; and many short ones, some of which have been there before."""
        super().change(place)
        box = place.cloud.mailboxes[place.owner]
        for number in range(self._chance.randint(60, 120)):
            box.put(f"s{number}", "in", random.Random(self._chance.randrange(2000)).randbytes(2000).hex().encode())

    def do(self, place: Place, work: Work, death: Death) -> str | None:
        """See World; the death of the process beside alone keeps the work from nothing, and is told as a step too."""
        self.shared.begin(0)
        step = super().do(place, work, death)
        self._await_end()
        if step is not None or not self.shared.killed:
            return step
        return "beside: killed alone"

    def _await_end(self) -> None:
        self.orders += self.shared.orders
        if self.shared.killed:
            # A stopped one that nobody waits for goes on, and finds the other one gone.
            with suppress(ProcessLookupError):
                os.kill(self.shared.pid, signal.SIGCONT)
        until = time.monotonic() + _DEADLINE_SECONDS
        while self.shared.pid and is_alive(self.shared.pid):
            assert time.monotonic() < until, f"process {self.shared.pid} is left behind"
            time.sleep(0.005)

    def _work(self, place: Place, work: Work, death: Death) -> bool:
        # This process ends with the work.
        archives.BESIDE_AFTER_PARTS = 1
        short_parts._BESIDE_PARTS = 1
        lane._ANSWER_SECONDS = _ANSWER_SECONDS
        opened = saboteur.Place.open

        async def open_with_lane(place: Place) -> Rig:
            rig = await opened(place)
            await self._begin_lane(rig, death)
            return rig

        setattr(saboteur.Place, "open", open_with_lane)  # noqa: B010 - only so the type checker lets it
        return super()._work(place, work, death)

    async def _begin_lane(self, rig: Rig, death: Death) -> None:
        beside = rig.archive.writer._short._beside
        assert isinstance(beside, Beside)
        beside.miss(1)
        async with asyncio.timeout(_DEADLINE_SECONDS):
            while not beside.has_room:  # noqa: ASYNC110 - nothing tells of it without being in its way
                await asyncio.sleep(0.001)
        assert beside._lane is not None
        assert beside._lane._process is not None
        self.shared.begin(beside._lane._process.pid)
        _arm(self.shared, death if isinstance(death, LaneDeath) else LaneDeath())


def _arm(shared: Shared, death: LaneDeath) -> None:
    """Count the orders of this process's lanes, and let that death come."""
    send: Callable[..., None] = Lane._send

    def die() -> None:
        shared.kill(signal.SIGSTOP if death.stopped else signal.SIGKILL)
        if death.both:
            os._exit(DIED)

    def counted(*given: Any) -> None:
        if shared.orders == death.lane_orders:
            die()
        shared.count()
        send(*given)

    setattr(Lane, "_send", staticmethod(counted))  # noqa: B010 - only so the type checker lets it
    if death.lane_seconds is not None:
        timer = threading.Timer(death.lane_seconds, die)
        timer.daemon = True
        timer.start()


def is_alive(pid: int) -> bool:
    """Whether it is there and not only waits to be fetched."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
