"""Gives new chunks to bundles and packs, each once, and knows those that are on their way to the catalog."""

from collections.abc import Collection, Iterable, Sequence

from tuiback.model import ChunkIndex, PackTable
from tuiback.store.bundles import BundleKey, Bundles
from tuiback.store.chunker import WHOLE_PART_BYTES, Cut
from tuiback.store.packer import Packer


class Placer:
    """Belongs to one event loop, but for find_stored().

    A chunk is pending from its place() until the catalog has it: until then only this process knows that it is stored.
    """

    def __init__(self, index: ChunkIndex, packer: Packer, bundles: Bundles) -> None:
        self._index = index
        self._packer = packer
        self._bundles = bundles
        self._pending: set[bytes] = set()
        self._settling: tuple[PackTable, ...] = ()

    def find_stored(self, chunk_ids: Iterable[bytes]) -> Collection[bytes]:
        """Those that the catalog has, for place() and claim(). Asks the catalog: call it on a worker thread."""
        # Asking the set is one step under the GIL, and place() asks again.
        pending = self._pending
        unsure = [chunk_id for chunk_id in chunk_ids if chunk_id not in pending]
        return self._index.find_chunks(unsure) if unsure else ()

    def place(self, key: BundleKey, cut: Cut, stored: Collection[bytes]) -> bool:
        """Take the chunk if it is new; whether it was. Never waits; see Packer.wait_for_room()."""
        if cut.chunk_id in stored or cut.chunk_id in self._pending:
            return False
        self._pending.add(cut.chunk_id)
        if len(cut.data) <= WHOLE_PART_BYTES:
            self._bundles.add(key, cut)
        else:
            self._packer.submit(cut.data, ((cut.chunk_id, len(cut.data)),))
        return True

    def claim(self, chunk_ids: Iterable[bytes], stored: Collection[bytes]) -> bytes:
        """For each chunk 1 if it is new, otherwise 0: the caller has the packer take the new ones. Never waits."""
        new = bytearray()
        pending = self._pending
        for chunk_id in chunk_ids:
            is_new = chunk_id not in pending and chunk_id not in stored
            new.append(is_new)
            if is_new:
                pending.add(chunk_id)
        return bytes(new)

    def committed(self, packs: Sequence[PackTable]) -> None:
        """The catalog has these packs now, so their chunks are found there.

        They are forgotten one call later: a batch that looked into the catalog just before must still find them.
        """
        for pack in self._settling:
            self._pending.difference_update(entry.chunk_id for entry in pack.entries)
        self._settling = tuple(packs)
