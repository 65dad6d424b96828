"""Cuts long content into chunks by what it says, so that an insertion moves few boundaries.

FastCDC 2020 (https://ieeexplore.ieee.org/document/9055082), normalization level 1, as pyfastcdc implements it; what
decides the boundaries is part of the repository format. gear[b] is the MD5 of 64 bytes b, of that the first 8 bytes as
a big-endian number, XOR the seed. From a chunk's start f is 0, and from its byte at 128 KiB on, for each byte b, f
becomes (2 f + gear[b]) mod 2^64; the chunk ends before that byte if f AND the mask is 0. The mask is
0x0000D91747537000 below 512 KiB and 0x0000D90707537000 from there on. At 2 MiB, or with the part, it ends anyway.
"""

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from tuiback.store.keys import Keys

if TYPE_CHECKING:
    from pyfastcdc import FastCDC

# Parts up to this size are one chunk each and share bundles.
WHOLE_PART_BYTES = 128 * 1024
MIN_BYTES = 128 * 1024
AVERAGE_BYTES = 512 * 1024
MAX_BYTES = 2 * 1024 * 1024
# A window longer than the longest chunk always holds one boundary that later bytes can't move.
WINDOW_BYTES = 3 * 1024 * 1024


class Cut(NamedTuple):
    """One chunk and its identity."""

    chunk_id: bytes
    data: bytes


class PartCutter:
    """Cuts one part as its bytes come; the boundaries don't depend on the pieces. For one thread at a time."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        self._cutter = _cutter(keys.chunker_seed)
        self._hasher = keys.hasher()
        # Reused for the whole part: fresh memory for every window costs more than cutting it.
        self._held = bytearray()
        self.size = 0

    @property
    def held_bytes(self) -> int:
        """Bytes whose chunk may still grow."""
        return len(self._held)

    def cut(self, pieces: Sequence[bytes], *, last: bool) -> list[Cut]:
        """The chunks that are final now that `pieces` came; with `last` all that is left."""
        for piece in pieces:
            self._held += piece
            self._hasher.update(piece)
            self.size += len(piece)
        ends = self._ends()
        if not last and ends:
            ends.pop()
        with memoryview(self._held) as view:
            chunks = [bytes(view[start:end]) for start, end in pairwise([0, *ends])]
        if ends:
            del self._held[: ends[-1]]
        return [Cut(self._keys.chunk_id(chunk), chunk) for chunk in chunks]

    def digest(self) -> bytes:
        """The identity of the whole part so far."""
        return self._hasher.digest()

    def _ends(self) -> list[int]:
        return [chunk.offset + chunk.length for chunk in self._cutter.cut_buf(self._held)] if self._held else []


# A cutter keeps nothing of what it cuts; making its table takes longer than hashing a mail.
@lru_cache(maxsize=16)
def _cutter(seed: int) -> "FastCDC":
    # Whoever reads alone starts sooner without it.
    from pyfastcdc import FastCDC

    return FastCDC(AVERAGE_BYTES, min_size=MIN_BYTES, max_size=MAX_BYTES, seed=seed)
