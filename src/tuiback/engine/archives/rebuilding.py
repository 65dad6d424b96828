"""Keeps a catalog in step with its repository: replays what is new, and makes it anew where that is not enough."""

import contextlib
from collections.abc import Callable, Collection, Iterable, Iterator
from functools import partial
from pathlib import Path

import msgspec
from msgspec.structs import replace

from tuiback.catalog import Catalog, CatalogReader, State
from tuiback.catalog.bases import open_bases
from tuiback.catalog.compare import differing_accounts
from tuiback.catalog.loading import Contents, load_catalog
from tuiback.errors import Damage, EnvironmentFault, NoSuchThing
from tuiback.model import Clock, Commit, CommitBody, CommitHead, Container, PackTable
from tuiback.store import (
    Chain,
    CheckpointTable,
    Repository,
    SegmentReader,
    SegmentRef,
    Superseded,
    decode_bodies,
    newest_generation,
)
from tuiback.store.gc import packs_gone, read_rounds
from tuiback.store.losses import read_losses

# Told what was found and done, as a level and a text of the activity.
Said = Callable[[str, str], None]
TableOf = Callable[[str], PackTable]
# Told how many steps of how many are done.
Progress = Callable[[int, int], None]
# Told whose rows ("" for runs and controls) can't all be read, and why; goes on without them, or raises.
Lost = Callable[[str, Damage], None]


def _refuse(subject: str, damage: Damage) -> None:  # noqa: ARG001 - one of Lost
    raise damage


def bring_up_to_date(catalog: Catalog, repository: Repository) -> int:
    """Apply the commits that the catalog has not seen; the number of them.

    Raises Superseded when the catalog is older than they go back, EnvironmentFault when it knows commits that the
    repository lacks: deduplicating against what is no longer there would lose data.
    """
    heads = catalog.heads()
    if lost_heads(repository.chains(heads), heads):
        raise EnvironmentFault(
            "the catalog knows commits that the repository does not have; was the volume rolled back?",
            repository.url,
            "end tuiback and start it again: it goes on from what is there",
        )
    return _replay(catalog, repository, _Steps())


def rebuild_catalog(
    path: Path,
    repository: Repository,
    table_of: TableOf | None = None,
    progress: Progress = lambda *_: None,
    lost: Lost = _refuse,
) -> int:
    """Make the catalog anew from the repository and put it in the old one's place; the number of commits replayed.

    `table_of` tells what lies in a pack, and `lost` is told of accounts that a damaged checkpoint does not give back
    whole; without them what can't be read ends the rebuild with Damage.
    """
    fresh = path.with_suffix(".rebuilding")
    count = _build(fresh, repository, _Steps(progress), table_of, lost)
    remove_database(path)
    fresh.replace(path)
    return count


def renew(catalog: Catalog, repository: Repository) -> None:
    """Make the catalog anew while it is in use, because the repository's commits don't go back to where it is."""
    fresh = catalog.path.with_suffix(".rebuilding")
    try:
        _build(fresh, repository, _Steps())
        catalog.become(fresh)
    finally:
        remove_database(fresh)


def remove_database(path: Path) -> None:
    """Remove an SQLite file with its log."""
    for suffix in ("", "-wal", "-shm"):
        with contextlib.suppress(FileNotFoundError):
            Path(f"{path}{suffix}").unlink()


def open_catalog(path: Path, repository: Repository, state: State, clock: Clock, say: Said) -> Catalog:
    """The catalog at `path`, up to date; made from the repository where it is missing, too old or ahead of it.

    A repository that lacks commits which this home has seen was rolled back. Then the accounts that those commits
    were about are listed again from the start, because nobody knows what became of them in between; content that the
    repository has is not fetched again. That is all that `say` is told as a warning.
    """
    touched: frozenset[str] | None = None
    if path.exists():
        touched = _settle(path, repository, state, say)
    elif repository.chains():
        say("info", "the catalog is missing: it is made anew from the repository")
        rebuild_catalog(path, repository)
    else:
        Catalog.create(path, repository.repository_id).close()
    catalog = Catalog.open(path)
    try:
        if touched is not None or lost_heads(repository.chains(catalog.heads()), state.heads_seen()):
            say("warn", _rolled_back(repository.url, list_again(catalog, repository, state, clock, touched)))
        for head in catalog.heads():
            state.see_head(head)
    except BaseException:
        catalog.close()
        raise
    return catalog


def lost_heads(chains: Iterable[Chain], known: Iterable[CommitHead]) -> tuple[CommitHead, ...]:
    """Those of the known commits that the repository of these chains does not have, or has others in the place of."""
    of_writer = {chain.writer: chain for chain in chains}
    return tuple(head for head in known if not _has(of_writer.get(head.writer), head))


def _has(chain: Chain | None, head: CommitHead) -> bool:
    if chain is None or chain.newest is None or chain.newest.number < head.number:
        return False
    # What a checkpoint covers is there, though nobody can tell any more which commit it was.
    return all(there.number != head.number or there == head for there in (chain.start, *chain.heads) if there)


def _settle(path: Path, repository: Repository, state: State, say: Said) -> frozenset[str] | None:
    """Bring the catalog up to date; the accounts that lost something where it was ahead of the repository, else None.

    Raises EnvironmentFault when it is another repository's.
    """
    catalog = Catalog.open(path)
    try:
        if catalog.repository_id != repository.repository_id:
            raise EnvironmentFault(
                "the catalog belongs to another repository", str(path), "run 'tuiback rebuild-catalog'"
            )
        heads = catalog.heads()
        chains = repository.chains(heads)
        lost = lost_heads(chains, heads)
        if any(chain.beyond_gap for chain in chains if chain.writer in {head.writer for head in lost}):
            # No volume was rolled back: only the catalog knows what the missing one said.
            raise Damage(
                "commits are missing in the midst of others", repository.url, "run 'tuiback check --repair'"
            )
        if not lost:
            with contextlib.suppress(Superseded):
                if replayed := _replay(catalog, repository, _Steps()):
                    say("info", f"{replayed} commits were read back into the catalog")
                return None
    finally:
        catalog.close()
    if not lost:
        say("info", "the catalog is older than the repository's commits go back: it is made anew")
        rebuild_catalog(path, repository)
        return None
    # Should this be cut off, the next start still knows what was lost.
    for head in heads:
        state.see_head(head)
    return _go_back(path, repository)


def _go_back(path: Path, repository: Repository) -> frozenset[str]:
    fresh = path.with_suffix(".rebuilding")
    _build(fresh, repository, _Steps())
    touched = differing_accounts(path, fresh)
    remove_database(path)
    fresh.replace(path)
    return touched


def list_again(
    catalog: Catalog, repository: Repository, state: State, clock: Clock, accounts: Collection[str] | None
) -> int:
    """Commit that the containers of these accounts, or of all, have no cursors, as a writer of its own.

    Returns of how many accounts there were any.
    """
    reader = CatalogReader(catalog.path)
    try:
        if accounts is None:
            accounts = [account.account_id for account in reader.accounts()]
        containers = tuple(
            _without_cursor(container) for account_id in accounts for container in reader.containers(account_id)
        )
    finally:
        reader.close()
    # Going on under the old name would give numbers that the lost commits have.
    writer_id = state.new_writer_id()
    if containers:
        body = CommitBody(time=clock.now(), containers=containers)
        generation = newest_generation(repository.backend)
        catalog.apply(repository.append(writer_id, None, [], body, generation=generation), [])
    state.forget_heads()
    return len({container.account_id for container in containers})


def _rolled_back(url: str, count: int) -> str:
    what = f"the repository at {url} was rolled back: it lacks commits that this home made"
    if not count:
        return f"{what}, which changed no account"
    accounts = "1 account is" if count == 1 else f"{count} accounts are"
    return f"{what}; {accounts} listed again, and what it lacks of them is fetched"


def _without_cursor(container: Container) -> Container:
    return replace(container, cursor="", relisting=True)


class _Steps:
    """Counts what a rebuild has done for whoever watches."""

    def __init__(self, progress: Progress = lambda *_: None) -> None:
        self._progress = progress
        self._done = 0
        self.total = 0

    def step(self) -> None:
        """One more is done."""
        self._done += 1
        self._progress(self._done, max(self.total, self._done))


def _build(
    path: Path, repository: Repository, steps: _Steps, table_of: TableOf | None = None, lost: Lost = _refuse
) -> int:
    """Write a catalog of all that the repository holds to a new file; the number of commits replayed."""
    remove_database(path)
    load_checkpoint(path, repository, table_of or repository.pack_table, steps, lost)
    catalog = Catalog.open(path)
    try:
        return _replay(catalog, repository, steps, table_of)
    finally:
        catalog.close()


def load_checkpoint(
    path: Path, repository: Repository, table_of: TableOf, steps: _Steps | None = None, lost: Lost = _refuse
) -> None:
    """Write a catalog of what the newest checkpoint says to a new file, an empty one where there is none."""
    newest = repository.newest_checkpoint()
    if newest is None:
        Catalog.create(path, repository.repository_id).close()
    else:
        reading = _Reading(repository, newest[1], table_of, steps or _Steps(), lost)
        contents = Contents(reading.tables(), reading.bases(), reading.changes(), newest[1].covers)
        load_catalog(path, repository.repository_id, contents)


class _Reading:
    """Goes through what a checkpoint refers to."""

    def __init__(
        self, repository: Repository, table: CheckpointTable, table_of: TableOf, steps: _Steps, lost: Lost
    ) -> None:
        gone = packs_given_up(repository)
        self._packs = [pack_id for pack_id in table.packs if pack_id not in gone]
        self._subjects = table.subjects
        self._table_of = table_of
        self._records = SegmentReader(repository.objects)
        self._steps = steps
        self._lost = lost
        steps.total = len(self._packs) + sum(len(refs.base) + len(refs.deltas) for refs in table.subjects.values())

    def tables(self) -> Iterator[PackTable]:
        """What lies in each pack."""
        for pack_id in self._packs:
            yield self._table_of(pack_id)
            self._steps.step()

    def bases(self) -> Iterator[tuple[str, bytes]]:
        """The pieces of each base; none behind one that can't be read, for they rest on each other."""
        for subject, refs in self._subjects.items():
            for ref in refs.base:
                try:
                    data = self._records.read(ref)
                except Damage as damage:
                    self._lost(subject, damage)
                    break
                yield subject, data
                self._steps.step()

    def changes(self) -> Iterator[CommitBody]:
        """What changed since the bases."""
        for subject, refs in self._subjects.items():
            for ref in refs.deltas:
                try:
                    bodies = self._bodies(ref)
                except Damage as damage:
                    self._lost(subject, damage)
                    continue
                yield from bodies
                self._steps.step()

    def _bodies(self, ref: SegmentRef) -> tuple[CommitBody, ...]:
        try:
            return decode_bodies(self._records.read(ref))
        except msgspec.DecodeError as error:
            what = f"changes in it can't be understood: {error}"
            raise Damage(what, f"segment {ref.segment_id}", "run tuiback check") from error


def _replay(catalog: Catalog, repository: Repository, steps: _Steps, table_of: TableOf | None = None) -> int:
    """Apply all commits that the catalog has not seen, the same way that a live run applies them."""
    table_of = table_of or repository.pack_table
    after = catalog.heads()
    chains = repository.chains(after)
    count = _count_behind(chains, after)
    if not count:
        return 0
    steps.total += count
    gone = packs_given_up(repository)
    for commit in map(partial(_without_packs, gone=gone), repository.commits(after)):
        catalog.apply(commit, _tables_of(commit, repository, table_of))
        steps.step()
    known = {head.writer: head.number for head in after}
    if any(chain.start and known.get(chain.writer, 0) < chain.start.number for chain in chains):
        _forget_uncounted(catalog, repository)
    return count


def _forget_uncounted(catalog: Catalog, repository: Repository) -> None:
    """Forget the packs that were pruned so long ago that only the newest checkpoint tells: it does not name them."""
    with open_bases(catalog.path) as bases:
        known = frozenset(bases.pack_ids())
    # Before the checkpoint is asked: a newer one covers commits whose packs it names.
    counting = {pack_id for commit in repository.commits() for pack_id in commit.packs}
    newest = repository.newest_checkpoint()
    counting.update(newest[1].packs if newest else ())
    if uncounted := sorted(known - counting):
        catalog.forget_packs(uncounted)


def _tables_of(commit: Commit, repository: Repository, table_of: TableOf) -> list[PackTable]:
    try:
        return [table_of(pack_id) for pack_id in commit.packs]
    except NoSuchThing as missing:
        newest = repository.newest_checkpoint()
        covers = {head.writer: head.number for head in newest[1].covers} if newest else {}
        if commit.head.number > covers.get(commit.head.writer, 0):
            raise
        # Its prune is long over and forgotten, but the commit, which nobody needs any more, still stands.
        what = "a prune has deleted what a commit named that a checkpoint replaced"
        raise Superseded(what, repository.url, "run tuiback rebuild-catalog") from missing


def _count_behind(chains: Iterable[Chain], heads: Iterable[CommitHead]) -> int:
    numbers = {head.writer: head.number for head in heads}
    return sum(head.number > numbers.get(chain.writer, 0) for chain in chains for head in chain.heads)


def packs_given_up(repository: Repository) -> frozenset[str]:
    """The packs that commits name and that do not count any more: pruned, or given up by a repair."""
    return packs_gone(read_rounds(repository.objects)) | read_losses(repository.objects).packs


def _without_packs(commit: Commit, gone: frozenset[str]) -> Commit:
    return replace(commit, packs=tuple(pack_id for pack_id in commit.packs if pack_id not in gone))
