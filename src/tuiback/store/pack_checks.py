"""Looks at one pack as closely as asked: its table, the checksums of its sealed records, or every byte decrypted."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import IntEnum

import blake3

from tuiback.errors import Damage
from tuiback.store.envelope import HEADER_BYTES, PACK_MAGIC, Envelope, RecordType, split_record
from tuiback.store.keys import Keys
from tuiback.store.pack import PackRow, pack_name, rows_of
from tuiback.store.sealed import SealedObjects

_CHECK = "run tuiback check"


class Depth(IntEnum):
    """How closely a check looks; each depth proves what the one before it does, and more."""

    # All objects are there, their tables open, and no byte of them is unaccounted for.
    STRUCTURE = 0
    # The sealed bytes have the checksums that were written with them.
    SCRUB = 1
    # The objects are what their names say, every record opens, and every chunk is what its id says.
    READ = 2


@dataclass(frozen=True, slots=True)
class PackLook:
    """What was found in a pack: the ids (32 bytes each, in a row) of the chunks that can be read, and what is wrong.

    `bytes_read` counts what was looked into beside the table.
    """

    pack_id: str
    stored_bytes: int = 0
    chunk_ids: bytes = b""
    flaws: tuple[str, ...] = ()
    bytes_read: int = 0


@dataclass(frozen=True, slots=True)
class RecordLook:
    """A record of a pack: its plain bytes where it was decrypted, what is wrong, and the chunks lost by that."""

    row: PackRow
    plain: bytes = b""
    flaw: str = ""
    lost: frozenset[bytes] = field(default=frozenset())


def look_at(objects: SealedObjects, pack_id: str, depth: Depth) -> PackLook:
    """Look at the pack. Raises NoSuchThing, and Damage or FormatTooNew when not even its table can be read."""
    name, subject = pack_name(pack_id), f"pack {pack_id}"
    if depth is Depth.STRUCTURE:
        trailer = objects.trailer_of(name, PACK_MAGIC, subject)
        rows = rows_of(trailer)
        flaws = list(layout_flaws(_places(rows), trailer.offset))
        return PackLook(pack_id, trailer.stored_bytes, _ids(rows), tuple(flaws))
    data = objects.backend.read(name)
    trailer = objects.trailer_in(data, PACK_MAGIC, subject)
    rows = rows_of(trailer)
    flaws = list(layout_flaws(_places(rows), trailer.offset))
    if depth is Depth.READ and blake3.blake3(data).hexdigest() != pack_id:
        flaws.append("its bytes are not what its name says")
    lost: set[bytes] = set()
    envelope = trailer.envelope if depth is Depth.READ else None
    for record in look_at_records(data, subject, rows, envelope, objects.keys):
        if record.flaw:
            flaws.append(record.flaw)
            lost |= record.lost
    ids = b"".join(chunk_id for row in rows for chunk_id in row.chunk_ids() if chunk_id not in lost)
    return PackLook(pack_id, len(data), ids if lost else _ids(rows), tuple(flaws), len(data))


def look_at_records(
    data: bytes, subject: str, rows: Iterable[PackRow], envelope: Envelope | None, keys: Keys
) -> Iterator[RecordLook]:
    """Each record of a pack that its table names, compared with its checksum, and decrypted with an envelope."""
    for row in rows:
        try:
            plain = _open(data, row, envelope, subject)
        except Damage as damage:
            yield RecordLook(row, flaw=damage.what, lost=frozenset(row.chunk_ids()))
            continue
        wrong = frozenset(
            chunk_id for chunk_id, chunk in row.chunks(plain) if envelope and keys.chunk_id(chunk) != chunk_id
        )
        flaw = f"chunks in record {row.slot} are not what was written" if wrong else ""
        yield RecordLook(row, plain, flaw, wrong)


def _open(data: bytes, row: PackRow, envelope: Envelope | None, subject: str) -> bytes:
    record = split_record(data[row.offset : row.offset + row.length], subject)
    expected = RecordType.CHUNK if len(row.sizes) == 1 else RecordType.BUNDLE
    if (record.slot, record.type) != (row.slot, expected):
        raise Damage(f"record {row.slot} is not where it must be", subject, _CHECK)
    return envelope.unseal(record, subject) if envelope else b""


def layout_flaws(places: Iterable[tuple[int, int, int]], end: int) -> Iterator[str]:
    """What is wrong with the (offset, length, slot) of an object's records, which end at `end`.

    Bytes too many or too few move all that follows them: records must lie without a gap up to the trailer.
    """
    reached = HEADER_BYTES
    slots = set()
    for offset, length, slot in sorted(set(places)):
        if offset != reached:
            break
        reached += length
        slots.add(slot)
    if reached != end or slots != set(range(len(slots))):
        yield f"its records don't lie where its table says, from byte {reached} on"


def _places(rows: Iterable[PackRow]) -> Iterator[tuple[int, int, int]]:
    return ((row.offset, row.length, row.slot) for row in rows)


def _ids(rows: Iterable[PackRow]) -> bytes:
    return b"".join(row.ids for row in rows)
