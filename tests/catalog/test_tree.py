from collections.abc import Iterator
from typing import Any

import pytest

from tuiback.catalog import Entry, page_key
from tuiback.model import Kind

from .build import A, B, closed, folder, part, removal, version
from .conftest import Bench


def pages(bench: Bench, seq: int, parent_id: str = "", limit: int = 3, **how: Any) -> Iterator[list[Entry]]:
    """A folder page by page, asked for one after the other."""
    after = None
    while page := bench.reader.children(A, seq, parent_id, after=after, limit=limit, **how):
        yield page
        after = page_key(page[-1], how.get("order", "name"), deleted=how.get("deleted", False))


def test_an_entry_tells_everything_of_its_version(bench: Bench) -> None:
    """Field by field what the commit said, and how many versions there are."""
    bench.apply(versions=(folder("f", 1), version("m", 1, parent_id="f")), snapshots_closed=(closed(1),))
    changed = version(
        "m", 2, parent_id="f", name="Büro", size=12, modified="2026-01-02T03:04:05Z", etag="e2", content_tag="ct",
        attrs=(("subject", "Büro"), ("read", "1")), parts=(part("x", "properties"), part("y")),
    )
    bench.apply(versions=(changed,), snapshots_closed=(closed(2),))
    assert bench.reader.find_entry(A, "m", 2) == Entry(
        "m", A, Kind.MESSAGE, "f", "Büro", 12, "2026-01-02T03:04:05Z", 2, None, {"subject": "Büro", "read": "1"}, 2,
        "e2", "ct", "inbox",
    )
    assert bench.reader.parts(A, "m", 2) == changed.parts
    assert bench.reader.parts(A, "m", 3) == ()


def test_parts_of_many_versions_at_once(bench: Bench) -> None:
    """Each version has its own parts in their order; versions that are not there, or have none, are left out."""
    first = [version(f"m{n}", 1, parts=(part(f"b{n}"), part(f"a{n}", "properties"))) for n in range(600)]
    changed = version("m5", 2, parts=(part("changed"),))
    bench.apply(versions=(*first, version("none", 1, parts=())), snapshots_closed=(closed(1),))
    bench.apply(versions=(changed,), snapshots_closed=(closed(2),))
    asked = [(each.item_id, each.seq) for each in (*first, changed)]
    found = bench.reader.parts_of_all(A, [*asked, ("none", 1), ("m5", 3), ("absent", 1)])
    assert found == {(each.item_id, each.seq): each.parts for each in (*first, changed)}
    assert bench.reader.parts_of_all(B, asked) == {}


def test_an_entry_at_a_snapshot_or_the_last_that_existed(bench: Bench) -> None:
    """Before it came and after it went there is none; without a snapshot the last one is meant."""
    bench.apply(snapshots_closed=(closed(1),))
    bench.apply(versions=(version("m", 2, name="two"),), snapshots_closed=(closed(2),))
    bench.apply(removals=(removal("m", 3),), snapshots_closed=(closed(3),))
    names = [entry and entry.name for entry in (bench.reader.find_entry(A, "m", seq) for seq in (1, 2, 3, None))]
    assert names == [None, "two", None, "two"]
    assert bench.reader.find_entry(A, "nothing", None) is None
    assert bench.reader.versions(A, "nothing") == []


def test_names_are_ordered_without_regard_to_case(bench: Bench) -> None:
    """Names that differ in case only stand together, equal ones in the order they came."""
    names = ["b", "A", "a", "B", "Ärger", "ärger", "b"]
    bench.apply(versions=tuple(version(f"i{n}", 1, name=name) for n, name in enumerate(names)))
    assert [entry.name for page in pages(bench, 1, limit=2) for entry in page] == [
        "A", "a", "b", "B", "b", "Ärger", "ärger",
    ]


def test_the_newest_come_first_by_modification(bench: Bench) -> None:
    """Pages go on without a gap where times are equal."""
    moments = ["2026-01-01", "2026-03-01", "2026-02-01", "2026-03-01", "2026-03-01"]
    bench.apply(versions=tuple(version(f"i{n}", 1, modified=moment) for n, moment in enumerate(moments)))
    found = [entry.item_id for page in pages(bench, 1, limit=2, order="modified") for entry in page]
    assert found == ["i4", "i3", "i1", "i2", "i0"]


def test_a_page_of_some_kinds(bench: Bench) -> None:
    """Folders alone, all but folders, and of no kind nothing."""
    bench.apply(versions=(version("a", 1), folder("b", 1), version("c", 1, kind=Kind.FILE)))
    assert bench.names(1) == ["a", "b", "c"]
    assert bench.names(1, kinds=[Kind.FOLDER]) == ["b"]
    assert bench.names(1, kinds=[Kind.FILE, Kind.MESSAGE]) == ["a", "c"]
    assert bench.names(1, kinds=[]) == []
    assert bench.reader.count_children(A, 1, "") == 3


def test_an_unknown_folder_or_account_is_empty(bench: Bench) -> None:
    """Asking is no error."""
    assert bench.names(1, "nowhere") == []
    assert bench.reader.children("mailbox:nobody", 1, "") == []
    assert bench.reader.count_children("mailbox:nobody", 1, "") == 0
    assert bench.reader.known("mailbox:nobody", ["m"]) == {}
    assert bench.reader.points("mailbox:nobody") == ()
    assert bench.reader.last_seq("mailbox:nobody") == 0


def test_what_was_deleted_is_listed_with_the_last_removal_first(bench: Bench) -> None:
    """Only what is nowhere in the account any more, where it lay last; a moved or renamed item is not deleted."""
    first = tuple(version(name, 1) for name in ("gone early", "gone late", "kept", "moved", "renamed"))
    bench.apply(versions=(folder("f", 1), *first), snapshots_closed=(closed(1),))
    bench.apply(removals=(removal("gone early", 2),), snapshots_closed=(closed(2),))
    moved = version("moved", 3, parent_id="f", container_id="f")
    bench.apply(
        versions=(moved, version("renamed", 3, name="new name")), removals=(removal("gone late", 3),),
        snapshots_closed=(closed(3),),
    )
    assert bench.names(3, deleted=True) == ["gone late", "gone early"]
    assert bench.names(2, deleted=True) == ["gone early"]
    assert bench.names(1, deleted=True) == []
    assert [entry.name for page in pages(bench, 3, limit=1, deleted=True) for entry in page] == [
        "gone late",
        "gone early",
    ]
    assert bench.names(3, deleted=True, kinds=[Kind.FOLDER]) == []
    bench.apply(versions=(version("gone early", 4),), snapshots_closed=(closed(4),))
    assert bench.names(4, deleted=True) == ["gone late"]
    assert bench.names(3, deleted=True) == ["gone late", "gone early"]


@pytest.mark.parametrize("order", ["name", "modified"])
def test_pages_are_complete_while_other_snapshots_are_written(bench: Bench, order: str) -> None:
    """A commit between two pages changes what is live, but neither repeats nor drops what a point held."""
    first = [version(f"i{n:03}", 1, name=f"n{n % 7}", modified=f"2026-01-{n % 5 + 1:02}") for n in range(60)]
    bench.apply(versions=tuple(first), snapshots_closed=(closed(1),))
    found: list[str] = []
    for turn, page in enumerate(pages(bench, 1, limit=7, order=order)):
        found += [entry.item_id for entry in page]
        seq = turn + 2
        renamed = tuple(version(f"i{n:03}", seq, name=f"z{turn}", modified="2025") for n in range(turn, 60, 3))
        added = version(f"new{turn}", seq, name="n3", modified="2026-01-03")
        gone = tuple(removal(f"i{n:03}", seq) for n in range(turn, 60, 11))
        bench.apply(versions=(*renamed, added), removals=gone, snapshots_closed=(closed(seq),))
    assert sorted(found) == [opened.item_id for opened in first]
    assert bench.reader.count_children(A, 1, "") == 60


@pytest.mark.parametrize("how", [{}, {"order": "modified"}, {"kinds": [Kind.MESSAGE]}, {"deleted": True}])
def test_marks_are_the_keys_that_lead_from_page_to_page(bench: Bench, how: dict[str, Any]) -> None:
    """Of live and ended entries alike; a last page that is full has a mark behind it, as walking finds out too."""
    first = [
        version(f"i{n:03}", 1, name=f"N{n % 7}", modified=f"2026-01-{n % 5 + 1:02}", kind=list(Kind)[n % 3])
        for n in range(42)
    ]
    bench.apply(versions=tuple(first), snapshots_closed=(closed(1),))
    gone = tuple(removal(f"i{n:03}", 2) for n in range(0, 42, 2))
    bench.apply(removals=gone, versions=(version("new", 2),), snapshots_closed=(closed(2),))
    for seq in (1, 2):
        for limit in (1, 3, 7, 100):
            order, deleted = how.get("order", "name"), how.get("deleted", False)
            walked = [page_key(page[-1], order, deleted=deleted) for page in pages(bench, seq, limit=limit, **how)
                      if len(page) == limit]
            assert bench.reader.page_marks(A, seq, "", every=limit, **how) == walked
    assert bench.reader.page_marks(A, 1, "nowhere", **how) == []
    assert bench.reader.page_marks(A, 1, "", **(how | {"kinds": []})) == []
