"""Does something for each of many things, a few at once, or something long beside the event loop."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sized
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


async def for_each(things: Iterable[T], do: Callable[[T], Awaitable[None]], at_once: int) -> None:
    """Call `do` for every thing in order, `at_once` of them at a time; the first failure ends all and is raised."""
    work = iter(things)
    workers_needed = min(at_once, len(things)) if isinstance(things, Sized) else at_once

    async def worker() -> None:
        for thing in work:
            await do(thing)

    workers = [asyncio.ensure_future(worker()) for _ in range(workers_needed)]
    try:
        await asyncio.gather(*workers)
    finally:
        for task in workers:
            task.cancel()
        await asyncio.gather(*workers, return_exceptions=True)


async def in_thread(do: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call `do` on a worker thread; when the caller is cancelled, only once that call has ended."""
    work = asyncio.ensure_future(asyncio.to_thread(do, *args, **kwargs))
    try:
        return await asyncio.shield(work)
    finally:
        await asyncio.wait([work])
