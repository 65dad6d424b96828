"""Makes checkpoints in tests, of the rows that commits have."""

import json
from collections.abc import Iterator, Sequence

from tests.store.doubles import TIME
from tuiback.model import Commit, CommitBody, VersionOpened
from tuiback.model.kept import BasePiece, KeptVersion, encode_piece
from tuiback.store import CheckpointTable, Repository, SegmentWriter, SubjectRefs, by_account, records, write_table
from tuiback.store.checkpoint import BASE, DELTA

_PIECE_ROWS = 500


def checkpoint(
    repository: Repository, writer: str = "nas", *, bases: Sequence[str] = (), generation: int = 0
) -> Commit:
    """A checkpoint commit of everything that the repository says now.

    The accounts in `bases` get a base of their versions, if it is their first; all others their changes.
    """
    before = repository.newest_checkpoint()
    subjects = dict(before[1].subjects) if before else {}
    packs = list(before[1].packs) if before else []
    changed: dict[str, list[CommitBody]] = {}
    for commit in repository.commits():
        packs += commit.packs
        for subject, rows in by_account(commit.body).items():
            changed.setdefault(subject, []).append(rows)
    segments = SegmentWriter(repository.objects)
    places: dict[str, list[int]] = {}
    for subject, bodies in changed.items():
        plains = _base(bodies) if subject in bases else records(bodies)
        what = BASE if subject in bases else DELTA
        places[subject] = [segments.add(subject, what, plain, count) for plain, count in plains]
    refs = segments.finish()
    for subject, numbers in places.items():
        new = tuple(refs[number] for number in numbers)
        old = subjects.get(subject, SubjectRefs())
        subjects[subject] = SubjectRefs(new) if subject in bases else SubjectRefs(old.base, (*old.deltas, *new))
    heads = repository.heads()
    table = write_table(repository.objects, CheckpointTable(heads, tuple(packs), subjects))
    previous = next((head for head in heads if head.writer == writer), None)
    return repository.append(writer, previous, [], CommitBody(TIME), checkpoint=table, generation=generation)


def _base(bodies: Sequence[CommitBody]) -> Iterator[tuple[bytes, int]]:
    """The base of an account whose versions are all live, in several pieces."""
    versions = [_kept(row) for body in bodies for row in body.versions]
    for start in range(0, len(versions), _PIECE_ROWS):
        piece = BasePiece(versions=versions[start : start + _PIECE_ROWS])
        yield encode_piece(piece), len(piece.versions)


def _kept(row: VersionOpened) -> KeptVersion:
    return KeptVersion(
        item_id=row.item_id, from_seq=row.seq, until_seq=None, removed=False, container_id=row.container_id,
        parent_id=row.parent_id, kind=row.kind, name=row.name, size=row.size, modified=row.modified, etag=row.etag,
        content_tag=row.content_tag, attrs=json.dumps(dict(row.attrs)),
        parts=[(part.name, part.size, part.digest, b"".join(part.chunks), part.form) for part in row.parts],
    )  # fmt: skip


def drop_superseded(repository: Repository) -> list[str]:
    """Delete every commit that the newest checkpoint replaces, as prune does; their names."""
    names = [name for chain in repository.chains() for name in chain.superseded]
    for name in names:
        repository.objects.delete(name)
    return names
