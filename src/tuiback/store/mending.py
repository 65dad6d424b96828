"""Mends what can be mended in a repository: second copies, and packs of which only a part can still be read."""

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from tuiback.errors import Damage, FormatTooNew, NoSuchThing
from tuiback.model import ChunkEntry
from tuiback.store import twofold
from tuiback.store.backend import AlreadyThere, Backend
from tuiback.store.envelope import PACK_MAGIC, Envelope, split_record
from tuiback.store.keys import Keys
from tuiback.store.losses import QUARANTINE
from tuiback.store.pack import ChunkSize, pack_name, rows_of
from tuiback.store.pack_checks import look_at_records
from tuiback.store.sealed import SealedObjects


def put_aside(backend: Backend, name: str) -> bool:
    """Move a damaged object to quarantine/ under its name; whether it is there now. Nothing is ever deleted unread.

    What the disk can't read stays where it is.
    """
    try:
        data = backend.read(name)
    except NoSuchThing:
        return False
    except Damage:
        return False
    with contextlib.suppress(AlreadyThere):  # an interrupted repair came so far
        backend.create(f"{QUARANTINE}{name}", (data,))
    if backend.read(f"{QUARANTINE}{name}") != data:
        return False
    backend.delete(name)
    return True


def mend_copy(backend: Backend, copy: str) -> bool:
    """Write a copy of config or key slots anew from the other one; whether that was possible.

    The other copy must be whole: see twofold.
    """
    first, second = twofold.copies(copy.removesuffix(".2"))
    other = second if copy == first else first
    try:
        data = twofold.read_whole(backend, other)
    except (NoSuchThing, Damage):
        return False
    with contextlib.suppress(NoSuchThing, Damage):
        if twofold.read_whole(backend, copy) == data:
            # Opening the repository to write to it has done so.
            return True
    put_aside(backend, copy)
    with contextlib.suppress(AlreadyThere):
        backend.create(copy, (data,))
    return backend.read(copy) == data


@dataclass(frozen=True, slots=True)
class Saved:
    """A record of a damaged pack: the ids and plain lengths of the chunks in it that are whole, and their bytes."""

    chunks: Sequence[ChunkSize]
    plain: bytes


def whole_records(objects: SealedObjects, pack_id: str, known: Sequence[ChunkEntry]) -> Iterator[Saved]:
    """What can still be read of a damaged pack; nothing where it is missing.

    `known` is what a catalog says lies in it, in the order of its places, for when its own table can't be read.
    """
    subject = f"pack {pack_id}"
    try:
        data = objects.backend.read(pack_name(pack_id))
        envelope = objects.open_envelope(data, PACK_MAGIC, subject)
    except (NoSuchThing, Damage, FormatTooNew):
        return
    try:
        rows = rows_of(objects.trailer_in(data, PACK_MAGIC, subject))
    except (Damage, FormatTooNew):
        yield from _whole_where_known(data, envelope, objects.keys, known, subject)
        return
    for record in look_at_records(data, subject, rows, envelope, objects.keys):
        if record.plain:
            yield from _saved(one for one in record.row.chunks(record.plain) if one[0] not in record.lost)


def _whole_where_known(
    data: bytes, envelope: Envelope, keys: Keys, known: Sequence[ChunkEntry], subject: str
) -> Iterator[Saved]:
    for _, group in groupby(known, key=lambda entry: (entry.slot, entry.offset, entry.length)):
        entries = list(group)
        start = entries[0].offset
        try:
            plain = envelope.unseal(split_record(data[start : start + entries[0].length], subject), subject)
        except Damage:
            continue
        chunks = ((entry.chunk_id, plain[entry.inner_offset :][: entry.size]) for entry in entries)
        yield from _saved(one for one in chunks if keys.chunk_id(one[1]) == one[0])


def _saved(chunks: Iterable[tuple[bytes, bytes]]) -> Iterator[Saved]:
    whole = list(chunks)
    if whole:
        yield Saved([(chunk_id, len(chunk)) for chunk_id, chunk in whole], b"".join(chunk for _, chunk in whole))
