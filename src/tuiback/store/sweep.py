"""Deletes what prunes have decided to delete, and finds what is in the repository for nothing."""

from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from itertools import chain, groupby, islice

from tuiback.errors import Damage, EnvironmentFault, NoSuchThing
from tuiback.model import CommitHead
from tuiback.store import gc
from tuiback.store.backend import Backend, store_time
from tuiback.store.checkpoint import read_either
from tuiback.store.commits import find_head, number_prefix
from tuiback.store.pack import PREFIX as PACKS
from tuiback.store.pack import pack_name
from tuiback.store.repository import Repository
from tuiback.store.sealed import SealedObjects
from tuiback.store.segment import PREFIX as SEGMENTS
from tuiback.store.segment import segment_name

# A deletion in a bucket takes three requests and hardly any work.
_AT_ONCE = 8

# Told how many objects of how many are done.
Progress = Callable[[int, int], None]


@dataclass(slots=True)
class Swept:
    """Bytes that the store says are gone, and bytes of what it refused to delete (an object lock)."""

    freed_bytes: int = 0
    retained_bytes: int = 0
    retained: list[str] = field(default_factory=list)


def standing_names(backend: Backend, accept: gc.Accept) -> Iterator[str]:
    """What of a prune's final list is still there, commits first: none is left without what it names."""
    yield from standing_commits(backend, accept.superseded)
    doomed = frozenset(accept.doomed)
    yield from (name for name in chain(backend.list(SEGMENTS), backend.list(PACKS)) if name in doomed)


def standing_commits(backend: Backend, covers: Iterable[CommitHead]) -> Iterator[str]:
    """The names of the commits up to these heads that are still there."""
    for covered in covers:
        folder = number_prefix(covered.writer, 0).rpartition("/")[0]
        for name in backend.list(f"{folder}/"):
            head = find_head(name)
            if head is not None and head.number <= covered.number:
                yield name


def sizes_of(backend: Backend, names: Iterable[str]) -> int:
    """The bytes of these objects; those that are not there count nothing."""
    total = 0
    for name in names:
        try:
            total += backend.size(name)
        except NoSuchThing:
            continue
    return total


def sweep(objects: SealedObjects, names: Collection[str], progress: Progress) -> Swept:
    """Delete these objects. What the store refuses to delete stays; raises EnvironmentFault when it refuses all else.

    Some are deleted side by side, but none before all of another kind that come before it. Can be cut off at any
    moment and done again.
    """
    swept = Swept()
    done = 0
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="sweep") as pool:
        for _, kind in groupby(names, key=lambda name: name.partition("/")[0]):
            while some := list(islice(kind, _AT_ONCE)):
                progress(done, len(names))
                for name, freed_bytes in zip(some, pool.map(partial(_delete, objects), some), strict=True):
                    if freed_bytes is None:
                        swept.retained_bytes += sizes_of(objects.backend, [name])
                        swept.retained.append(name)
                    else:
                        swept.freed_bytes += freed_bytes
                done += len(some)
    return swept


def _delete(objects: SealedObjects, name: str) -> int | None:
    """The bytes that this frees; None when the store refuses it. Raises EnvironmentFault when it refuses all else."""
    try:
        return objects.delete(name)
    except NoSuchThing:
        return 0
    except EnvironmentFault:
        # Is it this object, or the whole place?
        store_time(objects.backend)
        return None


def stray_packs(backend: Backend, known: Collection[str], now: datetime) -> tuple[str, ...]:
    """The names of packs whose id is not known, older than the grace: left by a process that died before its commit."""
    unknown = [name for name in backend.list(PACKS) if name.rpartition("/")[2] not in known]
    return tuple(name for name in unknown if backend.modified(name) + gc.GRACE < now)


def unnamed_segments(repository: Repository) -> tuple[str, ...]:
    """The names of segments that neither the newest checkpoint nor a commit behind it needs.

    Only whoever keeps all of the repository's writers from committing meanwhile may rely on it.
    """
    listed = list(repository.backend.list(SEGMENTS))
    named = {segment_name(segment_id) for segment_id in named_segments(repository)}
    return tuple(name for name in listed if name not in named)


def named_segments(repository: Repository) -> frozenset[str]:
    """The ids of segments that the newest checkpoint and the commits behind it need."""
    newest = repository.newest_checkpoint()
    named = {*newest[1].segments(), newest[0].checkpoint, newest[0].checkpoint_copy} if newest else set()
    for writer in repository.chains():
        for head in writer.heads:
            commit = repository.read_commit(head)
            named.update((*commit.segments, commit.checkpoint, commit.checkpoint_copy))
            if commit.checkpoint and not (newest and head == newest[0].head):
                # Another writer made it at the same time: until one covers it, a reader may come to it.
                with suppress(Damage):
                    named |= read_either(repository.objects, commit).segments()
    return frozenset(filter(None, named))


def pack_names(pack_ids: Iterable[str]) -> tuple[str, ...]:
    """The objects of these packs."""
    return tuple(map(pack_name, pack_ids))
