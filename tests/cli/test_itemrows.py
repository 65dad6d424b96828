"""Rows of what is deleted, where the points that would tell when have expired."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.catalog.build import A, Writer, account, at, closed, removal, version
from tuiback.catalog import Catalog, CatalogReader
from tuiback.cli.itemrows import Listing, item_rows
from tuiback.engine.restores.naming import NamedAccount
from tuiback.model import Expired


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[CatalogReader]:
    """A message that went with the second of five snapshots; the second and third have expired."""
    catalog, writer = Catalog.create(tmp_path / "catalog.db", "repo-1"), Writer()
    writer.apply(catalog, accounts=(account(),), versions=(version("m", 1),), snapshots_closed=(closed(1),))
    writer.apply(catalog, removals=(removal("m", 2),), snapshots_closed=(closed(2),))
    for seq in (3, 4, 5):
        writer.apply(catalog, snapshots_closed=(closed(seq),))
    writer.apply(catalog, expired=(Expired(A, (), (2, 3)),))
    reader = CatalogReader(tmp_path / "catalog.db")
    yield reader
    reader.close()
    catalog.close()


def test_an_item_was_deleted_at_the_first_kept_point_without_it(reader: CatalogReader) -> None:
    """The point before still has it and is named."""
    (row,) = item_rows(Listing(NamedAccount("main", reader, account()), 5, deleted=True), None)
    assert (row["snapshot"], row["deleted_at"]) == (1, at(5))
