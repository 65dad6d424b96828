"""A checkpoint's table comes back as it was written, or is told as damaged."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.store.doubles import MemoryBackend
from tuiback.errors import Damage
from tuiback.model import CommitHead
from tuiback.store import CheckpointTable, Repository, SegmentRef, SegmentWriter, SubjectRefs, write_table
from tuiback.store.checkpoint import decode_table, encode_table, read_table
from tuiback.store.segment import segment_name

IDS = st.binary(min_size=32, max_size=32).map(bytes.hex)
NUMBERS = st.integers(0, 1 << 40)
REFS = st.builds(
    SegmentRef, st.sampled_from(["0a" * 32, "0b" * 32, "ff" * 32]), NUMBERS, NUMBERS, NUMBERS, NUMBERS, NUMBERS,
    st.binary(min_size=32, max_size=32),
)  # fmt: skip
SOME_REFS = st.lists(REFS, max_size=3).map(tuple)
TABLES = st.builds(
    CheckpointTable,
    covers=st.lists(st.builds(CommitHead, st.text(max_size=5), NUMBERS, IDS), max_size=3).map(tuple),
    packs=st.lists(IDS, max_size=4).map(tuple),
    subjects=st.dictionaries(st.text(max_size=5), st.builds(SubjectRefs, SOME_REFS, SOME_REFS), max_size=4),
)


@given(table=TABLES)
def test_table_round_trip(table: CheckpointTable) -> None:
    """Heads, packs in their order and every reference survive."""
    again = decode_table(encode_table(table))
    assert again == table
    assert again.segments() == table.segments()
    for refs in table.subjects.values():
        assert refs.base_bytes == sum(ref.plain_bytes for ref in refs.base)
        assert refs.delta_bytes == sum(ref.plain_bytes for ref in refs.deltas)


def test_table_lies_in_a_segment(repository: Repository) -> None:
    """The id that write_table gives is all that is needed to read it."""
    table = CheckpointTable((CommitHead("nas", 3, "ab" * 32),), ("cd" * 32,))
    assert read_table(repository.objects, write_table(repository.objects, table)) == table


def test_broken_table_is_damage(repository: Repository, backend: MemoryBackend) -> None:
    """A segment without a table, with one that is none, and one that is gone are named."""
    for what, plain in (("base", b"\x80"), ("table", b"\x80"), ("table", b"")):
        writer = SegmentWriter(repository.objects)
        writer.add("", what, plain, 0)
        (ref,) = writer.finish()
        with pytest.raises(Damage, match=ref.segment_id):
            read_table(repository.objects, ref.segment_id)
    backend.delete(segment_name(ref.segment_id))
    with pytest.raises(Damage, match="missing"):
        read_table(repository.objects, ref.segment_id)


def test_reference_to_no_segment_is_damage(repository: Repository) -> None:
    """A table that refers to a segment it does not name is refused."""
    ref = SegmentRef("0a" * 32, 0, 132, 100, 50, 1, bytes(32))
    plain = encode_table(CheckpointTable((), (), {"mailbox:ann": SubjectRefs((ref,))}))
    bad = plain.replace(b"\xc4\x20" + bytes.fromhex("0a" * 32), b"\xc4\x00")
    assert bad != plain
    writer = SegmentWriter(repository.objects)
    writer.add("", "table", bad, 1)
    with pytest.raises(Damage, match="does not name"):
        read_table(repository.objects, writer.finish()[0].segment_id)
