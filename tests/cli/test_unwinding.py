"""A signal ends a command's own work in the order of that work."""

import asyncio
import os
import signal
from collections.abc import Iterator

import pytest

from tuiback.cli.root import Terminated, _terminable
from tuiback.cli.unwinding import run_unwinding


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    """As a command has them; and they are as before afterwards."""
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
    with _terminable():
        yield
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)] == before


async def _told_of(signals: list[int], said: list[str]) -> str:
    async def request() -> str:
        for number in signals:
            # While this task runs, as the answer to a request is read.
            os.kill(os.getpid(), number)
        await asyncio.sleep(0)
        return "made"

    asking = asyncio.ensure_future(request())
    try:
        said.append(await asyncio.shield(asking))
    except asyncio.CancelledError:
        said.append(f"undone: {await asking}")
        raise
    return said[-1]


@pytest.mark.parametrize(("first", "raised"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, Terminated)])
def test_what_was_begun_is_learnt_of_and_undone(first: int, raised: type[BaseException]) -> None:
    """The first signal cancels the work and then takes effect; those that follow disturb nothing."""
    said: list[str] = []
    with pytest.raises(raised):
        run_unwinding(_told_of([first, signal.SIGINT, signal.SIGTERM], said))
    assert said == ["undone: made"]


def test_work_that_nothing_ends_gives_its_result() -> None:
    """Without a signal it is asyncio.run()."""
    assert run_unwinding(_told_of([], [])) == "made"
