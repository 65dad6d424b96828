"""Runs a command's own asynchronous work so that a signal lets it undo what it began."""

import asyncio
import signal
from collections.abc import Callable, Coroutine
from types import FrameType
from typing import Any, TypeVar

Result = TypeVar("Result")

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def run_unwinding(work: Coroutine[Any, Any, Result]) -> Result:
    """asyncio.run(), but a signal that ends the command cancels `work`, and takes effect once that has unwound.

    Raised by the signal's handler at any line, an exception could end a request of which nobody would then learn what
    it has made. Call it on the main thread.
    """
    kept = _Kept()
    try:
        with asyncio.Runner() as runner:
            return runner.run(kept.cancelling(work))
    finally:
        kept.deliver()


class _Kept:
    """Keeps the first signal back from the handlers that were there; ignored ones stay ignored."""

    def __init__(self) -> None:
        self._before = {number: signal.getsignal(number) for number in _ENDING}
        self._came: signal.Signals | None = None
        self._cancel: Callable[[], object] = lambda: None
        for number, handler in self._before.items():
            if callable(handler):
                signal.signal(number, self._keep)

    async def cancelling(self, work: Coroutine[Any, Any, Result]) -> Result:
        """The work, cancelled by the signal."""
        loop, task = asyncio.get_running_loop(), asyncio.ensure_future(work)
        self._cancel = lambda: loop.call_soon_threadsafe(task.cancel)
        if self._came is not None:
            task.cancel()
        return await task

    def deliver(self) -> None:
        """Let the signal take effect if it came."""
        self._cancel = lambda: None
        for number, handler in self._before.items():
            signal.signal(number, handler)
        handler = self._before[self._came] if self._came is not None else None
        if callable(handler):
            handler(int(self._came or 0), None)

    def _keep(self, number: int, _frame: FrameType | None) -> None:
        if self._came is None:
            self._came = signal.Signals(number)
            self._cancel()
