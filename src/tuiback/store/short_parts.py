"""Stores the many short parts: takes all that wait to the worker threads together, and places what comes back."""

import asyncio
from collections.abc import Collection, Iterable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass

from tuiback.model import StoredPart
from tuiback.store.bundles import BundleKey
from tuiback.store.keys import Keys
from tuiback.store.mime_form import ShortPart, cut_short
from tuiback.store.placing import Placer
from tuiback.store.savings import SavingsTally

# Parts up to this size are cut at once.
SHORT_BYTES = 1024 * 1024
# One trip to the worker threads costs about as much as hashing 100 kB.
_BATCH_PARTS = 128
_BATCH_BYTES = 4 * 1024 * 1024

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
        self._waiting: list[_Waiting] = []
        self._draining: asyncio.Task[None] | None = None

    async def put(self, key: BundleKey, contents: Sequence[bytes]) -> list[StoredPart]:
        """Store these parts of at most SHORT_BYTES each."""
        waiting = _Waiting(key, contents, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        if self._draining is None:
            self._draining = asyncio.create_task(self._drain())
        return await waiting.stored

    async def _drain(self) -> None:
        """Take all parts that wait to the worker threads, batch by batch, until none waits."""
        loop = asyncio.get_running_loop()
        try:
            while self._waiting:
                batch = self._take_batch()
                try:
                    self._place(batch, await loop.run_in_executor(self._executor, self._identify, batch))
                except BaseException as error:
                    _refuse(batch, error)
                    if not isinstance(error, Exception):
                        raise
        finally:
            self._draining = None
            _refuse(self._waiting, asyncio.CancelledError())
            self._waiting = []

    def _take_batch(self) -> list[_Waiting]:
        count = parts = size = 0
        for waiting in self._waiting:
            parts += len(waiting.contents)
            size += sum(map(len, waiting.contents))
            if count and (parts > _BATCH_PARTS or size > _BATCH_BYTES):
                break
            count += 1
        batch, self._waiting = self._waiting[:count], self._waiting[count:]
        return batch

    def _identify(self, batch: Sequence[_Waiting]) -> _Answer:
        parts = [cut_short(self._keys, waiting.key[2], data) for waiting in batch for data in waiting.contents]
        return parts, self._placer.find_stored(piece for part in parts for piece in part.pieces)

    def _place(self, batch: Sequence[_Waiting], answer: _Answer) -> None:
        parts, stored = answer
        left = iter(parts)
        for waiting in batch:
            placed = [
                self._place_one(waiting.key, len(data), part, stored)
                for data, part in zip(waiting.contents, left, strict=False)
            ]
            if not waiting.stored.done():
                waiting.stored.set_result(placed)

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
        if batch and (len(batch) == _BATCH_PARTS or size + len(data) > _BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(data)
        size += len(data)
    if batch:
        yield batch


def _refuse(batch: Sequence[_Waiting], error: BaseException) -> None:
    for waiting in batch:
        if not waiting.stored.done():
            waiting.stored.set_exception(error)
