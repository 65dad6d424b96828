"""Stores batches of short parts with a process beside this one, once there is enough to do for two cores."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import dataclass
from itertools import compress, islice
from typing import NamedTuple

from tuiback.errors import EnvironmentFault
from tuiback.model import StoredPart
from tuiback.store.batch import BatchCuts, CutBatch, shared_out
from tuiback.store.keys import Keys
from tuiback.store.lane import Lane
from tuiback.store.packer import Block, Packer
from tuiback.store.placing import Placer
from tuiback.store.savings import SavingsTally

# The process takes some 0.08 s of CPU to start, and memory as long as it is there.
_KEPT_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class _Batch:
    """Parts `name` of one key, and where in a lane they are worked on."""

    name: str
    contents: Sequence[bytes]
    lane: Lane
    stretch: int


class _Looked(NamedTuple):
    """What was found out of a batch on a thread beside the loop: its chunks, and which of them the catalog has."""

    chunk_ids: Sequence[bytes]
    sizes: Sequence[int]
    pieces: Sequence[int]
    stored: Collection[bytes]


class Beside:
    """Belongs to one event loop. Which chunks are new only the Placer decides; the packs are the Packer's.

    The process is started after `begin_after` parts that could have been given to it, and ended when nothing is for a
    while. When it dies or answers no more, what it had in hand is done here: nothing is lost, and none is begun again.
    """

    def __init__(
        self, keys: Keys, placer: Placer, packer: Packer, tally: SavingsTally, executor: Executor, begin_after: int
    ) -> None:
        self._keys = keys
        self._placer = placer
        self._packer = packer
        self._tally = tally
        self._executor = executor
        self._begin_after = begin_after
        self._missed_parts = 0
        self._lane: Lane | None = None
        self._starting: asyncio.Task[None] | None = None
        self._is_over = False
        self._was_used = False
        self._watch: asyncio.TimerHandle | None = None
        self._sealing: set[asyncio.Task[None]] = set()
        # Called when a batch can be taken again.
        self.on_room: Callable[[], None] = lambda: None

    @property
    def has_room(self) -> bool:
        """Whether put() may be called."""
        return self._lane is not None and self._lane.has_room

    def miss(self, parts: int) -> None:
        """So many parts waited that could have been put here."""
        self._missed_parts += parts
        is_wanted = self._missed_parts >= self._begin_after and not self._is_over
        if is_wanted and self._lane is None and self._starting is None:
            self._starting = asyncio.create_task(self._start())

    def put(self, name: str, contents: Sequence[bytes]) -> Awaitable[list[StoredPart]]:
        """Store these parts of one key, as many as fit in a batch, while has_room. Their bundles hold no others."""
        if self._lane is None:
            raise RuntimeError("there is no process to put it to")
        self._was_used = True
        # Taken at once: who asks next must see that it is.
        return self._put(_Batch(name, contents, self._lane, self._lane.take_stretch()))

    async def _put(self, batch: _Batch) -> list[StoredPart]:
        try:
            cuts, looked = await self._cut(batch)
            sealing = self._place(batch, looked)
        except BaseException:
            self._leave(batch)
            raise
        if sealing is None:
            self._leave(batch)
        else:
            self._sealing.add(sealing)
            sealing.add_done_callback(self._sealing.discard)
        return [
            StoredPart(batch.name, len(data), part.digest, part.chunks, part.form)
            for data, part in zip(batch.contents, cuts.parts, strict=True)
        ]

    def close(self) -> None:
        """Let the process end. What was not flushed is given up."""
        self._is_over = True
        if self._starting is not None:
            self._starting.cancel()
        for sealing in self._sealing:
            sealing.cancel()
        self._end_lane()

    async def _start(self) -> None:
        lane = Lane(self._keys)
        try:
            await lane.start()
        except (EnvironmentFault, EOFError, OSError):
            self._is_over = True
            lane.close()
        except BaseException:
            lane.close()
            raise
        else:
            self._lane = lane
            self._was_used = True
            self._look_after()
            self.on_room()
        finally:
            self._starting = None

    def _look_after(self) -> None:
        """End the process when it had nothing to do since this was called last."""
        if self._lane is not None and self._lane.is_idle and not self._was_used:
            self._end_lane()
            return
        self._was_used = False
        self._watch = asyncio.get_running_loop().call_later(_KEPT_SECONDS, self._look_after)

    def _end_lane(self) -> None:
        lane, self._lane = self._lane, None
        self._missed_parts = 0
        if self._watch is not None:
            self._watch.cancel()
        if lane is not None:
            lane.close()

    def _lose(self, lane: Lane) -> None:
        """It has died."""
        self._is_over = True
        if self._lane is lane:
            self._end_lane()
            self.on_room()

    def _leave(self, batch: _Batch) -> None:
        batch.lane.give_stretch(batch.stretch)
        self.on_room()

    async def _cut(self, batch: _Batch) -> tuple[BatchCuts, _Looked]:
        with suppress(EOFError):
            return await batch.lane.cut(batch.stretch, batch.name, batch.contents, self._look)
        self._lose(batch.lane)
        return await asyncio.get_running_loop().run_in_executor(self._executor, self._cut_here, batch)

    def _cut_here(self, batch: _Batch) -> tuple[BatchCuts, _Looked]:
        cuts = CutBatch(self._keys, batch.name, batch.contents).cuts()
        return cuts, self._look(cuts)

    def _look(self, cuts: BatchCuts) -> _Looked:
        chunk_ids = cuts.chunk_ids()
        return _Looked(chunk_ids, cuts.sizes(), cuts.pieces(), self._placer.find_stored(chunk_ids))

    def _place(self, batch: _Batch, looked: _Looked) -> asyncio.Task[None] | None:
        """Take what is new, and have it sealed; None where nothing is."""
        new = self._placer.claim(looked.chunk_ids, looked.stored)
        self._count(batch, looked, new)
        chunks = list(compress(zip(looked.chunk_ids, looked.sizes, strict=True), new))
        if not chunks:
            return None
        records = [[chunks[place] for place in places] for places in shared_out([size for _, size in chunks])]
        return asyncio.create_task(self._seal(batch, new, self._packer.reserve(records)))

    def _count(self, batch: _Batch, looked: _Looked, new: bytes) -> None:
        chunks = zip(looked.sizes, new, strict=True)
        for count in looked.pieces:
            known_bytes = new_bytes = 0
            for size, is_new in islice(chunks, count):
                if is_new:
                    new_bytes += size
                else:
                    known_bytes += size
            self._tally.add_piece(known_bytes, new_bytes)
        self._tally.add_part(sum(map(len, batch.contents)))

    async def _seal(self, batch: _Batch, new: bytes, block: Block) -> None:
        try:
            lengths, data = await self._sealed(batch, new, block)
            self._packer.fill(block, lengths, data)
        except BaseException as error:
            # Whoever flushes next is told.
            self._packer.give_up(block, error)
            if not isinstance(error, Exception):
                raise
        finally:
            self._leave(batch)

    async def _sealed(self, batch: _Batch, new: bytes, block: Block) -> tuple[list[int], bytes]:
        with suppress(EOFError):
            return await batch.lane.seal(batch.stretch, new, block.envelope.header_bytes, block.first_slot)
        self._lose(batch.lane)
        return await asyncio.get_running_loop().run_in_executor(self._executor, self._seal_here, batch, new, block)

    def _seal_here(self, batch: _Batch, new: bytes, block: Block) -> tuple[list[int], bytes]:
        # Cut again it is the same, and its slots were used for nothing that anybody has seen.
        records = CutBatch(self._keys, batch.name, batch.contents).seal(new, block.envelope, block.first_slot)
        return [len(head) + len(sealed) for head, sealed in records], b"".join(
            [piece for record in records for piece in record]
        )
