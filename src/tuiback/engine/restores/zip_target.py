"""Where an export writes when one file is wanted: a new .zip that is put in place when it is complete."""

import zipfile
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from tuiback.engine.restores.targets import MANIFEST, Content
from tuiback.errors import StorageFull, UsageError


class ZipTarget:
    """Files in a new .zip, put in place when it is complete."""

    at_once = 1
    # One process alone can append to it.
    place = None

    def __init__(self, path: Path, *, overwrite: bool) -> None:
        if path.exists() and not overwrite:
            raise UsageError("the file is there already", str(path), "use --overwrite or another name")
        self._path = path
        self._partial = path.with_name(f".{path.name}.tuiback-partial")
        try:
            self._zip = zipfile.ZipFile(self._partial, "w", zipfile.ZIP_DEFLATED)
        except OSError as e:
            raise StorageFull(f"the file can't be made ({e.strerror})", str(path), "check its folder") from e

    def write(self, name: str, content: Content, modified: str) -> None:
        """Append a file to the archive."""
        info = zipfile.ZipInfo(name)
        info.compress_type = zipfile.ZIP_DEFLATED
        with suppress(ValueError):
            moment = datetime.fromisoformat(modified)
            info.date_time = (max(1980, moment.year), *moment.timetuple()[1:6])
        with self._zip.open(info, "w", force_zip64=True) as f:
            for piece in (content,) if isinstance(content, bytes) else content:
                f.write(piece)

    def note(self, names: Iterable[str]) -> None:
        """See Target.note; no other process writes here."""

    def take_back(self, names: Iterable[str]) -> None:
        """See Target.take_back; no other process writes here."""

    def close(self, manifest: Iterable[bytes]) -> None:
        """Add the manifest and put the archive in place."""
        self._zip.writestr(MANIFEST, b"".join(line + b"\n" for line in manifest))
        self._zip.close()
        self._partial.replace(self._path)
