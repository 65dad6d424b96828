"""Writes items as files with a manifest that proves each: names them, and has them written by all cores."""

import re
import unicodedata
from collections.abc import Iterable, Iterator

from tuiback.catalog import CatalogReader, Entry, short_id
from tuiback.engine.restores.beside import Opening
from tuiback.engine.restores.lanes import HelpFrom, Lanes, help_of_this_machine
from tuiback.engine.restores.slices import ExportReport, Planned, SliceWriter, Written, slices
from tuiback.engine.restores.targets import MANIFEST, Target
from tuiback.errors import UsageError
from tuiback.model import Kind
from tuiback.store import Reader

NAME_BYTES = 240
# Bidirectional overrides can make evil.exe look like exe.live.
UNSAFE = re.compile(r"[/\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
FORMS = ("native", "eml", "json")


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
    """Writes entries to a target, many at once; called in a worker thread, a batch at a time. Ended by close()."""

    def __init__(
        self, reader: CatalogReader, content: Reader, target: Target, form: str, help_from: HelpFrom | None = None
    ) -> None:
        """`help_from` says when other processes help; None: as this machine can."""
        if form not in FORMS:
            raise UsageError("this version does not export to this form", form, f"choose one of: {', '.join(FORMS)}")
        self._target = target
        self._form = form
        opening = None
        if target.place is not None:
            opening = Opening(content.repository.hand_over(), str(reader.path), target.place)
        writer = SliceWriter(reader, content, target)
        self._lanes = Lanes(writer, target, opening, help_from or help_of_this_machine())

    @property
    def report(self) -> ExportReport:
        """What is written and what failed so far; all of it after finish()."""
        return self._lanes.report

    def write_batch(self, entries: Iterable[Entry], names: Names) -> None:
        """Have the entries written; one that fails is told in the report and the rest goes on. Raises StorageFull.

        It returns while the last ones are still being written, so that no lane waits for the next batch.
        """
        for some in slices(self._planned(entries, names)):
            self._lanes.put(some)

    def finish(self) -> None:
        """Return when everything is written, the manifest last; no manifest if closed before. Raises StorageFull."""
        if self._lanes.wait_until_done():
            self._target.close(self._lanes.manifest)
            self._lanes.settle()

    def close(self) -> None:
        """End what is still being written; the files that are begun become whole."""
        self._lanes.close()

    def _planned(self, entries: Iterable[Entry], names: Names) -> Iterator[Planned]:
        for entry in entries:
            wanted, suffix = ("mime", ".eml") if entry.kind is Kind.MESSAGE else ("file", "")
            if self._form == "json":
                wanted, suffix = "properties", ".json"
            elif self._form == "eml" and entry.kind is not Kind.MESSAGE:
                refused = Written()
                error = UsageError("only messages can be exported as eml", entry.name, "use --format native")
                refused.report.add_failure(entry.name, error)
                self._lanes.put_done(refused)
                continue
            yield Planned.of(entry, wanted, names.item(entry, suffix))
