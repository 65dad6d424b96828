"""Writes metadata into segments and reads it back: write-once files of sealed records, each about one account.

A segment is an object of many records (see sealed), its trailer's rows [slot, offset, length, subject, what, rows]:
`subject` is the account the record is about, "" for what belongs to none, `what` names what it holds ("base", "delta",
"body", "table"), `rows` counts what is in it. Segments have some 16 MiB, more only where a record is large.
"""

import os
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass

import blake3
import msgspec

from tuiback.errors import Damage, NoSuchThing, StorageFull
from tuiback.store.envelope import SEGMENT_MAGIC, Envelope, RecordType
from tuiback.store.sealed import ObjectBuilder, SealedObjects, Trailer, open_record

PREFIX = "segments/"
# What callers should keep a record's plain bytes below: whoever reads has a few of them in memory.
RECORD_BYTES = 1024 * 1024
SEGMENT_BYTES = 16 * 1024 * 1024
_WRITER_BYTES = 16
_KEPT_ENVELOPES = 256
# What may be read ahead, and in how many segments at once.
_AHEAD_BYTES = 2 * 1024 * 1024
_AHEAD_SEGMENTS = 8
_CHECK = "run tuiback check"


@dataclass(frozen=True, slots=True)
class SegmentRef:
    """Where one record of metadata lies, and the keyed hash of its plain bytes (Keys.chunk_id)."""

    segment_id: str
    slot: int
    offset: int
    length: int
    plain_bytes: int
    rows: int
    digest: bytes


class SegmentEntry(msgspec.Struct, array_like=True, frozen=True):
    """A row of a segment's trailer."""

    slot: int
    offset: int
    length: int
    subject: str
    what: str
    rows: int


def segment_name(segment_id: str) -> str:
    """The object's name in the backend."""
    return f"{PREFIX}{segment_id[:2]}/{segment_id}"


@dataclass(slots=True)
class _Open:
    builder: ObjectBuilder
    rows: list[SegmentEntry]
    refs: list[SegmentRef]


class SegmentWriter:
    """Makes as many segments as the records need; has one in memory. Not thread-safe."""

    def __init__(self, objects: SealedObjects, *, segment_bytes: int = SEGMENT_BYTES) -> None:
        self._objects = objects
        self._segment_bytes = segment_bytes
        self._writer = os.urandom(_WRITER_BYTES)
        self._begun = 0
        self._open: _Open | None = None
        self._refs: list[SegmentRef] = []

    def add(self, subject: str, what: str, plain: bytes, rows: int) -> int:
        """Take a record; its place among the references that finish() gives. Raises StorageFull."""
        # A large record gets a segment of its own rather than making this one too large.
        if self._open is not None and self._open.builder.size + len(plain) > 2 * self._segment_bytes:
            self._close()
        if self._open is None:
            self._begun += 1
            envelope = self._objects.new_envelope(SEGMENT_MAGIC, self._writer, self._begun)
            self._open = _Open(ObjectBuilder(envelope), [], [])
        builder = self._open.builder
        slot = builder.reserve()
        offset, length = builder.add(builder.seal(slot, RecordType.ROWS, plain))
        self._open.rows.append(SegmentEntry(slot, offset, length, subject, what, rows))
        digest = self._objects.keys.chunk_id(plain)
        self._open.refs.append(SegmentRef("", slot, offset, length, len(plain), rows, digest))
        place = len(self._refs) + len(self._open.refs) - 1
        if builder.size >= self._segment_bytes:
            self._close()
        return place

    def finish(self) -> tuple[SegmentRef, ...]:
        """Where each record lies, in the order of add(): durable when this returns. Raises StorageFull."""
        self._close()
        return tuple(self._refs)

    def _close(self) -> None:
        segment, self._open = self._open, None
        if segment is None:
            return
        data, segment_id = segment.builder.finish(segment.rows)
        name = segment_name(segment_id)
        try:
            self._objects.create_hashed(name, data)
        except StorageFull:
            # Never fsync that file again: once more from memory into a new one, then it is the caller's trouble.
            self._objects.create_hashed(name, data)
        self._refs += [
            SegmentRef(segment_id, ref.slot, ref.offset, ref.length, ref.plain_bytes, ref.rows, ref.digest)
            for ref in segment.refs
        ]


class SegmentReader:
    """Reads single records, ahead where they are read one after the other. Not thread-safe."""

    def __init__(self, objects: SealedObjects) -> None:
        self._objects = objects
        self._envelopes: OrderedDict[str, Envelope] = OrderedDict()
        self._read: OrderedDict[str, tuple[int, bytes]] = OrderedDict()

    def read(self, ref: SegmentRef) -> bytes:
        """The record's plain bytes. Raises Damage when it is missing or not what was written, FormatTooNew."""
        subject = f"segment {ref.segment_id}"
        try:
            envelope = self._envelope(ref.segment_id, subject)
            data = self._bytes(ref)
        except NoSuchThing as error:
            raise Damage("the segment is missing", subject, _CHECK) from error
        plain = open_record(envelope, data, RecordType.ROWS, ref.slot, subject)
        if self._objects.keys.chunk_id(plain) != ref.digest:
            raise Damage(f"record {ref.slot} is not the one that is meant", subject, _CHECK)
        return plain

    def _bytes(self, ref: SegmentRef) -> bytes:
        start, data = self._read.pop(ref.segment_id, (0, b""))
        if not start <= ref.offset <= ref.offset + ref.length <= start + len(data):
            # Small records of many accounts lie side by side: on an object store each would be a request.
            goes_on = start < ref.offset <= start + len(data)
            length = max(ref.length, _AHEAD_BYTES) if goes_on else ref.length
            start, data = ref.offset, self._objects.backend.read(segment_name(ref.segment_id), ref.offset, length)
        self._read[ref.segment_id] = start, data
        while len(self._read) > _AHEAD_SEGMENTS:
            self._read.popitem(last=False)
        return data[ref.offset - start : ref.offset - start + ref.length]

    def _envelope(self, segment_id: str, subject: str) -> Envelope:
        envelope = self._envelopes.pop(segment_id, None)
        if envelope is None:
            envelope = self._objects.envelope_of(segment_name(segment_id), SEGMENT_MAGIC, subject)
        self._envelopes[segment_id] = envelope
        while len(self._envelopes) > _KEPT_ENVELOPES:
            self._envelopes.popitem(last=False)
        return envelope


def read_table(objects: SealedObjects, segment_id: str) -> tuple[SegmentEntry, ...]:
    """What lies in the segment, from its sealed trailer. Raises NoSuchThing, Damage, FormatTooNew."""
    subject = f"segment {segment_id}"
    return entries_of(objects.trailer_of(segment_name(segment_id), SEGMENT_MAGIC, subject), subject)


def read_records(objects: SealedObjects, segment_id: str) -> Iterator[tuple[SegmentEntry, bytes]]:
    """Every record of a segment in its order, with its plain bytes; proves that it is the segment of that name.

    Takes the whole segment into memory. Raises Damage, FormatTooNew.
    """
    subject = f"segment {segment_id}"
    try:
        data = objects.backend.read(segment_name(segment_id))
    except NoSuchThing as error:
        raise Damage("the segment is missing", subject, _CHECK) from error
    if blake3.blake3(data).hexdigest() != segment_id:
        raise Damage("its bytes are not what its name says", subject, _CHECK)
    trailer = objects.trailer_in(data, SEGMENT_MAGIC, subject)
    for entry in entries_of(trailer, subject):
        record = data[entry.offset : entry.offset + entry.length]
        yield entry, open_record(trailer.envelope, record, RecordType.ROWS, entry.slot, subject)


def entries_of(trailer: Trailer, subject: str) -> tuple[SegmentEntry, ...]:
    """What lies in the segment that ends so. Raises Damage."""
    try:
        return msgspec.msgpack.decode(trailer.rows, type=tuple[SegmentEntry, ...])
    except msgspec.DecodeError as error:
        raise Damage(f"its trailer can't be understood: {error}", subject, _CHECK) from error
