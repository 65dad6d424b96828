"""Stores the many short parts: takes all that wait to the worker threads together, and places what comes back."""

import asyncio
from collections.abc import Awaitable, Collection, Coroutine, Iterable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from itertools import islice
from typing import Any

from tuiback.model import StoredPart
from tuiback.store.batch import BATCH_BYTES, BATCH_PARTS
from tuiback.store.beside import Beside
from tuiback.store.bundles import BundleKey
from tuiback.store.keys import Keys
from tuiback.store.mime_form import ShortPart, cut_short
from tuiback.store.placing import Placer
from tuiback.store.savings import SavingsTally

# Parts up to this size are cut at once.
SHORT_BYTES = 1024 * 1024
# Fewer are not worth a batch of their own, whose bundles no others share.
_BESIDE_PARTS = 16

_Answer = tuple[Sequence[ShortPart], Collection[bytes]]


@dataclass(slots=True)
class _Waiting:
    """Parts that belong to one key and were put together."""

    key: BundleKey
    contents: Sequence[bytes]
    stored: asyncio.Future[list[StoredPart]]


class ShortParts:
    """The short parts on their way to one placer. Belongs to one event loop."""

    def __init__(self, keys: Keys, placer: Placer, tally: SavingsTally, executor: Executor) -> None:
        self._keys = keys
        self._placer = placer
        self._tally = tally
        self._executor = executor
        self._beside: Beside | None = None
        self._waiting: list[_Waiting] = []
        self._draining: asyncio.Task[None] | None = None
        self._at_work: set[asyncio.Task[None]] = set()
        self._is_busy = False
        self._look_again = asyncio.Event()

    def share(self, beside: Beside) -> None:
        """Give it what waits while the worker threads are busy."""
        self._beside = beside
        beside.on_room = self._look_again.set

    async def put(self, key: BundleKey, contents: Sequence[bytes]) -> list[StoredPart]:
        """Store these parts of at most SHORT_BYTES each."""
        waiting = _Waiting(key, contents, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        self._look_again.set()
        if self._draining is None:
            self._draining = asyncio.create_task(self._drain())
        return await waiting.stored

    def close(self) -> None:
        """Take no more help."""
        if self._beside is not None:
            self._beside.close()

    async def _drain(self) -> None:
        """Give all parts that wait to whoever is free, batch by batch, until none waits."""
        try:
            while self._waiting:
                if self._beside is not None and self._beside.has_room and (count := self._same_key()):
                    batch = self._take(count)
                    contents = [data for waiting in batch for data in waiting.contents]
                    self._begin(self._put_beside(batch, self._beside.put(batch[0].key[2], contents)))
                elif not self._is_busy:
                    self._is_busy = True
                    self._begin(self._put_here(self._take_batch()))
                    if self._beside is not None:
                        self._beside.miss(sum(len(one.contents) for one in self._waiting[: self._same_key()]))
                else:
                    self._look_again.clear()
                    await self._look_again.wait()
        finally:
            self._draining = None
            _refuse(self._waiting, asyncio.CancelledError())
            self._waiting = []

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._at_work.add(task)
        task.add_done_callback(self._at_work.discard)

    async def _put_here(self, batch: Sequence[_Waiting]) -> None:
        try:
            loop = asyncio.get_running_loop()
            self._place(batch, await loop.run_in_executor(self._executor, self._identify, batch))
        except BaseException as error:
            _refuse(batch, error)
            if not isinstance(error, Exception):
                raise
        finally:
            self._is_busy = False
            self._look_again.set()

    async def _put_beside(self, batch: Sequence[_Waiting], stored: Awaitable[list[StoredPart]]) -> None:
        try:
            _accept(batch, await stored)
        except BaseException as error:
            _refuse(batch, error)
            if not isinstance(error, Exception):
                raise

    def _same_key(self) -> int:
        """How many that wait first have one key and make a batch for beside; 0 when they are too few or too long."""
        count = parts = size = 0
        for waiting in self._waiting:
            more = sum(map(len, waiting.contents))
            if (
                waiting.key != self._waiting[0].key
                or parts + len(waiting.contents) > BATCH_PARTS
                or size + more > BATCH_BYTES
            ):
                break
            count, parts, size = count + 1, parts + len(waiting.contents), size + more
        return count if parts >= _BESIDE_PARTS else 0

    def _take(self, count: int) -> list[_Waiting]:
        taken, self._waiting = self._waiting[:count], self._waiting[count:]
        return taken

    def _take_batch(self) -> list[_Waiting]:
        count = parts = size = 0
        for waiting in self._waiting:
            parts += len(waiting.contents)
            size += sum(map(len, waiting.contents))
            if count and (parts > BATCH_PARTS or size > BATCH_BYTES):
                break
            count += 1
        return self._take(count)

    def _identify(self, batch: Sequence[_Waiting]) -> _Answer:
        parts = [cut_short(self._keys, waiting.key[2], data) for waiting in batch for data in waiting.contents]
        return parts, self._placer.find_stored(
            cut.chunk_id for part in parts for piece in part.pieces for cut in piece.cuts
        )

    def _place(self, batch: Sequence[_Waiting], answer: _Answer) -> None:
        parts, stored = answer
        left = iter(parts)
        for waiting in batch:
            placed = [
                self._place_one(waiting.key, len(data), part, stored)
                for data, part in zip(waiting.contents, left, strict=False)
            ]
            _accept([waiting], placed)

    def _place_one(self, key: BundleKey, size: int, part: ShortPart, stored: Collection[bytes]) -> StoredPart:
        chunk_ids = []
        for piece in part.pieces:
            known_bytes = new_bytes = 0
            for cut in piece.cuts:
                chunk_ids.append(cut.chunk_id)
                if self._placer.place(key, cut, stored):
                    new_bytes += len(cut.data)
                else:
                    known_bytes += len(cut.data)
            self._tally.add_piece(known_bytes, new_bytes)
        self._tally.add_part(size)
        return StoredPart(key[2], size, part.digest, tuple(chunk_ids), part.form)


def batches(contents: Iterable[bytes]) -> Iterator[list[bytes]]:
    """The contents in lists that are each worth a trip to the worker threads."""
    batch: list[bytes] = []
    size = 0
    for data in contents:
        if batch and (len(batch) == BATCH_PARTS or size + len(data) > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(data)
        size += len(data)
    if batch:
        yield batch


def _accept(batch: Sequence[_Waiting], parts: Sequence[StoredPart]) -> None:
    left = iter(parts)
    for waiting in batch:
        stored = list(islice(left, len(waiting.contents)))
        if not waiting.stored.done():
            waiting.stored.set_result(stored)


def _refuse(batch: Sequence[_Waiting], error: BaseException) -> None:
    for waiting in batch:
        if not waiting.stored.done():
            waiting.stored.set_exception(error)
