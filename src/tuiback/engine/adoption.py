"""Makes a home's catalog from the repository alone: after its loss, or on a machine that never saw it."""

import contextlib
from dataclasses import dataclass
from pathlib import Path

from tuiback.catalog import State
from tuiback.engine.archive import rebuild_catalog
from tuiback.engine.home import CATALOG, STATE, Home, RepositoryRef
from tuiback.engine.owe_lost import owe_lost
from tuiback.errors import Damage, EnvironmentFault, NoSuchThing
from tuiback.model import Clock, PackTable
from tuiback.store import Repository


@dataclass(frozen=True, slots=True)
class Gap:
    """A commit that is missing, by the start of its name, and how many commits don't count because of it."""

    writer_id: str
    missing: str
    commits: int


@dataclass(frozen=True, slots=True)
class Shortfall:
    """What the repository lacks, as a copy does that was taken while it was written.

    Commits behind a gap are not in the catalog; of lost packs it knows the items, but their content can't be read.
    `owed` of these items are owed from now on.
    """

    gaps: tuple[Gap, ...] = ()
    lost_packs: tuple[str, ...] = ()
    owed: int = 0


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
        Gap(chain.missing.split("/")[1], chain.missing, len(chain.beyond_gap))
        for chain in repository.chains()
        if chain.missing
    )


def rebuild(home: Home, name: str, repository: Repository, clock: Clock) -> Shortfall:
    """Make the catalog of a repository that the home knows anew; what it lacks. The caller holds the home's lock."""
    return _rebuild(Path(home.repository(name).catalog), repository, clock)


def adopt(home: Home, ref: RepositoryRef, repository: Repository, clock: Clock) -> Shortfall:
    """Make the repository known to a home that never saw it, catalog first; what it lacks."""
    shortfall = _rebuild(Path(ref.catalog), repository, clock)
    home.add_repository(ref)
    return shortfall


def _rebuild(folder: Path, repository: Repository, clock: Clock) -> Shortfall:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    gaps = find_gaps(repository)
    writer_id = _sound_writer(folder / STATE, gaps)
    tables = _PackTables(repository)
    rebuild_catalog(folder / CATALOG, repository, tables)
    owed = 0
    if tables.lost:
        # A copy that can't be written to can still be looked into and restored from.
        with contextlib.suppress(EnvironmentFault):
            owed = owe_lost(folder / CATALOG, repository, writer_id, clock)
    return Shortfall(gaps, tuple(tables.lost), owed)


def _sound_writer(path: Path, gaps: tuple[Gap, ...]) -> str:
    state = State.open(path)
    try:
        if state.writer_id() in {gap.writer_id for gap in gaps}:
            # Going on in the broken line would put another commit in the place of the missing one.
            return state.new_writer_id()
        return state.writer_id()
    finally:
        state.close()
