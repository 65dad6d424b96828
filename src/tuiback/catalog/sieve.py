"""Finds what of each pack is still needed, for any number of chunks in little memory.

The ids that versions need go into files by their first byte; each of these, small enough to be sorted, is then held
against the same part of the chunk table. Of an id its first 8 bytes are taken: should two ever begin alike, a chunk
is kept that nobody needs.
"""

import os
import shutil
import sys
import tempfile
from array import array
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple, Self

from tuiback.catalog.chunks import ID_HEAD, find_locations
from tuiback.catalog.reading import Reading
from tuiback.catalog.tracking import ID_BYTES, stored_part
from tuiback.errors import StorageFull
from tuiback.model import ChunkEntry, Expired, PackTable, StoredPart

_SHARES = 256
_MARK_BYTES = 8
_BUFFERED_IDS = 2**20

# A part's own list of chunks has at most 1,024 of them: a page never passes 32 MiB.
_PAGE = 1_000

# Forms whose name begins so have lists of chunks as their chunks, and more chunks inside these.
_LISTED = "list"


class SievedPack(NamedTuple):
    """A pack, and how many of its stored bytes are needed: estimated, but 0 only where nothing is needed at all."""

    pack_id: str
    stored_bytes: int
    live_bytes: int


class Sieve(Reading):
    """A context manager: entering it reads all versions once, leaving it removes its files beside the catalog.

    `inner_ids` gives the ids of the chunks that a part's lists name, on all levels; what it raises passes. What is
    `expired` counts as gone, though the catalog has it still. Only packs known when the sieve was made are judged; what
    versions opened since need, it can't tell. Only one sieve may be at work on a catalog.
    """

    def __init__(
        self, path: Path, inner_ids: Callable[[StoredPart], Iterable[bytes]], expired: Iterable[Expired] = ()
    ) -> None:
        super().__init__(path)
        self._inner_ids = inner_ids
        self._expired = expired
        # A byte for each version number: 1 for those that count as gone.
        self._gone = bytearray()
        self._open = ExitStack()
        # The open file of all live marks in order, and where those of each share begin.
        self._live = -1
        self._begins = [0] * (_SHARES + 1)
        self._newest_pack_no = self._number("SELECT coalesce(max(pack_no), 0) FROM packs")

    def __enter__(self) -> Self:
        try:
            with _faults_told(self._path):
                folder = self._new_folder()
            self._note_expired()
            self._distribute(folder)
            with _faults_told(folder):
                self._sort(folder)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Remove the files; the sieve can't be asked any more."""
        self._open.close()
        super().close()

    def packs(self) -> Iterator[SievedPack]:
        """Every pack with what of it is needed. Within a pack all bytes count as equally well compressed."""
        held: defaultdict[int, int] = defaultdict(int)
        needed: defaultdict[int, int] = defaultdict(int)
        for share in range(_SHARES):
            live = self._live_marks(share)
            # A chunk of no bytes is a chunk all the same.
            for head, pack_no, size in self._rows(
                "SELECT id_head, pack_no, size + 1 FROM all_chunks WHERE id_head BETWEEN ? AND ?",
                (bytes([share]), bytes([share]) + b"\xff" * ID_HEAD),
            ):
                held[pack_no] += size
                if int.from_bytes(head[:_MARK_BYTES]) in live:
                    needed[pack_no] += size
        for pack_no, pack_id, stored_bytes in self._rows(
            "SELECT pack_no, pack_id, stored_bytes FROM packs WHERE pack_no <= ? ORDER BY pack_no",
            (self._newest_pack_no,),
        ):
            live_bytes = stored_bytes * needed[pack_no] // held[pack_no] if needed[pack_no] else 0
            yield SievedPack(pack_id, stored_bytes, max(live_bytes, 1) if needed[pack_no] else 0)

    def live_entries(self, table: PackTable) -> list[ChunkEntry]:
        """The chunks of a pack that are needed and that the catalog reads from this pack, not from another one."""
        with self._one_moment():
            places = find_locations(self._rows, {entry.chunk_id for entry in table.entries})
        return [
            entry
            for entry in table.entries
            if self._is_live(entry.chunk_id)
            and (place := places.get(entry.chunk_id)) is not None
            and place.pack_id == table.pack_id
        ]

    def _live_marks(self, share: int) -> set[int]:
        first, last = self._begins[share], self._begins[share + 1]
        return set(array("Q", os.pread(self._live, _MARK_BYTES * (last - first), _MARK_BYTES * first)))

    def _is_live(self, chunk_id: bytes) -> bool:
        # Read, not mapped: pages of a mapped file would count as memory.
        first, last = self._begins[chunk_id[0]], self._begins[chunk_id[0] + 1]
        mark = int.from_bytes(chunk_id[:_MARK_BYTES])
        place = first + bisect_left(range(first, last), mark, key=self._mark_at)
        return place < last and self._mark_at(place) == mark

    def _mark_at(self, place: int) -> int:
        return int.from_bytes(os.pread(self._live, _MARK_BYTES, _MARK_BYTES * place), sys.byteorder)

    def _new_folder(self) -> Path:
        """A folder beside the catalog that only its owner may enter; what a kill left of an earlier one goes."""
        prefix = f"{self._path.name}.sieve-"
        for left in self._path.parent.glob(f"{prefix}*"):
            shutil.rmtree(left, ignore_errors=True)
        folder = tempfile.TemporaryDirectory(prefix=prefix, dir=self._path.parent, ignore_cleanup_errors=True)
        return Path(self._open.enter_context(folder))

    def _sort(self, folder: Path) -> None:
        file = self._open.enter_context((folder / "live").open("w+b"))
        for share in range(_SHARES):
            marks = array("Q", sorted(_read_marks(folder / f"{share:02x}")))
            self._begins[share + 1] = self._begins[share] + len(marks)
            marks.tofile(file)
        file.flush()
        self._live = file.fileno()

    def _distribute(self, folder: Path) -> None:
        shares = [bytearray() for _ in range(_SHARES)]
        for number, chunk_id in enumerate(self._needed_ids(), 1):
            shares[chunk_id[0]] += chunk_id[:_MARK_BYTES]
            if not number % _BUFFERED_IDS:
                _write_out(folder, shares)
        _write_out(folder, shares)

    def _note_expired(self) -> None:
        for row in self._expired:
            if not self._gone:
                self._gone = bytearray(self._number("SELECT coalesce(max(version_no), 0) + 1 FROM versions"))
            for version_no in self._numbers_of(row):
                self._gone[version_no] = 1

    def _numbers_of(self, row: Expired) -> Iterator[int]:
        """The versions that the row gives up: no live ones, whatever it says, unless it is the whole account."""
        account = self._row("SELECT account_no FROM accounts WHERE account_id = ?", (row.account_id,))
        versions = "SELECT version_no FROM items JOIN versions USING (item_no) WHERE account_no = ?"
        if account is not None and row.whole:
            yield from (number for (number,) in self._rows(versions, account))
        elif account is not None:
            one = f"{versions} AND item_id = ? AND from_seq = ? AND until_seq IS NOT NULL"
            for version in row.versions:
                yield from (number for (number,) in self._rows(one, (*account, *version)))

    def _needed_ids(self) -> Iterator[bytes]:
        """The chunks of all versions; an id comes as often as it is named. Pages are read one by one."""
        known = len(self._gone)
        after: Sequence[int] = (0, -1)
        while rows := self._rows(
            """SELECT version_no, ordinal, chunks, form FROM parts WHERE (version_no, ordinal) > (?, ?)
               ORDER BY version_no, ordinal LIMIT ?""",
            (*after, _PAGE),
        ):
            after = rows[-1][:2]
            for *place, chunks, form in rows:
                if place[0] < known and self._gone[place[0]]:
                    continue
                for start in range(0, len(chunks), ID_BYTES):
                    yield chunks[start : start + ID_BYTES]
                if form.startswith(_LISTED):
                    yield from self._listed_ids(place)

    def _listed_ids(self, place: Sequence[int]) -> Iterable[bytes]:
        row = self._row(
            "SELECT name, size, digest, chunks, form FROM parts WHERE version_no = ? AND ordinal = ?", place
        )
        return () if row is None else self._inner_ids(stored_part(*row))


def _write_out(folder: Path, shares: list[bytearray]) -> None:
    with _faults_told(folder):
        for number, share in enumerate(shares):
            if share:
                with (folder / f"{number:02x}").open("ab") as file:
                    file.write(share)
                share.clear()


def _read_marks(path: Path) -> set[int]:
    """The marks of a share, each once, as numbers that sort as the ids do; the file goes."""
    if not path.exists():
        return set()
    marks = array("Q", path.read_bytes())
    path.unlink()
    if sys.byteorder == "little":
        marks.byteswap()
    return set(marks)


@contextmanager
def _faults_told(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        what = error.strerror or str(error)
        raise StorageFull(what, str(path), "free space on the catalog's volume and run again") from error
