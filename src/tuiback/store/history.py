"""Tells which commits of a repository count, from its newest checkpoint on, and reads no more of them than it must."""

import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

from msgspec.structs import replace

from tuiback.errors import Damage, EnvironmentFault
from tuiback.model import Commit, CommitHead
from tuiback.store import commits as commit_objects
from tuiback.store import gc
from tuiback.store.checkpoint import CheckpointTable, read_either
from tuiback.store.commits import Chain, Payload
from tuiback.store.sealed import SealedObjects
from tuiback.store.segment import PREFIX as SEGMENTS
from tuiback.store.segment import segment_name

Numbers = dict[int, list[CommitHead]]
Checkpoint = tuple[Commit, CheckpointTable]


class Superseded(EnvironmentFault):
    """The commits that follow a known one were replaced by a checkpoint and are gone."""

    code = "superseded"


@dataclass(frozen=True, slots=True)
class _Known:
    """What is remembered of a checkpoint: its table is too large for that."""

    commit: Commit
    covers: Mapping[str, CommitHead]
    segments: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Links:
    """What a commit needs and names beside its rows."""

    previous: str
    segments: tuple[str, ...]
    generation: int
    checkpoint: str
    base: CommitHead | None


class _Standing:
    """What lies in the backend at one moment."""

    def __init__(self, objects: SealedObjects) -> None:
        self._objects = objects
        # Commits first: what a commit needs was there before it.
        self.numbered = commit_objects.numbered_heads(objects.backend.list(commit_objects.PREFIX))
        self.accepts = gc.read_accepts(objects)

    def is_void(self, head: CommitHead, links: _Links) -> bool:
        """Whether a prune made the commit void."""
        return gc.is_void(head, links.generation, self.accepts)

    def reaches(self, checkpoint: _Known | None, ends: Iterable[CommitHead]) -> bool:
        """Whether all numbers from behind the checkpoint, or from 1 on, up to `ends` are there."""
        covers = checkpoint.covers if checkpoint else {}
        return all(
            number in self.numbered.get(end.writer, {})
            for end in ends
            for number in range(covers[end.writer].number + 1 if end.writer in covers else 1, end.number + 1)
        )

    @cached_property
    def segments(self) -> frozenset[str]:
        """The ids of all segments."""
        return frozenset(name.rpartition("/")[2] for name in self._objects.backend.list(SEGMENTS))


class History:
    """The commits of one repository. Thread-safe: what it remembers of a commit never changes."""

    def __init__(self, objects: SealedObjects) -> None:
        self._objects = objects
        self._links: dict[CommitHead, _Links] = {}
        self._found: _Known | None = None
        self._has_looked = False

    def newest_checkpoint(self) -> Checkpoint | None:
        """The newest checkpoint of which everything is there; None where there is none.

        If of each something is missing, the newest whose table can be read. Raises Damage when no table can be
        read and the commits before it are gone, FormatTooNew.
        """
        found = self._find_checkpoint(_Standing(self._objects))
        return (found.commit, read_either(self._objects, found.commit)) if found else None

    def base(self, previous: CommitHead | None) -> CommitHead | None:
        """The newest checkpoint's commit as far as it is known here, for the commit after `previous` to name."""
        # A commit that is not known here was written by another process, which may have made a checkpoint too.
        if not self._has_looked or (previous and previous not in self._links):
            self._find_checkpoint(_Standing(self._objects))
        return self._found.commit.head if self._found else None

    def chains(self, after: Sequence[CommitHead] = ()) -> tuple[Chain, ...]:
        """The chain of each writer behind the newest checkpoint, in the order of their names.

        A commit that lacks a segment ends its chain as a missing one does; those up to the heads in `after` are
        taken for whole. Damaged commits count until they are read.
        """
        standing = _Standing(self._objects)
        checkpoint = self._find_checkpoint(standing)
        return self._chains(standing, checkpoint.covers if checkpoint else {}, _by_writer(after))

    def commits(self, after: Sequence[CommitHead] = ()) -> Iterator[Commit]:
        """The commits behind those heads, or behind the newest checkpoint: each writer's in order, merged by time.

        A commit that a prune made void comes empty. Raises Superseded at once when commits behind `after` are gone,
        and later when one that a checkpoint replaced is broken; Damage when another one is, does not follow the one
        before it or is another one than in `after`.
        """
        standing = _Standing(self._objects)
        checkpoint = self._find_checkpoint(standing)
        covers, known = checkpoint.covers if checkpoint else {}, _by_writer(after)
        # Who has not seen all that the checkpoint covers needs the commits before it, while they are there.
        late = {writer for writer, head in covers.items() if after and not _reaches(known.get(writer), head)}
        starts = {writer: covers[writer] for writer in covers.keys() - late}
        starts |= {writer: known[writer] for writer in late & known.keys()}
        chains = {chain.writer: chain for chain in self._chains(standing, starts, known)}
        for writer in sorted(late):
            if writer not in chains or not _reaches(chains[writer].newest, covers[writer]):
                raise self._superseded(writer)
        get = partial(self._read, standing, covers)
        lines = [commit_objects.follow(chain, known.get(writer), get) for writer, chain in chains.items()]
        return heapq.merge(*lines, key=lambda commit: commit.body.time)

    def note(self, commit: Commit) -> None:
        """Know of a commit that was just written."""
        self._links[commit.head] = _links(commit)
        if commit.checkpoint:
            self._has_looked = False

    def _superseded(self, writer: str) -> Superseded:
        what = f"a checkpoint replaced commits of {writer} that are not known here yet"
        return Superseded(what, self._objects.backend.url, "run tuiback rebuild-catalog")

    def _read(self, standing: _Standing, covers: Mapping[str, CommitHead], head: CommitHead) -> Commit:
        try:
            return self._read_counting(standing, head)
        except Damage as damage:
            if _reaches(covers.get(head.writer), head):
                # Nobody needs it whole any more, and no check looks at it.
                raise self._superseded(head.writer) from damage
            raise

    def _read_counting(self, standing: _Standing, head: CommitHead) -> Commit:
        payload = commit_objects.read_payload(self._objects, head)
        if gc.is_void(head, payload.generation, standing.accepts):
            # What it needs may be gone.
            return gc.emptied(commit_objects.commit_of(payload, head, payload.body))
        return commit_objects.commit_of(payload, head, commit_objects.read_body(self._objects, payload, head))

    def _chains(
        self, standing: _Standing, starts: Mapping[str, CommitHead], known: Mapping[str, CommitHead]
    ) -> tuple[Chain, ...]:
        chains = []
        for writer in sorted({*standing.numbered, *starts}):
            numbered = standing.numbered.get(writer, {})
            chain = commit_objects.chain_from(writer, numbered, starts.get(writer), self._previous_of)
            seen = known[writer].number if writer in known else 0
            new = (head for head in chain.heads if head.number > seen)
            lacking = ((head, lacks) for head in new if (lacks := self._lacks(head, standing)))
            first = next(lacking, None)
            chains.append(commit_objects.cut(chain, *first) if first else chain)
        return tuple(chains)

    def _lacks(self, head: CommitHead, standing: _Standing) -> str:
        """The name of an object that the commit needs and that is missing, "" when all are there."""
        links = self._find_links(head)
        if links is None or standing.is_void(head, links):
            return ""
        # What a checkpoint lacks is no matter here: it replaces other commits, or they are still there.
        missing = next((segment for segment in links.segments if segment not in standing.segments), None)
        return segment_name(missing) if missing else ""

    def _previous_of(self, head: CommitHead) -> str:
        links = self._find_links(head)
        return links.previous if links else ""

    def _find_links(self, head: CommitHead) -> _Links | None:
        """None when the commit is damaged."""
        if head not in self._links:
            try:
                self._links[head] = _links(commit_objects.read_payload(self._objects, head))
            except Damage:
                return None
        return self._links[head]

    def _find_checkpoint(self, standing: _Standing) -> _Known | None:
        """The newest whole checkpoint that any writer knows of.

        A checkpoint that lacks something is passed over where all commits that it replaces are there: a copy was
        taken while it was written. Where they are gone it is what there is.
        """
        whole: list[_Known] = []
        flawed: list[_Known] = []
        damages: list[tuple[CommitHead, Damage]] = []
        for numbered in standing.numbered.values():
            for head in self._named(numbered, standing):
                checkpoint = self._load(head)
                if isinstance(checkpoint, Damage):
                    damages.append((head, checkpoint))
                elif checkpoint.segments <= standing.segments:
                    whole.append(checkpoint)
                    break
                else:
                    flawed.append(checkpoint)
        best = _newest(whole)
        needed = [checkpoint for checkpoint in flawed if not standing.reaches(best, checkpoint.covers.values())]
        best = _newest(needed) or best
        for head, damage in damages:
            if not standing.reaches(best, (replace(head, number=head.number - 1),)):
                raise damage
        self._found, self._has_looked = best, True
        return best

    def _named(self, numbered: Numbers, standing: _Standing) -> Iterator[CommitHead]:
        """The checkpoints that a writer's commits are or name, from its newest commit back."""
        told: set[CommitHead] = set()
        for number in sorted(numbered, reverse=True):
            for head in numbered[number]:
                links = self._find_links(head)
                if links is None or standing.is_void(head, links):
                    continue
                named = head if links.checkpoint else links.base
                if named is None:
                    return
                if named not in told:
                    told.add(named)
                    yield named

    def _load(self, head: CommitHead) -> _Known | Damage:
        """The checkpoint, or why it can't be read."""
        if self._found is not None and self._found.commit.head == head:
            return self._found
        try:
            commit = commit_objects.read(self._objects, head)
            table = read_either(self._objects, commit)
        except Damage as damage:
            return damage
        return _Known(commit, _by_writer(table.covers), table.segments())


def _links(commit: Commit | Payload) -> _Links:
    return _Links(commit.previous, commit.segments, commit.generation, commit.checkpoint, commit.base)


def _by_writer(heads: Iterable[CommitHead]) -> dict[str, CommitHead]:
    return {head.writer: head for head in heads}


def _reaches(newest: CommitHead | None, head: CommitHead) -> bool:
    return newest is not None and newest.number >= head.number


def _newest(found: Iterable[_Known]) -> _Known | None:
    """Of the checkpoints that several writers know, the one that covers the others."""
    known = list({checkpoint.commit.head: checkpoint for checkpoint in found}.values())

    def is_covered(head: CommitHead) -> bool:
        return any(_reaches(checkpoint.covers.get(head.writer), head) for checkpoint in known)

    alone = [checkpoint for checkpoint in known if not is_covered(checkpoint.commit.head)]
    return max(alone or known, key=lambda checkpoint: checkpoint.commit.body.time, default=None)
