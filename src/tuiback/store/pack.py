"""Builds packs in memory and reads them back: write-once files of sealed chunks and bundles, named by their BLAKE3.

A pack is: header, records in any order of their slots, the trailer record, trailer record's length u32, "tuib-end".
The trailer is msgpack: an array of [slot, offset, length, ids, sizes] per record, `ids` the 32-byte chunk ids in a row,
`sizes` their plain lengths; inside a record the chunks lie one after the other.
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import blake3
import msgspec

from tuiback.errors import Damage
from tuiback.model import ChunkEntry, PackTable
from tuiback.store.backend import Backend
from tuiback.store.envelope import (
    HEADER_BYTES,
    PACK_MAGIC,
    RECORD_HEADER_BYTES,
    Envelope,
    RecordType,
    open_envelope,
    split_record,
)
from tuiback.store.keys import Keys

_FOOTER = struct.Struct(">I8s")
_END = b"tuib-end"
_ID_BYTES = 32
# One read from the end usually holds the whole trailer: it takes some 40 bytes a chunk.
_TAIL_BYTES = 256 * 1024
_CHECK = "run tuiback check"

ChunkSize = tuple[bytes, int]


class _TrailerRow(msgspec.Struct, array_like=True, frozen=True):
    slot: int
    offset: int
    length: int
    ids: bytes
    sizes: list[int]


def pack_name(pack_id: str) -> str:
    """The object's name in the backend."""
    return f"packs/{pack_id[:2]}/{pack_id}"


class PackBuilder:
    """A pack on its way: reserve a slot, seal on any thread, add; then finish. Not thread-safe but for seal()."""

    def __init__(self, envelope: Envelope) -> None:
        self._envelope = envelope
        self._data: list[bytes] = [envelope.header_bytes]
        self._rows: list[_TrailerRow] = []
        self._slots = 0
        self.size = HEADER_BYTES

    def reserve(self) -> int:
        """A slot that nobody else has."""
        slot = self._slots
        self._slots += 1
        return slot

    def seal(self, slot: int, plain: bytes, chunk_count: int) -> tuple[bytes, bytes]:
        """The record of `plain`, for add()."""
        return self._envelope.seal(slot, RecordType.CHUNK if chunk_count == 1 else RecordType.BUNDLE, plain)

    def add(self, slot: int, record: tuple[bytes, bytes], chunks: Sequence[ChunkSize]) -> None:
        """Append a sealed record that holds `chunks` one after the other."""
        length = len(record[0]) + len(record[1])
        ids = b"".join(chunk_id for chunk_id, _ in chunks)
        self._rows.append(_TrailerRow(slot, self.size, length, ids, [size for _, size in chunks]))
        self._data.extend(record)
        self.size += length

    def finish(self) -> tuple[list[bytes], PackTable]:
        """(the pack's bytes, its table). Nothing may be added afterwards; the builder lets go of the bytes."""
        start, sealed = self._envelope.seal(self._slots, RecordType.TRAILER, msgspec.msgpack.encode(self._rows))
        footer = _FOOTER.pack(len(start) + len(sealed), _END)
        data, self._data = [*self._data, start, sealed, footer], []
        hasher = blake3.blake3()
        for piece in data:
            hasher.update(piece)
        self.size = sum(map(len, data))
        return data, PackTable(hasher.hexdigest(), self.size, tuple(_entries(self._rows)))


def open_pack(backend: Backend, pack_id: str, keys: Keys, repository: bytes) -> Envelope:
    """The envelope that opens the pack's records. Raises NoSuchThing, Damage, FormatTooNew."""
    return _envelope(backend.read(pack_name(pack_id), 0, HEADER_BYTES), pack_id, keys, repository)


def read_table(backend: Backend, pack_id: str, keys: Keys, repository: bytes) -> PackTable:
    """The pack's table from its sealed trailer. Raises NoSuchThing, Damage, FormatTooNew."""
    name = pack_name(pack_id)
    size = backend.size(name)
    tail_bytes = min(size, _TAIL_BYTES)
    tail = backend.read(name, size - tail_bytes, tail_bytes)
    trailer_bytes = _trailer_length(tail, size, pack_id)
    if trailer_bytes + _FOOTER.size > len(tail):
        tail = backend.read(name, size - trailer_bytes - _FOOTER.size)
    trailer = tail[-trailer_bytes - _FOOTER.size : -_FOOTER.size]
    return _table(trailer, size, pack_id, open_pack(backend, pack_id, keys, repository))


@dataclass(frozen=True, slots=True)
class Flaw:
    """What is wrong with a pack, and the chunks in it that can't be read because of it."""

    what: str
    lost: frozenset[bytes] = frozenset()


def verify_pack(data: bytes, pack_id: str, keys: Keys, repository: bytes) -> Iterator[Flaw]:
    """Decrypt and hash everything in the pack's bytes; yields what is wrong with it, nothing when it is whole.

    Raises Damage when its table can't be read.
    """
    subject = f"pack {pack_id}"
    if blake3.blake3(data).hexdigest() != pack_id:
        yield Flaw("its bytes are not what its name says")
    trailer_bytes = _trailer_length(data, len(data), pack_id)
    trailer = data[-trailer_bytes - _FOOTER.size : -_FOOTER.size]
    envelope = _envelope(data, pack_id, keys, repository)
    table = _table(trailer, len(data), pack_id, envelope)
    for slot, group in groupby(table.entries, key=lambda entry: entry.slot):
        entries = list(group)
        offset, length = entries[0].offset, entries[0].length
        try:
            plain = envelope.unseal(split_record(data[offset : offset + length], subject), subject)
        except Damage as damage:
            yield Flaw(damage.what, frozenset(entry.chunk_id for entry in entries))
            continue
        wrong = [entry for entry in entries if keys.chunk_id(_inside(plain, entry)) != entry.chunk_id]
        if wrong:
            yield Flaw(f"chunks in record {slot} are not what was written", frozenset(e.chunk_id for e in wrong))


def _inside(plain: bytes, entry: ChunkEntry) -> bytes:
    return plain[entry.inner_offset : entry.inner_offset + entry.size]


def _envelope(head: bytes, pack_id: str, keys: Keys, repository: bytes) -> Envelope:
    return open_envelope(head, PACK_MAGIC, repository, keys, f"pack {pack_id}")


def _trailer_length(tail: bytes, size: int, pack_id: str) -> int:
    if len(tail) < _FOOTER.size:
        raise Damage("it is cut off", f"pack {pack_id}", _CHECK)
    length, end = _FOOTER.unpack(tail[-_FOOTER.size :])
    if end != _END or not RECORD_HEADER_BYTES < length <= size - HEADER_BYTES - _FOOTER.size:
        raise Damage("it does not end as it must", f"pack {pack_id}", _CHECK)
    return int(length)


def _table(trailer: bytes, size: int, pack_id: str, envelope: Envelope) -> PackTable:
    subject = f"pack {pack_id}"
    record = split_record(trailer, subject)
    if record.type is not RecordType.TRAILER:
        raise Damage("its trailer is not where it must be", subject, _CHECK)
    rows = msgspec.msgpack.decode(envelope.unseal(record, subject), type=list[_TrailerRow])
    return PackTable(pack_id, size, tuple(_entries(rows)))


def _entries(rows: Sequence[_TrailerRow]) -> Iterator[ChunkEntry]:
    for row in rows:
        inner_offset = 0
        for index, size in enumerate(row.sizes):
            chunk_id = row.ids[index * _ID_BYTES : (index + 1) * _ID_BYTES]
            yield ChunkEntry(chunk_id, row.slot, row.offset, row.length, inner_offset, size)
            inner_offset += size
