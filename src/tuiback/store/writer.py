"""Stores parts: identifies their chunks, keeps what is new, and says when it is durable."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field

from tuiback.model import ChunkIndex, PackTable, StoredPart
from tuiback.store.chunker import WHOLE_PART_BYTES, WINDOW_BYTES, Cut, PartCutter
from tuiback.store.pack import ChunkSize
from tuiback.store.packer import PACK_BYTES, Packer
from tuiback.store.repository import Repository

BUNDLE_BYTES = 256 * 1024
# One trip to the worker threads costs about as much as hashing 100 kB.
_BATCH_PARTS = 128
_BATCH_BYTES = 4 * 1024 * 1024
# Bundles begun and not yet full; beyond that the oldest is sealed as it is.
_OPEN_BUNDLES = 96

BundleKey = tuple[str, str, str]


@dataclass(slots=True)
class _Bundle:
    pieces: list[bytes] = field(default_factory=list)
    chunks: list[ChunkSize] = field(default_factory=list)
    size: int = 0


@dataclass(slots=True)
class _Waiting:
    key: BundleKey
    data: bytes
    chunk_id: asyncio.Future[bytes]


@dataclass(frozen=True, slots=True)
class _Identified:
    cut: Cut
    stored: bool


class Writer:
    """One per repository and engine; every method on the engine's event loop.

    A chunk is pending from its put until the catalog has it: until then only this process knows that it is stored.
    Every pack that flush() hands out must be named by the next commit, because later parts may rest on its chunks.
    After a failed write all methods raise that failure: drop the Writer and what it had not flushed.
    """

    def __init__(
        self, repository: Repository, index: ChunkIndex, executor: Executor, *, pack_bytes: int = PACK_BYTES
    ) -> None:
        self._keys = repository.keys
        self._index = index
        self._executor = executor
        self._packer = Packer(repository, executor, pack_bytes)
        self._bundles: dict[BundleKey, _Bundle] = {}
        self._bundled_bytes = 0
        self._pending: set[bytes] = set()
        self._settling: tuple[PackTable, ...] = ()
        self._waiting: list[_Waiting] = []
        self._draining: asyncio.Task[None] | None = None

    @property
    def unflushed_bytes(self) -> int:
        """Bytes stored since the last flush (not yet sealed ones counted plain): what the next one hands over."""
        return self._packer.unflushed_bytes + self._bundled_bytes

    async def put(self, scope: str, kind: str, name: str, data: bytes | AsyncIterator[bytes]) -> StoredPart:
        """Store the part `name` of an item. Small parts share bundles within one scope (account), kind and name.

        It is durable after the next flush(). Raises StorageFull when an earlier write failed, and whatever
        `data` raises.
        """
        key = (scope, kind, name)
        if isinstance(data, bytes):
            if len(data) <= WHOLE_PART_BYTES:
                return await self._put_whole(key, data)
            data = _windows(data)
        cutter = PartCutter(self._keys)
        chunk_ids: list[bytes] = []
        pieces: list[bytes] = []
        size = 0
        async for piece in data:
            pieces.append(piece)
            size += len(piece)
            if size >= WINDOW_BYTES:
                chunk_ids += await self._store_cuts(cutter, pieces, last=False)
                pieces, size = [], cutter.held_bytes
        if cutter.size == 0 and size <= WHOLE_PART_BYTES:
            return await self._put_whole(key, b"".join(pieces))
        chunk_ids += await self._store_cuts(cutter, pieces, last=True)
        return StoredPart(name, cutter.size, cutter.digest(), tuple(chunk_ids))

    async def flush(self) -> tuple[PackTable, ...]:
        """Make everything put before durable; the packs finished since the last flush.

        Other puts may go on meanwhile. Raises StorageFull when a pack could not be written, even on a second
        try: then nothing put since the last flush may be committed.
        """
        for key in list(self._bundles):
            self._seal_bundle(key)
        return await self._packer.flush()

    def committed(self, packs: Sequence[PackTable]) -> None:
        """The catalog has these packs now, so their chunks are found there.

        They are forgotten one call later: a batch that looked into the catalog just before must still find them.
        """
        for pack in self._settling:
            self._pending.difference_update(entry.chunk_id for entry in pack.entries)
        self._settling = tuple(packs)

    def close(self) -> None:
        """Let the writer's thread end. What was not flushed is given up."""
        self._packer.close()

    async def _put_whole(self, key: BundleKey, data: bytes) -> StoredPart:
        if not data:
            return StoredPart(key[2], 0, self._keys.chunk_id(b""), ())
        await self._packer.wait_for_room()
        waiting = _Waiting(key, data, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        if self._draining is None:
            self._draining = asyncio.create_task(self._drain())
        chunk_id = await waiting.chunk_id
        return StoredPart(key[2], len(data), chunk_id, (chunk_id,))

    async def _drain(self) -> None:
        """Take all parts that wait to the worker threads together, until none waits."""
        loop = asyncio.get_running_loop()
        try:
            while self._waiting:
                batch = self._take_batch()
                try:
                    blocks = [waiting.data for waiting in batch]
                    identified = await loop.run_in_executor(self._executor, self._identify_whole, blocks)
                    for waiting, one in zip(batch, identified, strict=True):
                        self._place_whole(waiting, one)
                except BaseException as error:
                    _refuse(batch, error)
                    if not isinstance(error, Exception):
                        raise
        finally:
            self._draining = None
            _refuse(self._waiting, asyncio.CancelledError())
            self._waiting = []

    def _take_batch(self) -> list[_Waiting]:
        size = 0
        count = 0
        for waiting in self._waiting[:_BATCH_PARTS]:
            size += len(waiting.data)
            if count and size > _BATCH_BYTES:
                break
            count += 1
        batch, self._waiting = self._waiting[:count], self._waiting[count:]
        return batch

    def _identify_whole(self, blocks: Sequence[bytes]) -> list[_Identified]:
        return self._identify([Cut(self._keys.chunk_id(block), block) for block in blocks])

    def _identify(self, cuts: Sequence[Cut]) -> list[_Identified]:
        # On a worker thread: asking the set is one step under the GIL, and the loop asks again before it stores.
        unsure = [cut.chunk_id for cut in cuts if cut.chunk_id not in self._pending]
        known = self._index.find_chunks(unsure) if unsure else {}
        return [_Identified(cut, cut.chunk_id in known) for cut in cuts]

    def _cut(self, cutter: PartCutter, pieces: Sequence[bytes], last: bool) -> list[_Identified]:
        return self._identify(cutter.cut(pieces, last=last))

    async def _store_cuts(self, cutter: PartCutter, pieces: Sequence[bytes], *, last: bool) -> list[bytes]:
        loop = asyncio.get_running_loop()
        identified = await loop.run_in_executor(self._executor, self._cut, cutter, pieces, last)
        for one in identified:
            await self._packer.wait_for_room()
            if self._is_new(one):
                self._packer.submit(one.cut.data, ((one.cut.chunk_id, len(one.cut.data)),))
        return [one.cut.chunk_id for one in identified]

    def _is_new(self, one: _Identified) -> bool:
        """Whether the caller must store it now, in the same step of the loop: from here on it is pending."""
        if one.stored or one.cut.chunk_id in self._pending:
            return False
        self._pending.add(one.cut.chunk_id)
        return True

    def _place_whole(self, waiting: _Waiting, one: _Identified) -> None:
        if self._is_new(one):
            bundle = self._bundles.get(waiting.key)
            if bundle is not None and bundle.size + len(one.cut.data) > BUNDLE_BYTES:
                self._seal_bundle(waiting.key)
                bundle = None
            if bundle is None:
                if len(self._bundles) >= _OPEN_BUNDLES:
                    self._seal_bundle(next(iter(self._bundles)))
                bundle = self._bundles[waiting.key] = _Bundle()
            bundle.pieces.append(one.cut.data)
            bundle.chunks.append((one.cut.chunk_id, len(one.cut.data)))
            bundle.size += len(one.cut.data)
            self._bundled_bytes += len(one.cut.data)
        if not waiting.chunk_id.done():
            waiting.chunk_id.set_result(one.cut.chunk_id)

    def _seal_bundle(self, key: BundleKey) -> None:
        bundle = self._bundles.pop(key)
        self._bundled_bytes -= bundle.size
        self._packer.submit(b"".join(bundle.pieces), bundle.chunks)


async def _windows(data: bytes) -> AsyncIterator[bytes]:
    for offset in range(0, len(data), WINDOW_BYTES):
        yield data[offset : offset + WINDOW_BYTES]


def _refuse(batch: Sequence[_Waiting], error: BaseException) -> None:
    for waiting in batch:
        if not waiting.chunk_id.done():
            waiting.chunk_id.set_exception(error)
