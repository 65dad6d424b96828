"""Sealed objects of one record and of many come back as they were written, and their sizes are counted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.store.doubles import FixedClock, MemoryBackend
from tests.store.test_keys import KEYS, REPOSITORY
from tuiback.errors import Damage
from tuiback.store import AlreadyThere
from tuiback.store.envelope import COMMIT_MAGIC, GC_MAGIC, SEGMENT_MAGIC, RecordType
from tuiback.store.sealed import ObjectBuilder, SealedObjects, open_record


def sealed(backend: MemoryBackend | None = None) -> SealedObjects:
    """The sealed objects of a repository in memory."""
    return SealedObjects(backend or MemoryBackend(), KEYS, REPOSITORY, FixedClock())


def many(objects: SealedObjects, name: str, *plains: bytes) -> list[tuple[int, int]]:
    """Write an object of these records; where each lies."""
    builder = ObjectBuilder(objects.new_envelope(SEGMENT_MAGIC, bytes(16), 1))
    places = [builder.add(builder.seal(builder.reserve(), RecordType.ROWS, plain)) for plain in plains]
    data, _ = builder.finish([list(place) for place in places])
    assert builder.size == sum(map(len, data))
    objects.create(name, data)
    return places


@given(plain=st.binary(max_size=3000))
def test_one_record_comes_back(plain: bytes) -> None:
    """What seal_one() was given, and only as the kind of object that it was sealed as."""
    objects = sealed()
    data = objects.seal_one(COMMIT_MAGIC, b"w" * 16, 7, RecordType.COMMIT, plain)
    assert objects.open_one(data, COMMIT_MAGIC, RecordType.COMMIT, "it") == plain
    with pytest.raises(Damage, match="does not start as it must"):
        objects.open_one(data, GC_MAGIC, RecordType.COMMIT, "it")
    with pytest.raises(Damage, match="record 0 is not where it must be"):
        objects.open_one(data, COMMIT_MAGIC, RecordType.GC, "it")


@given(plains=st.lists(st.binary(max_size=300), max_size=8))
def test_many_records_come_back(plains: list[bytes]) -> None:
    """The trailer is the same read from the end alone and from the whole object, and says where the records lie."""
    backend = MemoryBackend()
    objects = sealed(backend)
    many(objects, "x", *plains)
    data = backend.read("x")
    trailer = objects.trailer_of("x", SEGMENT_MAGIC, "x")
    assert (trailer.rows, trailer.stored_bytes) == (objects.trailer_in(data, SEGMENT_MAGIC, "x").rows, len(data))
    envelope = objects.envelope_of("x", SEGMENT_MAGIC, "x")
    places = many(sealed(), "x", *plains)
    opened = [
        open_record(envelope, data[offset : offset + length], RecordType.ROWS, slot, "x")
        for slot, (offset, length) in enumerate(places)
    ]
    assert opened == plains


def test_long_trailer_is_read_whole() -> None:
    """A trailer longer than the first read from the end is read again from its start."""
    backend = MemoryBackend()
    objects = sealed(backend)
    builder = ObjectBuilder(objects.new_envelope(SEGMENT_MAGIC, bytes(16), 1))
    rows = [[number, KEYS.chunk_id(number.to_bytes(4, "big"))] for number in range(12_000)]
    objects.create("x", builder.finish(rows)[0])
    assert len(backend.objects["x"]) > 300_000
    from_end = objects.trailer_of("x", SEGMENT_MAGIC, "x")
    from_all = objects.trailer_in(backend.objects["x"], SEGMENT_MAGIC, "x")
    assert from_end.rows == from_all.rows
    assert (from_end.offset, from_end.stored_bytes) == (from_all.offset, from_all.stored_bytes)


def test_another_record_is_no_trailer() -> None:
    """An object that was cut behind a whole record and got an end of its own does not tell that record's bytes."""
    objects = sealed()
    builder = ObjectBuilder(objects.new_envelope(SEGMENT_MAGIC, bytes(16), 1))
    _, length = builder.add(builder.seal(builder.reserve(), RecordType.ROWS, b"rows"))
    data = b"".join(builder.finish([])[0])
    footer = data[-12:]
    trailer_bytes = int.from_bytes(footer[:4], "big")
    cut = data[: -trailer_bytes - len(footer)] + length.to_bytes(4, "big") + footer[4:]
    with pytest.raises(Damage, match="its trailer is not where it must be"):
        objects.trailer_in(cut, SEGMENT_MAGIC, "x")


def test_records_in_each_others_place_are_noticed() -> None:
    """A record opens only as the slot that was asked for."""
    backend = MemoryBackend()
    objects = sealed(backend)
    (offset, length), _ = many(objects, "x", b"one", b"two")
    envelope = objects.envelope_of("x", SEGMENT_MAGIC, "x")
    with pytest.raises(Damage, match="record 1 is not where it must be"):
        open_record(envelope, backend.read("x", offset, length), RecordType.ROWS, 1, "x")


@pytest.mark.parametrize("length", [0, 5, 11, 140, -1])
def test_cut_object_is_damage(length: int) -> None:
    """However much is missing at the end."""
    backend = MemoryBackend()
    objects = sealed(backend)
    many(objects, "x", b"one", b"two")
    backend.objects["x"] = backend.objects["x"][:length]
    with pytest.raises(Damage):
        objects.trailer_of("x", SEGMENT_MAGIC, "x")


def test_sizes_are_counted() -> None:
    """Whether an object was there before, was created or deleted, the figure is what lies in the backend."""
    backend = MemoryBackend()
    sealed(backend).create("packs/aa/before", (b"12345",))
    backend.create("config", (b"not counted",))
    objects = sealed(backend)
    objects.create("gc/early", (b"12", b"3"))
    assert objects.stored_bytes() == 8
    objects.create_hashed("segments/aa/x", (b"1234",))
    objects.create_hashed("segments/aa/x", (b"1234",))
    assert objects.stored_bytes() == 12
    with pytest.raises(AlreadyThere):
        objects.create("segments/aa/x", (b"1234",))
    assert (objects.delete("packs/aa/before"), objects.stored_bytes()) == (5, 7)
    assert sealed(backend).stored_bytes() == 7
