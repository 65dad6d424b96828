"""The pieces of bases: all of an account by natural keys, of one moment, never much of it in memory."""

from pathlib import Path

from tuiback.catalog import Catalog
from tuiback.catalog.bases import PIECE_BYTES, REPOSITORY, open_bases
from tuiback.model import ControlRow
from tuiback.model.kept import BasePiece, KeptVersion, decode_piece

from .build import (
    A,
    B,
    account,
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


def pieces_of(path: Path, subject: str, piece_bytes: int = PIECE_BYTES) -> list[BasePiece]:
    """The base of an account, or of what belongs to none."""
    with open_bases(path, piece_bytes=piece_bytes) as bases:
        return [decode_piece(piece.data) for piece in bases.pieces(subject)]


def fill(bench: Bench) -> None:
    """An account with a row of every kind: a moved, a removed and a changed item, a container that went."""
    bench.apply(
        pack("p1", ["x"]), controls=(ControlRow("task", "mail", b"{}"),), runs=(run(1),),
        accounts=(account(address="a@x"),), snapshots_opened=(opened(1),),
        containers=(container(cursor="c1"), container("old", cursor="c2"), container("never")),
        versions=(
            folder("f", 1), version("m", 1, parent_id="f", parts=(part("x"),)), version("n", 1, container_id="old"),
        ),
        snapshots_closed=(closed(1),), owed=(owed("late"),),
    )  # fmt: skip
    bench.apply(
        accounts=(account(address="b@x"), account(B)), snapshots_opened=(opened(2),),
        containers_removed=((A, "old"), (A, "never")), versions=(version("m", 2, attrs=(("from", "Ann"),)),),
        removals=(removal("n", 2, "old"),),
    )  # fmt: skip


def test_a_base_has_everything_of_its_account(bench: Bench) -> None:
    """Of containers that went only those which versions still name, of folders only those with something in them."""
    fill(bench)
    (piece,) = pieces_of(bench.path, A)
    (row,) = piece.accounts
    assert (row.kind, row.address) == ("mailbox", "b@x")
    assert [(alias.address, alias.until is None) for alias in piece.aliases] == [("a@x", False), ("b@x", True)]
    assert [(c.container_id, c.cursor, c.present) for c in piece.containers if c.present] == [("inbox", "c1", True)]
    assert {c.container_id for c in piece.containers} == {"inbox", "old", "folders"}
    assert [(s.seq, s.closed_at is None, s.items) for s in piece.snapshots] == [(1, False, 2), (2, True, 0)]
    assert piece.parents == ["", "f"]
    assert [(v.item_id, v.from_seq, v.until_seq, v.parent_id) for v in piece.versions] == [
        ("f", 1, None, ""), ("m", 1, 2, "f"), ("m", 2, None, ""), ("n", 1, None, ""),
    ]  # fmt: skip
    whole = part("x")
    assert piece.versions[1].parts == [("mime", whole.size, whole.digest, chunk_id("x"), "")]
    assert piece.versions[2].attrs == '{"from":"Ann"}'
    assert [(r.item_id, r.container_id, r.seq) for r in piece.removals] == [("n", "old", 2)]
    assert [(debt.item_id, debt.tries) for debt in piece.owed] == [("late", 1)]
    assert (piece.controls, piece.runs) == ([], [])


def test_what_belongs_to_no_account_has_a_base_of_its_own(bench: Bench) -> None:
    """Runs and controls; and the subjects tell all bases that there are."""
    fill(bench)
    (piece,) = pieces_of(bench.path, REPOSITORY)
    assert [(control.kind, control.name, control.data) for control in piece.controls] == [("task", "mail", b"{}")]
    assert [row.run for row in piece.runs] == [1]
    assert (piece.accounts, piece.versions) == ([], [])
    with open_bases(bench.path) as bases:
        assert bases.subjects() == (REPOSITORY, A, B)
        assert bases.pack_ids() == ("p1",)
        assert bases.heads() == bench.catalog.heads()
        assert list(bases.pieces("mailbox:nobody")) == []


def test_pieces_keep_to_their_size_and_tell_their_rows(bench: Bench) -> None:
    """Only a row that is larger alone makes a larger piece; together they are what one piece would be."""
    fill(bench)
    bench.apply(versions=tuple(version(f"v{n:03}", 2, name="n" * (900 if n == 7 else 9)) for n in range(100)))
    limit = 600
    with open_bases(bench.path, piece_bytes=limit) as bases:
        encoded = list(bases.pieces(A))
    large = [piece for piece in encoded if len(piece.data) > limit + 64]
    assert [piece.rows for piece in large] == [1]
    (whole,) = pieces_of(bench.path, A)
    apart = [decode_piece(piece.data) for piece in encoded]
    for name in BasePiece.__struct_fields__:
        assert [row for piece in apart for row in getattr(piece, name)] == getattr(whole, name)
    counted = sum(len(getattr(whole, name)) for name in BasePiece.__struct_fields__)
    assert sum(piece.rows for piece in encoded) == counted


def test_all_bases_are_of_one_moment(bench: Bench) -> None:
    """What is committed meanwhile is in none of them."""
    fill(bench)
    with open_bases(bench.path) as bases:
        before = bases.heads()
        bench.apply(versions=(version("new", 2),), runs=(run(2),))
        versions: list[KeptVersion] = []
        for subject in bases.subjects():
            for piece in bases.pieces(subject):
                versions += decode_piece(piece.data).versions
        assert "new" not in {row.item_id for row in versions}
        assert bases.heads() == before != bench.catalog.heads()


def test_the_catalog_is_not_changed_by_it(tmp_path: Path) -> None:
    """An empty catalog has a base without rows for what belongs to no account."""
    catalog = Catalog.create(tmp_path / "catalog.db", "repo-1")
    assert pieces_of(catalog.path, REPOSITORY) == []
    catalog.close()
