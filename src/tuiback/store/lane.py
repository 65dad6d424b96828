"""Lets a process beside this one cut and seal batches, for the interpreter here has one core only."""

import asyncio
import mmap
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from itertools import accumulate
from typing import TypeVar, TypeVarTuple

from tuiback.errors import EnvironmentFault
from tuiback.store.batch import BatchCuts
from tuiback.store.keys import Keys
from tuiback.store.lane_orders import (
    MEMORY_BYTES,
    STRETCH_BYTES,
    STRETCHES,
    CutOrder,
    SealOrder,
    decode_cuts,
    decode_lengths,
    encode,
)
from tuiback.store.messages import Messages
from tuiback.store.side_process import SideProcess

_MODULE = "tuiback.store.lane_process"
# All that can be asked of it at once takes a second or two; a stopped one would keep a backup waiting for ever.
_ANSWER_SECONDS = 60.0

Given = TypeVarTuple("Given")
Answer = TypeVar("Answer")
Looked = TypeVar("Looked")


class Lane:
    """One such process, from start() to close(). Belongs to one event loop.

    Whoever takes a stretch may cut one batch in it, seal that, and gives it back. cut() and seal() raise EOFError when
    the process is gone, or was killed because no answer came, and after close(): nothing of what it has not answered is
    lost, for the caller has the parts. After one of them was cancelled nothing but close() may be called, for its
    answer would be taken for another one's.
    """

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        # One thread, so that the answers are taken in the order of the questions.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="tuiback-lane")
        self._process: SideProcess | None = None
        self._memory: mmap.mmap | None = None
        self._is_closed = False
        self._free = list(range(STRETCHES))

    async def start(self) -> None:
        """Return when it waits for orders. Raises EnvironmentFault, OSError and EOFError when there can be none."""
        try:
            await self._in_thread(self._start)
        except RuntimeError as error:
            # What Python says where the system gives this process no more threads.
            raise EnvironmentFault("a thread can't be started", _MODULE, "allow it more tasks") from error

    @property
    def is_idle(self) -> bool:
        """Whether nothing is asked of it."""
        return len(self._free) == STRETCHES

    @property
    def has_room(self) -> bool:
        """Whether a stretch is free."""
        return bool(self._free)

    def take_stretch(self) -> int:
        """A stretch that nobody else has, while has_room."""
        return self._free.pop()

    def give_stretch(self, stretch: int) -> None:
        """Nobody reads or writes it any more."""
        self._free.append(stretch)

    async def cut(
        self, stretch: int, name: str, contents: Sequence[bytes], look: Callable[[BatchCuts], Looked]
    ) -> tuple[BatchCuts, Looked]:
        """What these parts `name` are cut into, and what `look` says of that, on a thread beside the loop."""
        memory, messages = self._opened()
        start = stretch * STRETCH_BYTES
        lengths = [len(data) for data in contents]
        for data, end in zip(contents, accumulate(lengths, initial=start), strict=False):
            memory[end : end + len(data)] = data
        self._send(messages, CutOrder(stretch, name, lengths))

        def receive() -> tuple[BatchCuts, Looked]:
            cuts = decode_cuts(self._receive(messages))
            return cuts, look(cuts)

        with self._deadline():
            return await self._in_thread(receive)

    async def seal(self, stretch: int, new: bytes, header: bytes, first_slot: int) -> tuple[list[int], bytes]:
        """The lengths of the records and the records of what is new in the batch that was cut there."""
        memory, messages = self._opened()
        self._send(messages, SealOrder(stretch, new, header, first_slot))

        def receive() -> tuple[list[int], bytes]:
            lengths = decode_lengths(self._receive(messages))
            start = stretch * STRETCH_BYTES
            return lengths, memory[start : start + sum(lengths)]

        with self._deadline():
            return await self._in_thread(receive)

    def close(self) -> None:
        """Let it end behind what it has in hand; nobody is kept waiting for that."""
        self._is_closed = True
        if self._process is not None:
            with suppress(OSError):
                self._process.hang_up()
        # Where no thread could be started there is nothing to end.
        with suppress(RuntimeError):
            self._thread.submit(self._end)
        self._thread.shutdown(wait=False)

    def _start(self) -> None:
        descriptor = os.memfd_create("tuiback-lane")
        try:
            os.ftruncate(descriptor, MEMORY_BYTES)
            self._memory = mmap.mmap(descriptor, MEMORY_BYTES)
            self._process = SideProcess(_MODULE, descriptor)
        finally:
            os.close(descriptor)
        self._process.messages.send(self._keys.hand_over())
        self._process.messages.receive()

    def _end(self) -> None:
        if self._process is not None:
            self._process.close()
        if self._memory is not None:
            self._memory.close()

    @contextmanager
    def _deadline(self) -> Iterator[None]:
        """Behind it the process is killed, and whoever waits for an answer sees that none comes."""
        # Nobody's waiting is cancelled: an answer that comes at that moment must still go to who asked for it.
        timer = asyncio.get_running_loop().call_later(_ANSWER_SECONDS, self._kill)
        try:
            yield
        finally:
            timer.cancel()

    def _kill(self) -> None:
        if self._process is not None:
            self._process.kill()

    def _opened(self) -> tuple[mmap.mmap, Messages]:
        # The number of a closed connection is soon that of some other file, into which an order would go.
        if self._is_closed or self._memory is None or self._process is None:
            raise EOFError("there is no process beside this one")
        return self._memory, self._process.messages

    @staticmethod
    def _send(messages: Messages, order: CutOrder | SealOrder) -> None:
        try:
            messages.send(encode(order))
        except OSError as error:
            raise EOFError("the process beside this one is gone") from error

    @staticmethod
    def _receive(messages: Messages) -> bytes:
        try:
            return messages.receive()
        except OSError as error:
            raise EOFError("the process beside this one is gone") from error

    async def _in_thread(self, work: Callable[[*Given], Answer], *given: *Given) -> Answer:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, *given)
