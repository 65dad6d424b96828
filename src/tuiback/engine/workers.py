"""Does something for each of many things, a few at once."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

T = TypeVar("T")


async def for_each(things: Iterable[T], do: Callable[[T], Awaitable[None]], at_once: int) -> None:
    """Call `do` for every thing in order, `at_once` of them at a time; the first failure ends all and is raised."""
    work = iter(things)

    async def worker() -> None:
        for thing in work:
            await do(thing)

    workers = [asyncio.ensure_future(worker()) for _ in range(at_once)]
    try:
        await asyncio.gather(*workers)
    finally:
        for task in workers:
            task.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
