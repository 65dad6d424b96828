"""Paths that a task leaves out: patterns, and passes over an account that has them."""

import msgspec
import pytest
from msgspec.structs import replace

from tests.engine.rig import Rig, now_in
from tuiback.engine.settings.left_out import Exclusions, LeftOut
from tuiback.errors import UsageError
from tuiback.model import Kind, Known, Outcome, RemoteItem


@pytest.mark.parametrize(
    ("pattern", "path", "covered"),
    [
        ("*.iso", "Images/Linux.ISO", True),
        ("*.iso", "Images/Linux.iso.txt", False),
        ("temp/", "A/Temp/", True),
        ("temp/", "A/Temp/deep/file", True),
        ("temp/", "A/temp", False),
        ("Documents/old/", "Documents/Old/x", True),
        ("Documents/old/", "More/Documents/old/x", False),
        ("**/cache/*.tmp", "a/b/cache/c.tmp", True),
    ],
)
def test_patterns(pattern: str, path: str, covered: bool) -> None:
    """As in a .gitignore file, without regard to case; a pattern for folders takes what lies in them."""
    assert LeftOut([pattern]).covers(path) is covered


def test_exceptions_from_a_pattern() -> None:
    """A later pattern may take something in again."""
    left_out = LeftOut(["*.iso", "!keep.iso"])
    assert [left_out.covers(path) for path in ("a.iso", "keep.iso")] == [True, False]


@pytest.mark.parametrize("pattern", ["", "!", "# nothing"])
def test_what_is_no_pattern(pattern: str) -> None:
    """It is refused with its own words."""
    with pytest.raises(UsageError) as caught:
        LeftOut([pattern])
    assert caught.value.subject == pattern


def leave_out(rig: Rig, *patterns: str) -> None:
    """Make it the task's patterns."""
    rig.task = replace(rig.task, exclude_paths=patterns)


async def test_a_folder_left_out_from_the_start(rig: Rig) -> None:
    """Nothing in it is listed or fetched, now or later; everything else is; the run is ok."""
    leave_out(rig, "archive/")
    assert (await rig.run()).outcome is Outcome.OK
    box = rig.cloud.mailboxes["anna"]
    wanted = {path: text for path, text in now_in(box).items() if not path.startswith("Archive/")}
    assert rig.listing() == wanted
    box.put("a1", "arc", b"more")
    box.put("m9", "in", b"new")
    assert (await rig.run()).outcome is Outcome.OK
    assert rig.listing() == wanted | {"Inbox/m9": "new"}
    assert "arc" not in rig.cloud.listed


async def test_what_was_backed_up_before_stays(rig: Rig) -> None:
    """A folder that is left out from now on keeps what it had, without new versions."""
    assert (await rig.run()).outcome is Outcome.OK
    before = rig.listing()
    leave_out(rig, "archive/")
    rig.cloud.mailboxes["anna"].put("a0", "arc", b"changed")
    assert (await rig.run()).outcome is Outcome.OK
    assert rig.listing() == before


async def test_a_folder_that_comes_in_by_its_name(rig: Rig) -> None:
    """Renamed so that no pattern fits it, it is backed up whole."""
    leave_out(rig, "archive/")
    assert (await rig.run()).outcome is Outcome.OK
    box = rig.cloud.mailboxes["anna"]
    box.add_folder("arc", "Important")
    for _ in range(2):
        assert (await rig.run()).outcome is Outcome.OK
    assert rig.listing() == now_in(box)


async def test_an_owed_item_that_is_left_out(rig: Rig) -> None:
    """Nobody owes what is not wanted any more."""
    rig.cloud.broken["a0"] = 99
    assert (await rig.run()).outcome is Outcome.PARTIAL
    leave_out(rig, "archive/")
    assert (await rig.run()).outcome is Outcome.OK
    assert rig.archive.reader.owed() == ()


def item(item_id: str, parent_id: str, name: str, kind: Kind = Kind.FILE) -> RemoteItem:
    """A file or folder as a drive lists it."""
    return RemoteItem(item_id, kind, parent_id, name, 0, "2026-01-01T00:00:00Z", "1")


def known(of: RemoteItem) -> Known:
    """The same as the catalog has it."""
    return Known(of.item_id, of.kind, "drive", of.parent_id, of.name, of.etag, "", (), live=True, removal_pending=False)


async def test_places_in_a_drive() -> None:
    """Folders listed now, and those that only the catalog knows, make up an item's path; what is kept is counted."""
    work, old = item("f1", "", "Work", Kind.FOLDER), item("f2", "f1", "Old/er", Kind.FOLDER)
    asked: list[list[str]] = []

    async def catalog(ids: list[str]) -> dict[str, Known]:
        asked.append(ids)
        return {each.item_id: known(each) for each in (work, old) if each.item_id in ids}

    exclusions = Exclusions(["Work/Old%2Fer/*.tmp"], catalog)
    inside, beside = item("x", "f2", "a.TMP"), item("y", "f1", "a.tmp")
    await exclusions.learn([inside, None, beside])
    assert asked == [["f1", "f2"]]
    assert (exclusions.covers(inside, None), exclusions.covers(beside, None)) == (True, False)
    assert exclusions.kept_as_they_were == 0
    assert exclusions.covers(inside, known(inside))
    assert exclusions.kept_as_they_were == 1


async def test_a_folder_that_moved_is_listed_again() -> None:
    """What lay in it unseen is in no list of changes; one that stayed where it was costs nothing."""
    folder = item("f1", "", "Temp", Kind.FOLDER)

    async def catalog(ids: list[str]) -> dict[str, Known]:
        return {}

    for patterns, now, wanted in (
        (["temp/"], folder, False),
        (["temp/"], msgspec.structs.replace(folder, name="Work"), True),
        ([], msgspec.structs.replace(folder, name="Work"), False),
    ):
        exclusions = Exclusions(patterns, catalog)
        exclusions.note_move("drive", now, known(folder))
        assert exclusions.must_relist("drive") is wanted
