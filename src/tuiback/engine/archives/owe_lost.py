"""Makes items whose content a repository has lost owed, so that the next run fetches them again."""

from collections.abc import Iterable, Iterator
from itertools import groupby, islice
from pathlib import Path

from tuiback.catalog import Audit, Catalog, CatalogReader
from tuiback.model import Clock, CommitBody, Known, Owed
from tuiback.store import Repository, newest_generation

# A commit is one small object: so many debts stay below 1 MB.
_OWED_PER_COMMIT = 2000
_ASKED_AT_ONCE = 500
_ID_BYTES = 32

ItemKey = tuple[str, str]


def owe_lost(path: Path, repository: Repository, writer_id: str, clock: Clock) -> int:
    """Commit a debt for each live item that needs a chunk which no pack in the catalog at `path` has; how many.

    Raises EnvironmentFault where the repository can't be written to.
    """
    catalog, reader, audit = Catalog.open(path), CatalogReader(path), Audit(path)
    try:
        return owe(catalog, reader, repository, writer_id, clock, _lost_items(audit, reader))
    finally:
        audit.close()
        reader.close()
        catalog.close()


def owe(
    catalog: Catalog, reader: CatalogReader, repository: Repository, writer_id: str, clock: Clock,
    items: Iterable[ItemKey],
) -> int:  # fmt: skip
    """Commit a debt for each of these (account id, item id) that is live and not owed already; how many."""
    debts = _debts(reader, clock, items)
    head = next((head for head in catalog.heads() if head.writer == writer_id), None)
    generation = newest_generation(repository.backend)
    count = 0
    while batch := tuple(islice(debts, _OWED_PER_COMMIT)):
        body = CommitBody(time=clock.now(), owed=batch)
        commit = repository.append(writer_id, head, [], body, generation=generation)
        catalog.apply(commit, [])
        head = commit.head
        count += len(batch)
    return count


def _lost_items(audit: Audit, reader: CatalogReader) -> Iterator[ItemKey]:
    needs = (need for need in audit.needs(audit.last_version()) if need.live)
    while batch := list(islice(needs, _ASKED_AT_ONCE)):
        chunk_ids = {chunk for need in batch for chunk in _cut(need.chunks)}
        there = reader.find_chunks(list(chunk_ids)).keys()
        for need in batch:
            if not there >= set(_cut(need.chunks)):
                yield need.account_id, need.item_id


def _debts(reader: CatalogReader, clock: Clock, items: Iterable[ItemKey]) -> Iterator[Owed]:
    told = {(owed.account_id, owed.item_id) for owed in reader.owed()}
    for account_id, some in groupby(items, key=lambda key: key[0]):
        wanted = iter(dict.fromkeys(item_id for _, item_id in some if (account_id, item_id) not in told))
        while batch := list(islice(wanted, _ASKED_AT_ONCE)):
            for known in reader.known(account_id, batch).values():
                if known.live and (account_id, known.item_id) not in told:
                    told.add((account_id, known.item_id))
                    yield _debt(reader, account_id, known, clock)


def _debt(reader: CatalogReader, account_id: str, known: Known, clock: Clock) -> Owed:
    folders = {container.container_id: container.name for container in reader.containers(account_id)}
    return Owed(
        account_id=account_id,
        container_id=known.container_id,
        item_id=known.item_id,
        kind=known.kind,
        path=f"{folders.get(known.container_id, '')}/{known.name}",
        since=clock.now(),
        tries=0,
        error="the repository has lost its content; it is fetched again",
    )


def _cut(chunk_ids: bytes) -> list[bytes]:
    return [chunk_ids[start : start + _ID_BYTES] for start in range(0, len(chunk_ids), _ID_BYTES)]
