"""Reading hands out verified bytes only, and says what is broken."""

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor

import pytest
from msgspec.structs import replace

from tests.store.doubles import DictIndex, MemoryBackend
from tests.store.test_writer import content
from tuiback.errors import Damage
from tuiback.model import Location, StoredPart
from tuiback.store import Reader, Repository, Writer
from tuiback.store.pack import pack_name


class Filled:
    """A repository with some mails and a file, all committed to an index."""

    def __init__(self, repository: Repository, backend: MemoryBackend) -> None:
        self.repository = repository
        self.backend = backend
        self.index = DictIndex()
        self.blocks = [content(number, 7000) for number in range(20)] + [content(99, 3_000_000)]
        self.parts: list[StoredPart] = []

    async def fill(self, executor: Executor) -> None:
        """Store everything."""
        writer = Writer(self.repository, self.index, executor)
        self.parts = [await writer.put("mailbox:a", "message", "mime", block) for block in self.blocks]
        self.index.take(await writer.flush())

    def reader(self) -> Reader:
        """A reader with nothing in its cache."""
        return Reader(self.repository, self.index)

    def harm(self, part: StoredPart) -> str:
        """Flip a bit in the part's first record; the pack's id."""
        place = self.index.locations[part.chunks[0]]
        data = bytearray(self.backend.objects[pack_name(place.pack_id)])
        data[place.offset + place.length // 2] ^= 1
        self.backend.objects[pack_name(place.pack_id)] = bytes(data)
        return place.pack_id


@pytest.fixture
async def filled(repository: Repository, backend: MemoryBackend, executor: Executor) -> Filled:
    """The filled repository."""
    filled = Filled(repository, backend)
    await filled.fill(executor)
    return filled


async def test_parts_are_streamed_in_chunks(filled: Filled) -> None:
    """A large part comes chunk by chunk, never whole."""
    pieces = list(filled.reader().read(filled.parts[-1]))
    assert len(pieces) == len(filled.parts[-1].chunks) > 1
    assert b"".join(pieces) == filled.blocks[-1]


async def test_neighbours_are_decoded_once(filled: Filled) -> None:
    """After one mail of a bundle the others come from memory."""
    reader = filled.reader()
    assert reader.read_all(filled.parts[0]) == filled.blocks[0]
    filled.backend.objects.clear()
    assert [reader.read_all(part) for part in filled.parts[:20]] == filled.blocks[:20]


async def test_many_threads_read_at_once(filled: Filled) -> None:
    """One reader serves all threads, each with the right bytes."""
    reader = filled.reader()
    with ThreadPoolExecutor(8) as pool:
        for _ in range(5):
            assert list(pool.map(reader.read_all, filled.parts)) == filled.blocks


async def test_changed_record_is_damage(filled: Filled) -> None:
    """A flipped bit names the pack and what to do; other records still read."""
    pack_id = filled.harm(filled.parts[-1])
    with pytest.raises(Damage, match=f"{pack_id}.*run tuiback check"):
        filled.reader().read_all(filled.parts[-1])
    assert filled.reader().read_all(filled.parts[0]) == filled.blocks[0]


async def test_missing_pack_is_damage(filled: Filled) -> None:
    """A pack that is gone is named."""
    filled.backend.objects.clear()
    pack_id = filled.index.locations[filled.parts[0].chunks[0]].pack_id
    with pytest.raises(Damage, match=f"pack {pack_id}: the pack is missing"):
        filled.reader().read_all(filled.parts[0])


async def test_unknown_chunk_is_damage(filled: Filled) -> None:
    """A chunk that no pack has is named."""
    part = replace(filled.parts[0], chunks=(bytes(32),))
    with pytest.raises(Damage, match=f"chunk {bytes(32).hex()}"):
        filled.reader().read_all(part)


@pytest.mark.parametrize("wrong", ["offset", "slot", "inner"])
async def test_wrong_place_never_yields_other_bytes(filled: Filled, wrong: str) -> None:
    """An index that points elsewhere is noticed, whatever lies there."""
    chunk_id, other_id = filled.parts[0].chunks[0], filled.parts[-1].chunks[0]
    place, other = filled.index.locations[chunk_id], filled.index.locations[other_id]
    filled.index.locations[chunk_id] = {
        "offset": replace(place, offset=other.offset, length=other.length),
        "slot": replace(place, slot=place.slot + 1),
        "inner": replace(place, inner_offset=place.inner_offset + 1),
    }[wrong]
    with pytest.raises(Damage):
        filled.reader().read_all(filled.parts[0])


async def test_wrong_chunk_is_never_handed_out(filled: Filled) -> None:
    """A sound record that holds another chunk is refused before its first byte, not at the part's end."""
    first_id, second_id, *_ = filled.parts[-1].chunks
    filled.index.locations[first_id] = filled.index.locations[second_id]
    with pytest.raises(Damage, match=f"chunk {first_id.hex()} in it is not what was written"):
        next(filled.reader().read(filled.parts[-1]))


@pytest.mark.parametrize("wrong", ["order", "length", "digest"])
async def test_part_that_is_not_the_sum_of_its_chunks_is_damage(filled: Filled, wrong: str) -> None:
    """Chunks in another order, fewer of them, or another digest: the end does not prove right."""
    part = filled.parts[-1]
    broken = {
        "order": replace(part, chunks=part.chunks[::-1]),
        "length": replace(part, chunks=part.chunks[:-1]),
        "digest": replace(part, digest=bytes(32)),
    }[wrong]
    with pytest.raises(Damage, match="don't make up the part"):
        filled.reader().read_all(broken)


@pytest.mark.parametrize("form", ["list1", "list2"])
async def test_long_parts_are_read_through_their_lists(
    repository: Repository, executor: Executor, form: str
) -> None:
    """Whoever reads a part whose chunks are named by lists, even lists of lists, gets its content alone."""
    index = DictIndex()
    writer = Writer(repository, index, executor)
    blocks = [content(number, 10) for number in range(1500)]
    ids: Sequence[bytes] = [repository.keys.chunk_id(block) for block in blocks]
    contents = list(blocks)
    for _ in range(int(form[-1])):
        lists = [b"".join(ids[start : start + 500]) for start in range(0, len(ids), 500)]
        ids = [repository.keys.chunk_id(each) for each in lists]
        contents += lists
    await writer.put_all("drive:a", "file", "file", contents)
    index.take(await writer.flush())
    data = b"".join(blocks)
    part = StoredPart("file", len(data), repository.keys.chunk_id(data), tuple(ids), form)
    assert list(Reader(repository, index).read(part)) == blocks
    assert Reader(repository, index).read_all(part) == data


async def test_small_parts_are_read_by_places_looked_up_before(filled: Filled) -> None:
    """With the places of many parts at hand none of them is looked up again."""
    reader = filled.reader()
    places = reader.places(filled.parts[:20])
    asked = filled.index.asked
    assert [reader.read_all(part, places) for part in filled.parts[:20]] == filled.blocks[:20]
    assert filled.index.asked == asked


async def test_places_that_are_wrong_are_never_believed(filled: Filled) -> None:
    """A place that holds other bytes gives nothing: the part comes from where its chunks lie."""
    reader = filled.reader()
    places = dict(reader.places(filled.parts[:2]))
    first, second = (part.chunks[0] for part in filled.parts[:2])
    places[first] = places[second]
    assert reader.read_all(filled.parts[0], places) == filled.blocks[0]


@pytest.mark.parametrize("number", [0, -1])
async def test_chunks_are_found_again_when_their_pack_left(filled: Filled, number: int) -> None:
    """A pack that prune dropped since it was looked up costs a second look, not the item."""
    part = filled.parts[number]
    index = PrunedIndex(filled.index)
    assert b"".join(Reader(filled.repository, index).read(part)) == filled.blocks[number]
    stale = Reader(filled.repository, PrunedIndex(filled.index)).places([part])
    assert filled.reader().read_all(part, stale) == filled.blocks[number]


class PrunedIndex:
    """An index whose first answer is from before a prune."""

    def __init__(self, now: DictIndex) -> None:
        self._now = now
        self._pruned = False

    def find_chunks(self, chunk_ids: Sequence[bytes]) -> Mapping[bytes, Location]:
        found = self._now.find_chunks(chunk_ids)
        if self._pruned:
            return found
        self._pruned = True
        return {chunk_id: replace(place, pack_id="0" * 64) for chunk_id, place in found.items()}
