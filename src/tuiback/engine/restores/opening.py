"""Opens the place that an export is to write to: a folder, or one new file."""

from pathlib import Path

from tuiback.engine.restores.targets import FolderTarget, Target
from tuiback.engine.restores.zip_target import ZipTarget


def open_target(to: str, *, overwrite: bool) -> Target:
    """A folder, or a .zip file by its ending. Raises UsageError for a file that is there, StorageFull."""
    path = Path(to)
    if path.suffix.lower() == ".zip" and not path.is_dir():
        return ZipTarget(path, overwrite=overwrite)
    return FolderTarget(path, overwrite=overwrite)
