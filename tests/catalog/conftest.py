from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tuiback.catalog import Catalog, CatalogReader
from tuiback.model import PackTable

from .build import Writer


@dataclass
class Bench:
    """A fresh catalog with its writer and a reader beside it."""

    path: Path
    catalog: Catalog
    reader: CatalogReader
    writer: Writer = field(default_factory=Writer)

    def apply(self, *packs: PackTable, minute: int | None = None, **fields: Any) -> None:
        self.writer.apply(self.catalog, *packs, minute=minute, **fields)

    def names(self, seq: int, parent_id: str = "", **how: Any) -> list[str]:
        return [entry.name for entry in self.reader.children("mailbox:a", seq, parent_id, **how)]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """A fresh catalog."""
    path = tmp_path / "catalog.db"
    catalog = Catalog.create(path, "repo-1")
    reader = CatalogReader(path)
    yield Bench(path, catalog, reader)
    reader.close()
    catalog.close()
