"""Cuts short parts that came together and seals what of them is new: here, or in the process of a Lane."""

from array import array
from collections.abc import Iterable, Sequence
from itertools import chain, compress

import msgspec

from tuiback.store.chunker import WHOLE_PART_BYTES, Cut
from tuiback.store.envelope import Envelope
from tuiback.store.keys import Keys
from tuiback.store.mime_form import ShortPart, cut_short
from tuiback.store.pack import BUNDLE_BYTES, type_of

# What a batch holds at most; one part may have half of these bytes. A trip to the worker threads costs about as much as
# hashing 100 kB, and who waits for a batch has nothing to do meanwhile.
BATCH_PARTS = 64
BATCH_BYTES = 2 * 1024 * 1024
# The type of an array that holds sizes and counts.
_NUMBERS = "I"


class PartCuts(msgspec.Struct, array_like=True, frozen=True):
    """One part: the identity of its bytes, its form and the ids of its chunks; see model.StoredPart."""

    digest: bytes
    form: str
    chunks: tuple[bytes, ...]


class BatchCuts(msgspec.Struct, array_like=True, frozen=True):
    """What a batch was cut into: its parts, and in rows the size of each chunk and how many chunks each piece has."""

    parts: list[PartCuts]
    packed_sizes: bytes
    packed_pieces: bytes

    def chunk_ids(self) -> list[bytes]:
        """The ids of all chunks in their order."""
        return list(chain.from_iterable(part.chunks for part in self.parts))

    def sizes(self) -> Sequence[int]:
        """The plain bytes of each chunk."""
        return array(_NUMBERS, self.packed_sizes)

    def pieces(self) -> Sequence[int]:
        """How many chunks each piece of each part has."""
        return array(_NUMBERS, self.packed_pieces)


class CutBatch:
    """A batch with the bytes of its chunks. What is cut and sealed depends on nothing but what is given."""

    def __init__(self, keys: Keys, name: str, contents: Iterable[bytes]) -> None:
        self._parts: list[ShortPart] = [cut_short(keys, name, data) for data in contents]

    def cuts(self) -> BatchCuts:
        """What its chunks are."""
        pieces = [piece for part in self._parts for piece in part.pieces]
        return BatchCuts(
            [PartCuts(part.digest, part.form, tuple(cut.chunk_id for cut in _cuts(part))) for part in self._parts],
            array(_NUMBERS, [len(cut.data) for piece in pieces for cut in piece.cuts]).tobytes(),
            array(_NUMBERS, [len(piece.cuts) for piece in pieces]).tobytes(),
        )

    def seal(self, new: bytes, envelope: Envelope, first_slot: int) -> list[tuple[bytes, bytes]]:
        """The records of the chunks whose byte in `new` is 1, shared out by shared_out()."""
        chosen = [cut.data for cut in compress(chain.from_iterable(map(_cuts, self._parts)), new)]
        shares = shared_out([len(data) for data in chosen])
        return envelope.seal_all(
            [
                (slot, type_of(len(places)), b"".join([chosen[place] for place in places]))
                for slot, places in enumerate(shares, first_slot)
            ]
        )


def _cuts(part: ShortPart) -> list[Cut]:
    return [cut for piece in part.pieces for cut in piece.cuts]


def shared_out(sizes: Iterable[int]) -> list[list[int]]:
    """Which chunks, by their places among these, each record holds: a long one alone, small ones in bundles."""
    records: list[list[int]] = []
    bundle: list[int] = []
    bundle_bytes = 0
    for place, size in enumerate(sizes):
        if size > WHOLE_PART_BYTES:
            records.append([place])
            continue
        if bundle and bundle_bytes + size > BUNDLE_BYTES:
            records.append(bundle)
            bundle, bundle_bytes = [], 0
        bundle.append(place)
        bundle_bytes += size
    return [*records, bundle] if bundle else records
