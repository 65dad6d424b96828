"""Metadata comes back from segments as it was written, or not at all."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.store.doubles import FailingBackend, MemoryBackend, ReadLog, new_repository, reopen
from tests.store.test_writer import content
from tuiback.errors import Damage, NoSuchThing, StorageFull, UsageError
from tuiback.store import Repository, SegmentReader, SegmentRef, SegmentWriter
from tuiback.store.segment import SegmentEntry, read_records, read_table, segment_name

RECORDS = st.lists(st.tuples(st.text(max_size=5), st.binary(max_size=300)), max_size=12)


def written(repository: Repository, *plains: bytes) -> tuple[SegmentRef, ...]:
    """These records in segments, each about an account of its own."""
    writer = SegmentWriter(repository.objects)
    for number, plain in enumerate(plains):
        writer.add(f"mailbox:{number}", "base", plain, number)
    return writer.finish()


@given(some=RECORDS, segment_bytes=st.sampled_from([1, 500, 2000]))
def test_every_record_comes_back(some: list[tuple[str, bytes]], segment_bytes: int) -> None:
    """However many segments there are, each reference gives its record, and each segment tells what lies in it."""
    objects = new_repository().objects
    writer = SegmentWriter(objects, segment_bytes=segment_bytes)
    places = [writer.add(subject, "delta", plain, len(plain)) for subject, plain in some]
    refs = writer.finish()
    assert places == list(range(len(some)))
    reader = SegmentReader(objects)
    assert [reader.read(ref) for ref in refs] == [plain for _, plain in some]
    assert [(ref.plain_bytes, ref.rows) for ref in refs] == [(len(plain), len(plain)) for _, plain in some]
    told = []
    for segment_id in dict.fromkeys(ref.segment_id for ref in refs):
        records = list(read_records(objects, segment_id))
        assert tuple(entry for entry, _ in records) == read_table(objects, segment_id)
        told += [(entry.subject, plain) for entry, plain in records]
    assert told == some


def test_neighbours_are_read_together() -> None:
    """Records one after the other take few reads of the backend, in whatever order several segments take turns."""
    backend = ReadLog()
    repository = new_repository(backend)
    plains = [content(number, 500) for number in range(200)]
    segments = [written(repository, *plains) for _ in range(3)]
    reader = SegmentReader(repository.objects)
    backend.names.clear()
    for number, plain in enumerate(plains):
        assert [reader.read(refs[number]) for refs in segments] == 3 * [plain]
    # The header, the first record, and everything from the second one on.
    assert len(backend.names) == 3 * 3


@given(order=st.permutations(range(12)))
def test_any_order_of_reading_gives_the_records(order: list[int]) -> None:
    """What was read ahead is never taken for another record."""
    repository = new_repository()
    plains = [content(number, 40 * number) for number in range(12)]
    refs = written(repository, *plains)
    reader = SegmentReader(repository.objects)
    assert [reader.read(refs[number]) for number in order] == [plains[number] for number in order]


def test_segments_stay_below_their_size(repository: Repository, backend: MemoryBackend) -> None:
    """Records that don't compress fill several segments, none more than twice the size that one is closed at."""
    writer = SegmentWriter(repository.objects, segment_bytes=4_000)
    for number in range(50):
        writer.add("mailbox:ann", "base", content(number, 900), 1)
    refs = writer.finish()
    assert len({ref.segment_id for ref in refs}) > 2
    assert max(ref.offset + ref.length for ref in refs) <= 8_000


def test_nothing_given_makes_no_segment(repository: Repository, backend: MemoryBackend) -> None:
    """A writer that was given no record leaves nothing."""
    assert SegmentWriter(repository.objects).finish() == ()
    assert not [name for name in backend.objects if name.startswith("segments/")]


def test_what_finish_returns_is_durable() -> None:
    """One failed write is made good from memory, a second is told."""
    backend = FailingBackend()
    repository = new_repository(backend)
    failures = 1

    def full(name: str, is_written: bool) -> None:
        nonlocal failures
        if failures and not is_written:
            failures -= 1
            raise StorageFull("no space left")

    backend.fault = full
    (ref,) = written(repository, b"some rows")
    assert SegmentReader(repository.objects).read(ref) == b"some rows"
    failures = 2
    with pytest.raises(StorageFull):
        written(repository, b"more rows")


Harm = Callable[[MemoryBackend, SegmentRef, SegmentRef], None]


def _flip(backend: MemoryBackend, ref: SegmentRef, _: SegmentRef) -> None:
    name = segment_name(ref.segment_id)
    data, middle = backend.objects[name], ref.offset + ref.length // 2
    backend.objects[name] = data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]


def _cut(backend: MemoryBackend, ref: SegmentRef, _: SegmentRef) -> None:
    name = segment_name(ref.segment_id)
    backend.objects[name] = backend.objects[name][: ref.offset + ref.length // 2]


def _delete(backend: MemoryBackend, ref: SegmentRef, _: SegmentRef) -> None:
    backend.delete(segment_name(ref.segment_id))


def _swap(backend: MemoryBackend, ref: SegmentRef, other: SegmentRef) -> None:
    names = segment_name(ref.segment_id), segment_name(other.segment_id)
    one, two = (backend.objects[name] for name in names)
    backend.objects.update(zip(names, (two, one), strict=True))


@pytest.mark.parametrize("harm", [_flip, _cut, _delete, _swap])
def test_damage_is_named(repository: Repository, backend: MemoryBackend, harm: Harm) -> None:
    """A changed, cut or lost segment, or one that lies in another's place, is told by its name."""
    (ref,), (other,) = written(repository, b"what ann has"), written(repository, b"what bob has")
    harm(backend, ref, other)
    with pytest.raises(Damage, match=ref.segment_id):
        SegmentReader(repository.objects).read(ref)
    with pytest.raises(Damage, match=ref.segment_id):
        list(read_records(repository.objects, ref.segment_id))


@given(position=st.integers(0, 10_000), bit=st.integers(0, 7))
def test_every_flipped_bit_of_a_segment_is_noticed(position: int, bit: int) -> None:
    """Wherever a bit flips, the segment as a whole is refused."""
    backend = MemoryBackend()
    repository = new_repository(backend)
    ref = written(repository, b"rows" * 30, b"more rows")[0]
    data = bytearray(backend.objects[segment_name(ref.segment_id)])
    data[position % len(data)] ^= 1 << bit
    backend.objects[segment_name(ref.segment_id)] = bytes(data)
    with pytest.raises(Damage):
        list(read_records(repository.objects, ref.segment_id))


def test_table_is_read_from_the_end_alone(repository: Repository, backend: MemoryBackend) -> None:
    """The trailer tells what lies in a segment whose records can't be read; a missing segment is no such thing."""
    refs = written(repository, b"rows", b"more")
    expected = tuple(
        SegmentEntry(ref.slot, ref.offset, ref.length, f"mailbox:{number}", "base", number)
        for number, ref in enumerate(refs)
    )
    _flip(backend, refs[0], refs[1])
    assert read_table(repository.objects, refs[0].segment_id) == expected
    _delete(backend, refs[0], refs[1])
    with pytest.raises(NoSuchThing):
        read_table(repository.objects, refs[0].segment_id)


def test_segments_count_as_stored(repository: Repository, backend: MemoryBackend) -> None:
    """What segments take is in the repository's figure, and out of it once they are deleted."""
    assert repository.stored_bytes() == 0
    (ref,) = written(repository, b"rows" * 1000)
    name = segment_name(ref.segment_id)
    assert repository.stored_bytes() == len(backend.objects[name])
    assert repository.objects.delete(name) > 0
    assert repository.stored_bytes() == 0


def test_segments_without_config_are_damage(repository: Repository, backend: MemoryBackend) -> None:
    """A place that has segments but has lost its config is never taken for unused."""
    written(repository, b"rows")
    for name in ("config", "config.2"):
        backend.delete(name)
    with pytest.raises(Damage, match="config"):
        reopen(repository)
    with pytest.raises(UsageError):
        new_repository(backend)
