"""A sealed record opens where it was sealed and nowhere else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.store.test_keys import KEYS, REPOSITORY
from tuiback.errors import Damage, FormatTooNew
from tuiback.store.envelope import (
    COMMIT_MAGIC,
    HEADER_BYTES,
    PACK_MAGIC,
    Envelope,
    Header,
    RecordType,
    new_envelope,
    open_envelope,
    padded_length,
    split_record,
)
from tuiback.store.keys import Keys, RootKeys


def header(number: int = 1) -> Header:
    """A pack's header."""
    return Header(PACK_MAGIC, REPOSITORY, b"w" * 16, number, 1, 1_763_881_200_000_000_000, b"s" * 32)


def opened(data: bytes) -> Envelope:
    """The envelope behind these bytes."""
    return open_envelope(data, PACK_MAGIC, REPOSITORY, KEYS, "pack x")


def read_record(envelope: Envelope, data: bytes) -> bytes:
    """The plain bytes of the record that `data` is."""
    return envelope.unseal(split_record(data, "pack x"), "pack x")


@given(plain=st.binary(min_size=1, max_size=5000), slot=st.integers(0, 2**32 - 1), kind=st.sampled_from(RecordType))
def test_record_round_trip(plain: bytes, slot: int, kind: RecordType) -> None:
    """What was sealed comes back from the bytes alone."""
    envelope = new_envelope(header(), KEYS)
    record = split_record(b"".join(envelope.seal(slot, kind, plain)), "pack x")
    assert (record.slot, record.type) == (slot, kind)
    assert opened(envelope.header_bytes + b"more").unseal(record, "pack x") == plain


@given(plains=st.lists(st.binary(min_size=1, max_size=5000), min_size=1, max_size=20))
def test_records_sealed_together_are_those_sealed_one_by_one(plains: list[bytes]) -> None:
    """How many go into one call makes no difference to their bytes."""
    envelope = new_envelope(header(), KEYS)
    records = [(slot, RecordType.CHUNK, plain) for slot, plain in enumerate(plains)]
    assert envelope.seal_all(records) == [envelope.seal(*record) for record in records]


@given(position=st.integers(0, 10_000), bit=st.integers(0, 7))
def test_every_flipped_bit_of_a_record_is_noticed(position: int, bit: int) -> None:
    """Wherever a bit flips, the record no longer opens."""
    envelope = new_envelope(header(), KEYS)
    data = bytearray(b"".join(envelope.seal(3, RecordType.CHUNK, b"some content" * 20)))
    data[position % len(data)] ^= 1 << bit
    with pytest.raises(Damage):
        read_record(envelope, bytes(data))


def test_record_of_another_slot_or_pack_does_not_open() -> None:
    """Records can't change places, within a pack or between packs."""
    envelope, other = new_envelope(header(1), KEYS), new_envelope(header(2), KEYS)
    record = split_record(b"".join(envelope.seal(1, RecordType.CHUNK, b"content")), "pack x")
    moved = type(record)(record.type, 2, record.sealed)
    for wrong, where in ((moved, envelope), (record, other)):
        with pytest.raises(Damage, match="does not open"):
            where.unseal(wrong, "pack x")


@given(position=st.integers(0, HEADER_BYTES - 1), bit=st.integers(0, 7))
def test_every_flipped_bit_of_a_header_is_noticed(position: int, bit: int) -> None:
    """A changed header does not open, or opens nothing."""
    envelope = new_envelope(header(), KEYS)
    record = split_record(b"".join(envelope.seal(0, RecordType.CHUNK, b"content")), "pack x")
    data = bytearray(envelope.header_bytes)
    data[position] ^= 1 << bit
    with pytest.raises((Damage, FormatTooNew)):
        opened(bytes(data)).unseal(record, "pack x")


def test_foreign_header_is_named() -> None:
    """Another kind of object, another repository, another key and a stump are told apart."""
    data = new_envelope(header(), KEYS).header_bytes
    other_key = Keys(RootKeys(bytes(32), {1: bytes(32)}), REPOSITORY)
    for magic, repository, keys, what in (
        (COMMIT_MAGIC, REPOSITORY, KEYS, "does not start as it must"),
        (PACK_MAGIC, bytes(16), KEYS, f"belongs to repository {REPOSITORY.hex()}"),
        (PACK_MAGIC, REPOSITORY, other_key, "header is not what was written"),
    ):
        with pytest.raises(Damage, match=what):
            open_envelope(data, magic, repository, keys, "pack x")
    with pytest.raises(Damage, match="does not start"):
        opened(data[:-1])


@pytest.mark.parametrize(("position", "what"), [(9, "version 3"), (15, "features 0x3")])
def test_later_format_is_too_new(position: int, what: str) -> None:
    """A higher version or an unknown required feature refuses, and says which."""
    data = bytearray(new_envelope(header(), KEYS).header_bytes)
    data[position] |= 3
    with pytest.raises(FormatTooNew, match=what):
        opened(bytes(data))


def test_format_that_was_never_released_is_refused() -> None:
    """Version 0 was written by no release."""
    data = bytearray(new_envelope(header(), KEYS).header_bytes)
    data[9] = 0
    with pytest.raises(Damage, match="version 0, which was never released"):
        opened(bytes(data))


@given(length=st.integers(0, 1 << 40))
def test_padding_hides_the_length_cheaply(length: int) -> None:
    """Never shorter, at most 12 % longer, and padding again changes nothing."""
    padded = padded_length(length)
    assert length <= padded <= length * 1.12 + 1
    assert padded_length(padded) == padded


def test_padding_leaves_few_lengths() -> None:
    """Sixteen thousand lengths come out as eight."""
    assert len({padded_length(length) for length in range(48 * 1024 + 1, 64 * 1024 + 1)}) == 8
