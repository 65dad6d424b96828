"""Any history of commits against a model that keeps whole copies instead of intervals."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tuiback.catalog import Catalog, CatalogReader, same_content
from tuiback.model import Commit, CommitBody, Container, Kind, Owed, PackTable, Removal, SnapshotRow, VersionOpened

from .build import A, B, Writer, account, closed, container, folder, opened, owed, pack, part, removal, version

ITEMS = st.sampled_from([f"m{n}" for n in range(6)])
FOLDERS = st.sampled_from(["f1", "f2"])
ACCOUNTS = st.sampled_from([A, B])
CONTAINERS = st.sampled_from(["inbox", "archive"])


@dataclass(frozen=True)
class Open:
    """A new or changed item, perhaps moved."""

    account_id: str
    item_id: str
    container_id: str
    parent_id: str
    size: int


@dataclass(frozen=True)
class Leave:
    """An item leaves one container."""

    account_id: str
    item_id: str
    container_id: str


@dataclass(frozen=True)
class Place:
    """A folder item is listed, or leaves."""

    account_id: str
    folder_id: str
    there: bool


@dataclass(frozen=True)
class Owe:
    """A fetch fails, or succeeds at last."""

    account_id: str
    item_id: str
    cleared: bool


@dataclass(frozen=True)
class Advance:
    """A container's cursor moves on, or the container goes."""

    account_id: str
    container_id: str
    cursor: str


@dataclass(frozen=True)
class End:
    """The commit is written; these accounts' snapshots close with it; perhaps the program ends and starts again."""

    closing: tuple[str, ...]
    restart: bool


STEPS = st.lists(
    st.one_of(
        st.builds(Open, ACCOUNTS, ITEMS, CONTAINERS, st.just("") | FOLDERS, st.integers(0, 50)),
        st.builds(Leave, ACCOUNTS, ITEMS, CONTAINERS),
        st.builds(Place, ACCOUNTS, FOLDERS, st.booleans()),
        st.builds(Owe, ACCOUNTS, ITEMS, st.booleans()),
        st.builds(Advance, ACCOUNTS, CONTAINERS, st.sampled_from(["c1", "c2", ""])),
        st.builds(End, st.lists(ACCOUNTS, unique=True).map(tuple), st.booleans()),
        st.builds(End, st.lists(ACCOUNTS, unique=True).map(tuple), st.just(False)),
    ),
    max_size=60,
)


@dataclass
class Model:
    """What one account should look like."""

    seq: int = 1
    live: dict[str, VersionOpened] = field(default_factory=dict)
    leaving: set[tuple[str, str]] = field(default_factory=set)
    containers: dict[str, Container] = field(default_factory=dict)
    owed: dict[str, Owed] = field(default_factory=dict)
    points: dict[int, dict[str, VersionOpened]] = field(default_factory=dict)

    def apply(self, body: CommitBody) -> None:
        """Field by field, on whole copies; the body is one account's share."""
        self.containers |= {each.container_id: each for each in body.containers}
        for _, container_id in body.containers_removed:
            self.containers.pop(container_id, None)
        for each in body.versions:
            self.live[each.item_id] = each
            self.leaving.discard((each.item_id, each.container_id))
        self.leaving |= {(each.item_id, each.container_id) for each in body.removals}
        for debt in body.owed:
            self.owed.pop(debt.item_id, None)
            if not debt.cleared:
                self.owed[debt.item_id] = debt
        if body.snapshots_closed:
            self.close()

    def close(self) -> None:
        """What left and was not seen elsewhere is gone."""
        self.live = {
            item_id: each for item_id, each in self.live.items() if (item_id, each.container_id) not in self.leaving
        }
        self.leaving.clear()
        self.points[self.seq] = dict(self.live)
        self.seq += 1


@dataclass
class Draft:
    """The commit that is being collected."""

    versions: list[VersionOpened] = field(default_factory=list)
    removals: list[Removal] = field(default_factory=list)
    owed: list[Owed] = field(default_factory=list)
    containers: list[Container] = field(default_factory=list)
    containers_removed: list[tuple[str, str]] = field(default_factory=list)
    packs: list[PackTable] = field(default_factory=list)

    def add(self, step: object, seq: int, number: int) -> None:
        """Turn a step into rows."""
        match step:
            case Open():
                self.packs.append(pack(f"p{number}", [f"chunk {number}"]))
                self.versions.append(
                    version(
                        step.item_id, seq, account_id=step.account_id, container_id=step.container_id,
                        parent_id=step.parent_id, size=step.size, etag=f"e{number}", name=f"n{step.size % 3}",
                        parts=(part(f"chunk {number}"),),
                    )
                )
            case Leave():
                self.removals.append(removal(step.item_id, seq, step.container_id, step.account_id))
            case Place(there=True):
                self.versions.append(folder(step.folder_id, seq, account_id=step.account_id, etag=f"e{number}"))
            case Place():
                self.removals.append(removal(step.folder_id, seq, "folders", step.account_id))
            case Owe():
                self.owed.append(_debt(step, number))
            case Advance(cursor=""):
                self.containers_removed.append((step.account_id, step.container_id))
            case Advance():
                self.containers.append(container(step.container_id, step.account_id, cursor=step.cursor))


def _debt(step: Owe, number: int) -> Owed:
    debt = owed(step.item_id, tries=number, cleared=step.cleared)
    return replace(debt, account_id=step.account_id)


def _share(body: CommitBody, account_id: str) -> CommitBody:
    return replace(
        body,
        containers=tuple(each for each in body.containers if each.account_id == account_id),
        containers_removed=tuple(each for each in body.containers_removed if each[0] == account_id),
        versions=tuple(each for each in body.versions if each.account_id == account_id),
        removals=tuple(each for each in body.removals if each.account_id == account_id),
        owed=tuple(each for each in body.owed if each.account_id == account_id),
        snapshots_closed=tuple(each for each in body.snapshots_closed if each.account_id == account_id),
    )


class Writes(Protocol):
    """Makes commits of rows, and remembers them."""

    @property
    def commits(self) -> Sequence[tuple[Commit, Sequence[PackTable]]]: ...

    def apply(self, catalog: Catalog, *packs: PackTable, minute: int | None = None, **fields: Any) -> None: ...


def written(writer: Writes, catalog: Catalog, draft: Draft, models: dict[str, Model], closing: Sequence[str]) -> None:
    """Commit the draft, these accounts' snapshots closing with it, and tell the models."""
    rows: tuple[SnapshotRow, ...] = tuple(closed(models[account_id].seq, account_id) for account_id in closing)
    writer.apply(
        catalog,
        *draft.packs,
        accounts=(account(A), account(B)),
        snapshots_opened=tuple(opened(model.seq, account_id) for account_id, model in models.items()),
        containers=tuple(draft.containers),
        containers_removed=tuple(draft.containers_removed),
        versions=tuple(draft.versions),
        removals=tuple(draft.removals),
        owed=tuple(draft.owed),
        snapshots_closed=rows,
    )
    for account_id, model in models.items():
        model.apply(_share(writer.commits[-1][0].body, account_id))


def _expect(reader: CatalogReader, account_id: str, model: Model) -> None:
    for seq, held in model.points.items():
        walked = [entry for _, entry in reader.walk(account_id, seq)]
        assert {entry.item_id: entry.etag for entry in walked} == {key: each.etag for key, each in held.items()}
        assert len(walked) == len(held)
        for item_id, each in held.items():
            entry = reader.find_entry(account_id, item_id, seq)
            assert entry is not None
            assert (entry.name, entry.size, entry.parent_id) == (each.name, each.size, each.parent_id)
            assert reader.parts(account_id, item_id, entry.from_seq) == each.parts
    assert {point.seq: (point.items, point.bytes) for point in reader.points(account_id)} == {
        seq: (sum(each.kind is not Kind.FOLDER for each in held.values()), sum(each.size for each in held.values()))
        for seq, held in model.points.items()
    }
    assert reader.containers(account_id) == tuple(each for _, each in sorted(model.containers.items()))
    assert {debt.item_id: debt for debt in reader.owed(account_id)} == model.owed
    known = reader.known(account_id, [f"m{n}" for n in range(6)])
    assert {item_id for item_id, each in known.items() if each.live} == model.live.keys() - {"f1", "f2"}
    for container_id in ("inbox", "archive"):
        staying = {
            each.item_id
            for each in model.live.values()
            if each.container_id == container_id and (each.item_id, container_id) not in model.leaving
        }
        assert reader.live_item_ids(account_id, container_id) == staying
        assert reader.live_count(account_id, container_id) == len(staying)


@settings(deadline=None, max_examples=60, derandomize=True)
@given(STEPS)
def test_any_history_reads_as_the_model_says_and_replays_to_the_same(steps: list[object]) -> None:
    """Changes, moves, removals, aborted snapshots, cursors and debts of two accounts, with restarts in between."""
    models, writer, draft = {A: Model(), B: Model()}, Writer(), Draft()
    with tempfile.TemporaryDirectory() as folder_name:
        live, again = Path(folder_name, "live.db"), Path(folder_name, "again.db")
        catalog = Catalog.create(live, "repo-1", merge_at=4)
        for number, step in enumerate([*steps, End((A, B), restart=False)]):
            if not isinstance(step, End):
                draft.add(step, models[step.account_id].seq, number)  # type: ignore[attr-defined]
                continue
            written(writer, catalog, draft, models, step.closing)
            draft = Draft()
            if step.restart:
                catalog.close()
                catalog = Catalog.open(live, merge_at=4)
        reader = CatalogReader(live)
        for account_id, model in models.items():
            _expect(reader, account_id, model)
        reader.close()
        replayed = Catalog.create(again, "repo-1")
        writer.replay(replayed)
        assert same_content(live, again) == []
        replayed.close()
        catalog.close()
