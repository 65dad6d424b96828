"""Reads into a catalog what can still be read of commits of which some are damaged or missing."""

from collections.abc import Callable, Iterator

from msgspec.structs import replace

from tuiback.catalog import Catalog
from tuiback.engine.archives.rebuilding import packs_given_up
from tuiback.errors import Damage, FormatTooNew
from tuiback.model import Clock, Commit, CommitBody, CommitHead, PackTable
from tuiback.store import Repository, gc
from tuiback.store.commits import find_head

# What stands for the digest of a commit of which nothing is left, not even its name.
_UNKNOWN = "0" * 64


def apply_what_is_left(
    catalog: Catalog, repository: Repository, clock: Clock, table_of: Callable[[str], PackTable]
) -> int:
    """Apply every commit behind the catalog's that can be read, in its writer's order; how many are lost before them.

    A lost commit counts as one that says nothing. What comes after the last readable one of a writer stays unknown.
    Raises Damage when the commits don't go back to where the catalog ends.
    """
    accepts = gc.read_accepts(repository.objects)
    given_up = packs_given_up(repository)
    lost = 0
    for known, commit in _readable(catalog, repository):
        for empty in _stand_ins(known, commit, clock):
            catalog.apply(empty, [])
            lost += 1
        counting = gc.emptied(commit) if gc.is_void(commit.head, commit.generation, accepts) else commit
        packs = tuple(pack_id for pack_id in counting.packs if pack_id not in given_up)
        catalog.apply(replace(counting, packs=packs), [table_of(pack_id) for pack_id in packs])
    return lost


def _readable(catalog: Catalog, repository: Repository) -> Iterator[tuple[CommitHead | None, Commit]]:
    """Each commit that can be read, with the newest one that is known before it."""
    newest = {head.writer: head for head in catalog.heads()}
    for chain in repository.chains(tuple(newest.values())):
        known = newest.get(chain.writer)
        if chain.start is not None and (known is None or known.number < chain.start.number):
            raise Damage("the catalog is older than the commits go back", str(catalog.path), "remove it and try again")
        for head in (*chain.heads, *filter(None, map(find_head, chain.beyond_gap))):
            if known is not None and head.number <= known.number:
                continue
            try:
                commit = repository.read_commit(head)
            except (Damage, FormatTooNew):
                continue
            yield known, commit
            known = head


def _stand_ins(known: CommitHead | None, commit: Commit, clock: Clock) -> Iterator[Commit]:
    """Empty commits for the numbers between the two; only the last one's digest is known still."""
    number, previous = (known.number, known.digest) if known else (0, "")
    while (number := number + 1) < commit.head.number:
        digest = commit.previous if number == commit.head.number - 1 else _UNKNOWN
        head = CommitHead(commit.head.writer, number, digest)
        yield Commit(head, previous, (), CommitBody(time=clock.now()))
        previous = digest
