"""A drive keeps its tree whole through every change."""

from datetime import UTC, datetime

import pytest

from tuiback.simtenant.content.sources import HeldSource
from tuiback.simtenant.state.drive import ROOT_NODE, Drive, NameTaken, Node

NOW = datetime(2026, 5, 5, tzinfo=UTC)


@pytest.fixture
def drive() -> Drive:
    """A drive with a folder and two files."""
    made = Drive(0, [Node(ROOT_NODE, None, "root", None, NOW, NOW)])
    folder = made.add(made.nodes[ROOT_NODE], "Folder", None, NOW, NOW)
    made.add(folder, "a.txt", HeldSource(b"12345"), NOW, NOW)
    made.add(made.nodes[ROOT_NODE], "b.txt", HeldSource(b"123"), NOW, NOW)
    return made


def at(drive: Drive, *names: str) -> Node:
    """The node at a path that must exist."""
    found = drive.find_path(drive.nodes[ROOT_NODE], list(names))
    assert found is not None
    return found


def test_names_are_found_in_any_case(drive: Drive) -> None:
    """Names are compared without regard to case, and shown as they were given."""
    assert at(drive, "FOLDER", "A.TXT").name == "a.txt"
    assert drive.path(at(drive, "folder", "a.txt")) == ["Folder", "a.txt"]
    with pytest.raises(NameTaken):
        drive.add(drive.nodes[ROOT_NODE], "B.TXT", HeldSource(b""), NOW, NOW)


def test_sizes_add_up(drive: Drive) -> None:
    """A folder is as large as what it holds, the root as large as the drive."""
    assert drive.size(at(drive, "Folder")) == 5
    assert drive.size(drive.nodes[ROOT_NODE]) == drive.total_bytes() == 8


def test_moving_a_folder_moves_what_is_in_it(drive: Drive) -> None:
    """The path of a file changes with its folder's, and only the folder counts as changed."""
    drive.add(drive.nodes[ROOT_NODE], "Other", None, NOW, NOW)
    before = drive.changes.latest
    drive.place(at(drive, "Folder"), at(drive, "Other").serial, "Renamed")
    assert drive.path(at(drive, "Other", "Renamed", "a.txt")) == ["Other", "Renamed", "a.txt"]
    assert len(list(drive.changes.between(before, drive.changes.latest))) == 1


def test_deleting_a_folder_reports_each_thing_in_it(drive: Drive) -> None:
    """The descendants of a deleted folder are changes too."""
    gone = {at(drive, "Folder").serial, at(drive, "Folder", "a.txt").serial}
    before = drive.changes.latest
    drive.delete(at(drive, "Folder"))
    assert {each.serial for each in drive.changes.between(before, drive.changes.latest)} == gone
    assert gone.isdisjoint(drive.nodes)


def test_every_node_comes_behind_its_folder(drive: Drive) -> None:
    """Also folders that were moved below others made later, and what was added since."""
    outer = drive.add(drive.nodes[ROOT_NODE], "outer", None, NOW, NOW)
    inner = drive.add(outer, "inner", None, NOW, NOW)
    late = drive.add(drive.nodes[ROOT_NODE], "late", None, NOW, NOW)
    assert drive.parents_first()[0] == ROOT_NODE
    drive.place(outer, late.serial, "outer")
    ordered = drive.parents_first()
    assert sorted(ordered) == sorted(drive.nodes)
    assert ordered.index(late.serial) < ordered.index(outer.serial) < ordered.index(inner.serial)
    below = [node for node in drive.nodes.values() if node.parent is not None]
    assert all(ordered.index(node.parent or ROOT_NODE) < ordered.index(node.serial) for node in below)
