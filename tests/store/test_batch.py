"""A batch is cut like its parts one by one, and what is new of it sealed into records that hold just that."""

from hypothesis import given
from hypothesis import strategies as st

from tests.store.mails import attachment, multipart, plain
from tuiback.store import Repository
from tuiback.store.batch import CutBatch, shared_out
from tuiback.store.chunker import WHOLE_PART_BYTES
from tuiback.store.envelope import PACK_MAGIC, split_record
from tuiback.store.mime_form import cut_short
from tuiback.store.pack import BUNDLE_BYTES, PackRow


@given(st.lists(st.integers(1, 3 * WHOLE_PART_BYTES), max_size=40))
def test_every_chunk_is_in_one_record(sizes: list[int]) -> None:
    """Long ones are alone, small ones together and in their order, in no more than a bundle holds."""
    records = shared_out(sizes)
    assert sorted(place for places in records for place in places) == list(range(len(sizes)))
    for places in records:
        assert places == sorted(places)
        assert len(places) == 1 or all(sizes[place] <= WHOLE_PART_BYTES for place in places)
        assert len(places) == 1 or sum(sizes[place] for place in places) <= BUNDLE_BYTES


def test_batch_is_cut_like_its_parts(repository: Repository) -> None:
    """Identities, forms, and the sizes and pieces of all chunks in their order; an empty part has none."""
    contents = [multipart(plain(), attachment(bytes(5000))), b"", b"From: a\r\n\r\nshort"]
    cuts = CutBatch(repository.keys, "mime", contents).cuts()
    parts = [cut_short(repository.keys, "mime", data) for data in contents]
    pieces = [piece for part in parts for piece in part.pieces]
    chunks = [cut for piece in pieces for cut in piece.cuts]
    assert [(part.digest, part.form) for part in cuts.parts] == [(part.digest, part.form) for part in parts]
    assert cuts.chunk_ids() == [cut.chunk_id for cut in chunks]
    assert list(cuts.sizes()) == [len(cut.data) for cut in chunks]
    assert list(cuts.pieces()) == [len(piece.cuts) for piece in pieces]
    assert cuts.parts[1].chunks == ()


def test_records_hold_what_is_new(repository: Repository) -> None:
    """Only chunks marked as new are sealed, from the first slot on, and come back from the record."""
    contents = [b"first", b"known", b"third"]
    batch = CutBatch(repository.keys, "file", contents)
    envelope = repository.objects.new_envelope(PACK_MAGIC, bytes(16), 1)
    ((head, sealed),) = batch.seal(b"\1\0\1", envelope, 7)
    record = split_record(head + sealed, "the record")
    row = PackRow(7, 0, 0, b"".join(batch.cuts().chunk_ids()[::2]), [5, 5])
    assert record.slot == 7
    assert [chunk for _, chunk in row.chunks(envelope.unseal(record, "the record"))] == [b"first", b"third"]
