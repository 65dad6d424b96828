"""Turns plain records into durable packs: sealed on worker threads, written and fsynced on a thread of their own."""

import asyncio
import os
from collections.abc import Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from tuiback.errors import StorageFull
from tuiback.model import PackTable
from tuiback.store.envelope import Envelope
from tuiback.store.pack import ChunkSize, PackBuilder
from tuiback.store.repository import Repository

PACK_BYTES = 16 * 1024 * 1024
# Plain bytes being sealed plus packs being written, counted in packs: more than this and puts wait.
_IN_FLIGHT_PACKS = 3
# Plain bytes that go to a worker thread at once, as a part of a pack: a trip for each record would cost the loop more
# than the records.
_TRIPS_A_PACK = 8
_WRITER_BYTES = 16


# Plain bytes and the chunks in them
Record = tuple[bytes, Sequence[ChunkSize]]


@dataclass(slots=True, eq=False)
class _Pack:
    builder: PackBuilder
    waiting: list[Record] = field(default_factory=list)
    waiting_bytes: int = 0
    sealing: set[asyncio.Future[None]] = field(default_factory=set)
    # Of the records waiting or being sealed.
    plain_bytes: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """A place in a pack for records that somebody else seals under its envelope, from slot `first_slot` on."""

    pack: _Pack
    first_slot: int
    records: Sequence[Sequence[ChunkSize]]
    plain_bytes: int
    filled: asyncio.Future[None]

    @property
    def envelope(self) -> Envelope:
        """What seals the records."""
        return self.pack.builder.envelope


class Packer:
    """Belongs to one event loop. After a failed write it refuses everything, with that write's error."""

    def __init__(self, repository: Repository, executor: Executor, pack_bytes: int = PACK_BYTES) -> None:
        self._repository = repository
        self._executor = executor
        self._disk = ThreadPoolExecutor(1, thread_name_prefix="tuiback-pack")
        self._pack_bytes = pack_bytes
        self._trip_bytes = pack_bytes // _TRIPS_A_PACK
        self._writer = os.urandom(_WRITER_BYTES)
        self._packs_begun = 0
        self._open: _Pack | None = None
        self._writes: list[tuple[_Pack, asyncio.Task[PackTable]]] = []
        self._in_flight_bytes = 0
        self._in_flight_limit_bytes = _IN_FLIGHT_PACKS * pack_bytes
        self._room = asyncio.Event()
        self._room.set()
        self._flushing = asyncio.Lock()
        # Of all sealed so far: how large the records still being sealed will come out.
        self._plain_bytes = 1
        self._sealed_bytes = 1
        self._failure: BaseException | None = None

    @property
    def unflushed_bytes(self) -> int:
        """Sealed bytes since the last flush, with an estimate of those that are being sealed."""
        # Asked for every item, so it makes no lists.
        expected_bytes = self._expected_bytes(self._open) if self._open else 0
        for pack, _ in self._writes:
            expected_bytes += self._expected_bytes(pack)
        return expected_bytes

    @property
    def sealed(self) -> tuple[int, int]:
        """Plain bytes of all records sealed so far, and the bytes they were sealed to."""
        return self._plain_bytes - 1, self._sealed_bytes - 1

    async def wait_for_room(self) -> None:
        """Wait until sealing and writing have caught up. Raises what a write failed with."""
        await self._room.wait()
        self.raise_failure()

    def submit(self, plain: bytes, chunks: Sequence[ChunkSize]) -> None:
        """Take a record: from now on it belongs to the next flush. Never waits; see wait_for_room()."""
        pack = self._pack_for(len(plain))
        pack.waiting.append((plain, chunks))
        pack.waiting_bytes += len(plain)
        if pack.waiting_bytes >= self._trip_bytes:
            self._seal_waiting(pack)

    def reserve(self, records: Sequence[Sequence[ChunkSize]]) -> Block:
        """A block for records of these chunks: it belongs to the next flush, which waits for fill() or give_up()."""
        plain_bytes = sum(size for chunks in records for _, size in chunks)
        pack = self._pack_for(plain_bytes)
        filled: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        filled.add_done_callback(self._note_failure)
        pack.sealing.add(filled)
        return Block(pack, pack.builder.reserve(len(records)), records, plain_bytes, filled)

    def fill(self, block: Block, lengths: Sequence[int], records: bytes) -> None:
        """Take the block's sealed records, which lie one after the other."""
        block.pack.builder.add_all(block.first_slot, lengths, records, block.records)
        self._sealed_bytes += len(records)
        self._plain_bytes += block.plain_bytes
        self._end_block(block)
        block.filled.set_result(None)

    def give_up(self, block: Block, error: BaseException) -> None:
        """The block can't be filled, so nothing that was not flushed can be."""
        if not block.filled.done():
            self._end_block(block)
            block.filled.set_exception(error)

    async def flush(self) -> tuple[PackTable, ...]:
        """The packs finished since the last flush; all that was submitted before is durable. Raises StorageFull."""
        async with self._flushing:
            self._close_pack()
            writes = [task for _, task in self._writes]
            if writes:
                # wait(), not gather(): a cancelled flush must not cancel the writes.
                await asyncio.wait(writes)
            self.raise_failure()
            del self._writes[: len(writes)]
            return tuple(task.result() for task in writes)

    def raise_failure(self) -> None:
        """Raise what a write failed with, if one did."""
        if self._failure is not None:
            raise self._failure

    def close(self) -> None:
        """Let the disk thread end after what it has been given."""
        self._disk.shutdown(wait=False)

    def _end_block(self, block: Block) -> None:
        block.pack.plain_bytes -= block.plain_bytes
        self._give_room(block.plain_bytes)

    def _pack_for(self, plain_bytes: int) -> _Pack:
        """The open pack, which takes so much; a new one where that is full."""
        self.raise_failure()
        if self._open is not None and self._expected_bytes(self._open) >= self._pack_bytes:
            self._close_pack()
        if self._open is None:
            self._packs_begun += 1
            self._open = _Pack(self._repository.new_pack(self._writer, self._packs_begun))
        self._open.plain_bytes += plain_bytes
        self._take_room(plain_bytes)
        return self._open

    def _expected_bytes(self, pack: _Pack) -> int:
        return pack.builder.size + pack.plain_bytes * self._sealed_bytes // self._plain_bytes

    def _seal_waiting(self, pack: _Pack) -> None:
        records, pack.waiting, pack.waiting_bytes = pack.waiting, [], 0
        if records:
            task = asyncio.create_task(self._seal(pack, records))
            task.add_done_callback(self._note_failure)
            pack.sealing.add(task)

    async def _seal(self, pack: _Pack, records: Sequence[Record]) -> None:
        builder = pack.builder
        slots = [builder.reserve() for _ in records]
        size = sum(len(plain) for plain, _ in records)
        try:
            loop = asyncio.get_running_loop()
            to_seal = [(slot, plain, len(chunks)) for slot, (plain, chunks) in zip(slots, records, strict=True)]
            sealed = await loop.run_in_executor(self._executor, builder.seal_all, to_seal)
        finally:
            pack.plain_bytes -= size
            self._give_room(size)
        for slot, record, (_, chunks) in zip(slots, sealed, records, strict=True):
            builder.add(slot, record, chunks)
            self._sealed_bytes += len(record[1])
        self._plain_bytes += size

    def _close_pack(self) -> None:
        pack, self._open = self._open, None
        if pack is not None:
            self._seal_waiting(pack)
            task = asyncio.create_task(self._write(pack))
            task.add_done_callback(self._note_failure)
            self._writes.append((pack, task))

    async def _write(self, pack: _Pack) -> PackTable:
        await asyncio.gather(*pack.sealing)
        size = pack.builder.size
        self._take_room(size)
        try:
            return await asyncio.get_running_loop().run_in_executor(self._disk, self._store, pack.builder)
        finally:
            self._give_room(size)

    def _store(self, builder: PackBuilder) -> PackTable:
        data, table = builder.finish()
        try:
            self._repository.store_pack(data, table)
        except StorageFull:
            # Never fsync that file again: once more from memory into a new one, then it is the caller's trouble.
            self._repository.store_pack(data, table)
        return table

    def _take_room(self, length: int) -> None:
        self._in_flight_bytes += length
        if self._in_flight_bytes > self._in_flight_limit_bytes:
            self._room.clear()

    def _give_room(self, length: int) -> None:
        self._in_flight_bytes -= length
        if self._in_flight_bytes <= self._in_flight_limit_bytes:
            self._room.set()

    def _note_failure(self, task: asyncio.Future[Any]) -> None:
        error = asyncio.CancelledError() if task.cancelled() else task.exception()
        if error is not None and self._failure is None:
            self._failure = error
            self._room.set()
