"""What of decoded records is kept: neighbours for a while, and what recurs beyond that."""

from collections.abc import Iterable

from tuiback.model import Location
from tuiback.store import read_cache
from tuiback.store.read_cache import ReadCache

RECORD_BYTES = 400_000
CHUNK_BYTES = 1000
RECORDS = 40
PACK = "ab" * 32


def place(record: int, chunk: int) -> Location:
    """Where a chunk lies in its bundle."""
    return Location(PACK, record, 0, 100, chunk * CHUNK_BYTES, CHUNK_BYTES)


def read(cache: ReadCache, record: int, chunk: int) -> bool:
    """Ask for a chunk, and decode its record where that is needed; whether it was."""
    plain = bytes([record]) * RECORD_BYTES
    found = cache.find(place(record, chunk))
    if found is not None:
        assert found == plain[:CHUNK_BYTES]
        return False
    assert cache.keep(place(record, chunk), plain) == plain[:CHUNK_BYTES]
    return True


def decoded(cache: ReadCache, places: Iterable[tuple[int, int]]) -> int:
    """How many records had to be decoded to read these chunks."""
    return sum(read(cache, record, chunk) for record, chunk in places)


def test_neighbours_are_decoded_once() -> None:
    """Each bundle that is read to its end before the next one is decoded once."""
    places = [(record, chunk) for record in range(RECORDS) for chunk in range(20)]
    assert decoded(ReadCache(), places) == RECORDS


def test_what_recurs_is_kept_by_itself() -> None:
    """A chunk that is asked for again when its bundle is gone costs one more decoding, then none."""
    cache = ReadCache()
    one_of_each = [(record, 7) for record in range(RECORDS)]
    assert [decoded(cache, one_of_each) for _ in range(4)] == [RECORDS, RECORDS, 0, 0]


def test_memory_is_bounded() -> None:
    """However much is read, no more than 16 MiB and the latest records' marks are held."""
    cache = ReadCache()
    for record in range(250):
        for _ in range(2):
            cache.keep(place(record, 0), bytes(RECORD_BYTES))
    held = cache._bundles._held_bytes + cache._chunks._held_bytes
    assert held <= read_cache._BUNDLES_BYTES + read_cache._CHUNKS_BYTES == 16 << 20
    assert sum(map(len, cache._bundles._held.values())) == cache._bundles._held_bytes
    for record in range(2 * read_cache._REMEMBERED + 10):
        cache._is_decoded_again((PACK, record))
    assert len(cache._newer) + len(cache._older) <= 2 * read_cache._REMEMBERED + 1
    assert cache._is_decoded_again((PACK, 2 * read_cache._REMEMBERED))
    assert not cache._is_decoded_again((PACK, 1))


def test_a_long_record_is_not_kept() -> None:
    """What would push everything else out is decoded each time."""
    cache = ReadCache()
    location = Location(PACK, 1, 0, 100, 0, 600_000)
    for _ in range(3):
        cache.keep(location, bytes(600_000))
        assert cache.find(location) is None
