"""The two databases behind an open repository, for writing: SQLite's one writer of each lives on one thread."""

import asyncio
import contextlib
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import partial
from typing import Concatenate, ParamSpec, TypeVar

from tuiback.catalog import Catalog, State
from tuiback.engine.archives.generations import settle_prunes
from tuiback.engine.archives.rebuilding import Said, bring_up_to_date, open_catalog, renew
from tuiback.engine.home import Home
from tuiback.errors import TuibackError
from tuiback.model import Clock
from tuiback.store import Repository, Superseded

P = ParamSpec("P")
T = TypeVar("T")


class Databases:
    """The catalog of a repository, and what only this home knows of it. Made by open(), ended by close()."""

    def __init__(self, catalog: Catalog, state: State, thread: Executor) -> None:
        self.path = catalog.path
        self.thread = thread
        self.catalog = catalog
        self._state = state

    @classmethod
    async def open(cls, home: Home, name: str, repository: Repository, clock: Clock, say: Said) -> "Databases":
        """Open both, the catalog brought up to date with the repository. Raises what keeps the repository closed."""
        thread = ThreadPoolExecutor(1, thread_name_prefix=f"catalog-{name}")
        try:
            catalog, state = await asyncio.get_running_loop().run_in_executor(
                thread, _open, home, name, repository, clock, say
            )
        except BaseException:
            thread.shutdown(wait=False)
            raise
        return cls(catalog, state, thread)

    async def with_state(self, do: Callable[Concatenate[State, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a method of the local state on its thread: databases.with_state(State.new_job, ...)."""
        return await self._on_thread(partial(do, self._state), *args, **kwargs)

    async def with_catalog(
        self, do: Callable[Concatenate[Catalog, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Call a method of the catalog's writer on its thread: databases.with_catalog(Catalog.heads)."""
        return await self._on_thread(partial(do, self.catalog), *args, **kwargs)

    async def replay(self, repository: Repository) -> None:
        """Learn what others have committed. Raises EnvironmentFault when the repository lacks what is known."""
        try:
            await self.with_catalog(bring_up_to_date, repository)
        except Superseded:
            await self.with_catalog(renew, repository)

    async def settle_prunes(self, repository: Repository, writer_id: str) -> int:
        """Make the catalog's packs those that count; the generation to commit under. Raises Damage, StorageFull."""
        return await self.with_catalog(settle_prunes, repository, writer_id)

    async def close(self, *, cloned: bool) -> None:
        """Remember what was seen, and let go; what was `cloned` writes under another name from now on."""
        await self._on_thread(self._remember, cloned=cloned)
        await self.let_go()

    def _remember(self, *, cloned: bool) -> None:
        with contextlib.suppress(TuibackError):  # what a damaged or full disk takes is found at the next open
            for head in self.catalog.heads():
                self._state.see_head(head)
            if cloned:
                self._state.new_writer_id()

    async def let_go(self) -> None:
        """Close both as they are."""
        await self.with_catalog(Catalog.close)
        await self.with_state(State.close)
        await asyncio.to_thread(self.thread.shutdown)

    async def _on_thread(self, do: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await asyncio.get_running_loop().run_in_executor(self.thread, partial(do, *args, **kwargs))


def _open(home: Home, name: str, repository: Repository, clock: Clock, say: Said) -> tuple[Catalog, State]:
    path = home.catalog_path(name)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    state = State.open(home.state_path(name))
    try:
        return open_catalog(path, repository, state, clock, say), state
    except BaseException:
        state.close()
        raise
