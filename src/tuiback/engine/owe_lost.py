"""Makes items whose content a repository has lost owed, so that the next run fetches them again."""

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from tuiback.catalog import Catalog, CatalogReader
from tuiback.model import Clock, CommitBody, Known, Owed
from tuiback.store import Repository

# A commit is one small object: so many debts stay below 1 MB.
_OWED_PER_COMMIT = 2000


def owe_lost(path: Path, repository: Repository, writer_id: str, clock: Clock) -> int:
    """Commit a debt for each live item that needs a chunk which no pack in the catalog at `path` has; how many.

    Raises EnvironmentFault where the repository can't be written to.
    """
    catalog, reader = Catalog.open(path), CatalogReader(path)
    try:
        debts = _debts(reader, repository, clock)
        head = next((head for head in repository.heads() if head.writer == writer_id), None)
        count = 0
        while batch := tuple(islice(debts, _OWED_PER_COMMIT)):
            commit = repository.append(writer_id, head, [], CommitBody(time=clock.now(), owed=batch))
            catalog.apply(commit, [])
            head = commit.head
            count += len(batch)
        return count
    finally:
        reader.close()
        catalog.close()


def _debts(reader: CatalogReader, repository: Repository, clock: Clock) -> Iterator[Owed]:
    told = {(owed.account_id, owed.item_id) for owed in reader.owed()}
    for commit in repository.commits():
        by_account: dict[str, list[str]] = {}
        for version in commit.body.versions:
            by_account.setdefault(version.account_id, []).append(version.item_id)
        for account_id, item_ids in by_account.items():
            for known in _unreadable(reader, account_id, item_ids):
                if (account_id, known.item_id) not in told:
                    told.add((account_id, known.item_id))
                    yield _debt(reader, account_id, known, clock)


def _unreadable(reader: CatalogReader, account_id: str, item_ids: Sequence[str]) -> Iterator[Known]:
    live = [known for known in reader.known(account_id, item_ids).values() if known.live]
    needed = {known.item_id: {chunk for part in known.parts for chunk in part.chunks} for known in live}
    there = reader.find_chunks(list(set().union(*needed.values()))).keys()
    return (known for known in live if not needed[known.item_id] <= there)


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
