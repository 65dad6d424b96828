"""Where exports write: whole files or none, never through a link, never over what is there unless asked."""

import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tuiback.engine.restores.opening import open_target
from tuiback.engine.restores.targets import MANIFEST, Content, FolderTarget
from tuiback.errors import UsageError

MODIFIED = "2026-11-23T06:00:00+00:00"


def long() -> Iterator[bytes]:
    """A file that comes in pieces."""
    return iter((b"one ", b"two"))


def breaking() -> Iterator[bytes]:
    """A file whose second piece can't be read."""
    yield b"one "
    raise UsageError("it is broken")


@pytest.mark.parametrize("in_pieces", [False, True])
@pytest.mark.parametrize("to", ["out", "out.zip"])
def test_files_have_their_bytes_and_times(tmp_path: Path, to: str, *, in_pieces: bool) -> None:
    """Small files and long ones, at the top and in folders."""
    target = open_target(str(tmp_path / to), overwrite=False)
    for name in ("top", "a/b/deep"):
        target.write(name, long() if in_pieces else b"one two", MODIFIED)
    target.close([b"{}"])
    if to.endswith(".zip"):
        with zipfile.ZipFile(tmp_path / to) as archive:
            assert {name: archive.read(name) for name in archive.namelist()} == {
                "top": b"one two", "a/b/deep": b"one two", MANIFEST: b"{}\n"
            }
            assert archive.getinfo("top").date_time == (2026, 11, 23, 6, 0, 0)
        return
    found = {str(path.relative_to(tmp_path / to)) for path in (tmp_path / to).rglob("*") if path.is_file()}
    assert found == {"top", "a/b/deep", MANIFEST}
    assert (tmp_path / to / "a/b/deep").read_bytes() == b"one two"
    assert (tmp_path / to / "top").stat().st_mtime == 1795413600


@pytest.mark.parametrize("content", [b"new", long()])
def test_what_is_there_stays(tmp_path: Path, content: Content) -> None:
    """Without overwriting, a file of the name is kept, and a link is not followed."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out/file").write_bytes(b"old")
    (tmp_path / "out/link").symlink_to(tmp_path / "elsewhere")
    target = FolderTarget(tmp_path / "out", overwrite=False)
    for name in ("file", "link"):
        with pytest.raises(UsageError, match="there already"):
            target.write(name, content, MODIFIED)
    assert (tmp_path / "out/file").read_bytes() == b"old"
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("in_pieces", [False, True])
def test_overwriting_replaces_links_not_what_they_name(tmp_path: Path, *, in_pieces: bool) -> None:
    """What a link in the folder points to is never written."""
    (tmp_path / "out").mkdir()
    (tmp_path / "elsewhere").write_bytes(b"old")
    (tmp_path / "out/link").symlink_to(tmp_path / "elsewhere")
    target = FolderTarget(tmp_path / "out", overwrite=True)
    target.write("link", long() if in_pieces else b"one two", MODIFIED)
    assert (tmp_path / "elsewhere").read_bytes() == b"old"
    assert (tmp_path / "out/link").read_bytes() == b"one two"
    assert not (tmp_path / "out/link").is_symlink()


def test_a_folder_that_is_a_link_out_is_refused(tmp_path: Path) -> None:
    """Nothing is written below a link that leads out of the export."""
    (tmp_path / "out").mkdir()
    (tmp_path / "outside").mkdir()
    (tmp_path / "out/sub").symlink_to(tmp_path / "outside")
    target = FolderTarget(tmp_path / "out", overwrite=True)
    with pytest.raises(UsageError, match="leads out"):
        target.write("sub/file", b"data", MODIFIED)
    assert not list((tmp_path / "outside").iterdir())


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_file_that_breaks_leaves_nothing(tmp_path: Path, *, overwrite: bool) -> None:
    """Neither the file nor the part of it that was written, and an older file of the name stays as it was."""
    if overwrite:
        (tmp_path / "out").mkdir()
        (tmp_path / "out/file").write_bytes(b"old")
    target = FolderTarget(tmp_path / "out", overwrite=overwrite)
    with pytest.raises(UsageError, match="broken"):
        target.write("file", breaking(), MODIFIED)
    assert [path.name for path in (tmp_path / "out").iterdir()] == (["file"] if overwrite else [])


def test_wrong_times_are_left_out(tmp_path: Path) -> None:
    """A time that is none costs the time, not the file."""
    target = FolderTarget(tmp_path / "out", overwrite=False)
    target.write("file", b"data", "some day")
    assert (tmp_path / "out/file").read_bytes() == b"data"


def test_what_another_process_left_is_taken_back(tmp_path: Path) -> None:
    """Only files that came behind note() go; what may be overwritten needs no removing."""
    (tmp_path / "out/sub").mkdir(parents=True)
    (tmp_path / "out/sub/mine").write_bytes(b"old")
    for overwrite in (False, True):
        target = FolderTarget(tmp_path / "out", overwrite=overwrite)
        names = ["sub/mine", "sub/left", "new/left", "new/never"]
        target.note(names)
        for name in ("sub/left", "new/left"):
            path = tmp_path / "out" / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(b"half of it")
        target.take_back(names)
        left = {"sub/left", "new/left"} if overwrite else set()
        found = {str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*") if path.is_file()}
        assert found == {"sub/mine"} | left
