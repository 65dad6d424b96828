"""Writes items as files below a folder or into a .zip, with a manifest; no name can lead outside of it."""

import hashlib
import os
import re
import unicodedata
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol

import msgspec

from tuiback.catalog import CatalogReader, Entry, short_id
from tuiback.errors import Damage, StorageFull, TuibackError, UsageError
from tuiback.model import Kind, Outcome, StoredPart
from tuiback.store import Reader

MANIFEST = "tuiback-manifest.jsonl"
NAME_BYTES = 240
# Bidirectional overrides can make evil.exe look like exe.live.
UNSAFE = re.compile(r"[/\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
FORMS = ("native", "eml", "json")


def safe_name(name: str, suffix: str = "") -> str:
    """A file name of one path segment: no separators, controls or dots alone, at most 240 bytes with its suffix."""
    clean = UNSAFE.sub("_", unicodedata.normalize("NFC", name)).strip()
    if clean in {"", ".", ".."}:
        clean = "_" * max(1, len(clean))
    if not suffix:
        stem, dot, ending = clean.rpartition(".")
        clean, suffix = (stem, dot + ending) if stem and dot and len(ending) <= 16 else (clean, "")
    room = NAME_BYTES - len(suffix.encode())
    return clean.encode()[:room].decode(errors="ignore") + suffix


@dataclass(slots=True)
class ExportReport:
    """What an export wrote; `errors` has a line for each item that failed, `damaged` counts those not readable."""

    files: int = 0
    bytes: int = 0
    failed: int = 0
    damaged: int = 0
    errors: list[str] = field(default_factory=list)

    @property
    def outcome(self) -> Outcome:
        """Whether all, some or none could be written."""
        if not self.failed:
            return Outcome.OK
        return Outcome.PARTIAL if self.files else Outcome.FAILED


class Target(Protocol):
    """Where exported files go."""

    def write(self, name: str, pieces: Iterator[bytes], modified: str) -> None:
        """Write a file; `name` has segments separated by "/", each safe."""
        ...

    def close(self, manifest: Iterable[bytes]) -> None:
        """Write the manifest and finish."""
        ...


class FolderTarget:
    """Files below a folder. An existing file is kept unless overwriting was asked for."""

    def __init__(self, folder: Path, *, overwrite: bool) -> None:
        self._folder = folder
        self._overwrite = overwrite
        self._manifest = folder / MANIFEST
        # Looked at once: that costs more than writing a mail.
        self._made: set[Path] = set()
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except FileExistsError as e:
            raise UsageError("this is a file, not a folder", str(folder), "name a folder or a .zip file") from e
        except OSError as e:
            raise StorageFull(f"the folder can't be made ({e.strerror})", str(folder), "check its place") from e

    def write(self, name: str, pieces: Iterator[bytes], modified: str) -> None:
        """Write beside, then put in place, so that a file is there whole or not at all."""
        path = self._folder / name
        if os.path.lexists(path) and not self._overwrite:
            raise UsageError("a file of this name is there already", str(path), "use --overwrite or an empty folder")
        self._make_folder(path.parent)
        partial = path.with_name(f".{short_id(path.name)}.tuiback-partial")
        try:
            with partial.open("wb") as f:
                f.writelines(pieces)
            with suppress(ValueError):
                moment = datetime.fromisoformat(modified).timestamp()
                os.utime(partial, (moment, moment))
            partial.replace(path)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise

    def _make_folder(self, folder: Path) -> None:
        if folder in self._made:
            return
        folder.mkdir(parents=True, exist_ok=True)
        if not folder.resolve().is_relative_to(self._folder.resolve()):
            raise UsageError("a link leads out of the export folder", str(folder), "export into an empty folder")
        self._made.add(folder)

    def close(self, manifest: Iterable[bytes]) -> None:
        """Write the manifest at the top of the folder."""
        with self._manifest.open("wb") as f:
            f.writelines(line + b"\n" for line in manifest)


class ZipTarget:
    """Files in a new .zip, put in place when it is complete."""

    def __init__(self, path: Path, *, overwrite: bool) -> None:
        if path.exists() and not overwrite:
            raise UsageError("the file is there already", str(path), "use --overwrite or another name")
        self._path = path
        self._partial = path.with_name(f".{path.name}.tuiback-partial")
        try:
            self._zip = zipfile.ZipFile(self._partial, "w", zipfile.ZIP_DEFLATED)
        except OSError as e:
            raise StorageFull(f"the file can't be made ({e.strerror})", str(path), "check its folder") from e

    def write(self, name: str, pieces: Iterator[bytes], modified: str) -> None:
        """Append a file to the archive."""
        info = zipfile.ZipInfo(name)
        info.compress_type = zipfile.ZIP_DEFLATED
        with suppress(ValueError):
            moment = datetime.fromisoformat(modified)
            info.date_time = (max(1980, moment.year), *moment.timetuple()[1:6])
        with self._zip.open(info, "w", force_zip64=True) as f:
            for piece in pieces:
                f.write(piece)

    def close(self, manifest: Iterable[bytes]) -> None:
        """Add the manifest and put the archive in place."""
        self._zip.writestr(MANIFEST, b"".join(line + b"\n" for line in manifest))
        self._zip.close()
        self._partial.replace(self._path)


def open_target(to: str, *, overwrite: bool) -> Target:
    """A folder, or a .zip file by its ending."""
    path = Path(to)
    if path.suffix.lower() == ".zip" and not path.is_dir():
        return ZipTarget(path, overwrite=overwrite)
    return FolderTarget(path, overwrite=overwrite)


class Names:
    """Gives every folder and item of an export its path: readable, unique, and the same at every export."""

    def __init__(self, reader: CatalogReader, seq: int, top: str = "") -> None:
        self._reader = reader
        self._seq = seq
        self._top = top
        self._folders: dict[str, str] = {"": top}
        self._taken: set[str] = {MANIFEST}

    def folder(self, account_id: str, folder_id: str) -> str:
        """The path of a folder, "" for the top; ends without a slash."""
        if folder_id not in self._folders:
            entry = self._reader.find_entry(account_id, folder_id, self._seq)
            entry = entry or self._reader.find_entry(account_id, folder_id, None)
            if entry is None:
                return self._top
            above = self.folder(account_id, entry.parent_id)
            self._folders[folder_id] = self._unique(above, safe_name(entry.name), entry.item_id)
        return self._folders[folder_id]

    def item(self, entry: Entry, suffix: str) -> str:
        """The path of an item, with the ending that its form has."""
        name = entry.name
        if entry.kind is Kind.MESSAGE:
            name = f"{entry.attrs.get('date', '')[:10]} {entry.attrs.get('subject', '') or 'no subject'}"
        return self._unique(self.folder(entry.account_id, entry.parent_id), safe_name(name, suffix), entry.item_id)

    def _unique(self, folder: str, name: str, item_id: str) -> str:
        path = f"{folder}/{name}" if folder else name
        if path in self._taken:
            stem, dot, ending = name.rpartition(".")
            mark = f" ~{short_id(item_id)}"
            name = f"{stem}{mark}.{ending}" if stem and dot else f"{name}{mark}"
            path = f"{folder}/{name}" if folder else name
        self._taken.add(path)
        return path


class Exporter:
    """Writes entries to a target; called in a worker thread, a batch at a time."""

    def __init__(self, reader: CatalogReader, content: Reader, target: Target, form: str) -> None:
        if form not in FORMS:
            raise UsageError("this version does not export to this form", form, f"choose one of: {', '.join(FORMS)}")
        self._reader = reader
        self._content = content
        self._target = target
        self._form = form
        self._manifest: list[bytes] = []
        self.report = ExportReport()

    def write_batch(self, entries: Iterable[Entry], names: Names) -> None:
        """Write the entries; one that fails is told in the report and the rest goes on."""
        for entry in entries:
            try:
                self._write(entry, names)
            except OSError as e:
                raise StorageFull(e.strerror or str(e), str(e.filename or ""), "make room and export again") from e
            except TuibackError as e:
                self.report.failed += 1
                self.report.damaged += isinstance(e, Damage)
                self.report.errors.append(f"{entry.name}: {e}")

    def finish(self) -> None:
        """Write the manifest."""
        self._target.close(self._manifest)

    def _write(self, entry: Entry, names: Names) -> None:
        parts = {p.name: p for p in self._reader.parts(entry.account_id, entry.item_id, entry.from_seq)}
        part, suffix = self._part_of(entry, parts)
        name = names.item(entry, suffix)
        hashed = hashlib.sha256()

        def pieces() -> Iterator[bytes]:
            for piece in self._content.read(part):
                hashed.update(piece)
                yield piece

        self._target.write(name, pieces(), entry.modified)
        self.report.files += 1
        self.report.bytes += part.size
        line = {
            "path": name,
            "account_id": entry.account_id,
            "id": entry.item_id,
            "kind": str(entry.kind),
            "name": entry.name,
            "size": part.size,
            "sha256": hashed.hexdigest(),
            "modified": entry.modified,
        }
        self._manifest.append(msgspec.json.encode(line))

    def _part_of(self, entry: Entry, parts: dict[str, StoredPart]) -> tuple[StoredPart, str]:
        wanted, suffix = ("mime", ".eml") if entry.kind is Kind.MESSAGE else ("file", "")
        if self._form == "json":
            wanted, suffix = "properties", ".json"
        elif self._form == "eml" and entry.kind is not Kind.MESSAGE:
            raise UsageError("only messages can be exported as eml", entry.name, "use --format native")
        if wanted not in parts:
            raise UsageError(f"the item has no {wanted}", entry.name, "use --format json")
        return parts[wanted], suffix
