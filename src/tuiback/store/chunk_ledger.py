"""Finds which of millions of needed chunks are in no pack, in little memory: ids wait on disk, one share at a time."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

ID_BYTES = 32
# Chunk ids are keyed hashes: among 10 million chunks one check in 10^12 would miss a lost one.
KEPT_BYTES = 8
_SHARES = 256
# All shares together hold at most 8 MiB of ids in memory before they go to the disk.
_WAITING_BYTES = 32 * 1024
_SPOOLED_BYTES = 2 * 1024 * 1024


class _Shares:
    """Kept ids by their first byte: the newest in memory, the others in one file that nobody sees."""

    def __init__(self, folder: Path | None) -> None:
        self._waiting = [bytearray() for _ in range(_SHARES)]
        self._places: list[list[tuple[int, int]]] = [[] for _ in range(_SHARES)]
        where = str(folder) if folder else None
        self._file: IO[bytes] = tempfile.SpooledTemporaryFile(_SPOOLED_BYTES, dir=where)  # noqa: SIM115 - see close()
        self._end = 0

    def add(self, chunk_ids: bytes) -> None:
        for start in range(0, len(chunk_ids), ID_BYTES):
            share = chunk_ids[start]
            waiting = self._waiting[share]
            waiting += chunk_ids[start : start + KEPT_BYTES]
            if len(waiting) >= _WAITING_BYTES:
                self._put_away(share)

    def of(self, share: int) -> set[bytes]:
        kept = set(_cut(bytes(self._waiting[share])))
        for place, length in self._places[share]:
            self._file.seek(place)
            kept.update(_cut(self._file.read(length)))
        return kept

    def close(self) -> None:
        self._file.close()

    def _put_away(self, share: int) -> None:
        waiting = self._waiting[share]
        self._file.seek(self._end)
        self._file.write(waiting)
        self._places[share].append((self._end, len(waiting)))
        self._end += len(waiting)
        self._waiting[share] = bytearray()


@dataclass(frozen=True, slots=True)
class Balance:
    """How many different chunks are there, and which are needed but not there, or there but not findable.

    Of ids the first KEPT_BYTES are told.
    """

    there: int
    missing: frozenset[bytes]
    not_findable: frozenset[bytes]


class ChunkLedger:
    """Told of chunks that are there and chunks that are needed, it says which are missing. Close it at the end.

    Ids are given as bytes, 32 for each, one after the other. `folder` is where the temporary files go.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._there = _Shares(folder)
        self._needed = _Shares(folder)
        self._findable: _Shares | None = None
        self._folder = folder

    def there(self, chunk_ids: bytes) -> None:
        """These chunks can be read."""
        self._there.add(chunk_ids)

    def need(self, chunk_ids: bytes) -> None:
        """These chunks are needed."""
        self._needed.add(chunk_ids)

    def can_find(self, chunk_ids: bytes) -> None:
        """An index knows where these chunks are; where nothing was ever told, there is no index."""
        if self._findable is None:
            self._findable = _Shares(self._folder)
        self._findable.add(chunk_ids)

    def settle(self) -> Balance:
        """Compare what was told, a share at a time."""
        count = 0
        missing: set[bytes] = set()
        not_findable: set[bytes] = set()
        for share in range(_SHARES):
            there, needed = self._there.of(share), self._needed.of(share)
            count += len(there)
            missing |= needed - there
            if self._findable is not None:
                not_findable |= (needed & there) - self._findable.of(share)
        return Balance(count, frozenset(missing), frozenset(not_findable))

    def close(self) -> None:
        """Remove the temporary files."""
        for shares in (self._there, self._needed, self._findable):
            if shares is not None:
                shares.close()


def _cut(ids: bytes) -> Iterator[bytes]:
    return (ids[start : start + KEPT_BYTES] for start in range(0, len(ids), KEPT_BYTES))
