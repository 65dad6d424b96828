"""What expired is in no listing, no figure and no byte of the file; everything else is as it was."""

import random
import sqlite3
from pathlib import Path

import pytest

from tuiback.catalog import Catalog, CatalogReader, EndedVersion, same_content, short_id
from tuiback.model import AccountState, Expired, Kind, VersionOpened

from .build import A, B, account, closed, container, folder, opened, owed, part, removal, run, version
from .conftest import Bench


def _count(path: Path, table: str) -> int:
    connection = sqlite3.connect(path)
    (count,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
    connection.close()
    return int(count)


def _versions(bench: Bench, item_id: str) -> list[tuple[int, int | None]]:
    return [(entry.from_seq, entry.until_seq) for entry in bench.reader.versions(A, item_id)]


@pytest.fixture
def three(bench: Bench) -> Bench:
    """A message changed at every one of three snapshots; another one removed at the second."""
    first = (version("m", 1, name="one", parts=(part("aaa"),)), version("gone", 1, parts=(part("bbbb"),)))
    bench.apply(accounts=(account(),), runs=(run(1),), versions=first, snapshots_closed=(closed(1),))
    second = (version("m", 2, name="two", parts=(part("cc"),)),)
    bench.apply(versions=second, removals=(removal("gone", 2),), snapshots_closed=(closed(2),))
    bench.apply(versions=(version("m", 3, name="three", parts=(part("d"),)),), snapshots_closed=(closed(3),))
    return bench


def test_versions_points_and_figures_go_together(three: Bench) -> None:
    """What is left counts as if the rest had never been; the rows beside a version go with it."""
    three.apply(expired=(Expired(A, (("m", 1), ("gone", 1)), (1,)),))
    assert _versions(three, "m") == [(3, None), (2, 3)]
    assert [point.seq for point in three.reader.points(A)] == [3, 2]
    assert three.reader.account_overview()[0].points == 2
    totals = three.reader.totals()
    assert (totals.versions, totals.logical_bytes, totals.items) == (2, 3, 1)
    assert three.names(2) == ["two"]
    assert three.names(3, deleted=True) == []
    assert three.reader.known(A, ["gone"]) == {}
    assert three.reader.find_entry(A, "gone", None) is None
    # The root and the message are the only items left; the spans are those of one version of one snapshot.
    assert [_count(three.path, table) for table in ("items", "versions", "parts", "spans_by_name")] == [2, 2, 2, 1]


def test_what_must_stay_stays_whatever_a_row_says(three: Bench) -> None:
    """Live versions, the newest point, the open snapshot, and what was never there."""
    three.apply(snapshots_opened=(opened(4),))
    three.apply(
        expired=(
            Expired(A, (("m", 3), ("m", 9), ("none", 1), ("m", 2), ("m", 2)), (2, 3, 4, 77)),
            Expired("mailbox:nobody", (("m", 1),), (1,), whole=False),
            Expired("mailbox:nobody", whole=True),
        )
    )
    assert _versions(three, "m") == [(3, None), (1, 2)]
    assert [point.seq for point in three.reader.points(A)] == [3, 1]
    assert three.reader.open_snapshot(A) == opened(4)
    assert [each.account_id for each in three.reader.accounts()] == [A]
    assert three.reader.totals().versions == 3
    assert _count(three.path, "accounts") == 1


def test_an_item_that_expired_comes_back_as_a_new_one(three: Bench) -> None:
    """Its id is given a number again, and its versions begin anew."""
    three.apply(expired=(Expired(A, (("gone", 1),)),))
    three.apply(versions=(version("gone", 4, name="back"),), snapshots_closed=(closed(4),))
    assert _versions(three, "gone") == [(4, None)]
    assert three.names(4) == ["back", "three"]
    assert three.names(3) == ["three"]


def test_a_folder_stays_known_while_anything_lies_in_it(bench: Bench) -> None:
    """Its own versions may expire before those of what lay in it."""
    bench.apply(
        versions=(folder("f", 1), version("m", 1, parent_id="f"), version("n", 1, parent_id="f")),
        snapshots_closed=(closed(1),),
    )
    removals = (removal("f", 2, "folders"), removal("m", 2), removal("n", 2))
    bench.apply(removals=removals, snapshots_closed=(closed(2),))
    bench.apply(expired=(Expired(A, (("f", 1), ("n", 1))),))
    assert bench.names(1, "f") == ["m"]
    assert [path for path, _ in bench.reader.walk(A, 1)] == [f"#{short_id('f')}/m"]
    assert _count(bench.path, "items") == 2
    bench.apply(expired=(Expired(A, (("m", 1),)),))
    assert [_count(bench.path, table) for table in ("items", "parents", "versions")] == [0, 0, 0]


def test_a_path_leads_through_folders_whose_older_versions_expired(bench: Bench) -> None:
    """An item that began when its folder had another name is named by what is known of the folder."""
    bench.apply(versions=(folder("f", 1, name="old"), version("m", 1, parent_id="f")), snapshots_closed=(closed(1),))
    bench.apply(versions=(folder("f", 2, name="new"),), snapshots_closed=(closed(2),))
    bench.apply(expired=(Expired(A, (("f", 1),), (1,)),))
    assert bench.reader.path_of(A, "m", 1) == "new/m"


def test_a_container_that_went_is_forgotten_with_its_last_version(bench: Bench) -> None:
    """One that is there stays, and so does one that a version still names."""
    bench.apply(
        containers=(container("inbox"), container("c1"), container("c2")),
        versions=(version("m", 1, container_id="c1"), version("n", 1, container_id="c2"), version("o", 1)),
        snapshots_closed=(closed(1),),
    )
    removals = (removal("m", 2, "c1"), removal("n", 2, "c2"), removal("o", 2))
    bench.apply(containers_removed=((A, "c1"), (A, "c2")), removals=removals, snapshots_closed=(closed(2),))
    bench.apply(expired=(Expired(A, (("m", 1), ("o", 1))),))
    rows = bench.reader._rows("SELECT container_id, name, present FROM containers ORDER BY container_id")
    assert rows == [("c2", "", 0), ("inbox", "inbox", 1)]


def test_an_account_given_up_whole_leaves_nothing(three: Bench) -> None:
    """Live versions, debts, addresses, an open snapshot and the account itself; others keep all of theirs."""
    three.apply(
        accounts=(account(B, address="b@x.example"),),
        versions=(version("m", 1, account_id=B, container_id="c"), folder("f", 1, account_id=B)),
        containers=(container("c", B),),
        owed=(owed("x"),),
        snapshots_closed=(closed(1, B),),
        snapshots_opened=(opened(4), opened(2, B)),
        removals=(removal("m", 4),),
    )
    before = three.reader.points(B)
    three.apply(accounts=(account(state=AccountState.GONE, address="a@x.example"),), expired=(Expired(A, whole=True),))
    assert [each.account_id for each in three.reader.accounts()] == [B]
    assert three.reader.points(A) == ()
    assert three.reader.points(B) == before
    assert [entry.name for entry in three.reader.children(B, 1, "")] == ["f", "m"]
    assert three.reader.totals().versions == 2
    tables = ("owed", "removals", "parts", "aliases", "snapshots", "containers")
    assert [_count(three.path, table) for table in tables] == [0, 0, 0, 1, 2, 2]
    assert [_count(three.path, table) for table in ("spans_by_name", "spans_by_modified")] == [0, 0]
    three.apply(accounts=(account(),), versions=(version("m", 1),), snapshots_closed=(closed(1),))
    assert three.names(1) == ["m"]


def test_a_replay_forgets_the_same(three: Bench, tmp_path: Path) -> None:
    """Expiry is a commit like any other."""
    three.apply(expired=(Expired(A, (("m", 1), ("gone", 1)), (1,)),))
    again = Catalog.create(tmp_path / "again.db", "repo-1")
    three.writer.replay(again)
    again.close()
    assert same_content(three.path, tmp_path / "again.db") == []


_ITEMS = 300


def _mails(chance: random.Random, seq: int, secrets: set[str]) -> tuple[VersionOpened, ...]:
    mails = []
    for number in chance.sample(range(_ITEMS), 60):
        subject = f"Subject{chance.getrandbits(64):016x}"
        mails.append(
            version(
                f"item-{number:04}", seq, name=subject, etag=f"tag-{subject}", parent_id=f"folder-{number % 7}",
                attrs=(("from", f"from-{subject}"),), parts=(part(subject),),
            )
        )
        secrets.add(subject.casefold())
    return tuple(mails)


def test_no_byte_of_the_file_tells_what_expired(bench: Bench) -> None:
    """Neither subject, id nor address: not in rows, indexes, free space or the log, after the file is written anew."""
    chance, subjects = random.Random(7), set[str]()
    bench.apply(accounts=(account(), account(B, address="left@secret.example", name="Left Secret")))
    bench.apply(versions=(version("b-item", 1, account_id=B, name="b-subject"),), snapshots_closed=(closed(1, B),))
    for seq in range(1, 25):
        gone = tuple(removal(f"item-{number:04}", seq) for number in chance.sample(range(_ITEMS), 20))
        mails = _mails(chance, seq, subjects)
        bench.apply(versions=mails, removals=gone, snapshots_closed=(closed(seq),))
    ended = [each for page in bench.reader.ended_versions(A, 24, 24) for each in page]
    rows = tuple((each.item_id, each.from_seq) for each in ended)
    bench.apply(expired=(Expired(A, rows, tuple(range(1, 24))), Expired(B, whole=True)))
    assert bench.reader.totals().versions == bench.reader.totals().items > 50
    kept = bench.reader._rows("SELECT i.item_id, v.sort_name FROM versions v JOIN items i USING (item_no)")
    assert len(rows) > 500
    bench.catalog.compact()
    content = b"".join(path.read_bytes() for path in bench.path.parent.glob("catalog.db*"))
    left = content.decode("latin-1").casefold()
    assert all(name in left for _, name in kept)
    assert [name for name in subjects - {name for _, name in kept} if name in left] == []
    assert [item for item in {item for item, _ in rows} - {item for item, _ in kept} if item in left] == []
    assert "secret" not in left
    assert "b-item" not in left
    assert "b-subject" not in left
    assert bench.reader.totals().versions == len(kept)


def test_ended_versions_are_found_in_pages_and_live_ones_never(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each once, in whatever folder and however long it lived; those that no snapshot held by when they went."""
    monkeypatch.setattr("tuiback.catalog.ended._PAGE", 3)
    chance, live = random.Random(3), dict[str, tuple[int, str]]()
    expected: set[EndedVersion] = set()
    for seq in range(1, 40):
        opening = [f"i{number}" for number in chance.sample(range(20), 4)]
        leaving = [f"i{number}" for number in chance.sample(range(20), 2)]
        rows = []
        for item_id in opening:
            kind = chance.choice([Kind.MESSAGE, Kind.FOLDER])
            rows.append(version(item_id, seq, kind=kind, parent_id=chance.choice(["", "f", "g"]), parts=(part("x"),)))
            if item_id in live:
                expected.add(EndedVersion(item_id, live[item_id][0], seq, False, False, 1))
            live[item_id] = (seq, kind)
        for item_id in leaving:
            if item_id in live:
                expected = {each._replace(last=each.last and each.item_id != item_id) for each in expected}
                expected.add(EndedVersion(item_id, live.pop(item_id)[0], seq, True, True, 1))
        expected = {each._replace(last=each.last and each.item_id not in live) for each in expected}
        removals = tuple(removal(item_id, seq) for item_id in leaving)
        bench.apply(versions=tuple(rows), removals=removals, snapshots_closed=(closed(seq),))

    def found(until_seq: int, removed_until_seq: int) -> list[EndedVersion]:
        pages = list(bench.reader.ended_versions(A, until_seq, removed_until_seq))
        assert all(1 <= len(page) <= 3 for page in pages)
        return sorted(EndedVersion(*each) for page in pages for each in page)

    assert found(40, 40) == sorted(expected)
    assert any(each.from_seq == each.until_seq for each in expected)
    some = [each for each in expected if each.until_seq <= (8 if each.from_seq == each.until_seq else 25)]
    assert found(25, 8) == sorted(some)
    assert found(0, 0) == []
    assert list(bench.reader.ended_versions("mailbox:nobody", 40, 40)) == []
    assert bench.reader.kept_figures(A) == (len(expected) + len(live),) * 2
    assert bench.reader.kept_figures("mailbox:nobody") == (0, 0)


def test_a_reader_sees_the_compacted_file(three: Bench) -> None:
    """Readers go on over the file written anew, and so does the writer."""
    with_open_pages = CatalogReader(three.path)
    assert with_open_pages.totals().versions == 4
    three.apply(expired=(Expired(A, (("m", 1),)),))
    three.catalog.compact()
    assert with_open_pages.totals().versions == 3
    three.apply(versions=(version("new", 4),), snapshots_closed=(closed(4),))
    assert three.names(4) == ["new", "three"]
    with_open_pages.close()
