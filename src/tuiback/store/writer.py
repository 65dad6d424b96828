"""Stores parts: identifies their chunks, keeps what is new, and says when it is durable."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar, TypeVarTuple

from tuiback.model import ChunkIndex, PackTable, StoredPart
from tuiback.store.bundles import BundleKey, Bundles
from tuiback.store.chunker import WHOLE_PART_BYTES, WINDOW_BYTES, Cut, PartCutter
from tuiback.store.gathering import Gatherer
from tuiback.store.mime_form import MIME, RECIPE, WHOLE, PieceCuts, SmallPart, cut_small, find_cutter
from tuiback.store.mime_spans import Mail
from tuiback.store.packer import PACK_BYTES, Packer
from tuiback.store.repository import Repository
from tuiback.store.savings import PieceTally, Savings, SavingsTally

# One trip to the worker threads costs about as much as hashing 100 kB.
_BATCH_PARTS = 128
_BATCH_BYTES = 4 * 1024 * 1024

Given = TypeVarTuple("Given")
Result = TypeVar("Result")


@dataclass(slots=True)
class _Waiting:
    key: BundleKey
    data: bytes
    stored: asyncio.Future[StoredPart]


@dataclass(frozen=True, slots=True)
class _Identified:
    cut: Cut
    piece: int
    stored: bool


@dataclass(frozen=True, slots=True)
class _Whole:
    """A small part as the worker threads leave it, its chunks in the order they are named in."""

    part: SmallPart
    cuts: tuple[_Identified, ...]


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
        self._bundles = Bundles(self._packer)
        self._mails = Gatherer()
        self._tally = SavingsTally()
        self._pending: set[bytes] = set()
        self._settling: tuple[PackTable, ...] = ()
        self._waiting: list[_Waiting] = []
        self._draining: asyncio.Task[None] | None = None

    @property
    def unflushed_bytes(self) -> int:
        """Bytes stored since the last flush (not yet sealed ones counted plain): what the next one hands over."""
        return self._packer.unflushed_bytes + self._bundles.plain_bytes

    @property
    def savings(self) -> Savings:
        """What this Writer was given so far, and why it stored less."""
        return self._tally.total(*self._packer.sealed)

    async def put(self, scope: str, kind: str, name: str, data: bytes | AsyncIterator[bytes]) -> StoredPart:
        """Store the part `name` of an item. Small chunks share bundles within one scope (account), kind and name.

        A part named "mime" is taken apart (see mime_form) unless it is larger than gathering allows; the same
        attachment is then stored once, wherever else it lies. It is durable after the next flush(). Raises
        StorageFull when an earlier write failed, and whatever `data` raises.
        """
        key = (scope, kind, name)
        if name != MIME:
            return await self._put_plain(key, data)
        async with self._mails.gathered(data) as mail:
            part = None
            if isinstance(mail, Mail) and len(mail) > WHOLE_PART_BYTES:
                part = await self._put_large_mail(key, mail)
            return part or await self._put_plain(key, mail)

    async def flush(self) -> tuple[PackTable, ...]:
        """Make everything put before durable; the packs finished since the last flush.

        Other puts may go on meanwhile. Raises StorageFull when a pack could not be written, even on a second
        try: then nothing put since the last flush may be committed.
        """
        try:
            self._bundles.seal_all()
        finally:
            # After a failure too: what is being written must end before the caller hears of it.
            tables = await self._packer.flush()
        return tables

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

    async def _put_plain(self, key: BundleKey, data: Mail | AsyncIterator[bytes]) -> StoredPart:
        if isinstance(data, Mail):
            if len(data) <= WHOLE_PART_BYTES:
                return await self._put_whole(key, bytes(data))
            data = _windows(data)
        cutter = PartCutter(self._keys)
        tallies: dict[int, PieceTally] = {}
        chunk_ids: list[bytes] = []
        pieces: list[bytes] = []
        size = 0
        async for piece in data:
            pieces.append(piece)
            size += len(piece)
            if size >= WINDOW_BYTES:
                identified = await self._run(self._cut, cutter, pieces, False)
                chunk_ids += await self._store(key, identified, tallies)
                pieces, size = [], cutter.held_bytes
        if cutter.size == 0 and size <= WHOLE_PART_BYTES:
            return await self._put_whole(key, b"".join(pieces))
        identified = await self._run(self._cut, cutter, pieces, True)
        chunk_ids += await self._store(key, identified, tallies)
        self._tally.add(cutter.size, tallies.values())
        return StoredPart(key[2], cutter.size, cutter.digest(), tuple(chunk_ids))

    async def _put_large_mail(self, key: BundleKey, mail: Mail) -> StoredPart | None:
        """None when it is better stored like any other part."""
        cutter = await self._run(find_cutter, self._keys, mail)
        if cutter is None:
            return None
        tallies: dict[int, PieceTally] = {}
        chunk_ids: list[bytes] = []
        pieces = cutter.pieces()
        while (identified := await self._run(self._identify_next, pieces)) is not None:
            chunk_ids += await self._store(key, identified, tallies)
        proven = await self._run(cutter.recipe)
        if proven is None:
            return None
        recipe, digest = proven
        identified = await self._run(self._identify, [PieceCuts(RECIPE, (recipe,))])
        chunk_ids[:0] = await self._store(key, identified, tallies)
        self._tally.add(len(mail), tallies.values())
        return StoredPart(key[2], len(mail), digest, tuple(chunk_ids), MIME)

    async def _put_whole(self, key: BundleKey, data: bytes) -> StoredPart:
        if not data:
            return StoredPart(key[2], 0, self._keys.chunk_id(b""), ())
        await self._packer.wait_for_room()
        waiting = _Waiting(key, data, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        if self._draining is None:
            self._draining = asyncio.create_task(self._drain())
        return await waiting.stored

    async def _drain(self) -> None:
        """Take all parts that wait to the worker threads together, until none waits."""
        try:
            while self._waiting:
                batch = self._take_batch()
                try:
                    wholes = await self._run(self._identify_batch, batch)
                    for waiting, whole in zip(batch, wholes, strict=True):
                        self._place_whole(waiting, whole)
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

    def _identify_batch(self, batch: Sequence[_Waiting]) -> list[_Whole]:
        parts = [cut_small(self._keys, waiting.key[2], waiting.data) for waiting in batch]
        identified = iter(self._identify([piece for part in parts for piece in part.pieces]))
        return [
            _Whole(part, tuple(islice(identified, sum(len(piece.cuts) for piece in part.pieces)))) for part in parts
        ]

    def _identify(self, pieces: Sequence[PieceCuts]) -> list[_Identified]:
        # On a worker thread: asking the set is one step under the GIL, and the loop asks again before it stores.
        cuts = [(cut, piece.number) for piece in pieces for cut in piece.cuts]
        unsure = [cut.chunk_id for cut, _ in cuts if cut.chunk_id not in self._pending]
        known = self._index.find_chunks(unsure) if unsure else {}
        return [_Identified(cut, piece, cut.chunk_id in known) for cut, piece in cuts]

    def _identify_next(self, pieces: Iterator[PieceCuts]) -> list[_Identified] | None:
        piece = next(pieces, None)
        return None if piece is None else self._identify([piece])

    def _cut(self, cutter: PartCutter, pieces: Sequence[bytes], last: bool) -> list[_Identified]:
        return self._identify([PieceCuts(WHOLE, tuple(cutter.cut(pieces, last=last)))])

    async def _run(self, work: Callable[[*Given], Result], *given: *Given) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._executor, work, *given)

    async def _store(
        self, key: BundleKey, identified: Sequence[_Identified], tallies: dict[int, PieceTally]
    ) -> list[bytes]:
        for one in identified:
            await self._packer.wait_for_room()
            self._place(key, one, tallies)
        return [one.cut.chunk_id for one in identified]

    def _is_new(self, one: _Identified) -> bool:
        """Whether the caller must store it now, in the same step of the loop: from here on it is pending."""
        if one.stored or one.cut.chunk_id in self._pending:
            return False
        self._pending.add(one.cut.chunk_id)
        return True

    def _place(self, key: BundleKey, one: _Identified, tallies: dict[int, PieceTally]) -> None:
        size = len(one.cut.data)
        new = self._is_new(one)
        tallies.setdefault(one.piece, PieceTally()).add(size, new=new)
        if not new:
            return
        if size <= WHOLE_PART_BYTES:
            self._bundles.add(key, one.cut)
        else:
            self._packer.submit(one.cut.data, ((one.cut.chunk_id, size),))

    def _place_whole(self, waiting: _Waiting, whole: _Whole) -> None:
        tallies: dict[int, PieceTally] = {}
        for one in whole.cuts:
            self._place(waiting.key, one, tallies)
        part, chunk_ids = whole.part, tuple(one.cut.chunk_id for one in whole.cuts)
        self._tally.add(len(waiting.data), tallies.values())
        if not waiting.stored.done():
            stored = StoredPart(waiting.key[2], len(waiting.data), part.digest, chunk_ids, part.form)
            waiting.stored.set_result(stored)


async def _windows(data: Mail) -> AsyncIterator[bytes]:
    for offset in range(0, len(data), WINDOW_BYTES):
        yield bytes(data[offset : offset + WINDOW_BYTES])


def _refuse(batch: Sequence[_Waiting], error: BaseException) -> None:
    for waiting in batch:
        if not waiting.stored.done():
            waiting.stored.set_exception(error)
