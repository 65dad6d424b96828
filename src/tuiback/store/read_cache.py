"""Keeps what was decoded: bundles, as whoever reads one mail mostly reads its neighbour next, and chunks that recur.

An attachment that was mailed to many is asked for again and again, at any distance, and each time a whole bundle would
be decoded for it. So a chunk is kept by itself once its record has to be decoded a second time: half as much is decoded
in all as with four times the memory for bundles alone.
"""

import threading
from collections import OrderedDict

from tuiback.model import Location

_BUNDLES_BYTES = 8 * 1024 * 1024
_CHUNKS_BYTES = 8 * 1024 * 1024
_LONGEST_BYTES = 512 * 1024
# So many records at least are remembered as decoded before, in some 10 MB.
_REMEMBERED = 1 << 16

_Record = tuple[str, int]


class ReadCache:
    """Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._bundles = _Kept(_BUNDLES_BYTES)
        self._chunks = _Kept(_CHUNKS_BYTES)
        # Hashes of records; when the newer ones are too many they become the older ones.
        self._newer: set[int] = set()
        self._older: set[int] = set()
        # The bundle that was asked for last: of one mail, and of the next, most chunks lie in it.
        self._last: tuple[_Record, bytes] = (("", 0), b"")

    def find(self, location: Location) -> bytes | None:
        """The chunk that lies there, if it is kept."""
        record = (location.pack_id, location.slot)
        last, bundle_of_last = self._last
        if record == last:
            return chunk_in(bundle_of_last, location)
        with self._lock:
            bundle = self._bundles.find(record)
            if bundle is None:
                return self._chunks.find((record, location.inner_offset, location.size))
            self._last = (record, bundle)
        return chunk_in(bundle, location)

    def keep(self, location: Location, plain: bytes) -> bytes:
        """Keep what may be asked for soon of the record that was decoded for this chunk; the chunk."""
        record = (location.pack_id, location.slot)
        chunk = chunk_in(plain, location)
        with self._lock:
            if self._is_decoded_again(record) and len(chunk) <= _LONGEST_BYTES:
                self._chunks.keep((record, location.inner_offset, location.size), chunk)
            if len(chunk) < len(plain) <= _LONGEST_BYTES:
                self._bundles.keep(record, plain)
                self._last = (record, plain)
        return chunk

    def _is_decoded_again(self, record: _Record) -> bool:
        mark = hash(record)
        again = mark in self._newer or mark in self._older
        self._newer.add(mark)
        if len(self._newer) > _REMEMBERED:
            self._newer, self._older = set(), self._newer
        return again


class _Kept:
    """So many bytes at most; what was not asked for the longest goes first."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._held: OrderedDict[object, bytes] = OrderedDict()
        self._held_bytes = 0

    def find(self, key: object) -> bytes | None:
        found = self._held.get(key)
        if found is not None:
            self._held.move_to_end(key)
        return found

    def keep(self, key: object, data: bytes) -> None:
        if key not in self._held:
            self._held[key] = data
            self._held_bytes += len(data)
        while self._held_bytes > self._limit_bytes:
            _, dropped = self._held.popitem(last=False)
            self._held_bytes -= len(dropped)


def chunk_in(plain: bytes, location: Location) -> bytes:
    """The chunk of that location in its decoded record."""
    return plain[location.inner_offset : location.inner_offset + location.size]
