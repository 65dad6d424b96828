"""Writes a slice of an export: reads what its items hold, writes each as a file, and proves it by its hash."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import msgspec

from tuiback.catalog import CatalogReader, Entry
from tuiback.engine.restores.targets import Target
from tuiback.errors import Damage, StorageFull, TuibackError, UsageError
from tuiback.model import Outcome, StoredPart
from tuiback.store import Places, Reader

# Written at once; longer ones in pieces.
_SMALL_BYTES = 1 << 20
_SLICE_ITEMS = 128
_SLICE_BYTES = 4 << 20

_encode_line = msgspec.json.Encoder().encode


class Planned(msgspec.Struct, frozen=True, array_like=True):
    """An item on its way: the version that is meant, and which of its parts goes to which path."""

    account_id: str
    item_id: str
    from_seq: int
    kind: str
    name: str
    size: int
    modified: str
    part_name: str
    path: str

    @classmethod
    def of(cls, entry: Entry, part_name: str, path: str) -> "Planned":
        """The entry's part, to be written to that path."""
        return cls(
            entry.account_id, entry.item_id, entry.from_seq, str(entry.kind), entry.name, entry.size, entry.modified,
            part_name, path,
        )  # fmt: skip


Slice = Sequence[Planned]


class _Line(msgspec.Struct, frozen=True):
    """A file, as a line of the manifest tells it."""

    path: str
    account_id: str
    id: str
    kind: str
    name: str
    size: int
    sha256: str
    modified: str


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

    def add_failure(self, name: str, error: TuibackError) -> None:
        """Count an item that could not be written."""
        self.failed += 1
        self.damaged += isinstance(error, Damage)
        self.errors.append(f"{name}: {error}")

    @property
    def outcome(self) -> Outcome:
        """Whether all, some or none could be written."""
        if not self.failed:
            return Outcome.OK
        return Outcome.PARTIAL if self.files else Outcome.FAILED


@dataclass(slots=True)
class Written:
    """What came of a slice, and a line of the manifest for each of its files."""

    report: ExportReport = field(default_factory=ExportReport)
    manifest: list[bytes] = field(default_factory=list)


def slices(planned: Iterable[Planned]) -> Iterator[Slice]:
    """Neighbours, whose content lies together: enough to be worth one question to the catalog."""
    some: list[Planned] = []
    size = 0
    for one in planned:
        some.append(one)
        size += one.size
        if len(some) == _SLICE_ITEMS or size >= _SLICE_BYTES:
            yield some
            some, size = [], 0
    if some:
        yield some


class SliceWriter:
    """Writes slices to a target, on as many threads as that allows."""

    def __init__(self, reader: CatalogReader, content: Reader, target: Target) -> None:
        self._reader = reader
        self._content = content
        self._target = target
        self._stopping = False

    def stop(self) -> None:
        """Let every write() end behind the file that it has in hand."""
        self._stopping = True

    def write(self, planned: Slice) -> Written:
        """Write the slice; an item that fails is told in the report and the rest goes on. Raises StorageFull."""
        written = Written()
        parts = self._parts_of(planned)
        places = self._content.places(part for part in parts.values() if part.size <= _SMALL_BYTES)
        for one in planned:
            if self._stopping:
                break
            try:
                part = parts.get((one.account_id, one.item_id))
                if part is None:
                    raise UsageError(f"the item has no {one.part_name}", one.name, "use --format json")
                written.manifest.append(self._write(one, part, places))
                written.report.files += 1
                written.report.bytes += part.size
            except OSError as e:
                raise StorageFull(e.strerror or str(e), str(e.filename or ""), "make room and export again") from e
            except TuibackError as e:
                written.report.add_failure(one.name, e)
        return written

    def _parts_of(self, planned: Slice) -> dict[tuple[str, str], StoredPart]:
        """The part that is wanted of each item, by account and item id."""
        parts: dict[tuple[str, str], StoredPart] = {}
        for account_id in dict.fromkeys(one.account_id for one in planned):
            mine = [one for one in planned if one.account_id == account_id]
            stored = self._reader.parts_of_all(account_id, [(one.item_id, one.from_seq) for one in mine])
            for one in mine:
                for part in stored.get((one.item_id, one.from_seq), ()):
                    if part.name == one.part_name:
                        parts[account_id, one.item_id] = part
        return parts

    def _write(self, one: Planned, part: StoredPart, places: Places) -> bytes:
        """Write one file; its line of the manifest."""
        if part.size <= _SMALL_BYTES:
            data = self._content.read_all(part, places)
            hashed = hashlib.sha256(data)
            self._target.write(one.path, data, one.modified)
        else:
            hashed = hashlib.sha256()
            self._target.write(one.path, _hashing(self._content.read(part), hashed.update), one.modified)
        return _encode_line(
            _Line(
                one.path, one.account_id, one.item_id, one.kind, one.name, part.size, hashed.hexdigest(), one.modified
            )
        )


def _hashing(pieces: Iterator[bytes], update: Callable[[bytes], None]) -> Iterator[bytes]:
    for piece in pieces:
        update(piece)
        yield piece
