"""What a checkpoint writes anew, and that a catalog rebuilt through one is the one that every commit made."""

import contextlib
import hashlib
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.catalog.build import A, B, account, at, closed, container, opened, run, version
from tests.catalog.test_history import STEPS, Draft, End, Model, written
from tests.store.checkpoints import drop_superseded
from tests.store.doubles import FailingBackend, FixedClock, new_repository, reopen
from tuiback.catalog import Catalog, same_content
from tuiback.catalog.bases import open_bases
from tuiback.engine.archives import checkpointing
from tuiback.engine.archives.checkpointing import Change, Plan, make_checkpoint, plan_checkpoint, write_checkpoint
from tuiback.engine.archives.rebuilding import bring_up_to_date, lost_heads, rebuild_catalog
from tuiback.model import Commit, CommitBody, CommitHead, Expired, PackTable
from tuiback.model.kept import decode_piece
from tuiback.store import Repository, SegmentReader, SegmentRef, SubjectRefs, Superseded

WRITERS = ("w1", "w2")


def refs(plain_bytes: int) -> tuple[SegmentRef, ...]:
    """A record of that size."""
    return (SegmentRef("00" * 32, 0, 0, plain_bytes, plain_bytes, 1, b""),)


@pytest.mark.parametrize(
    ("standing", "change", "bases", "deltas"),
    [
        (None, None, (A,), ()),
        (None, Change(1), (A,), ()),
        (SubjectRefs(refs(1000)), None, (), ()),
        (SubjectRefs(refs(1000)), Change(250), (), (A,)),
        (SubjectRefs(refs(1000)), Change(251), (A,), ()),
        (SubjectRefs(refs(1000), refs(200)), Change(51), (A,), ()),
        (SubjectRefs(refs(1000), refs(200)), None, (), ()),
        (SubjectRefs(refs(1000)), Change(1, expired=True), (A,), ()),
        (SubjectRefs(), Change(1), (A,), ()),
    ],
)
def test_an_account_gets_a_base_where_changes_would_pile_up(
    standing: SubjectRefs | None, change: Change | None, bases: tuple[str, ...], deltas: tuple[str, ...]
) -> None:
    """A quarter of the base is what changes may come to; what expired must not stay in an old base."""
    plan = plan_checkpoint({A: standing} if standing else {}, {A: change} if change else {}, [A])
    assert plan == Plan(bases, deltas)


def test_what_is_no_account_any_more_is_not_planned() -> None:
    """An account that was given up whole is in no catalog, so its references end."""
    assert plan_checkpoint({A: SubjectRefs(refs(9))}, {A: Change(1, expired=True)}, []) == Plan((), ())


@dataclass
class Place:
    """A repository in memory with the catalog that its commits made; packs exist in `tables` only."""

    folder: Path
    repository: Repository = field(default_factory=new_repository)
    tables: dict[str, PackTable] = field(default_factory=dict)
    commits: list[tuple[Commit, Sequence[PackTable]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.path = self.folder / "live.db"
        self.catalog = Catalog.create(self.path, self.repository.repository_id, merge_at=4)

    def apply(self, catalog: Catalog, *packs: PackTable, minute: int | None = None, **fields: Any) -> None:
        """Commit as the next of the writers, as tests.catalog.build.Writer does without a repository."""
        number = len(self.commits) + 1
        writer = WRITERS[number % len(WRITERS)]
        tables = [replace(p, pack_id=hashlib.sha256(p.pack_id.encode()).hexdigest()) for p in packs]
        self.tables |= {table.pack_id: table for table in tables}
        previous = next((head for head in catalog.heads() if head.writer == writer), None)
        body = CommitBody(time=at(number if minute is None else minute), **fields)
        commit = self.repository.append(writer, previous, [table.pack_id for table in tables], body)
        catalog.apply(commit, tables)
        self.commits.append((commit, tables))

    def expire(self, account_id: str, nth: int, *, whole: bool) -> None:
        """Give up every nth ended version and closed snapshot of the account, or all of it."""
        with open_bases(self.path) as bases:
            pieces = [decode_piece(piece.data) for piece in bases.pieces(account_id)]
        ended = [(v.item_id, v.from_seq) for piece in pieces for v in piece.versions if v.until_seq is not None]
        points = [s.seq for piece in pieces for s in piece.snapshots if s.closed_at is not None]
        row = Expired(account_id, tuple(ended[::nth]), tuple(points[:-1:nth]), whole)
        self.apply(self.catalog, expired=(row,))

    def checkpoint(self) -> Commit | None:
        """A checkpoint of all up to now."""
        return make_checkpoint(self.repository, self.catalog, writer_id="w1", clock=FixedClock())

    def rebuilt(self, name: str = "rebuilt.db") -> Path:
        """A catalog made from the repository alone, as another process does it."""
        path = self.folder / name
        rebuild_catalog(path, reopen(self.repository), self.tables.__getitem__)
        return path

    def close(self) -> None:
        """Let the catalog go."""
        self.catalog.close()


@dataclass(frozen=True)
class Forget:
    """Retention gives up a part of an account, or all of it."""

    account_id: str
    nth: int
    whole: bool


@dataclass(frozen=True)
class Check:
    """A checkpoint; the commits that it replaces are deleted or not."""

    drop: bool


SOME = st.one_of(
    STEPS,
    st.builds(Forget, st.sampled_from([A, B]), st.integers(1, 3), st.booleans()).map(lambda step: [step]),
    st.builds(Check, st.booleans()).map(lambda step: [step]),
)


@settings(deadline=None, max_examples=40, derandomize=True)
@given(st.lists(SOME, max_size=6))
def test_any_history_with_checkpoints_in_between_rebuilds_to_the_live_catalog(parts: list[list[object]]) -> None:
    """Opens, moves, removals, debts, addresses and expiry, from two writers, with and without superseded commits."""
    with tempfile.TemporaryDirectory() as folder:
        place = Place(Path(folder))
        models, draft = {A: Model(), B: Model()}, Draft()
        for number, step in enumerate(step for part in parts for step in [*part, End((A, B), restart=False)]):
            match step:
                case End():
                    written(place, place.catalog, draft, models, step.closing)
                    draft = Draft()
                case Forget():
                    place.expire(step.account_id, step.nth, whole=step.whole)
                case Check():
                    place.checkpoint()
                    if step.drop:
                        drop_superseded(place.repository)
                case _:
                    draft.add(step, models[step.account_id].seq, number)  # type: ignore[attr-defined]
        place.close()
        assert same_content(place.path, place.rebuilt()) == []


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """An empty repository with its catalog."""
    made = Place(tmp_path)
    yield made
    made.close()


def start(place: Place, accounts: int = 2, items: int = 40) -> None:
    """Some accounts with a closed snapshot each."""
    ids = [f"mailbox:{number}" for number in range(accounts)]
    place.apply(
        place.catalog,
        runs=(run(1),),
        accounts=tuple(account(account_id) for account_id in ids),
        snapshots_opened=tuple(opened(1, account_id) for account_id in ids),
        containers=tuple(container(account_id=account_id, cursor="c1") for account_id in ids),
        versions=tuple(version(f"m{n}", 1, account_id=account_id) for account_id in ids for n in range(items)),
        snapshots_closed=tuple(closed(1, account_id) for account_id in ids),
    )


def change(place: Place, account_id: str, seq: int = 2) -> None:
    """One item of the account changes."""
    place.apply(
        place.catalog,
        snapshots_opened=(opened(seq, account_id),),
        versions=(version("m1", seq, account_id=account_id, etag=f"e{seq}"),),
        snapshots_closed=(closed(seq, account_id),),
    )


def subjects_of(repository: Repository) -> dict[str, SubjectRefs]:
    """What the newest checkpoint refers to."""
    newest = reopen(repository).newest_checkpoint()
    assert newest is not None
    return dict(newest[1].subjects)


def test_only_what_changed_is_written(place: Place) -> None:
    """An unchanged account keeps its references, a changed one has one record more; without a change there is none."""
    start(place)
    assert place.checkpoint() is not None
    assert place.checkpoint() is None
    first = subjects_of(place.repository)
    assert all(refs.base and not refs.deltas for refs in first.values())
    change(place, "mailbox:0")
    commit = place.checkpoint()
    assert commit is not None
    second = subjects_of(place.repository)
    assert second["mailbox:1"] == first["mailbox:1"]
    assert second["mailbox:0"].base == first["mailbox:0"].base
    assert len(second["mailbox:0"].deltas) == 1
    later = [here.head for here in place.repository.commits()]
    assert later == [commit.head]
    assert same_content(place.path, place.rebuilt()) == []


def test_more_changes_than_are_held_become_several_records(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the order of the commits, whichever accounts they are about."""
    start(place, items=100)
    place.checkpoint()
    monkeypatch.setattr(checkpointing, "HELD_BYTES", 0)
    for seq in (2, 3):
        change(place, "mailbox:0", seq)
        change(place, "mailbox:1", seq)
    place.checkpoint()
    subjects = subjects_of(place.repository)
    assert [len(subjects[f"mailbox:{number}"].deltas) for number in range(2)] == [2, 2]
    drop_superseded(place.repository)
    assert same_content(place.path, place.rebuilt()) == []


def test_a_checkpoint_made_anew_rests_on_nothing_before_it(place: Place) -> None:
    """Every account has a new base although nothing changed."""
    start(place)
    place.checkpoint()
    before = {ref for refs in subjects_of(place.repository).values() for ref in refs.base}
    commit = make_checkpoint(place.repository, place.catalog, writer_id="w1", clock=FixedClock(), anew=True)
    assert commit is not None
    after = subjects_of(place.repository)
    assert all(refs.base and not refs.deltas for refs in after.values())
    assert not before & {ref for refs in after.values() for ref in refs.base}


def test_how_far_it_is_is_told(place: Place) -> None:
    """By accounts that get a base."""
    start(place, accounts=3)
    told: list[tuple[int, int]] = []
    write_checkpoint(place.repository, place.path, lambda done, total: told.append((done, total)))
    assert told == [(number, 4) for number in range(1, 5)]


def test_changes_that_pile_up_become_a_base(place: Place) -> None:
    """Within a few checkpoints of small changes, and the references to the old base end."""
    start(place, accounts=1, items=100)
    place.checkpoint()
    first = subjects_of(place.repository)["mailbox:0"]
    shapes = []
    for seq in range(2, 12):
        change(place, "mailbox:0", seq)
        place.checkpoint()
        now = subjects_of(place.repository)["mailbox:0"]
        assert now.delta_bytes <= checkpointing.DELTA_SHARE * now.base_bytes
        shapes.append((now.base == first.base, len(now.deltas)))
    assert shapes[:2] == [(True, 1), (True, 2)]
    assert not shapes[-1][0]
    assert same_content(place.path, place.rebuilt()) == []


def test_what_expired_is_in_nothing_that_the_checkpoint_refers_to(place: Place) -> None:
    """A new base without the rows takes the place of the old one and of the changes that told of them."""
    start(place, accounts=1)
    place.checkpoint()
    place.apply(
        place.catalog,
        snapshots_opened=(opened(2, "mailbox:0"),),
        versions=(version("m1", 2, account_id="mailbox:0", name="the secret name"),),
    )
    place.apply(
        place.catalog,
        versions=(version("m1", 3, account_id="mailbox:0"),),
        snapshots_closed=(closed(3, "mailbox:0"),),
    )
    place.checkpoint()
    place.apply(place.catalog, expired=(Expired("mailbox:0", (("m1", 1), ("m1", 2))),))
    place.checkpoint()
    now = subjects_of(place.repository)["mailbox:0"]
    reader = SegmentReader(place.repository.objects)
    assert now.deltas == ()
    assert not any(b"the secret name" in reader.read(ref) for ref in now.base)
    assert same_content(place.path, place.rebuilt()) == []


def test_a_catalog_older_than_the_commits_go_back_can_not_be_brought_up_to_date(place: Place) -> None:
    """Commits that it never saw are gone; one that has seen as much as the checkpoint covers goes on."""
    start(place)
    shutil.copy(place.path, place.folder / "older.db")
    shutil.copy(f"{place.path}-wal", place.folder / "older.db-wal")
    change(place, "mailbox:0")
    shutil.copy(place.path, place.folder / "newer.db")
    shutil.copy(f"{place.path}-wal", place.folder / "newer.db-wal")
    place.checkpoint()
    change(place, "mailbox:1")
    drop_superseded(place.repository)
    older, newer = (Catalog.open(place.folder / name) for name in ("older.db", "newer.db"))
    with pytest.raises(Superseded):
        bring_up_to_date(older, reopen(place.repository))
    assert bring_up_to_date(newer, reopen(place.repository)) == 2
    older.close()
    newer.close()
    assert same_content(place.path, place.folder / "newer.db") == []


def test_commits_that_a_checkpoint_replaced_are_not_lost(place: Place) -> None:
    """Of either writer; one that nobody covers and that is not there is."""
    start(place)
    change(place, "mailbox:0")
    seen = place.catalog.heads()
    place.checkpoint()
    drop_superseded(place.repository)
    chains = reopen(place.repository).chains(seen)
    assert {head.writer for head in seen} == set(WRITERS)
    assert lost_heads(chains, seen) == ()
    gone = CommitHead("w1", seen[0].number + 9, "00" * 32)
    forked = CommitHead("w2", seen[1].number, "00" * 32)
    strange = CommitHead("w3", 1, "00" * 32)
    assert lost_heads(chains, [gone, forked, strange]) == (gone, forked, strange)


class Crash(Exception):
    """The program ended here."""


def crash_at(backend: FailingBackend, number: int, *, written: bool) -> None:
    """Crash at the so-many-th object from now on, before or after it is written."""
    moments = iter(range(number + 1))

    def fault(name: str, is_written: bool) -> None:
        if is_written == written and next(moments, number) == number:
            raise Crash(name)

    backend.fault = fault


@pytest.mark.parametrize("written", [False, True])
@pytest.mark.parametrize("number", range(4))
def test_a_crash_at_any_object_of_a_checkpoint_loses_nothing(tmp_path: Path, number: int, written: bool) -> None:
    """The catalog can be rebuilt to what it was, and the next checkpoint is whole."""
    backend = FailingBackend()
    place = Place(tmp_path, new_repository(backend))
    start(place)
    place.checkpoint()
    change(place, "mailbox:0")
    crash_at(backend, number, written=written)
    with contextlib.suppress(Crash):
        place.checkpoint()
    backend.fault = lambda name, is_written: None
    again = reopen(place.repository)
    bring_up_to_date(place.catalog, again)
    assert same_content(place.path, place.rebuilt("first.db")) == []
    place.repository = again
    change(place, "mailbox:1")
    assert place.checkpoint() is not None
    drop_superseded(place.repository)
    place.close()
    assert same_content(place.path, place.rebuilt("second.db")) == []
