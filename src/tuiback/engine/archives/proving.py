"""Proves that what versions need is stored: while packs leave, and when their last list is drawn up."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping, Sequence

from tuiback.errors import Damage
from tuiback.model import ChunkIndex, Location, PackTable, StoredPart, VersionOpened
from tuiback.store import Reader, Repository
from tuiback.store.chunk_lists import LEVELS, all_chunks

_VERSIONS_AT_ONCE = 500

ReadChunk = Callable[[bytes], bytes]


class WithPacks:
    """A chunk index that knows some packs before the catalog does."""

    def __init__(self, index: ChunkIndex, packs: Iterable[PackTable]) -> None:
        self._index = index
        self._new = {
            entry.chunk_id: Location(
                pack.pack_id, entry.slot, entry.offset, entry.length, entry.inner_offset, entry.size
            )
            for pack in packs
            for entry in pack.entries
        }

    def find_chunks(self, chunk_ids: Sequence[bytes]) -> Mapping[bytes, Location]:
        """See ChunkIndex.find_chunks."""
        old = self._index.find_chunks([chunk_id for chunk_id in chunk_ids if chunk_id not in self._new])
        return {**old, **{chunk_id: self._new[chunk_id] for chunk_id in chunk_ids if chunk_id in self._new}}


class ListLost(Damage):
    """No pack has a list of chunks: what it named can't be told, and no part that needs it can be read."""


def list_reader(repository: Repository, index: ChunkIndex) -> ReadChunk:
    """Reads lists of chunks, each verified. Raises ListLost, and Damage for one that is there and can't be read."""
    reader = Reader(repository, index)

    def read(chunk_id: bytes) -> bytes:
        location = index.find_chunks([chunk_id]).get(chunk_id)
        if location is None:
            raise ListLost("no pack that the catalog knows has it", f"chunk {chunk_id.hex()}", "run tuiback check")
        # A chunk's id is the digest of its bytes, so it is read as a part of one chunk.
        return reader.read_all(StoredPart("list", location.size, chunk_id, (chunk_id,)))

    return read


class Search:
    """Looks for what versions need in a chunk index, and in packs that it does not know yet."""

    def __init__(self, repository: Repository, index: ChunkIndex, packs: Iterable[PackTable] = ()) -> None:
        self._index = WithPacks(index, packs)
        self._read_list = list_reader(repository, self._index)

    def missing(self, versions: Iterable[VersionOpened]) -> Iterator[tuple[VersionOpened, frozenset[bytes]]]:
        """The versions that lack chunks, and which; of a list that is missing, not what it names."""
        rest = list(versions)
        for start in range(0, len(rest), _VERSIONS_AT_ONCE):
            needs = [(version, self._needs(version)) for version in rest[start : start + _VERSIONS_AT_ONCE]]
            known = self._index.find_chunks(list(frozenset().union(*(chunks for _, chunks in needs)))).keys()
            yield from ((version, chunks - known) for version, chunks in needs if not chunks <= known)

    def _needs(self, version: VersionOpened) -> frozenset[bytes]:
        needed: set[bytes] = set()
        for part in version.parts:
            needed.update(part.chunks)
            if LEVELS.get(part.form):
                needed.update(self._listed(part))
        return frozenset(needed)

    def _listed(self, part: StoredPart) -> Iterator[bytes]:
        # A list that is missing has been named by then.
        with contextlib.suppress(Damage):
            yield from all_chunks(part, self._read_list)


# Given chunks that are missing, makes known what it can; whether that was anything.
Spare = Callable[[frozenset[bytes]], Awaitable[bool]]


async def settled(
    search: Callable[[], Search], versions: Collection[VersionOpened], spare: Spare | None
) -> list[VersionOpened]:
    """The versions that lack chunks even when `spare` has done what it can."""

    def look(versions: Collection[VersionOpened]) -> list[tuple[VersionOpened, frozenset[bytes]]]:
        return list(search().missing(versions))

    while True:
        found = await asyncio.to_thread(look, versions)
        versions = [version for version, _ in found]
        wanted = frozenset().union(*(chunks for _, chunks in found))
        if spare is None or not wanted or not await spare(wanted):
            return versions


class ChunkProof:
    """A committer's Proof: it is over when the runs that were under way while the packs went have ended.

    Until the prune is decided, `spare` keeps packs that turn out to be needed.
    """

    def __init__(self, repository: Repository, index: ChunkIndex, spare: Spare) -> None:
        self._repository = repository
        self._index = index
        self._spare: Spare | None = spare
        self._under_way: Callable[[], bool] = lambda: True

    def decided(self, under_way: Callable[[], bool]) -> None:
        """Nothing can be spared any more; `under_way` tells whether those that may rest on it still run."""
        self._spare = None
        self._under_way = under_way

    def is_over(self) -> bool:
        """See committer.Proof."""
        return not self._under_way()

    async def lacking(self, versions: Collection[VersionOpened], packs: Sequence[PackTable]) -> list[VersionOpened]:
        """See committer.Proof."""
        return await settled(lambda: Search(self._repository, self._index, packs), versions, self._spare)
