"""A catalog made from bases and what came after them is the one that replaying every commit makes."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tuiback.catalog import Catalog, CatalogReader, same_content
from tuiback.catalog.bases import open_bases
from tuiback.catalog.connection import open_for_reading
from tuiback.catalog.loading import Contents, load_catalog
from tuiback.errors import Damage
from tuiback.model import PackTable
from tuiback.model.kept import BasePiece, KeptVersion, encode_piece

from .build import A, B, Writer, account, chunk_id, closed, folder, opened, pack, part, removal, version
from .conftest import Bench
from .test_history import STEPS, Draft, End, Model, written

# So small that every base has several pieces.
PIECE_BYTES = 150


def bases_of(path: Path) -> list[tuple[str, bytes]]:
    """All pieces of all bases."""
    with open_bases(path, piece_bytes=PIECE_BYTES) as bases:
        return [(subject, piece.data) for subject in bases.subjects() for piece in bases.pieces(subject)]


def load(path: Path, tables: Sequence[PackTable], bases: list[tuple[str, bytes]], later: Writer, since: int) -> None:
    """A catalog from these bases and what the writer wrote after its first `since` commits."""
    rest = [commit for commit, _ in later.commits[since:]]
    changes = [commit.body for commit in rest]
    heads = [later.commits[-1][0].head] if later.commits else []
    load_catalog(path, "repo-1", Contents(tables, bases, changes, heads))


@settings(deadline=None, max_examples=50, derandomize=True)
@given(STEPS, st.integers(0, 12))
def test_bases_at_any_moment_and_the_commits_after_them_make_the_same_catalog(
    steps: list[object], moment: int
) -> None:
    """Whatever the history before and after the bases, two accounts, packs and figures included."""
    models, writer, draft = {A: Model(), B: Model()}, Writer(), Draft()
    with tempfile.TemporaryDirectory() as folder_name:
        live, loaded = Path(folder_name, "live.db"), Path(folder_name, "loaded.db")
        catalog = Catalog.create(live, "repo-1", merge_at=4)
        bases: list[tuple[str, bytes]] = []
        ends = 0
        for number, step in enumerate([*steps, End((A, B), restart=False)]):
            if not isinstance(step, End):
                draft.add(step, models[step.account_id].seq, number)  # type: ignore[attr-defined]
                continue
            written(writer, catalog, draft, models, step.closing)
            draft = Draft()
            ends += 1
            if ends == moment:
                bases = bases_of(live)
        catalog.close()
        tables = [table for _, packs in writer.commits for table in packs]
        load(loaded, tables, bases, writer, moment if ends >= moment else 0)
        assert same_content(live, loaded) == []


def loaded(path: Path, bases: Sequence[tuple[str, bytes]], tables: Sequence[PackTable] = ()) -> Catalog:
    """A catalog of these bases alone."""
    load_catalog(path, "repo-1", Contents(tables, bases, (), ()))
    return Catalog.open(path)


def test_a_loaded_catalog_has_all_indexes_and_goes_on(bench: Bench, tmp_path: Path) -> None:
    """It answers, and takes the next commit as the one before it would."""
    versions = (folder("f", 1), version("m", 1, parent_id="f", parts=(part("x"),)), version("n", 1))
    bench.apply(pack("p1", ["x"]), accounts=(account(),), snapshots_opened=(opened(1),), versions=versions)
    bench.apply(snapshots_closed=(closed(1),), removals=(removal("n", 1),))
    path = tmp_path / "loaded.db"
    heads = bench.catalog.heads()
    load_catalog(path, "repo-1", Contents([pack("p1", ["x"])], bases_of(bench.path), (), heads))
    catalog = Catalog.open(path)
    commit = bench.writer.commit(
        pack("p2", ["y"]), snapshots_opened=(opened(2),), versions=(version("m", 2, parts=(part("y"),)),),
        removals=(removal("f", 2, "folders"),), snapshots_closed=(closed(2),),
    )  # fmt: skip
    for each in (catalog, bench.catalog):
        each.apply(commit, [pack("p2", ["y"])])
    assert same_content(bench.path, path) == []
    assert schema_of(path) == schema_of(bench.path)
    catalog.close()


def schema_of(path: Path) -> set[tuple[str, str]]:
    """Every table and index with its definition."""
    connection = open_for_reading(path)
    try:
        return set(connection.execute("SELECT name, sql FROM sqlite_master"))
    finally:
        connection.close()


def test_a_chunk_in_several_packs_is_read_from_the_newest(tmp_path: Path) -> None:
    """As commits one after the other leave it, and it counts once."""
    tables = [pack("p1", ["x", "y"]), pack("p2", ["z", "x"])]
    loaded(tmp_path / "loaded.db", [], tables).close()
    reader = CatalogReader(tmp_path / "loaded.db")
    places = reader.find_chunks([chunk_id(name) for name in "xyz"])
    reader.close()
    assert {place.pack_id for key, place in places.items() if key != chunk_id("y")} == {"p2"}
    assert places[chunk_id("y")].pack_id == "p1"


def test_what_is_not_stored_is_surely_new(tmp_path: Path) -> None:
    """The filter of a loaded catalog knows its chunks and no others."""
    names = [f"chunk {number}" for number in range(2000)]
    loaded(tmp_path / "loaded.db", [], [pack("p1", names)]).close()
    reader = CatalogReader(tmp_path / "loaded.db")
    assert len(reader.find_chunks([chunk_id(name) for name in names])) == len(names)
    assert not reader.find_chunks([chunk_id(f"other {number}") for number in range(2000)])
    reader.close()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        encode_piece(BasePiece())[:-1] + b"\xc1",
        encode_piece(
            BasePiece(versions=[KeptVersion("m", 1, None, False, "inbox", "", "message", "m", 1, "", "", "", "{}", [])])
        ),
    ],
)
def test_a_piece_that_makes_no_sense_is_damage(tmp_path: Path, data: bytes) -> None:
    """Told with the account's name, and nothing but the unfinished file is left."""
    with pytest.raises(Damage, match=A):
        loaded(tmp_path / "loaded.db", [(A, data)])
    assert [path.name for path in tmp_path.iterdir()] == ["loaded.db"]


def test_what_a_broken_off_load_left_is_in_nobody_s_way(tmp_path: Path) -> None:
    """The file that was sorted from is made anew."""
    (tmp_path / "loaded.db.unsorted").write_bytes(b"half")
    loaded(tmp_path / "loaded.db", []).close()
    assert not (tmp_path / "loaded.db.unsorted").exists()
