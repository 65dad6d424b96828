"""A catalog made from the repository alone, and what becomes of the writer whose line of commits is broken."""

from pathlib import Path

from tests.engine.rig import SECRET, make_home
from tuiback.catalog import Catalog, State
from tuiback.engine.adoption import adopt, find_gaps, rebuild
from tuiback.engine.archive import open_repository
from tuiback.engine.clock import SystemClock
from tuiback.engine.home import Home, RepositoryRef
from tuiback.model import CommitBody, CommitHead
from tuiback.store import Repository


def repository_of(home: Home) -> Repository:
    """The home's main repository."""
    return open_repository(home.repository("main"), SECRET, SystemClock(), to_write=True)


def append(repository: Repository, writer: str, times: int) -> list[Path]:
    """Empty commits of one writer; their files."""
    head: CommitHead | None = None
    for _ in range(times):
        head = repository.append(writer, head, [], CommitBody(time=SystemClock().now())).head
    return sorted(Path(repository.url, "commits", writer).iterdir())


def writer_of(home: Home) -> str:
    """The id that the home writes under."""
    state = State.open(home.state_path("main"))
    try:
        return state.writer_id()
    finally:
        state.close()


def heads_in_catalog(home: Home) -> tuple[CommitHead, ...]:
    """What the home's catalog has applied."""
    catalog = Catalog.open(home.catalog_path("main"))
    try:
        return catalog.heads()
    finally:
        catalog.close()


def test_a_home_whose_own_line_is_broken_takes_a_new_writer(tmp_path: Path) -> None:
    """Going on in the broken line would give one number two commits; another writer's gap changes nothing."""
    home = make_home(tmp_path)
    repository = repository_of(home)
    rebuild(home, "main", repository, SystemClock())
    mine = writer_of(home)
    own, other = append(repository, mine, 3), append(repository, "other", 3)
    other[1].unlink()
    assert [gap.writer_id for gap in rebuild(home, "main", repository, SystemClock()).gaps] == ["other"]
    assert writer_of(home) == mine
    own[1].unlink()
    gaps = rebuild(home, "main", repository, SystemClock()).gaps
    assert {(gap.writer_id, gap.commits) for gap in gaps} == {(mine, 1), ("other", 1)}
    assert writer_of(home) != mine
    assert {head.number for head in heads_in_catalog(home)} == {1}


def test_adopting_ends_with_the_home_knowing_it(tmp_path: Path) -> None:
    """The repository is known only once its catalog is whole, and the new home writes under an id of its own."""
    first = make_home(tmp_path)
    repository = repository_of(first)
    rebuild(first, "main", repository, SystemClock())
    append(repository, writer_of(first), 2)
    second = Home.create(tmp_path / "second")
    ref = RepositoryRef(
        name="main", url=repository.url, repository_id=repository.repository_id, catalog=str(tmp_path / "ssd")
    )
    shortfall = adopt(second, ref, repository, SystemClock())
    assert (shortfall.gaps, shortfall.lost_packs, find_gaps(repository)) == ((), (), ())
    second = Home.open(second.path)
    assert heads_in_catalog(second) == repository.heads()
    assert writer_of(second) != writer_of(first)
