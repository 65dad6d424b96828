"""What the catalog tells a check: every part that must be readable, and every chunk it can find, page by page."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tuiback.catalog import Audit, Catalog
from tuiback.model.need import Need

from .build import A, Writer, chunk_id, closed, opened, pack, part, removal, version

FIRST, SECOND = f"{1:064x}", f"{2:064x}"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A catalog of two snapshots: one mail changed, one went, one stayed."""
    path = tmp_path / "catalog.db"
    catalog, writer = Catalog.create(path, "repo-1", merge_at=4), Writer()
    texts = {name: part(name) for name in ("a", "b", "c", "a2")}
    writer.apply(
        catalog, pack(FIRST, ["a", "b", "c"]), snapshots_opened=(opened(1),),
        versions=tuple(version(name, 1, parts=(texts[name],)) for name in ("a", "b", "c")),
        snapshots_closed=(closed(1),),
    )  # fmt: skip
    writer.apply(
        catalog, pack(SECOND, ["a2", "b"]), snapshots_opened=(opened(2),),
        versions=(version("a", 2, parts=(texts["a2"], part("c", "more"))),), removals=(removal("c", 2),),
        snapshots_closed=(closed(2),),
    )  # fmt: skip
    catalog.close()
    return path


@pytest.fixture
def audit(path: Path) -> Iterator[Audit]:
    """Its audit, with pages of two rows."""
    audit = Audit(path, page_rows=2)
    yield audit
    audit.close()


def test_every_part_of_every_version_is_needed(audit: Audit) -> None:
    """Ended ones too; the parts of a version come one after the other, and a bound leaves later ones out."""
    assert list(audit.needs(audit.last_version())) == [
        Need(A, "a", 1, False, "mime", "", chunk_id("a")),
        Need(A, "b", 1, True, "mime", "", chunk_id("b")),
        Need(A, "c", 1, False, "mime", "", chunk_id("c")),
        Need(A, "a", 2, True, "mime", "", chunk_id("a2")),
        Need(A, "a", 2, True, "more", "", chunk_id("c")),
    ]
    assert len(list(audit.needs(3))) == 3


def test_every_chunk_that_can_be_found_is_told(audit: Audit, path: Path) -> None:
    """Merged or waiting; those of a forgotten pack can't be found any more."""
    def told() -> set[bytes]:
        joined = b"".join(audit.chunk_ids())
        return {joined[start : start + 32] for start in range(0, len(joined), 32)}

    assert told() == {chunk_id(name) for name in ("a", "b", "c", "a2")}
    catalog = Catalog.open(path)
    catalog.replace_packs([FIRST], [])
    assert told() == {chunk_id("b"), chunk_id("a2")}
    catalog.replace_packs([SECOND], [pack(FIRST, ["a", "b", "c"])])
    catalog.close()
    assert told() == {chunk_id(name) for name in ("a", "b", "c")}


def test_packs_are_told_with_size_and_content(audit: Audit) -> None:
    """A chunk that a newer pack has too is found there alone."""
    assert audit.pack_bytes() == {bytes.fromhex(FIRST): 320, bytes.fromhex(SECOND): 220}
    assert [entry.chunk_id for entry in audit.pack_table(FIRST).entries] == [chunk_id("a"), chunk_id("c")]


def test_versions_with_content_are_found_by_any_number(audit: Audit) -> None:
    """Each once, and none behind the last."""
    assert audit.parted([1, 1, 4, 9]) == [(A, "a", 1), (A, "a", 2)]
