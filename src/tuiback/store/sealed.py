"""Writes and reads the sealed objects of one repository: those of a single record, and those of many with a trailer.

An object of one record (a commit, a gc object) is the header and that record, slot 0.
An object of many (a pack, a segment) is: header, records in any order of their slots, the trailer record, the trailer
record's length u32, "tuib-end". It is named by the BLAKE3 of its bytes. The trailer is msgpack: an array of rows that
begin with [slot, offset, length], one per record.
"""

import os
import struct
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain

import blake3
import msgspec

from tuiback.errors import Damage
from tuiback.model import Clock
from tuiback.store.backend import AlreadyThere, Backend
from tuiback.store.envelope import (
    HEADER_BYTES,
    RECORD_HEADER_BYTES,
    Envelope,
    Header,
    RecordType,
    new_envelope,
    open_envelope,
    split_record,
)
from tuiback.store.keys import Keys

# What the repository's size is made of; config and key slots are nothing beside it.
COUNTED = ("packs/", "segments/", "commits/", "gc/")
_FOOTER = struct.Struct(">I8s")
_END = b"tuib-end"
# One read from the end usually holds the whole trailer: a pack's takes some 40 bytes a chunk.
_TAIL_BYTES = 256 * 1024
_SALT_BYTES = 32
_EPOCH_START = datetime(1970, 1, 1, tzinfo=UTC)
_ONLY_SLOT = 0
_CHECK = "run tuiback check"


@dataclass(frozen=True, slots=True)
class Trailer:
    """The end of an object of many records: what its rows are, the object's size, and what opens its records.

    The records lie between the header and `offset`, where the trailer's own record begins.
    """

    rows: bytes
    offset: int
    stored_bytes: int
    envelope: Envelope


class ObjectBuilder:
    """An object of many records on its way: reserve a slot, seal on any thread, add; then finish.

    Not thread-safe but for seal().
    """

    def __init__(self, envelope: Envelope) -> None:
        self._envelope = envelope
        self._data: list[bytes] = [envelope.header_bytes]
        self._slots = 0
        self.size = HEADER_BYTES

    @property
    def envelope(self) -> Envelope:
        """What seals its records."""
        return self._envelope

    def reserve(self, count: int = 1) -> int:
        """The first of so many slots that nobody else has; all of them must be used."""
        slot = self._slots
        self._slots += count
        return slot

    def seal(self, slot: int, record_type: RecordType, plain: bytes) -> tuple[bytes, bytes]:
        """The record of `plain`, for add()."""
        return self._envelope.seal(slot, record_type, plain)

    def seal_all(self, records: Sequence[tuple[int, RecordType, bytes]]) -> list[tuple[bytes, bytes]]:
        """The records of these (slot, type, plain bytes), for add()."""
        return self._envelope.seal_all(records)

    def add(self, record: tuple[bytes, bytes]) -> tuple[int, int]:
        """Append a sealed record; (offset, length) of where it lies."""
        offset, length = self.size, len(record[0]) + len(record[1])
        self._data.extend(record)
        self.size += length
        return offset, length

    def add_all(self, records: bytes) -> int:
        """Append sealed records that lie one after the other; the offset of the first."""
        offset = self.size
        self._data.append(records)
        self.size += len(records)
        return offset

    def finish(self, rows: Sequence[object]) -> tuple[list[bytes], str]:
        """(the object's bytes, its id). Nothing may be added afterwards; the builder lets go of the bytes."""
        start, sealed = self._envelope.seal(self._slots, RecordType.TRAILER, msgspec.msgpack.encode(rows))
        footer = _FOOTER.pack(len(start) + len(sealed), _END)
        data, self._data = [*self._data, start, sealed, footer], []
        hasher = blake3.blake3()
        for piece in data:
            hasher.update(piece)
        self.size = sum(map(len, data))
        return data, hasher.hexdigest()


class SealedObjects:
    """The sealed objects of one repository in its backend. Thread-safe."""

    def __init__(self, backend: Backend, keys: Keys, repository: bytes, clock: Clock) -> None:
        self.backend = backend
        self.keys = keys
        self._repository = repository
        self._clock = clock
        self._lock = threading.Lock()
        self._stored_bytes: int | None = None

    def new_envelope(self, magic: bytes, writer: bytes, number: int) -> Envelope:
        """What seals a new object; `writer` is 16 bytes."""
        time_ns = (self._clock.now() - _EPOCH_START) // timedelta(microseconds=1) * 1000
        salt = os.urandom(_SALT_BYTES)
        return new_envelope(Header(magic, self._repository, writer, number, self.keys.epoch, time_ns, salt), self.keys)

    def open_envelope(self, data: bytes, magic: bytes, subject: str) -> Envelope:
        """What opens the records of the object that starts with `data`. Raises Damage, FormatTooNew."""
        return open_envelope(data, magic, self._repository, self.keys, subject)

    def envelope_of(self, name: str, magic: bytes, subject: str) -> Envelope:
        """What opens the records of an object. Raises NoSuchThing, Damage, FormatTooNew."""
        return self.open_envelope(self.backend.read(name, 0, HEADER_BYTES), magic, subject)

    def seal_one(self, magic: bytes, writer: bytes, number: int, record_type: RecordType, plain: bytes) -> bytes:
        """The bytes of an object of one record."""
        envelope = self.new_envelope(magic, writer, number)
        start, sealed = envelope.seal(_ONLY_SLOT, record_type, plain)
        return b"".join((envelope.header_bytes, start, sealed))

    def open_one(self, data: bytes, magic: bytes, record_type: RecordType, subject: str) -> bytes:
        """What seal_one() was given. Raises Damage, FormatTooNew."""
        envelope = self.open_envelope(data, magic, subject)
        return open_record(envelope, data[HEADER_BYTES:], record_type, _ONLY_SLOT, subject)

    def trailer_of(self, name: str, magic: bytes, subject: str) -> Trailer:
        """The trailer of an object in the backend. Raises NoSuchThing, Damage, FormatTooNew."""
        size = self.backend.size(name)
        tail_bytes = min(size, _TAIL_BYTES)
        tail = self.backend.read(name, size - tail_bytes, tail_bytes)
        length = _trailer_length(tail, size, subject)
        if length + _FOOTER.size > len(tail):
            tail = self.backend.read(name, size - length - _FOOTER.size)
        envelope = self.envelope_of(name, magic, subject)
        return Trailer(_trailer_rows(envelope, tail, length, subject), size - length - _FOOTER.size, size, envelope)

    def trailer_in(self, data: bytes, magic: bytes, subject: str) -> Trailer:
        """The trailer of an object whose bytes are all there. Raises Damage, FormatTooNew."""
        length = _trailer_length(data, len(data), subject)
        envelope = self.open_envelope(data, magic, subject)
        offset = len(data) - length - _FOOTER.size
        return Trailer(_trailer_rows(envelope, data, length, subject), offset, len(data), envelope)

    def create(self, name: str, data: Sequence[bytes]) -> None:
        """Make an object durable. Raises AlreadyThere, StorageFull, EnvironmentFault."""
        self.backend.create(name, data)
        self._count(sum(map(len, data)))

    def create_hashed(self, name: str, data: Sequence[bytes]) -> None:
        """The same for an object named by its hash: one that is there already is the same one."""
        try:
            self.create(name, data)
        except AlreadyThere:
            return

    def delete(self, name: str) -> int:
        """Remove an object; the bytes that this frees. Raises NoSuchThing."""
        size = self.backend.size(name)
        self.backend.delete(name)
        self._count(-size)
        return size

    def stored_bytes(self) -> int:
        """Bytes of all sealed objects. The first call lists the backend."""
        with self._lock:
            if self._stored_bytes is None:
                names: Iterable[str] = chain.from_iterable(map(self.backend.list, COUNTED))
                self._stored_bytes = sum(map(self.backend.size, names))
            return self._stored_bytes

    def _count(self, length: int) -> None:
        with self._lock:
            if self._stored_bytes is not None:
                self._stored_bytes += length


def open_record(envelope: Envelope, data: bytes, record_type: RecordType, slot: int, subject: str) -> bytes:
    """The plain bytes of the record that `data` is, if it is of this type and slot. Raises Damage."""
    record = split_record(data, subject)
    if (record.type, record.slot) != (record_type, slot):
        raise Damage(f"record {slot} is not where it must be", subject, _CHECK)
    return envelope.unseal(record, subject)


def _trailer_length(tail: bytes, size: int, subject: str) -> int:
    if len(tail) < _FOOTER.size:
        raise Damage("it is cut off", subject, _CHECK)
    length, end = _FOOTER.unpack(tail[-_FOOTER.size :])
    if end != _END or not RECORD_HEADER_BYTES < length <= size - HEADER_BYTES - _FOOTER.size:
        raise Damage("it does not end as it must", subject, _CHECK)
    return int(length)


def _trailer_rows(envelope: Envelope, tail: bytes, length: int, subject: str) -> bytes:
    record = split_record(tail[-length - _FOOTER.size : -_FOOTER.size], subject)
    if record.type is not RecordType.TRAILER:
        raise Damage("its trailer is not where it must be", subject, _CHECK)
    return envelope.unseal(record, subject)
