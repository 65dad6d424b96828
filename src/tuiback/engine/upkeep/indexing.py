"""Fills the search files behind the backup, whenever the engine runs, and from where an earlier engine stopped."""

import asyncio
import contextlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

from tuiback.catalog import Catalog, SearchFiller
from tuiback.engine.activity import Activity
from tuiback.engine.archives.archive import Archive
from tuiback.errors import TuibackError
from tuiback.model import Clock

P = ParamSpec("P")
T = TypeVar("T")

# Commits come every 30 s at most; to see that there was none costs next to nothing.
LOOK_EVERY_SECONDS = 5.0
# At its end an engine still indexes what takes about half a second, and makes sure for some seconds more that what
# expired is nowhere: the next engine may be a long time coming.
LAST_VERSIONS = 20_000
LAST_SECONDS = 10.0


class Indexing:
    """Keeps one archive's search files up to date on a thread of its own, in pieces with as much rest between them."""

    def __init__(self, archive: Archive, activity: Activity, clock: Clock) -> None:
        self._archive = archive
        self._activity = activity
        self._clock = clock
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"search-{archive.ref.name}")
        self._filler: SearchFiller | None = None
        self._forgotten = 0
        self._told = ""
        self._working = asyncio.ensure_future(self._work())

    async def close(self) -> None:
        """Do what is quickly done, and stop; the next engine goes on there."""
        self._working.cancel()
        await asyncio.wait([self._working])
        with contextlib.suppress(TuibackError):
            await self._finish()
        await self._on_thread(self._let_go)
        await asyncio.to_thread(self._thread.shutdown)

    async def catch_up(self) -> None:
        """Return when all that was committed before is indexed. Raises StorageFull, EnvironmentFault or Damage."""
        while await self._step():
            pass

    async def forget_expired(self) -> None:
        """Return when no search file holds a trace of what expired before; raises as catch_up()."""
        await self._step()
        while not await self._on_thread(self._has_forgotten):
            await self._step()

    async def _work(self) -> None:
        while True:
            started = self._clock.monotonic()
            try:
                worked = await self._step()
            except TuibackError as error:
                worked = False
                self._tell(error)
            # Searching may lag behind, backing up must not wait for it.
            await self._clock.sleep(self._clock.monotonic() - started if worked else LOOK_EVERY_SECONDS)

    async def _finish(self) -> None:
        until = self._clock.monotonic() + LAST_SECONDS
        while await self._step():
            if self._archive.search_lag > LAST_VERSIONS or self._clock.monotonic() > until:
                return

    async def _step(self) -> bool:
        worked, lag, followed_drops = await self._on_thread(self._step_here)
        self._archive.search_lag = lag
        if followed_drops > self._forgotten:
            await self._archive.with_catalog(Catalog.forget_dropped, followed_drops)
            self._forgotten = followed_drops
        return worked

    def _step_here(self) -> tuple[bool, int, int]:
        if self._filler is None:
            self._filler = SearchFiller(self._archive.catalog_path)
        worked = self._filler.step()
        return worked, self._filler.lag, self._filler.followed_drops

    def _has_forgotten(self) -> bool:
        return self._filler is not None and self._filler.forgot_expired

    def _let_go(self) -> None:
        if self._filler is not None:
            self._filler.close()

    def _tell(self, error: TuibackError) -> None:
        if str(error) != self._told:
            self._told = str(error)
            self._activity.add("warn", self._archive.ref.name, f"search lags behind: {error}")

    async def _on_thread(self, do: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, partial(do, *args, **kwargs))
