"""What a repository must be able to give back: the chunks of every version that is kept, and who loses what is lost."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import msgspec

from tuiback.errors import Damage, FormatTooNew
from tuiback.model import CommitBody
from tuiback.model.kept import BasePiece, decode_piece
from tuiback.model.need import Need
from tuiback.store.bodies import decode_bodies
from tuiback.store.checkpoint import CheckpointTable
from tuiback.store.chunk_ledger import ID_BYTES, KEPT_BYTES
from tuiback.store.sealed import SealedObjects
from tuiback.store.segment import SegmentReader

# Rows of a commit, or a piece of the base of an account.
Told = CommitBody | tuple[str, BasePiece]


# Asked once, and once more where something is lost. The needs of one version come one after the other.
Needs = Callable[[], Iterable[Need]]


@dataclass(frozen=True, slots=True)
class LostVersion:
    """A version of an item that can't be read whole; `known` when a repair has said so before.

    `live` is what the catalog says; without one every version counts as live. `chunks` are those that are lost,
    `named` are all that the first of its lost `parts` names.
    """

    account_id: str
    item_id: str
    from_seq: int
    live: bool
    parts: tuple[str, ...]
    chunks: tuple[bytes, ...]
    named: bytes
    known: bool


def missing_of(need: Need, missing: Collection[bytes], below: Mapping[bytes, Sequence[bytes]]) -> list[bytes]:
    """The ids of this need's chunks that are missing, and of those `below` the lists among them.

    `missing` has the first KEPT_BYTES of ids.
    """
    found = []
    for start in range(0, len(need.chunks), ID_BYTES):
        chunk_id = need.chunks[start : start + ID_BYTES]
        if chunk_id[:KEPT_BYTES] in missing:
            found.append(chunk_id)
        found += below.get(chunk_id, ())
    return found


def needs_of(told: Callable[[], Iterable[Told]]) -> Needs:
    """What the rows of a repository need, given in their order, when there is no catalog to ask.

    They tell of versions, too, that a newer one took the place of within the same snapshot, and of expired ones; these
    are told apart only where something is lost: see still_kept().
    """

    def every() -> Iterator[Need]:
        for one in told():
            for version in _versions(one):
                for name, form, chunks in version.parts:
                    yield Need(version.account_id, version.item_id, version.seq, True, name, form, chunks)

    return every


def still_kept(lost: Iterable[LostVersion], told: Iterable[Told]) -> list[LostVersion]:
    """Those of these versions that a catalog of these rows would keep."""
    suspects = list(lost)
    of_item = {(version.account_id, version.item_id) for version in suspects}
    kept: dict[tuple[str, str], dict[int, _Version]] = {key: {} for key in of_item}
    for one in told:
        for version in _versions(one):
            key = (version.account_id, version.item_id)
            if key in of_item:
                # What began no earlier never was in a closed snapshot.
                before = {seq: other for seq, other in kept[key].items() if seq < version.seq}
                kept[key] = {**before, version.seq: version}
        for expired in one.expired if isinstance(one, CommitBody) else ():
            for item_id, seq in expired.versions:
                kept.get((expired.account_id, item_id), {}).pop(seq, None)
    return [one for one in suspects if _is_of(one, kept[one.account_id, one.item_id].get(one.from_seq))]


def _is_of(lost: LostVersion, version: "_Version | None") -> bool:
    """Whether it is this version of those that had its number."""
    return version is not None and any(chunks == lost.named for _, _, chunks in version.parts)


class _Version(NamedTuple):
    account_id: str
    item_id: str
    seq: int
    parts: tuple[tuple[str, str, bytes], ...]


def _versions(told: Told) -> Iterator[_Version]:
    if isinstance(told, CommitBody):
        for opened in told.versions:
            parts = tuple((part.name, part.form, b"".join(part.chunks)) for part in opened.parts)
            yield _Version(opened.account_id, opened.item_id, opened.seq, parts)
        return
    account_id, piece = told
    for version in piece.versions:
        parts = tuple((name, form, chunks) for name, _, _, chunks, form in version.parts)
        yield _Version(account_id, version.item_id, version.from_seq, parts)


def told_by_checkpoint(
    objects: SealedObjects, table: CheckpointTable, lost: Callable[[str, str], None]
) -> Iterator[Told]:
    """All that a checkpoint keeps, account by account; `lost` gets the id of a segment that can't be read, and why."""
    reader = SegmentReader(objects)
    for subject, refs in table.subjects.items():
        for number, ref in enumerate((*refs.base, *refs.deltas)):
            try:
                plain = reader.read(ref)
                is_base = number < len(refs.base)
                told: tuple[Told, ...] = ((subject, decode_piece(plain)),) if is_base else decode_bodies(plain)
            except (Damage, FormatTooNew, msgspec.DecodeError) as error:
                lost(ref.segment_id, error.what if isinstance(error, Damage | FormatTooNew) else str(error))
                continue
            yield from told
