"""Pings who watches over the engine: as long as it lives, and differently when something is not backed up."""

import asyncio
from collections.abc import Awaitable, Callable

from tuiback.engine.activity import Activity
from tuiback.engine.settings.channels import Channels, PingChannel
from tuiback.errors import TuibackError
from tuiback.model import Clock

Ping = Callable[[PingChannel, str], Awaitable[None]]

LOOK_SECONDS = 1.0


class Heartbeat:
    """begin() once, then run() until cancelled or end(). After the last ping the watcher knows that nobody is there."""

    def __init__(
        self, channels: Channels, is_well: Callable[[], bool], ping: Ping, activity: Activity, clock: Clock
    ) -> None:
        self._channels = channels
        self._is_well = is_well
        self._ping = ping
        self._activity = activity
        self._clock = clock
        self._told: dict[str, tuple[float, bool]] = {}
        self._mute: set[str] = set()

    async def begin(self) -> None:
        """Say that work begins."""
        await self._all("start")

    async def end(self) -> None:
        """Say how the work ended."""
        await self._all(self._signal(self._is_well()))

    async def run(self) -> None:
        """Ping when it is time, and at once when things turn bad or well."""
        while True:
            await self.beat()
            await self._clock.sleep(LOOK_SECONDS)

    async def beat(self) -> None:
        """Ping those whose time has come."""
        now, well = self._clock.monotonic(), self._is_well()
        due = []
        for channel in self._channels.of_kind(PingChannel):
            told_at, told = self._told.get(channel.name, (float("-inf"), well))
            if now - told_at >= channel.every_seconds or told != well:
                self._told[channel.name] = now, well
                due.append(channel)
        await asyncio.gather(*(self._one(channel, self._signal(well)) for channel in due))

    async def _all(self, signal: str) -> None:
        await asyncio.gather(*(self._one(channel, signal) for channel in self._channels.of_kind(PingChannel)))

    async def _one(self, channel: PingChannel, signal: str) -> None:
        try:
            await self._ping(channel, signal)
        except TuibackError as error:
            # Once for each outage: the watcher raises the alarm, not the log.
            if channel.name not in self._mute:
                self._activity.add("warn", channel.name, f"the ping did not arrive: {error}")
            self._mute.add(channel.name)
        else:
            self._mute.discard(channel.name)

    @staticmethod
    def _signal(well: bool) -> str:
        return "" if well else "fail"
