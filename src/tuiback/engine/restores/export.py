"""Writes items as files with a manifest: names them, reads what they hold, and proves each by its hash."""

import hashlib
import re
import unicodedata
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

import msgspec

from tuiback.catalog import CatalogReader, Entry, short_id
from tuiback.engine.restores.targets import MANIFEST, Target
from tuiback.errors import Damage, StorageFull, TuibackError, UsageError
from tuiback.model import Kind, Outcome, StoredPart
from tuiback.store import Places, Reader

NAME_BYTES = 240
# Bidirectional overrides can make evil.exe look like exe.live.
UNSAFE = re.compile(r"[/\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
FORMS = ("native", "eml", "json")
# Written at once; longer ones in pieces.
_SMALL_BYTES = 1 << 20
_SLICE_ITEMS = 128
_SLICE_BYTES = 4 << 20
# So many wait for a thread, so that none runs dry.
_SLICES_WAITING = 6


def safe_name(name: str, suffix: str = "") -> str:
    """A file name of one path segment: no separators, controls or dots alone, at most 240 bytes with its suffix."""
    # Most names are plain, and there are as many as items.
    plain = name.isascii() and name.isprintable() and "/" not in name
    clean = (name if plain else UNSAFE.sub("_", unicodedata.normalize("NFC", name))).strip()
    if clean in {"", ".", ".."}:
        clean = "_" * max(1, len(clean))
    if not suffix:
        stem, dot, ending = clean.rpartition(".")
        clean, suffix = (stem, dot + ending) if stem and dot and len(ending) <= 16 else (clean, "")
    room = NAME_BYTES - len(suffix.encode())
    if plain and len(clean) <= room:
        return clean + suffix
    return clean.encode()[:room].decode(errors="ignore") + suffix


@dataclass(slots=True)
class ExportReport:
    """What an export wrote; `errors` has a line for each item that failed, `damaged` counts those not readable."""

    files: int = 0
    bytes: int = 0
    failed: int = 0
    damaged: int = 0
    errors: list[str] = field(default_factory=list)

    def add(self, other: "ExportReport") -> None:
        """Count what the other counted."""
        self.files += other.files
        self.bytes += other.bytes
        self.failed += other.failed
        self.damaged += other.damaged
        self.errors += other.errors

    def add_failure(self, entry: Entry, error: TuibackError) -> None:
        """Count an item that could not be written."""
        self.failed += 1
        self.damaged += isinstance(error, Damage)
        self.errors.append(f"{entry.name}: {error}")

    @property
    def outcome(self) -> Outcome:
        """Whether all, some or none could be written."""
        if not self.failed:
            return Outcome.OK
        return Outcome.PARTIAL if self.files else Outcome.FAILED


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


@dataclass(frozen=True, slots=True)
class _Planned:
    """An item on its way: which of its parts goes to which path."""

    entry: Entry
    part_name: str
    path: str


class Exporter:
    """Writes entries to a target, a few at once; called in a worker thread, a batch at a time. Ended by close()."""

    def __init__(self, reader: CatalogReader, content: Reader, target: Target, form: str) -> None:
        if form not in FORMS:
            raise UsageError("this version does not export to this form", form, f"choose one of: {', '.join(FORMS)}")
        self._reader = reader
        self._content = content
        self._target = target
        self._form = form
        self._manifest: list[bytes] = []
        self._writers = ThreadPoolExecutor(target.at_once, thread_name_prefix="export")
        self.report = ExportReport()

    def write_batch(self, entries: Iterable[Entry], names: Names) -> None:
        """Write the entries; one that fails is told in the report and the rest goes on. Raises StorageFull."""
        under_way: deque[Future[_Written]] = deque()
        for some in _slices(self._planned(entries, names)):
            under_way.append(self._writers.submit(self._write_slice, some))
            if len(under_way) > _SLICES_WAITING:
                self._count(under_way.popleft().result())
        while under_way:
            self._count(under_way.popleft().result())

    def finish(self) -> None:
        """Write the manifest."""
        self._target.close(self._manifest)

    def close(self) -> None:
        """End the threads; what they have begun they finish."""
        self._writers.shutdown(cancel_futures=True)

    def _planned(self, entries: Iterable[Entry], names: Names) -> Iterator[_Planned]:
        for entry in entries:
            wanted, suffix = ("mime", ".eml") if entry.kind is Kind.MESSAGE else ("file", "")
            if self._form == "json":
                wanted, suffix = "properties", ".json"
            elif self._form == "eml" and entry.kind is not Kind.MESSAGE:
                error = UsageError("only messages can be exported as eml", entry.name, "use --format native")
                self.report.add_failure(entry, error)
                continue
            yield _Planned(entry, wanted, names.item(entry, suffix))

    def _write_slice(self, planned: Sequence[_Planned]) -> "_Written":
        written = _Written()
        parts = self._parts_of(planned)
        small = [part for part in parts.values() if part.size <= _SMALL_BYTES]
        places = self._content.places(small)
        for one in planned:
            entry = one.entry
            try:
                part = parts.get((entry.account_id, entry.item_id))
                if part is None:
                    raise UsageError(f"the item has no {one.part_name}", entry.name, "use --format json")
                written.manifest.append(self._write(one, part, places))
                written.report.files += 1
                written.report.bytes += part.size
            except OSError as e:
                raise StorageFull(e.strerror or str(e), str(e.filename or ""), "make room and export again") from e
            except TuibackError as e:
                written.report.add_failure(entry, e)
        return written

    def _parts_of(self, planned: Sequence[_Planned]) -> dict[tuple[str, str], StoredPart]:
        """The part that is wanted of each item, by account and item id."""
        parts: dict[tuple[str, str], StoredPart] = {}
        for account_id in dict.fromkeys(one.entry.account_id for one in planned):
            mine = [one for one in planned if one.entry.account_id == account_id]
            stored = self._reader.parts_of_all(account_id, [(one.entry.item_id, one.entry.from_seq) for one in mine])
            for one in mine:
                for part in stored.get((one.entry.item_id, one.entry.from_seq), ()):
                    if part.name == one.part_name:
                        parts[account_id, one.entry.item_id] = part
        return parts

    def _write(self, planned: _Planned, part: StoredPart, places: Places) -> bytes:
        """Write one file; its line of the manifest."""
        entry = planned.entry
        if part.size <= _SMALL_BYTES:
            data = self._content.read_all(part, places)
            hashed = hashlib.sha256(data)
            self._target.write(planned.path, data, entry.modified)
        else:
            hashed = hashlib.sha256()
            self._target.write(planned.path, _hashing(self._content.read(part), hashed.update), entry.modified)
        line = {
            "path": planned.path,
            "account_id": entry.account_id,
            "id": entry.item_id,
            "kind": str(entry.kind),
            "name": entry.name,
            "size": part.size,
            "sha256": hashed.hexdigest(),
            "modified": entry.modified,
        }
        return msgspec.json.encode(line)

    def _count(self, written: "_Written") -> None:
        self._manifest += written.manifest
        self.report.add(written.report)


@dataclass(slots=True)
class _Written:
    """What came of a slice, counted by the thread that wrote it."""

    report: ExportReport = field(default_factory=ExportReport)
    manifest: list[bytes] = field(default_factory=list)


def _slices(planned: Iterable[_Planned]) -> Iterator[list[_Planned]]:
    """Neighbours, whose content lies together: enough to be worth one question to the catalog."""
    some: list[_Planned] = []
    size = 0
    for one in planned:
        some.append(one)
        size += one.entry.size
        if len(some) == _SLICE_ITEMS or size >= _SLICE_BYTES:
            yield some
            some, size = [], 0
    if some:
        yield some


def _hashing(pieces: Iterator[bytes], update: Callable[[bytes], None]) -> Iterator[bytes]:
    for piece in pieces:
        update(piece)
        yield piece
