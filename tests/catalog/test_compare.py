from pathlib import Path
from typing import Any

import pytest

from tuiback.catalog import Catalog, same_content
from tuiback.catalog.compare import differing_accounts
from tuiback.model import ControlRow

from .build import A, B, Writer, account, at, closed, container, opened, owed, pack, part, removal, run, version

WHOLE: dict[str, Any] = {
    "accounts": (account(address="a@x"),),
    "controls": (ControlRow("task", "t", b"{}"),),
    "runs": (run(1),),
    "snapshots_opened": (opened(1),),
    "containers": (container(cursor="c"),),
    "versions": (version("m", 1, parts=(part("x"),)), version("n", 1)),
    "removals": (removal("n", 1),),
    "owed": (owed("late"),),
}


def built(path: Path, name: str = "w1", minute: int = 1, **fields: Any) -> Path:
    """A catalog of one commit that has a row for every table."""
    catalog = Catalog.create(path, "repo-1")
    Writer(name).apply(catalog, pack("p", ["x"]), minute=minute, **(WHOLE | fields))
    catalog.close()
    return path


def test_two_catalogs_of_one_commit_are_the_same(tmp_path: Path) -> None:
    """Nothing in it depends on when or where it was applied."""
    assert same_content(built(tmp_path / "a"), built(tmp_path / "b")) == []


@pytest.mark.parametrize(
    ("table", "difference"),
    [
        ("writers", {"name": "w2"}),
        ("aliases", {"minute": 2}),
        ("accounts", {"accounts": (account(name="other", address="a@x"),)}),
        ("controls", {"controls": (ControlRow("task", "t", b"{ }"),)}),
        ("runs", {"runs": (run(1, "other"),)}),
        ("snapshots", {"snapshots_opened": (opened(1, run=2),)}),
        ("containers", {"containers": (container(cursor="d"),)}),
        ("versions", {"versions": (version("m", 1, parts=(part("x"),), etag="e"), version("n", 1))}),
        ("parts", {"versions": (version("m", 1, parts=(part("y"),)), version("n", 1))}),
        ("removals", {"removals": ()}),
        ("owed", {"owed": (owed("late", tries=2),)}),
        ("snapshots", {"snapshots_closed": (closed(1),)}),
    ],
)
def test_a_difference_in_any_table_is_told_for_both_sides(
    tmp_path: Path, table: str, difference: dict[str, Any]
) -> None:
    """The line names the file, the table and the row."""
    a, b = built(tmp_path / "a"), built(tmp_path / "b", **difference)
    differences = same_content(a, b)
    assert any(line.startswith(f"only {a} has in {table}: ") for line in differences)
    assert sorted(same_content(b, a)) == sorted(differences)


def test_other_packs_are_told(tmp_path: Path) -> None:
    """A catalog that lacks a pack and its chunks is not the same."""
    a, b = built(tmp_path / "a"), tmp_path / "b"
    catalog = Catalog.create(b, "repo-1")
    Writer().apply(catalog, minute=1, **WHOLE)
    catalog.close()
    assert {line.split(":")[0] for line in same_content(a, b)} >= {f"only {a} has in packs", f"only {a} has in chunks"}


@pytest.mark.parametrize(
    "difference",
    [
        {"accounts": (account(name="other", address="a@x"),)},
        {"containers": (container(cursor="d"),)},
        {"versions": (version("m", 1, size=11), version("n", 1))},
        {"removals": ()},
        {"owed": (owed("late", tries=2),)},
        {"snapshots_closed": (closed(1),)},
    ],
)
def test_accounts_that_commits_changed_are_told(tmp_path: Path, difference: dict[str, Any]) -> None:
    """Only the account about which the catalogs differ, whichever of them knows more."""
    both: dict[str, Any] = {"accounts": (account(address="a@x"), account(B))}
    a = built(tmp_path / "a", **both)
    if "accounts" in difference:
        difference = {"accounts": (*difference["accounts"], account(B))}
    b = built(tmp_path / "b", **(both | difference))
    assert differing_accounts(a, b) == differing_accounts(b, a) == {A}


def test_a_snapshot_found_to_hold_still_tells_of_no_change(tmp_path: Path) -> None:
    """Nor does what belongs to no account."""
    a = built(tmp_path / "a", snapshots_closed=(closed(1),))
    b = built(tmp_path / "b", snapshots_closed=(closed(1, verified_until=at(9)),), runs=(run(1), run(2)))
    assert differing_accounts(a, b) == frozenset()
