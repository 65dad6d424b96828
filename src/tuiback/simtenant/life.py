"""Lets the company live on its own for as long as the tenant is served, so many changes a minute."""

import asyncio
from collections.abc import Collection

from tuiback.simtenant.api.cloud import Cloud
from tuiback.simtenant.api.notifications import notify
from tuiback.simtenant.mutations import change, new_day


class Life:
    """The background of one tenant. Minutes are the tenant's, which may pass faster than the machine's."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._living: asyncio.Task[None] | None = None
        self.changes = 0

    @property
    def is_on(self) -> bool:
        """Whether anybody is at work."""
        return self._living is not None and not self._living.done()

    def begin(self, changes_per_minute: float, seed: int, *, people: bool, also: Collection[str] = ()) -> None:
        """Live from now on, in place of what was before; needs a running event loop."""
        self.end()
        self.changes = 0
        self._living = asyncio.get_running_loop().create_task(self._live(changes_per_minute, seed, people, also))

    def end(self) -> None:
        """Rest; from any thread."""
        if self._living is not None and not self._living.done():
            self._living.get_loop().call_soon_threadsafe(self._living.cancel)
        self._living = None

    async def _live(self, changes_per_minute: float, seed: int, people: bool, also: Collection[str]) -> None:
        loop = asyncio.get_running_loop()
        pause_seconds = 60 / changes_per_minute / self._cloud.plan.time_scale
        day = new_day(self._cloud, seed)
        due = loop.time()
        while True:
            # A change that takes long is not made up for by a burst.
            due = max(due + pause_seconds, loop.time())
            await asyncio.sleep(max(due - loop.time(), 0))
            # Cancelling takes effect later than end() returns; who ended this must see nothing more happen.
            if self._living is not asyncio.current_task():
                return
            self.changes += change(day, people=people, also=also) is not None
            notify(self._cloud)
