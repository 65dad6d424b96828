"""Looks at every object of a repository but its packs: settings, gc objects, commits and segments."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import blake3

from tuiback.errors import Damage, FormatTooNew, NoSuchThing
from tuiback.model import Commit, CommitHead
from tuiback.store import gc, twofold
from tuiback.store.checkpoint import CheckpointTable, read_table
from tuiback.store.commits import Chain, commit_name
from tuiback.store.envelope import KNOWN_FEATURES, SEGMENT_MAGIC, RecordType, split_record
from tuiback.store.findings import Finding
from tuiback.store.history import Checkpoint
from tuiback.store.keys import VERSION
from tuiback.store.needs import Told, told_by_checkpoint
from tuiback.store.pack_checks import Depth, layout_flaws
from tuiback.store.repository import CONFIG, Repository, RepositoryConfig
from tuiback.store.sealed import SealedObjects, open_record
from tuiback.store.segment import entries_of, segment_name
from tuiback.store.slots import KeySet, generations, set_name

Place = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Standing:
    """What the commits that can be read make part of the repository.

    `commits` are those behind the newest checkpoint, `packs` all that count, `segments` what each segment must hold:
    (offset, length, slot) of records, none where all of them are meant.
    """

    commits: tuple[CommitHead, ...]
    checkpoint: Checkpoint | None
    packs: dict[bytes, None]
    segments: dict[str, set[Place]]


def check_settings(repository: Repository) -> Iterator[Finding]:
    """Both copies of the config and of the key slots; what a change that was cut short left is no damage."""
    for copy in twofold.copies(CONFIG):
        yield from _copy(repository, "config", copy, RepositoryConfig)
    for generation in generations(repository.backend)[:1]:
        for copy in twofold.copies(set_name(generation)):
            yield from _copy(repository, "key", copy, KeySet)


def check_gc(repository: Repository) -> Iterator[Finding]:
    """Every object that tells of a prune."""
    for name in list(repository.backend.list(gc.PREFIX)):
        try:
            gc.read_one(repository.objects, name)
        except (Damage, FormatTooNew) as damage:
            yield Finding("gc", name, damage.what)


def _copy(
    repository: Repository, kind: str, copy: str, content: type[RepositoryConfig] | type[KeySet]
) -> Iterator[Finding]:
    try:
        twofold.read_copy(repository.backend, copy, content, version=VERSION, features=KNOWN_FEATURES)
    except NoSuchThing:
        yield Finding(kind, copy, "it is missing")
    except (Damage, FormatTooNew) as damage:
        yield Finding(kind, copy, damage.what)


class CommitWalk:
    """Reads every commit that counts, in its chain, and gathers what they name; goes on after damage."""

    def __init__(self, repository: Repository) -> None:
        self.findings: list[Finding] = []
        self._repository = repository
        self._accepts = gc.read_accepts(repository.objects)
        self._commits: list[tuple[datetime, CommitHead]] = []
        # As bytes: half the memory of their names.
        self._packs: dict[bytes, None] = {}
        self._segments: dict[str, set[Place]] = {}

    def walk(self) -> Standing:
        """What stands. Raises Damage when not even the newest checkpoint can be told."""
        checkpoint = self._repository.newest_checkpoint()
        if checkpoint is not None:
            self._take_checkpoint(*checkpoint)
        for chain in self._repository.chains():
            self._chain(chain)
        for accept in self._accepts:
            for pack_id in gc.packs_in(accept.doomed):
                self._packs.pop(bytes.fromhex(pack_id), None)
        heads = tuple(head for _, head in sorted(self._commits, key=lambda one: one[0]))
        return Standing(heads, checkpoint, self._packs, self._segments)

    def bodies(self, standing: Standing) -> Iterator[Told]:
        """The rows of everything that stands, in the order in which they count; goes on after damage."""
        if standing.checkpoint is not None:
            yield from told_by_checkpoint(self._repository.objects, standing.checkpoint[1], self._add_segment)
        for head in standing.commits:
            yield self._read(head).body

    def _take_checkpoint(self, commit: Commit, table: CheckpointTable) -> None:
        self._packs.update((bytes.fromhex(pack_id), None) for pack_id in table.packs)
        self._take_table(commit.checkpoint, table)
        if commit.checkpoint_copy:
            self._segments.setdefault(commit.checkpoint_copy, set())

    def _take_table(self, segment_id: str, table: CheckpointTable) -> None:
        self._segments[segment_id] = set()
        for refs in table.subjects.values():
            for ref in (*refs.base, *refs.deltas):
                self._segments.setdefault(ref.segment_id, set()).add((ref.offset, ref.length, ref.slot))

    def _take_later(self, segment_id: str) -> None:
        """A checkpoint that readers pass over, for something of it is missing: its commits are still there."""
        try:
            self._take_table(segment_id, read_table(self._repository.objects, segment_id))
        except (Damage, FormatTooNew) as damage:
            self._add("segment", segment_id, damage.what)

    def _chain(self, chain: Chain) -> None:
        if chain.lacks:
            self._add("segment", chain.lacks.rpartition("/")[2], "it is missing")
        elif chain.missing:
            self._add("commit", chain.missing, "it is missing")
        for name in chain.beyond_gap:
            self._add("commit", name, "a commit before it is missing, or what it needs")
        previous = chain.start.digest if chain.start else ""
        is_known = True
        for head in chain.heads:
            name = commit_name(head)
            try:
                commit = self._read(head)
            except (Damage, FormatTooNew) as damage:
                self._add("commit", name, damage.what if damage.subject == name else str(damage))
                is_known = False
                continue
            if is_known and previous != commit.previous:
                self._add("commit", name, "it does not follow the commit before it")
            previous, is_known = head.digest, True
            self._commits.append((commit.body.time, head))
            self._packs.update((bytes.fromhex(pack_id), None) for pack_id in commit.packs)
            for segment_id in commit.segments:
                self._segments.setdefault(segment_id, set())
            if commit.checkpoint and commit.checkpoint not in self._segments:
                self._take_later(commit.checkpoint)

    def _read(self, head: CommitHead) -> Commit:
        commit = self._repository.read_commit(head)
        return gc.emptied(commit) if gc.is_void(head, commit.generation, self._accepts) else commit

    def _add_segment(self, segment_id: str, what: str) -> None:
        if not any(finding.name == segment_id for finding in self.findings):
            self._add("segment", segment_id, what)

    def _add(self, kind: str, name: str, what: str) -> None:
        self.findings.append(Finding(kind, name, what))


def check_segment(objects: SealedObjects, segment_id: str, wanted: set[Place], depth: Depth) -> Iterator[Finding]:
    """What is wrong with a segment, which must hold the `wanted` records."""
    try:
        for what in _segment_flaws(objects, segment_id, wanted, depth):
            yield Finding("segment", segment_id, what)
    except NoSuchThing:
        yield Finding("segment", segment_id, "it is missing")
    except (Damage, FormatTooNew) as damage:
        yield Finding("segment", segment_id, damage.what)


def _segment_flaws(objects: SealedObjects, segment_id: str, wanted: set[Place], depth: Depth) -> Iterator[str]:
    name, subject = segment_name(segment_id), f"segment {segment_id}"
    if depth is Depth.STRUCTURE:
        trailer, data = objects.trailer_of(name, SEGMENT_MAGIC, subject), b""
    else:
        data = objects.backend.read(name)
        trailer = objects.trailer_in(data, SEGMENT_MAGIC, subject)
    if depth is Depth.READ and blake3.blake3(data).hexdigest() != segment_id:
        yield "its bytes are not what its name says"
    entries = entries_of(trailer, subject)
    places = {(entry.offset, entry.length, entry.slot) for entry in entries}
    yield from layout_flaws(places, trailer.offset)
    if wanted - places:
        yield f"{len(wanted - places)} of the records that are needed are not in it"
    for entry in entries if data else ():
        record = data[entry.offset : entry.offset + entry.length]
        if depth is Depth.READ:
            open_record(trailer.envelope, record, RecordType.ROWS, entry.slot, subject)
        else:
            split_record(record, subject)
