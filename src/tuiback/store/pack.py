"""Builds packs in memory and reads them back: write-once files of sealed chunks and bundles, named by their BLAKE3.

A pack is an object of many records (see sealed), its trailer's rows [slot, offset, length, ids, sizes]: `ids` are the
32-byte chunk ids in a row, `sizes` their plain lengths; inside a record the chunks lie one after the other.
"""

from collections.abc import Iterator, Sequence

import msgspec

from tuiback.model import ChunkEntry, PackTable
from tuiback.store.envelope import PACK_MAGIC, Envelope, RecordType
from tuiback.store.sealed import ObjectBuilder, SealedObjects, Trailer

PREFIX = "packs/"
BUNDLE_BYTES = 256 * 1024
_ID_BYTES = 32

ChunkSize = tuple[bytes, int]


class PackRow(msgspec.Struct, array_like=True, frozen=True):
    """A row of a pack's trailer: one record, the ids of its chunks in a row and their plain lengths."""

    slot: int
    offset: int
    length: int
    ids: bytes
    sizes: list[int]

    def chunk_ids(self) -> Iterator[bytes]:
        """The ids of its chunks."""
        return (self.ids[start : start + _ID_BYTES] for start in range(0, len(self.ids), _ID_BYTES))

    def chunks(self, plain: bytes) -> Iterator[tuple[bytes, bytes]]:
        """(id, bytes) of each chunk, from the record's plain bytes."""
        start = 0
        for chunk_id, size in zip(self.chunk_ids(), self.sizes, strict=True):
            yield chunk_id, plain[start : start + size]
            start += size


def pack_name(pack_id: str) -> str:
    """The object's name in the backend."""
    return f"{PREFIX}{pack_id[:2]}/{pack_id}"


class PackBuilder:
    """A pack on its way: reserve a slot, seal on any thread, add; then finish. Not thread-safe but for seal()."""

    def __init__(self, envelope: Envelope) -> None:
        self._builder = ObjectBuilder(envelope)
        self._rows: list[PackRow] = []

    @property
    def size(self) -> int:
        """Bytes so far."""
        return self._builder.size

    @property
    def envelope(self) -> Envelope:
        """What seals its records."""
        return self._builder.envelope

    def reserve(self, count: int = 1) -> int:
        """The first of so many slots that nobody else has; all of them must be used."""
        return self._builder.reserve(count)

    def seal(self, slot: int, plain: bytes, chunk_count: int) -> tuple[bytes, bytes]:
        """The record of `plain`, for add()."""
        return self._builder.seal(slot, type_of(chunk_count), plain)

    def seal_all(self, records: Sequence[tuple[int, bytes, int]]) -> list[tuple[bytes, bytes]]:
        """The records of these (slot, plain bytes, number of chunks), for add()."""
        return self._builder.seal_all([(slot, type_of(chunks), plain) for slot, plain, chunks in records])

    def add(self, slot: int, record: tuple[bytes, bytes], chunks: Sequence[ChunkSize]) -> None:
        """Append a sealed record that holds `chunks` one after the other."""
        offset, length = self._builder.add(record)
        self._rows.append(_row(slot, offset, length, chunks))

    def add_all(
        self, first_slot: int, lengths: Sequence[int], records: bytes, chunks: Sequence[Sequence[ChunkSize]]
    ) -> None:
        """Append sealed records that lie one after the other, in the order of their slots, with what each holds."""
        offset = self._builder.add_all(records)
        for slot, (length, held) in enumerate(zip(lengths, chunks, strict=True), first_slot):
            self._rows.append(_row(slot, offset, length, held))
            offset += length

    def finish(self) -> tuple[list[bytes], PackTable]:
        """(the pack's bytes, its table). Nothing may be added afterwards; the builder lets go of the bytes."""
        data, pack_id = self._builder.finish(self._rows)
        return data, PackTable(pack_id, self.size, tuple(_entries(self._rows)))


def type_of(chunk_count: int) -> RecordType:
    """What a record of so many chunks is."""
    return RecordType.CHUNK if chunk_count == 1 else RecordType.BUNDLE


def _row(slot: int, offset: int, length: int, chunks: Sequence[ChunkSize]) -> PackRow:
    ids = b"".join([chunk_id for chunk_id, _ in chunks])
    return PackRow(slot, offset, length, ids, [size for _, size in chunks])


def open_pack(objects: SealedObjects, pack_id: str) -> Envelope:
    """The envelope that opens the pack's records. Raises NoSuchThing, Damage, FormatTooNew."""
    return objects.envelope_of(pack_name(pack_id), PACK_MAGIC, f"pack {pack_id}")


def read_table(objects: SealedObjects, pack_id: str) -> PackTable:
    """The pack's table from its sealed trailer. Raises NoSuchThing, Damage, FormatTooNew."""
    return table_of(pack_id, objects.trailer_of(pack_name(pack_id), PACK_MAGIC, f"pack {pack_id}"))


def rows_of(trailer: Trailer) -> list[PackRow]:
    """What the pack's trailer says."""
    return msgspec.msgpack.decode(trailer.rows, type=list[PackRow])


def table_of(pack_id: str, trailer: Trailer) -> PackTable:
    """The pack's table, from its trailer."""
    return PackTable(pack_id, trailer.stored_bytes, tuple(_entries(rows_of(trailer))))


def _entries(rows: Sequence[PackRow]) -> Iterator[ChunkEntry]:
    for row in rows:
        inner_offset = 0
        for index, size in enumerate(row.sizes):
            chunk_id = row.ids[index * _ID_BYTES : (index + 1) * _ID_BYTES]
            yield ChunkEntry(chunk_id, row.slot, row.offset, row.length, inner_offset, size)
            inner_offset += size
