import sqlite3
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from tuiback.catalog import Catalog, CatalogReader, same_content
from tuiback.errors import Damage, EnvironmentFault, FormatTooNew
from tuiback.model import CommitHead, ControlRow, Kind, Outcome

from .build import (
    A,
    B,
    Writer,
    account,
    at,
    chunk_id,
    closed,
    container,
    folder,
    opened,
    owed,
    pack,
    part,
    removal,
    run,
    version,
)
from .conftest import Bench


def test_versions_follow_each_other_from_snapshot_to_snapshot(bench: Bench) -> None:
    """Each snapshot shows the version that was valid then, the newest stays live."""
    bench.apply(snapshots_opened=(opened(1),), versions=(version("m", 1, name="old"),), snapshots_closed=(closed(1),))
    bench.apply(snapshots_opened=(opened(2),), versions=(version("m", 2, name="new"),), snapshots_closed=(closed(2),))
    assert bench.names(1) == ["old"]
    assert bench.names(2) == ["new"]
    assert [(entry.from_seq, entry.until_seq) for entry in bench.reader.versions(A, "m")] == [(2, None), (1, 2)]


def test_a_version_of_the_same_snapshot_is_replaced(bench: Bench) -> None:
    """What changes again before its snapshot closes was never in any point, and its parts go with it."""
    bench.apply(versions=(version("m", 1, name="first", parts=(part("a"), part("b"))),))
    bench.apply(versions=(version("m", 1, name="second", parts=(part("c"),)), version("m", 1, name="third")))
    assert [entry.name for entry in bench.reader.versions(A, "m")] == ["third"]
    assert bench.reader.parts(A, "m", 1) == ()
    assert bench.reader._rows("SELECT * FROM parts") == []
    assert bench.reader.totals().versions == 1
    assert bench.reader.totals().logical_bytes == 0


def test_items_that_stand_in_a_commit_more_than_once_end_as_the_last_row_says(bench: Bench) -> None:
    """Also new ones, with another item's rows in between."""
    rows = [(A, "e1"), (B, "e1"), (A, "e2"), (B, "e2"), (A, "e3")]
    bench.apply(versions=tuple(version("m", 1, account_id=account_id, etag=etag) for account_id, etag in rows))
    assert {bench.reader.known(account_id, ["m"])["m"].etag for account_id in (A, B)} == {"e3", "e2"}


def test_a_removal_waits_for_the_close(bench: Bench) -> None:
    """Until the snapshot closes the item is live, and known() tells that its removal is pending."""
    bench.apply(versions=(version("m", 1),), snapshots_closed=(closed(1),))
    bench.apply(snapshots_opened=(opened(2),), removals=(removal("m", 2),))
    assert bench.names(2) == ["m"]
    assert bench.reader.known(A, ["m"])["m"].removal_pending
    assert bench.reader.live_item_ids(A, "inbox") == set()
    bench.apply(snapshots_closed=(closed(2),))
    assert bench.names(2) == []
    assert bench.names(1) == ["m"]
    known = bench.reader.known(A, ["m"])["m"]
    assert not known.live
    assert not known.removal_pending


def test_a_moved_item_is_never_lost(bench: Bench) -> None:
    """A removal from the old container does not end a version that lies in the new one."""
    bench.apply(versions=(version("m", 1),), snapshots_closed=(closed(1),))
    bench.apply(removals=(removal("m", 2, "inbox"),))
    bench.apply(versions=(version("m", 2, container_id="archive"),), snapshots_closed=(closed(2),))
    assert bench.names(2) == ["m"]
    assert bench.reader.live_item_ids(A, "archive") == {"m"}


def test_a_removal_is_cancelled_by_the_item_coming_back(bench: Bench) -> None:
    """A version opened in the container that the item had left ends the wait."""
    bench.apply(versions=(version("m", 1),), snapshots_closed=(closed(1),))
    bench.apply(removals=(removal("m", 2),))
    bench.apply(versions=(version("m", 2, name="back"),), snapshots_closed=(closed(2),))
    assert bench.names(2) == ["back"]


def test_an_item_that_came_and_went_within_one_snapshot_can_still_be_found(bench: Bench) -> None:
    """Its bytes are stored, so it shows among the deleted although no point ever held it."""
    bench.apply(versions=(version("m", 1),), removals=(removal("m", 1),), snapshots_closed=(closed(1),))
    assert bench.names(1) == []
    assert bench.names(1, deleted=True) == ["m"]
    entry = bench.reader.find_entry(A, "m", None)
    assert entry is not None
    assert (entry.from_seq, entry.until_seq) == (1, 1)


def test_a_removal_of_an_item_never_stored_changes_nothing(bench: Bench) -> None:
    """A deletion may be listed for something that was gone before it was ever fetched."""
    bench.apply(removals=(removal("ghost", 1),), snapshots_closed=(closed(1),))
    assert bench.names(1, deleted=True) == []
    assert bench.reader.known(A, ["ghost"]) == {}
    assert [point.items for point in bench.reader.points(A)] == [0]


def test_points_carry_the_figures_of_their_close(bench: Bench) -> None:
    """Items and bytes count what was live when the snapshot closed, folders left out."""
    bench.apply(
        accounts=(account(),),
        runs=(run(1),),
        versions=(folder("f", 1, size=99), version("m", 1, size=10), version("n", 1, size=5)),
        snapshots_closed=(closed(1),),
    )
    bench.apply(versions=(version("o", 2, size=1),), removals=(removal("m", 2),), snapshots_closed=(closed(2),))
    assert [(point.seq, point.items, point.bytes, point.task) for point in bench.reader.points(A)] == [
        (2, 2, 6, "mail"),
        (1, 2, 15, "mail"),
    ]
    assert bench.reader.points(A)[0].taken_at == at(3)


def test_an_unchanged_snapshot_is_only_verified_again(bench: Bench) -> None:
    """The last point's verified_until moves on and nothing else."""
    bench.apply(accounts=(account(),), versions=(version("m", 1),), snapshots_closed=(closed(1),))
    bench.apply(snapshots_closed=(closed(1, verified_until=at(500)),))
    (point,) = bench.reader.points(A)
    assert (point.taken_at, point.verified_until, point.items) == (at(2), at(500), 1)


def test_an_open_snapshot_is_found_and_continued(bench: Bench) -> None:
    """An aborted snapshot is no point; the next run goes on with its number."""
    bench.apply(accounts=(account(),), snapshots_opened=(opened(1),), versions=(version("m", 1),))
    assert bench.reader.points(A) == ()
    assert bench.reader.open_snapshot(A) == opened(1)
    bench.apply(snapshots_opened=(opened(1, run=2),))
    snapshot = bench.reader.open_snapshot(A)
    assert snapshot is not None
    assert snapshot.run == 2
    bench.apply(snapshots_closed=(closed(1, verified_until=at(7)),))
    assert bench.reader.open_snapshot(A) is None
    assert bench.reader.last_seq(A) == 1
    assert bench.reader.find_snapshot(A, 1) == closed(1, verified_until=at(7))
    assert bench.reader.find_snapshot(A, 2) is None


def test_containers_keep_their_cursor_until_they_go(bench: Bench) -> None:
    """A container that comes back starts without the cursor it once had."""
    inbox = container(cursor="c1", relisting=True)
    bench.apply(containers=(inbox, container("old")))
    assert bench.reader.containers(A) == (inbox, container("old"))
    assert bench.reader.is_listing_again()
    bench.apply(containers_removed=((A, "inbox"),))
    assert bench.reader.containers(A) == (container("old"),)
    assert not bench.reader.is_listing_again()
    bench.apply(containers=(container(),))
    assert bench.reader.containers(A)[0] == container()


def test_debts_are_counted_up_and_cleared(bench: Bench) -> None:
    """One debt an item; debts that name no item are one a container."""
    bench.apply(owed=(owed("m"), owed("", "inbox"), owed("", "other")))
    bench.apply(owed=(owed("m", container_id="moved", tries=2),))
    assert [(debt.item_id, debt.container_id, debt.tries) for debt in bench.reader.owed(A)] == [
        ("", "inbox", 1),
        ("", "other", 1),
        ("m", "moved", 2),
    ]
    bench.apply(owed=(owed("m", cleared=True), owed("", "other", cleared=True)))
    assert bench.reader.owed() == (owed("", "inbox"),)
    assert bench.reader.owed(task="no such task") == ()


def test_chunks_are_found_by_their_whole_id(bench: Bench) -> None:
    """Two chunks that share the key half of their ids are told apart."""
    table = pack("p1", ["one", "two"])
    twin = msgspec.structs.replace(table.entries[0], chunk_id=table.entries[0].chunk_id[:16] + b"x" * 16, slot=7)
    bench.apply(replace(table, entries=(*table.entries, twin)))
    found = bench.reader.find_chunks([chunk_id("one"), chunk_id("none"), twin.chunk_id])
    assert {key: place.slot for key, place in found.items()} == {chunk_id("one"): 0, twin.chunk_id: 7}
    assert found[chunk_id("one")].pack_id == "p1"
    assert set(bench.reader.find_chunks([twin.chunk_id])) == {twin.chunk_id}
    assert bench.reader.totals().chunks == 3


def test_a_chunk_stored_again_is_read_from_the_newer_pack(bench: Bench) -> None:
    """That is how a repair replaces a damaged pack; the chunk counts once."""
    bench.apply(pack("p1", ["one", "two"]))
    bench.apply(pack("p2", ["two", "three"]))
    found = bench.reader.find_chunks([chunk_id("one"), chunk_id("two")])
    assert [place.pack_id for place in found.values()] in (["p1", "p2"], ["p2", "p1"])
    assert found[chunk_id("two")].pack_id == "p2"
    totals = bench.reader.totals()
    assert (totals.chunks, totals.packs, totals.stored_bytes) == (3, 2, 440)


def test_known_tells_the_newest_version_with_its_parts(bench: Bench) -> None:
    """More ids than fit one statement are asked for at once; unknown ones are left out."""
    versions = tuple(version(f"m{n}", 1, parts=(part(f"p{n}", "properties"), part(f"x{n}"))) for n in range(1200))
    bench.apply(versions=versions)
    known = bench.reader.known(A, [f"m{n}" for n in range(1300)])
    assert len(known) == 1200
    assert known["m700"].parts == (part("p700", "properties"), part("x700"))
    assert known["m700"].live


def test_controls_are_put_and_removed(bench: Bench) -> None:
    """Without data a control row goes."""
    bench.apply(controls=(ControlRow("task", "t1", b'{"name":"t1","tenant":"x","service":"exchange"}'),))
    assert [task.name for task in bench.reader.tasks()] == ["t1"]
    bench.apply(controls=(ControlRow("task", "t1", None),))
    assert bench.reader.tasks() == ()


def test_a_run_ends_in_place(bench: Bench) -> None:
    """The row of a run is replaced by its end; the newest run comes first."""
    bench.apply(runs=(run(1), run(2, "files")))
    ended = run(1, ended_at=at(9), outcome=Outcome.PARTIAL)
    bench.apply(runs=(ended,))
    assert bench.reader.runs() == (run(2, "files"), ended)
    assert bench.reader.runs("mail") == (ended,)
    assert bench.reader.last_run_number() == 2


@pytest.mark.parametrize(("number", "previous"), [(3, "w1-1"), (2, "other"), (1, ""), (2, "")])
def test_a_commit_that_does_not_follow_is_refused(bench: Bench, number: int, previous: str) -> None:
    """Neither a gap nor another history nor the same commit again gets in."""
    bench.apply(versions=(version("m", 1),))
    commit = bench.writer.commit(versions=(version("n", 1),))
    with pytest.raises(Damage, match="does not follow"):
        bench.catalog.apply(replace(commit, head=CommitHead("w1", number, "d"), previous=previous), ())
    assert bench.catalog.heads() == (CommitHead("w1", 1, "w1-1"),)
    assert bench.reader.known(A, ["n"]) == {}


def test_each_writer_has_its_own_history(bench: Bench) -> None:
    """Commits of two writers may come in turns."""
    other = Writer("w2")
    bench.apply(versions=(version("m", 1),))
    other.apply(bench.catalog, versions=(version("x", 1, account_id=B),))
    bench.apply(versions=(version("n", 1),))
    assert bench.catalog.heads() == (CommitHead("w1", 2, "w1-2"), CommitHead("w2", 1, "w2-1"))


def test_a_commit_without_its_pack_tables_is_refused(bench: Bench) -> None:
    """Otherwise its chunks could never be found."""
    commit = bench.writer.commit(pack("p1", ["one"]))
    with pytest.raises(Damage, match="pack tables"):
        bench.catalog.apply(commit, ())


def test_a_commit_that_fails_midway_leaves_nothing(bench: Bench) -> None:
    """One transaction: packs, versions and the head go together or not at all."""
    broken = msgspec.structs.replace(version("m", 1), size=2**70)
    commit = bench.writer.commit(pack("p1", ["one"]), versions=(broken,))
    with pytest.raises(OverflowError):
        bench.catalog.apply(commit, (pack("p1", ["one"]),))
    assert bench.catalog.heads() == ()
    assert bench.reader.find_chunks([chunk_id("one")]) == {}


def test_an_existing_catalog_goes_on_where_it_was(bench: Bench) -> None:
    """Closing and opening keeps everything."""
    bench.apply(versions=(version("m", 1),), snapshots_closed=(closed(1),))
    bench.catalog.close()
    bench.catalog = Catalog.open(bench.path)
    assert bench.catalog.repository_id == "repo-1"
    bench.apply(versions=(version("n", 2),), snapshots_closed=(closed(2),))
    assert bench.names(2) == ["m", "n"]


def test_create_never_overwrites(bench: Bench) -> None:
    """A catalog that is there stays as it is."""
    with pytest.raises(EnvironmentFault, match="already"):
        Catalog.create(bench.path, "repo-2")
    assert bench.reader.repository_id() == "repo-1"


def test_a_crash_while_a_catalog_is_made_leaves_nothing_in_its_place(tmp_path: Path) -> None:
    """Half a file has another name, and the next attempt begins anew."""
    path = tmp_path / "catalog.db"
    for suffix in ("", "-wal", "-shm"):
        (tmp_path / f"catalog.db.new{suffix}").write_bytes(b"half")
    Catalog.create(path, "repo-1").close()
    assert sorted(file.name for file in tmp_path.iterdir()) == ["catalog.db"]


@pytest.mark.parametrize("opening", [Catalog.open, CatalogReader])
def test_what_is_no_catalog_is_told(tmp_path: Path, opening: type[CatalogReader]) -> None:
    """Missing, empty, foreign and newer files each get their own error, and are left as they are."""
    missing, empty, foreign, newer = (tmp_path / name for name in ("missing", "empty", "foreign", "newer"))
    with pytest.raises(EnvironmentFault, match="rebuild-catalog"):
        opening(missing)
    assert not missing.exists()
    empty.touch()
    with pytest.raises(Damage, match="empty"):
        opening(empty)
    foreign.write_bytes(b"not a database at all" * 100)
    with pytest.raises(Damage, match="not a database"):
        opening(foreign)
    Catalog.create(newer, "repo-1").close()
    with sqlite3.connect(newer) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(FormatTooNew, match="99"):
        opening(newer)


def test_replaying_all_commits_gives_the_same_content(bench: Bench, tmp_path: Path) -> None:
    """The catalog holds nothing that the commits don't say."""
    bench.apply(
        pack("p1", ["one", "two"]),
        accounts=(account(address="a@x"), account(B)),
        runs=(run(1),),
        snapshots_opened=(opened(1),),
        containers=(container(cursor="c"),),
        versions=(version("m", 1, parts=(part("one"),)), version("n", 1)),
        owed=(owed("late"),),
    )
    bench.apply(accounts=(account(address="b@x"),), snapshots_closed=(closed(1),), removals=(removal("n", 1),))
    bench.apply(versions=(version("m", 2, name="changed"),), removals=(removal("m", 2),))
    again = tmp_path / "again.db"
    catalog = Catalog.create(again, "repo-1")
    bench.writer.replay(catalog)
    catalog.close()
    assert same_content(bench.path, again) == []


def test_a_folder_and_a_message_are_both_items(bench: Bench) -> None:
    """Folders have versions, names and parents like everything else."""
    bench.apply(versions=(folder("f", 1, name="Inbox"), version("m", 1, parent_id="f")))
    assert bench.names(1, kinds=(Kind.FOLDER,)) == ["Inbox"]
    assert bench.names(1, "f") == ["m"]
