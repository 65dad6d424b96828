"""Stores parts: identifies their chunks, keeps what is new, and says when it is durable."""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import TypeVar, TypeVarTuple

from tuiback.model import ChunkIndex, PackTable, StoredPart
from tuiback.store.beside import Beside
from tuiback.store.bundles import BundleKey, Bundles
from tuiback.store.chunk_lists import LISTED_ABOVE, ListCutter
from tuiback.store.chunker import WINDOW_BYTES, PartCutter
from tuiback.store.gathering import Gatherer
from tuiback.store.mime_form import LISTS, MIME, RECIPE, WHOLE, PieceCuts, find_cutter
from tuiback.store.mime_spans import Mail
from tuiback.store.packer import PACK_BYTES, Packer
from tuiback.store.placing import Placer
from tuiback.store.repository import Repository
from tuiback.store.savings import Savings, SavingsTally
from tuiback.store.short_parts import SHORT_BYTES, ShortParts, batches

# So many batches of put_all() are in work at once: enough for two processes to be busy.
_BATCHES_AHEAD = 14

Given = TypeVarTuple("Given")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class _Identified:
    """Pieces as the worker threads leave them, and those of their chunks that are in the catalog."""

    pieces: Sequence[PieceCuts]
    stored: Collection[bytes]


class _Tallies:
    """How much of each piece of one part was known, and how much new."""

    def __init__(self) -> None:
        self._known: Counter[int] = Counter()
        self._new: Counter[int] = Counter()

    def add(self, number: int, size: int, *, new: bool) -> None:
        (self._new if new else self._known)[number] += size

    def tell(self, tally: SavingsTally, size: int) -> None:
        for number in self._known.keys() | self._new.keys():
            tally.add_piece(self._known[number], self._new[number])
        tally.add_part(size)


class Writer:
    """One per repository and engine; every method on the engine's event loop.

    A chunk is pending from its put until the catalog has it: until then only this process knows that it is stored.
    Every pack that flush() hands out must be named by the next commit, because later parts may rest on its chunks.
    After a failed write all methods raise that failure: drop the Writer and what it had not flushed.
    """

    def __init__(
        self,
        repository: Repository,
        index: ChunkIndex,
        executor: Executor,
        *,
        pack_bytes: int = PACK_BYTES,
        listed_above: int = LISTED_ABOVE,
        beside_after: int | None = None,
    ) -> None:
        """Behind so many short parts that came faster than they were stored a process beside this one helps."""
        self._keys = repository.keys
        self._executor = executor
        self._listed_above = listed_above
        self._packer = Packer(repository, executor, pack_bytes)
        self._bundles = Bundles(self._packer)
        self._placer = Placer(index, self._packer, self._bundles)
        self._mails = Gatherer()
        self._ahead = asyncio.Semaphore(_BATCHES_AHEAD)
        self._tally = SavingsTally()
        self._short = ShortParts(self._keys, self._placer, self._tally, executor)
        if beside_after is not None:
            self._short.share(
                Beside(self._keys, self._placer, self._packer, self._tally, executor, begin_after=beside_after)
            )

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
            if isinstance(mail, Mail) and len(mail) > SHORT_BYTES:
                part = await self._put_long_mail(key, mail)
            return part or await self._put_plain(key, mail)

    async def put_all(self, scope: str, kind: str, name: str, contents: Iterable[bytes]) -> list[StoredPart]:
        """put() each of these, with few trips to the worker threads: for items that come many at once."""
        key = (scope, kind, name)
        parts: list[StoredPart] = []
        ahead: deque[asyncio.Task[list[StoredPart]]] = deque()
        try:
            for batch in batches(contents):
                await self._ahead.acquire()
                ahead.append(task := asyncio.create_task(self._put_batch(key, batch)))
                task.add_done_callback(lambda _: self._ahead.release())
                # It must begin before the next one is read, which may take a while.
                await asyncio.sleep(0)
                while ahead and ahead[0].done():
                    parts += ahead.popleft().result()
            while ahead:
                parts += await ahead[0]
                ahead.popleft()
        finally:
            for task in ahead:
                task.cancel()
            await asyncio.gather(*ahead, return_exceptions=True)
        return parts

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
        """The catalog has these packs now, so their chunks are found there."""
        self._placer.committed(packs)

    def close(self) -> None:
        """Let the writer's thread end. What was not flushed is given up."""
        self._short.close()
        self._packer.close()

    async def _put_plain(self, key: BundleKey, data: Mail | AsyncIterator[bytes]) -> StoredPart:
        if isinstance(data, Mail):
            if len(data) <= SHORT_BYTES:
                return (await self._put_short(key, [bytes(data)]))[0]
            data = _windows(data)
        cutter = PartCutter(self._keys)
        lists = ListCutter(self._keys.chunk_id, listed_above=self._listed_above)
        tallies = _Tallies()
        pieces: list[bytes] = []
        size = 0
        async for piece in data:
            pieces.append(piece)
            size += len(piece)
            if size >= WINDOW_BYTES:
                await self._store(key, await self._run(self._cut, cutter, lists, pieces, False), tallies)
                pieces, size = [], cutter.held_bytes
        if cutter.size == 0 and size <= SHORT_BYTES:
            return (await self._put_short(key, [b"".join(pieces)]))[0]
        await self._store(key, await self._run(self._cut, cutter, lists, pieces, True), tallies)
        last_lists, chunk_ids, form = lists.finish()
        await self._store(key, await self._run(self._identify, [PieceCuts(LISTS, tuple(last_lists))]), tallies)
        tallies.tell(self._tally, cutter.size)
        return StoredPart(key[2], cutter.size, cutter.digest(), chunk_ids, form)

    async def _put_long_mail(self, key: BundleKey, mail: Mail) -> StoredPart | None:
        """None when it is better stored like any other part."""
        cutter = await self._run(find_cutter, self._keys, mail)
        if cutter is None:
            return None
        tallies = _Tallies()
        chunk_ids: list[bytes] = []
        pieces = cutter.pieces()
        while (identified := await self._run(self._identify_next, pieces)) is not None:
            chunk_ids += await self._store(key, identified, tallies)
        recipe, digest = await self._run(cutter.recipe)
        identified = await self._run(self._identify, [PieceCuts(RECIPE, (recipe,))])
        chunk_ids[:0] = await self._store(key, identified, tallies)
        tallies.tell(self._tally, len(mail))
        return StoredPart(key[2], len(mail), digest, tuple(chunk_ids), MIME)

    async def _put_batch(self, key: BundleKey, batch: Sequence[bytes]) -> list[StoredPart]:
        short = iter(await self._put_short(key, [data for data in batch if len(data) <= SHORT_BYTES]))
        return [next(short) if len(data) <= SHORT_BYTES else await self.put(*key, data) for data in batch]

    async def _put_short(self, key: BundleKey, contents: Sequence[bytes]) -> list[StoredPart]:
        await self._packer.wait_for_room()
        return await self._short.put(key, contents)

    def _identify(self, pieces: Sequence[PieceCuts]) -> _Identified:
        return _Identified(pieces, self._placer.find_stored(_ids_of(pieces)))

    def _identify_next(self, pieces: Iterator[PieceCuts]) -> _Identified | None:
        piece = next(pieces, None)
        return None if piece is None else self._identify([piece])

    def _cut(self, cutter: PartCutter, lists: ListCutter, pieces: Sequence[bytes], last: bool) -> _Identified:
        cuts = cutter.cut(pieces, last=last)
        filled = lists.add([cut.chunk_id for cut in cuts])
        return self._identify([PieceCuts(WHOLE, tuple(cuts)), PieceCuts(LISTS, tuple(filled))])

    async def _run(self, work: Callable[[*Given], Result], *given: *Given) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._executor, work, *given)

    async def _store(self, key: BundleKey, identified: _Identified, tallies: _Tallies) -> list[bytes]:
        """Place all chunks, waiting for room before each, for they may be long; their ids in order."""
        for piece in identified.pieces:
            for cut in piece.cuts:
                await self._packer.wait_for_room()
                new = self._placer.place(key, cut, identified.stored)
                tallies.add(piece.number, len(cut.data), new=new)
        return [cut.chunk_id for piece in identified.pieces for cut in piece.cuts]


def _ids_of(pieces: Iterable[PieceCuts]) -> Iterator[bytes]:
    return (cut.chunk_id for piece in pieces for cut in piece.cuts)


async def _windows(data: Mail) -> AsyncIterator[bytes]:
    for offset in range(0, len(data), WINDOW_BYTES):
        yield bytes(data[offset : offset + WINDOW_BYTES])
