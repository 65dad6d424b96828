"""What of each pack is needed: all of it and nothing else, in little memory, and with nothing left behind."""

import hashlib
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tuiback.catalog import Catalog, Sieve
from tuiback.catalog import sieve as sieve_module
from tuiback.errors import StorageFull
from tuiback.model import ChunkEntry, Expired, PackTable, StoredPart

from .build import A, Writer, chunk_id, closed, pack, part, removal, version
from .conftest import Bench


def _no_lists(listed: StoredPart) -> Iterator[bytes]:
    raise AssertionError(listed)


def _use(path: Path) -> dict[str, tuple[int, int]]:
    with Sieve(path, _no_lists) as sieve:
        return {each.pack_id: (each.stored_bytes, each.live_bytes) for each in sieve.packs()}


def _part_of(*texts: str) -> StoredPart:
    return replace(part(texts[0]), chunks=tuple(chunk_id(text) for text in texts))


def test_a_pack_lives_by_the_share_of_its_plain_bytes(bench: Bench) -> None:
    """Live, ended and shared versions need chunks; what no version names is dead."""
    bench.apply(
        pack("p1", ["a", "b", "c", "d"]),
        pack("p2", ["e"]),
        pack("p3", ["f"]),
        versions=(version("m", 1, parts=(_part_of("a", "b"),)), version("n", 1, parts=(part("b"), part("f")))),
        snapshots_closed=(closed(1),),
    )
    bench.apply(removals=(removal("n", 2),), snapshots_closed=(closed(2),))
    assert _use(bench.path) == {"p1": (420, 210), "p2": (120, 0), "p3": (120, 120)}


def test_what_is_about_to_expire_needs_nothing(bench: Bench) -> None:
    """Ended versions that are named and accounts given up whole count as gone; live versions stay, whatever is said."""
    bench.apply(
        *(pack(f"p{number}", [name]) for number, name in enumerate(("ended", "kept", "live", "whole"), 1)),
        versions=(version("m", 1, parts=(part("ended"),)), version("n", 1, parts=(part("kept"),))),
        snapshots_closed=(closed(1),),
    )
    bench.apply(
        versions=(version("m", 2, parts=(part("live"),)), version("n", 2, parts=(part("live"),))),
        snapshots_closed=(closed(2),),
    )
    bench.apply(versions=(version("w", 1, account_id="mailbox:gone", parts=(part("whole"),)),))
    expired = [Expired(A, (("m", 1), ("m", 2), ("nobody", 1))), Expired("mailbox:gone", whole=True), Expired("no one")]
    with Sieve(bench.path, _no_lists, expired) as sieve:
        assert [each.live_bytes for each in sieve.packs()] == [0, 120, 120, 0]
    assert [live for _, live in _use(bench.path).values()] == [120, 120, 120, 120]


def test_a_catalog_without_versions_or_packs_needs_nothing(bench: Bench) -> None:
    """There is nothing to map and nothing to tell."""
    assert _use(bench.path) == {}
    bench.apply(pack("p1", ["a"]))
    assert _use(bench.path) == {"p1": (120, 0)}
    with Sieve(bench.path, _no_lists) as sieve:
        assert sieve.live_entries(pack("p1", ["a"])) == []


def test_little_that_is_needed_is_never_nothing(bench: Bench) -> None:
    """Even a chunk of no bytes keeps its pack from being dropped."""
    big = ChunkEntry(chunk_id("big"), 0, 0, 10, 0, 10_000_000)
    empty = ChunkEntry(chunk_id("empty"), 1, 10, 10, 0, 0)
    bench.apply(PackTable("p1", 50, (big, empty)), versions=(version("m", 1, parts=(part("empty"),)),))
    assert _use(bench.path) == {"p1": (50, 1)}


def test_a_chunk_stored_again_is_needed_in_its_newer_pack_only(bench: Bench) -> None:
    """The older copy is never read, so nobody needs it."""
    tables = pack("p1", ["a", "b"]), pack("p2", ["a"])
    for table in tables:
        bench.apply(table)
    bench.apply(versions=(version("m", 1, parts=(_part_of("a", "b"),)),))
    with Sieve(bench.path, _no_lists) as sieve:
        assert [[entry.chunk_id for entry in sieve.live_entries(table)] for table in tables] == [
            [chunk_id("b")], [chunk_id("a")],
        ]
        assert {each.pack_id: each.live_bytes for each in sieve.packs()} == {"p1": 220, "p2": 120}


def test_chunks_inside_lists_are_needed(bench: Bench) -> None:
    """Whoever can read the lists tells what they name, on all levels; other parts are not asked about."""
    listed = replace(_part_of("list"), form="list1", name="content", size=9)
    bench.apply(
        pack("p1", ["list"]),
        pack("p2", ["inside"]),
        pack("p3", ["mail"]),
        pack("p4", ["other"]),
        versions=(version("m", 1, parts=(replace(part("mail"), form="mime"), listed)),),
    )
    asked: list[StoredPart] = []

    def inner_ids(of: StoredPart) -> list[bytes]:
        asked.append(of)
        return [chunk_id("inside")]

    with Sieve(bench.path, inner_ids) as sieve:
        assert {each.pack_id: each.live_bytes > 0 for each in sieve.packs()} == {
            "p1": True, "p2": True, "p3": True, "p4": False,
        }
    assert asked == [listed]


def test_packs_that_come_meanwhile_are_not_judged(bench: Bench) -> None:
    """Their versions were not looked at."""
    bench.apply(pack("p1", ["a", "b"]), versions=(version("m", 1, parts=(part("a"),)),))
    with Sieve(bench.path, _no_lists) as sieve:
        bench.apply(pack("p2", ["c"]), versions=(version("n", 1, parts=(_part_of("b", "c"),)),))
        assert [(each.pack_id, each.live_bytes) for each in sieve.packs()] == [("p1", 110)]


def test_its_files_are_its_owners_alone_and_go_whatever_happens(bench: Bench) -> None:
    """At the end, after an error within or of its own, and what a kill left goes with the next one."""
    bench.apply(pack("p1", ["a"]), versions=(version("m", 1, parts=(part("a"),)),))
    pattern = "catalog.db.sieve-*"
    left = bench.path.with_name("catalog.db.sieve-left")
    left.mkdir()
    (left / "00").write_bytes(b"x")
    with Sieve(bench.path, _no_lists):
        (folder,) = bench.path.parent.glob(pattern)
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert list(bench.path.parent.glob(pattern)) == []
    with pytest.raises(ZeroDivisionError), Sieve(bench.path, _no_lists):
        raise ZeroDivisionError
    bench.apply(versions=(version("n", 1, parts=(replace(part("a"), form="list1"),)),))
    with pytest.raises(AssertionError), Sieve(bench.path, _no_lists):
        pass
    assert list(bench.path.parent.glob(pattern)) == []


def test_a_full_disk_is_told(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """As StorageFull, and the files go all the same; what the reader of lists raises passes as it is."""

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    listed = replace(part("a"), form="list1")
    bench.apply(pack("p1", ["a"]), versions=(version("m", 1, parts=(listed,)),))
    with pytest.raises(OSError, match="No space left"), Sieve(bench.path, fail):  # type: ignore[arg-type]
        pass
    monkeypatch.setattr(Path, "open", fail)
    with pytest.raises(StorageFull, match="No space left"), Sieve(bench.path, lambda _: ()):
        pass
    assert list(bench.path.parent.glob("*.sieve-*")) == []


def _id(number: int) -> bytes:
    return hashlib.blake2b(str(number).encode(), digest_size=32).digest()


@settings(deadline=None, max_examples=30, derandomize=True)
@given(
    packs=st.lists(st.lists(st.integers(0, 80), max_size=20, unique=True), min_size=1, max_size=8),
    needed=st.lists(st.lists(st.integers(0, 90), max_size=8), max_size=12),
    merge_at=st.integers(1, 40),
)
def test_what_is_needed_is_told_exactly(
    tmp_path_factory: pytest.TempPathFactory, packs: list[list[int]], needed: list[list[int]], merge_at: int
) -> None:
    """Whatever waits and whatever is merged; with small buffers and pages too."""
    path = tmp_path_factory.mktemp("sieve") / "c.db"
    catalog, writer = Catalog.create(path, "repo-1", merge_at=merge_at), Writer()
    entries = [[ChunkEntry(_id(each), slot, 0, 9, 0, each) for slot, each in enumerate(ids)] for ids in packs]
    tables = [PackTable(f"p{number}", 1000, tuple(held)) for number, held in enumerate(entries)]
    for table in tables:
        writer.apply(catalog, table)
    parts = [StoredPart("x", 1, bytes(32), tuple(_id(each) for each in ids)) for ids in needed]
    writer.apply(catalog, versions=tuple(version(f"m{number}", 1, parts=(each,)) for number, each in enumerate(parts)))
    live = {_id(each) for ids in needed for each in ids}
    newest = {entry.chunk_id: table.pack_id for table in tables for entry in table.entries}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sieve_module, "_BUFFERED_IDS", 3)
        patch.setattr(sieve_module, "_PAGE", 2)
        with Sieve(path, _no_lists) as sieve:
            use = {each.pack_id: each.live_bytes for each in sieve.packs()}
            for table in tables:
                kept = [e for e in table.entries if e.chunk_id in live and newest[e.chunk_id] == table.pack_id]
                assert sieve.live_entries(table) == kept
                assert (use[table.pack_id] > 0) == bool(kept)
                held = [e for e in table.entries if newest[e.chunk_id] == table.pack_id]
                assert (use[table.pack_id] == 1000) == (bool(held) and kept == held)
    catalog.close()
