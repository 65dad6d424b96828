"""Writes checkpoints: all that is kept of each account, so that a rebuild reads little and old commits can go."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from tuiback.catalog import Catalog
from tuiback.catalog.bases import Bases, open_bases
from tuiback.model import Clock, Commit, CommitBody, CommitHead
from tuiback.store import Repository
from tuiback.store.bodies import by_account, encode_bodies, records, row_count
from tuiback.store.checkpoint import BASE, DELTA, CheckpointTable, SubjectRefs, write_table
from tuiback.store.segment import SegmentReader, SegmentWriter
from tuiback.store.segment import read_table as read_entries

# What an account's changes may come to, in plain bytes, before all of it is written anew.
DELTA_SHARE = 0.25
# How much of the changes is held at a time, as encoded; in memory they take some five times that.
HELD_BYTES = 8 * 1024 * 1024

# Told how many accounts of how many are done.
Progress = Callable[[int, int], None]


class Change(msgspec.Struct, frozen=True):
    """What happened to an account since the last checkpoint: plain bytes of its rows, and whether any expired."""

    plain_bytes: int = 0
    expired: bool = False


class Plan(msgspec.Struct, frozen=True):
    """Which accounts ("" for runs and controls) get a new base, and which one more delta; the others stay."""

    bases: tuple[str, ...]
    deltas: tuple[str, ...]


def plan_checkpoint(
    standing: Mapping[str, SubjectRefs], changes: Mapping[str, Change], subjects: Collection[str]
) -> Plan:
    """What to write of the catalog's `subjects`, when `standing` is what the last checkpoint knows.

    Rows that expired are in no object any more only when a base without them replaces the old one.
    """
    bases: list[str] = []
    deltas: list[str] = []
    for subject in subjects:
        refs, change = standing.get(subject), changes.get(subject)
        if refs is None:
            bases.append(subject)
        elif change is None:
            continue
        elif change.expired or refs.delta_bytes + change.plain_bytes > DELTA_SHARE * refs.base_bytes:
            bases.append(subject)
        else:
            deltas.append(subject)
    return Plan(tuple(bases), tuple(deltas))


def make_checkpoint(
    repository: Repository,
    catalog: Catalog,
    *,
    writer_id: str,
    clock: Clock,
    generation: int = 0,
    anew: bool = False,
    progress: Progress = lambda *_: None,
) -> Commit | None:
    """Write a checkpoint of the catalog and commit it; None when nothing has changed since the last one.

    With `anew` it rests on nothing that lies in the repository: bases of all accounts, whatever has changed.
    The caller sees to it that nobody else commits as this writer meanwhile. Raises what append() raises.
    """
    segment_id = write_checkpoint(repository, catalog.path, progress, anew=anew)
    if segment_id is None:
        return None
    previous = next((head for head in catalog.heads() if head.writer == writer_id), None)
    body = CommitBody(time=clock.now())
    commit = repository.append(writer_id, previous, [], body, generation=generation, checkpoint=segment_id)
    catalog.apply(commit, [])
    return commit


def write_checkpoint(
    repository: Repository, path: Path, progress: Progress = lambda *_: None, *, anew: bool = False
) -> str | None:
    """Write the segments of a checkpoint of the catalog at `path`, as it is now; durable when this returns.

    The id of the segment that a commit is to name as its checkpoint: without such a commit nothing has happened.
    None when nothing has changed since the last one. With `anew` nothing of the last one is used, nor read: every
    account gets a new base, changed or not. Raises Damage, StorageFull.
    """
    newest = None if anew else repository.newest_checkpoint()
    with open_bases(path) as bases:
        if newest is None:
            table = _write(repository, bases, CheckpointTable(()), (), progress)
        else:
            commits = _Commits(repository, newest[1].covers, bases.heads())
            if newest[1].packs == bases.pack_ids() and not any(row_count(commit.body) for commit in commits):
                return None
            table = _write(repository, bases, newest[1], commits, progress)
    return write_table(repository.objects, table)


class _Commits:
    """The commits behind those heads as far as the catalog has them; may be gone through more than once."""

    def __init__(self, repository: Repository, after: Sequence[CommitHead], until: Sequence[CommitHead]) -> None:
        self._repository = repository
        self._after = after
        self._last = {head.writer: head.number for head in until}

    def __iter__(self) -> Iterator[Commit]:
        for commit in self._repository.commits(self._after):
            if commit.head.number <= self._last.get(commit.head.writer, 0):
                yield commit


def _write(
    repository: Repository, bases: Bases, last: CheckpointTable, commits: Iterable[Commit], progress: Progress
) -> CheckpointTable:
    subjects = bases.subjects()
    plan = plan_checkpoint(last.subjects, _changes(commits), subjects)
    draft = _Draft(SegmentWriter(repository.objects))
    for done, subject in enumerate(plan.bases, 1):
        for piece in bases.pieces(subject):
            draft.add(subject, BASE, piece.data, piece.rows)
        progress(done, len(plan.bases))
    based = frozenset(plan.bases)
    standing = {subject: last.subjects[subject] for subject in subjects if subject not in based}
    moved = _sharing(repository, standing)
    for subject, refs in moved.items():
        draft.copy(subject, refs, SegmentReader(repository.objects))
    draft.add_changes(commits, frozenset(plan.deltas))
    written = draft.finish()
    kept: dict[str, SubjectRefs] = {}
    for subject in subjects:
        new = written.get(subject, SubjectRefs())
        if subject in standing and subject not in moved:
            old = standing[subject]
            new = SubjectRefs(old.base, old.deltas + new.deltas)
        kept[subject] = new
    return CheckpointTable(bases.heads(), bases.pack_ids(), kept)


def _sharing(repository: Repository, standing: Mapping[str, SubjectRefs]) -> dict[str, SubjectRefs]:
    """Those whose records share a segment with records that nothing refers to any more.

    What expired may stand in these, and a segment leaves only as a whole.
    """
    used = Counter(ref.segment_id for refs in standing.values() for ref in (*refs.base, *refs.deltas))
    worn = {
        segment_id for segment_id, count in used.items() if count < len(read_entries(repository.objects, segment_id))
    }
    return {
        subject: refs
        for subject, refs in standing.items()
        if any(ref.segment_id in worn for ref in (*refs.base, *refs.deltas))
    }


def _changes(commits: Iterable[Commit]) -> dict[str, Change]:
    changes: dict[str, Change] = {}
    for commit in commits:
        for subject, body in by_account(commit.body).items():
            before = changes.get(subject, Change())
            plain_bytes = before.plain_bytes + len(encode_bodies([body]))
            changes[subject] = Change(plain_bytes, before.expired or bool(body.expired))
    return changes


class _Draft:
    """The segments of a checkpoint on their way."""

    def __init__(self, writer: SegmentWriter) -> None:
        self._writer = writer
        # Of each record its subject and what it is, in the order in which the writer tells where they lie.
        self._records: list[tuple[str, str]] = []

    def add(self, subject: str, what: str, plain: bytes, rows: int) -> None:
        """One more record."""
        self._writer.add(subject, what, plain, rows)
        self._records.append((subject, what))

    def copy(self, subject: str, refs: SubjectRefs, reader: SegmentReader) -> None:
        """All records of an account as they are. Raises Damage."""
        for what, some in ((BASE, refs.base), (DELTA, refs.deltas)):
            for ref in some:
                self.add(subject, what, reader.read(ref), ref.rows)

    def add_changes(self, commits: Iterable[Commit], subjects: frozenset[str]) -> None:
        """What the commits say of these accounts, each one's in its order."""
        if not subjects:
            return
        held: dict[str, list[CommitBody]] = {}
        held_bytes = 0
        for commit in commits:
            for subject, body in by_account(commit.body).items():
                if subject in subjects:
                    held.setdefault(subject, []).append(body)
                    held_bytes += len(encode_bodies([body]))
            if held_bytes > HELD_BYTES:
                self._add_held(held)
                held, held_bytes = {}, 0
        self._add_held(held)

    def _add_held(self, held: Mapping[str, Sequence[CommitBody]]) -> None:
        for subject, bodies in held.items():
            for plain, rows in records(bodies):
                self.add(subject, DELTA, plain, rows)

    def finish(self) -> dict[str, SubjectRefs]:
        """Where the records of each account lie. Raises StorageFull."""
        refs: dict[str, SubjectRefs] = {}
        for (subject, what), ref in zip(self._records, self._writer.finish(), strict=True):
            before = refs.get(subject, SubjectRefs())
            if what == BASE:
                refs[subject] = SubjectRefs((*before.base, ref), before.deltas)
            else:
                refs[subject] = SubjectRefs(before.base, (*before.deltas, ref))
        return refs
