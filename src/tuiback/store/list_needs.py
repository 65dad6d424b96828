"""Finds the chunks that lists of chunks name, from the packs alone: a long part needs them as much as its lists."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

from tuiback.errors import Damage, FormatTooNew, NoSuchThing
from tuiback.store.chunk_ledger import ID_BYTES, KEPT_BYTES
from tuiback.store.envelope import PACK_MAGIC
from tuiback.store.pack import pack_name, rows_of
from tuiback.store.pack_checks import look_at_records
from tuiback.store.sealed import SealedObjects

PackIds = Callable[[], Iterable[str]]


def ids_in(chunk_ids: bytes) -> Iterator[bytes]:
    """Each id of those in a row."""
    return (chunk_ids[start : start + ID_BYTES] for start in range(0, len(chunk_ids), ID_BYTES))


def listed(objects: SealedObjects, pack_ids: PackIds, lists: Mapping[bytes, int]) -> Iterator[tuple[bytes, bytes]]:
    """(id of a list, the ids in it in a row) for these lists and all lists in them.

    `lists` says how many levels each has. The tables of all packs are read once for each level. Lists that can't be
    read are left out.
    """
    wanted = dict(lists)
    while wanted:
        inner: dict[bytes, int] = {}
        for list_id, data in _chunks_of(objects, pack_ids(), wanted):
            yield list_id, data
            if wanted[list_id] > 1:
                inner.update(dict.fromkeys(ids_in(data), wanted[list_id] - 1))
        wanted = inner


def lost_below(
    objects: SealedObjects, pack_ids: PackIds, lists: Mapping[bytes, int], missing: Collection[bytes]
) -> dict[bytes, list[bytes]]:
    """The missing chunks that each list names itself or through others; lists that name none are left out.

    `missing` has the first KEPT_BYTES of their ids.
    """
    lost: dict[bytes, list[bytes]] = {}
    inner: dict[bytes, list[bytes]] = {}
    for list_id, data in listed(objects, pack_ids, lists):
        some = [chunk_id for chunk_id in ids_in(data) if chunk_id[:KEPT_BYTES] in missing]
        if some:
            lost[list_id] = some
        if lists.get(list_id, 0) > 1:
            inner[list_id] = list(ids_in(data))
    for list_id, below in inner.items():
        some = [chunk_id for one in below for chunk_id in lost.get(one, ())]
        if some:
            lost[list_id] = lost.get(list_id, []) + some
    return lost


def _chunks_of(
    objects: SealedObjects, pack_ids: Iterable[str], wanted: Mapping[bytes, int]
) -> Iterator[tuple[bytes, bytes]]:
    done: set[bytes] = set()
    for pack_id in pack_ids:
        name, subject = pack_name(pack_id), f"pack {pack_id}"
        try:
            trailer = objects.trailer_of(name, PACK_MAGIC, subject)
            rows = [row for row in rows_of(trailer) if any(one in wanted for one in row.chunk_ids())]
            data = objects.backend.read(name) if rows else b""
        except (NoSuchThing, Damage, FormatTooNew):
            continue
        for record in look_at_records(data, subject, rows, trailer.envelope, objects.keys):
            for chunk_id, chunk in record.row.chunks(record.plain):
                if chunk_id in wanted and chunk_id not in record.lost and chunk_id not in done:
                    done.add(chunk_id)
                    yield chunk_id, chunk
