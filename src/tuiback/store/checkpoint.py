"""Writes and reads checkpoints: tables of where everything that is kept of each account lies in segments.

A table is the only record, "table", of a segment of its own, and there are two such segments, because everything else
hangs on it. It is msgpack: {covers: array of {writer, number,
digest}, packs: their 32-byte ids in a row, segments: likewise, subjects: map from account id ("" for runs and
controls) to [base, deltas]}. Both are arrays of references [index in segments, slot, offset, length, plain bytes,
rows, digest of the plain bytes]: the pieces of one base (see model.kept), and records of changes (see bodies).
"""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from tuiback.errors import Damage
from tuiback.model import Commit, CommitHead
from tuiback.store.sealed import SealedObjects
from tuiback.store.segment import SegmentRef, SegmentWriter, read_records

BASE = "base"
DELTA = "delta"
TABLE = "table"
_ID_BYTES = 32
_CHECK = "run tuiback check"


@dataclass(frozen=True, slots=True)
class SubjectRefs:
    """What is kept of one account: the pieces of a base, and the records of changes after it, oldest first."""

    base: tuple[SegmentRef, ...] = ()
    deltas: tuple[SegmentRef, ...] = ()

    @property
    def base_bytes(self) -> int:
        """Plain bytes of the base."""
        return sum(ref.plain_bytes for ref in self.base)

    @property
    def delta_bytes(self) -> int:
        """Plain bytes of the changes after it."""
        return sum(ref.plain_bytes for ref in self.deltas)


@dataclass(frozen=True, slots=True)
class CheckpointTable:
    """Everything that the commits up to `covers` say, by account ("" for runs and controls).

    `covers` is the newest commit of every writer whose state it holds, `packs` are all that count, in the order of
    their commits.
    """

    covers: tuple[CommitHead, ...]
    packs: tuple[str, ...] = ()
    subjects: Mapping[str, SubjectRefs] = field(default_factory=dict)

    def segments(self) -> frozenset[str]:
        """The ids of all segments that it refers to."""
        return frozenset(ref.segment_id for refs in self.subjects.values() for ref in (*refs.base, *refs.deltas))


class _Ref(msgspec.Struct, array_like=True, frozen=True):
    segment: int
    slot: int
    offset: int
    length: int
    plain_bytes: int
    rows: int
    digest: bytes


class _Table(msgspec.Struct, frozen=True):
    covers: tuple[CommitHead, ...]
    packs: bytes
    segments: bytes
    subjects: dict[str, tuple[tuple[_Ref, ...], tuple[_Ref, ...]]]


def encode_table(table: CheckpointTable) -> bytes:
    """The table as a record's plain bytes."""
    numbers = {segment_id: number for number, segment_id in enumerate(sorted(table.segments()))}

    def wire(refs: tuple[SegmentRef, ...]) -> tuple[_Ref, ...]:
        return tuple(
            _Ref(numbers[r.segment_id], r.slot, r.offset, r.length, r.plain_bytes, r.rows, r.digest) for r in refs
        )

    subjects = {subject: (wire(refs.base), wire(refs.deltas)) for subject, refs in table.subjects.items()}
    packs, segments = (b"".join(map(bytes.fromhex, ids)) for ids in (table.packs, numbers))
    return msgspec.msgpack.encode(_Table(table.covers, packs, segments, subjects))


def decode_table(plain: bytes) -> CheckpointTable:
    """What encode_table() was given. Raises msgspec.DecodeError."""
    table = msgspec.msgpack.decode(plain, type=_Table)
    segments = _ids(table.segments)

    def refs(wire: tuple[_Ref, ...]) -> tuple[SegmentRef, ...]:
        try:
            return tuple(
                SegmentRef(segments[r.segment], r.slot, r.offset, r.length, r.plain_bytes, r.rows, r.digest)
                for r in wire
            )
        except IndexError as error:
            raise msgspec.DecodeError("it refers to a segment that it does not name") from error

    subjects = {subject: SubjectRefs(refs(base), refs(deltas)) for subject, (base, deltas) in table.subjects.items()}
    return CheckpointTable(table.covers, _ids(table.packs), subjects)


def write_table(objects: SealedObjects, table: CheckpointTable) -> str:
    """Make the table durable; the id of its segment, for the commit that is to name it. Raises StorageFull."""
    writer = SegmentWriter(objects)
    writer.add("", TABLE, encode_table(table), len(table.subjects))
    (ref,) = writer.finish()
    return ref.segment_id


def read_table(objects: SealedObjects, segment_id: str) -> CheckpointTable:
    """The table in a segment. Raises Damage, FormatTooNew."""
    subject = f"segment {segment_id}"
    for entry, plain in read_records(objects, segment_id):
        if entry.what == TABLE:
            try:
                return decode_table(plain)
            except msgspec.DecodeError as error:
                raise Damage(f"its table can't be understood: {error}", subject, _CHECK) from error
    raise Damage("there is no table in it", subject, _CHECK)


def copy_table(objects: SealedObjects, segment_id: str) -> str:
    """Make a second copy of the table in a segment durable; the id of its segment. Raises Damage, StorageFull."""
    return write_table(objects, read_table(objects, segment_id))


def read_either(objects: SealedObjects, commit: Commit) -> CheckpointTable:
    """The table that a checkpoint's commit names, from whichever copy can be read. Raises Damage, FormatTooNew."""
    try:
        return read_table(objects, commit.checkpoint)
    except Damage:
        with contextlib.suppress(Damage):
            if commit.checkpoint_copy:
                return read_table(objects, commit.checkpoint_copy)
        raise


def _ids(joined: bytes) -> tuple[str, ...]:
    return tuple(joined[start : start + _ID_BYTES].hex() for start in range(0, len(joined), _ID_BYTES))
