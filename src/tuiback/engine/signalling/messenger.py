"""Brings queued notices to their channels, each channel on its own, and tries again later what fails."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from functools import partial

import msgspec

from tuiback.catalog import AlertBook, MessageRow
from tuiback.engine.activity import Activity
from tuiback.engine.settings.channels import Channel, Channels
from tuiback.engine.signalling.notices import Notice
from tuiback.errors import TuibackError
from tuiback.model import Clock

Deliver = Callable[[Channel, Notice], Awaitable[None]]

LOOK_SECONDS = 5.0
FIRST_RETRY_SECONDS = 60.0
LONGEST_RETRY_SECONDS = 3600.0
# Older news helps nobody; what is still open stands in the next digest.
GIVEN_UP_AFTER = timedelta(days=3)


def retry_seconds(tries: int) -> float:
    """How long to wait after so many tries that failed."""
    return min(FIRST_RETRY_SECONDS * 2.0 ** min(tries, 10), LONGEST_RETRY_SECONDS)


def _is_due(row: MessageRow, now: datetime) -> bool:
    # Further ahead than any retry: the clock was put back since.
    return row.due_at <= now or (row.due_at - now).total_seconds() > LONGEST_RETRY_SECONDS


class Messenger:
    """run() until cancelled. A notice leaves the queue when its channel took it, or after three days."""

    def __init__(
        self, channels: Channels, book: AlertBook, deliver: Deliver, activity: Activity, clock: Clock
    ) -> None:
        self._channels = channels
        self._book = book
        self._deliver = deliver
        self._activity = activity
        self._clock = clock
        self._busy: dict[str, asyncio.Task[None]] = {}
        self._news = asyncio.Event()

    def look(self) -> None:
        """Something was queued."""
        self._news.set()

    async def run(self) -> None:
        """Deliver what is due, then wait for more."""
        while True:
            self._news.clear()
            await self.start_due()
            waiting = [asyncio.ensure_future(self._news.wait()), asyncio.ensure_future(self._clock.sleep(LOOK_SECONDS))]
            try:
                await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for each in waiting:
                    each.cancel()
                await asyncio.gather(*waiting, return_exceptions=True)

    async def start_due(self) -> None:
        """Set every channel to work that has something due and is idle."""
        now = self._clock.now()
        # What a channel at work has delivered by the end of the question may still be in the answer.
        busy = frozenset(self._busy)
        channels = {channel.name: channel for channel in self._channels.all()}
        messages: dict[str, list[MessageRow]] = {}
        for message in await asyncio.to_thread(self._book.messages):
            messages.setdefault(message.channel, []).append(message)
        if messages.keys() - channels.keys():
            await asyncio.to_thread(self._book.forget_channels, list(channels))
        for name, rows in messages.items():
            # What comes later waits behind what can't be delivered, so that a receiver sees the order of events.
            if name in channels and name not in busy and _is_due(rows[0], now):
                work = asyncio.ensure_future(self._bring(channels[name], rows))
                self._busy[name] = work
                work.add_done_callback(partial(self._idle, name))

    async def finish(self, seconds: float) -> None:
        """Deliver what is due, taking at most so long."""
        await self.start_due()
        if self._busy:
            await asyncio.wait(list(self._busy.values()), timeout=seconds)
        for work in list(self._busy.values()):
            work.cancel()

    def _idle(self, name: str, _: asyncio.Task[None]) -> None:
        del self._busy[name]

    async def _bring(self, channel: Channel, rows: list[MessageRow]) -> None:
        for row in rows:
            try:
                await self._deliver(channel, msgspec.json.decode(row.payload, type=Notice))
            except TuibackError as error:
                await self._fail(row, error)
                return
            await asyncio.to_thread(self._book.delivered, row.number)

    async def _fail(self, row: MessageRow, error: TuibackError) -> None:
        now = self._clock.now()
        if now - row.created_at > GIVEN_UP_AFTER:
            await asyncio.to_thread(self._book.delivered, row.number)
            self._activity.add("error", row.channel, f"a message was given up after three days: {error}")
            return
        await asyncio.to_thread(self._book.postpone, row.number, now + timedelta(seconds=retry_seconds(row.tries)))
        if row.tries == 0:
            self._activity.add("warn", row.channel, f"a message could not be delivered and is tried again: {error}")
