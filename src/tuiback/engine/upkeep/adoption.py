"""Makes a home's catalog from the repository alone: after its loss, or on a machine that never saw it."""

import contextlib
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from tuiback.catalog import Catalog, CatalogReader, State
from tuiback.engine.archives.owe_lost import owe_lost
from tuiback.engine.archives.rebuilding import Progress, list_again, rebuild_catalog
from tuiback.engine.home import CATALOG, STATE, Home, RepositoryRef
from tuiback.engine.settings.settings_copy import bring_back
from tuiback.errors import Damage, EnvironmentFault, NoSuchThing
from tuiback.model import Clock, PackTable
from tuiback.store import Repository, gc
from tuiback.store.commits import commit_name
from tuiback.store.lost_checkpoint import name_table_again
from tuiback.store.mending import put_aside


@dataclass(frozen=True, slots=True)
class Gap:
    """An object that a writer's commits lack, by the start of its name, and how many of them don't count for it."""

    writer_id: str
    missing: str
    commits: int


@dataclass(frozen=True, slots=True)
class Shortfall:
    """What the repository lacks, as a copy does that was taken while it was written.

    Commits behind a gap are not in the catalog; of lost packs it knows the items, but their content can't be read.
    `owed` of these items are owed from now on. Of lost accounts ("" for runs and controls) it does not know all: they
    are listed again from the start. `put_aside` names damaged objects that were moved to quarantine/.
    """

    gaps: tuple[Gap, ...] = ()
    lost_packs: tuple[str, ...] = ()
    owed: int = 0
    lost_accounts: tuple[str, ...] = ()
    put_aside: tuple[str, ...] = ()


class _PackTables:
    """Tells what lies in packs, nothing for those that can't be read; these are noted."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self.lost: list[str] = []

    def __call__(self, pack_id: str) -> PackTable:
        try:
            return self._repository.pack_table(pack_id)
        except (NoSuchThing, Damage):
            self.lost.append(pack_id)
            return PackTable(pack_id, 0, ())


def find_gaps(repository: Repository) -> tuple[Gap, ...]:
    """Where a writer's line of commits is broken."""
    return tuple(
        Gap(chain.writer, chain.lacks or chain.missing, len(chain.beyond_gap))
        for chain in repository.chains()
        if chain.missing
    )


def rebuild(
    home: Home, name: str, repository: Repository, clock: Clock, progress: Progress = lambda *_: None
) -> Shortfall:
    """Make the catalog of a repository that the home knows anew; what it lacks. The caller holds the home's lock."""
    return _rebuild(Path(home.repository(name).catalog), repository, clock, progress)


def adopt(
    home: Home, ref: RepositoryRef, repository: Repository, clock: Clock, progress: Progress = lambda *_: None
) -> Shortfall:
    """Make the repository known to a home that never saw it, catalog first, with limits and channels; what it lacks.

    Damaged commits, and what damaged objects say of prunes, are put aside, as no catalog is there to mend them from:
    they then lack like missing ones. For a checkpoint whose commit is lost, another one names its table.
    """
    aside = tuple(_put_aside_damaged(repository, clock))
    shortfall = replace(_rebuild(Path(ref.catalog), repository, clock, progress), put_aside=aside)
    reader = CatalogReader(Path(ref.catalog) / CATALOG)
    try:
        # The home works without them, too.
        with contextlib.suppress(Damage):
            bring_back(home.path, reader, repository)
    finally:
        reader.close()
    home.add_repository(ref)
    return shortfall


def _put_aside_damaged(repository: Repository, clock: Clock) -> Iterator[str]:
    # A copy that can't be written to stays as it is; the rebuild then tells what is damaged.
    with contextlib.suppress(EnvironmentFault):
        for name in _damaged(list(repository.backend.list(gc.PREFIX)), partial(gc.read_one, repository.objects)):
            if put_aside(repository.backend, name):
                yield name
        name_table_again(repository, clock)
        heads = {commit_name(head): head for chain in repository.chains() for head in chain.heads}
        for name in _damaged(heads, lambda name: repository.read_commit(heads[name])):
            if put_aside(repository.backend, name):
                yield name


def _damaged(names: Iterable[str], read: Callable[[str], object]) -> Iterator[str]:
    # What came wrong once, over a cable or from a worn disk, may come right the next time.
    return (name for name in names if not (_reads(read, name) or _reads(read, name)))


def _reads(read: Callable[[str], object], name: str) -> bool:
    try:
        read(name)
    except Damage:
        return False
    return True


def _rebuild(folder: Path, repository: Repository, clock: Clock, progress: Progress) -> Shortfall:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    gaps = find_gaps(repository)
    _sound_writer(folder / STATE, gaps)
    tables = _PackTables(repository)
    lost: dict[str, None] = {}
    rebuild_catalog(folder / CATALOG, repository, tables, progress, lambda subject, _: lost.setdefault(subject))
    owed = 0
    # A copy that can't be written to can still be looked into and restored from.
    with contextlib.suppress(EnvironmentFault):
        if lost:
            _list_lost_again(folder, repository, clock, lost)
        if tables.lost:
            owed = owe_lost(folder / CATALOG, repository, _writer_id(folder / STATE), clock)
    return Shortfall(gaps, tuple(tables.lost), owed, tuple(lost))


def _list_lost_again(folder: Path, repository: Repository, clock: Clock, accounts: Collection[str]) -> None:
    state = State.open(folder / STATE)
    catalog = Catalog.open(folder / CATALOG)
    try:
        list_again(catalog, repository, state, clock, accounts)
    finally:
        catalog.close()
        state.close()


def _writer_id(path: Path) -> str:
    state = State.open(path)
    try:
        return state.writer_id()
    finally:
        state.close()


def _sound_writer(path: Path, gaps: tuple[Gap, ...]) -> None:
    state = State.open(path)
    try:
        if state.writer_id() in {gap.writer_id for gap in gaps}:
            # Going on in the broken line would put another commit in the place of the missing one.
            state.new_writer_id()
    finally:
        state.close()
