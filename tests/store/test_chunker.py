"""Chunk boundaries are a promise: golden vectors, a second implementation, and independence of the pieces."""

import hashlib
from collections.abc import Sequence
from itertools import pairwise

import blake3
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.store.test_keys import KEYS
from tuiback.store.chunker import AVERAGE_BYTES, MAX_BYTES, MIN_BYTES, Cut, PartCutter

# 6 MiB that nobody has to store: the BLAKE3 stream of a word.
CONTENT = blake3.blake3(b"tuiback chunker").digest(length=6 * 1024 * 1024)
GOLDEN_SIZES = [
    555740, 825843, 550410,
    1029217, 529545, 145091, 500266, 721910, 476647,
    280620, 224436, 266898, 184833,
]  # fmt: skip
# Two masks, one stricter before the average and one laxer behind it (normalization level 1).
STRICT_MASK, LAX_MASK = 0x0000D91747537000, 0x0000D90707537000


def cut_whole(data: bytes) -> list[Cut]:
    """The chunks of data given in one piece."""
    return PartCutter(KEYS).cut([data], last=True)


def cut_pieces(pieces: Sequence[bytes]) -> list[Cut]:
    """The chunks of data that comes in pieces."""
    cutter = PartCutter(KEYS)
    cuts = [cut for piece in pieces for cut in cutter.cut([piece], last=False)]
    return cuts + cutter.cut([], last=True)


def reference_sizes(data: bytes, seed: int) -> list[int]:
    """FastCDC 2020 written down from the paper, one byte at a time; its gear table is MD5 of 64 equal bytes."""
    tables = [hashlib.md5(bytes([byte]) * 64, usedforsecurity=False).digest() for byte in range(256)]
    gear = [int.from_bytes(table[:8], "big") ^ seed for table in tables]
    sizes = []
    start = 0
    while start < len(data):
        end = min(start + MAX_BYTES, len(data))
        fingerprint = 0
        cut = end
        for position in range(start + MIN_BYTES, end):
            fingerprint = (fingerprint << 1) + gear[data[position]] & 0xFFFFFFFFFFFFFFFF
            mask = STRICT_MASK if position < start + AVERAGE_BYTES else LAX_MASK
            if not fingerprint & mask:
                cut = position
                break
        sizes.append(cut - start)
        start = cut
    return sizes


def test_boundaries_are_what_they_were() -> None:
    """Golden: other boundaries would store everything again."""
    assert [len(cut.data) for cut in cut_whole(CONTENT)] == GOLDEN_SIZES
    assert cut_whole(CONTENT)[0].chunk_id.hex() == "d814e138cbbde43b12dbfd7ecd990765c2f23ca2f5da9f75add1cd42cafe132f"


def test_second_implementation_agrees() -> None:
    """The library cuts where the paper says."""
    data = CONTENT[: 3 * 1024 * 1024]
    assert [len(cut.data) for cut in cut_whole(data)] == reference_sizes(data, KEYS.chunker_seed)


@settings(max_examples=15, deadline=None)
@given(places=st.lists(st.integers(0, len(CONTENT)), max_size=8))
def test_boundaries_do_not_depend_on_the_pieces(places: list[int]) -> None:
    """However the bytes come in, the chunks are the same."""
    edges = [0, *sorted(places), len(CONTENT)]
    pieces = [CONTENT[start:end] for start, end in pairwise(edges)]
    assert cut_pieces(pieces) == cut_whole(CONTENT)


def test_insertion_moves_few_boundaries() -> None:
    """Of a part with 1,000 bytes put into its middle most chunks are known."""
    middle = len(CONTENT) // 2
    changed = CONTENT[:middle] + bytes(1000) + CONTENT[middle:]
    before = {cut.chunk_id for cut in cut_whole(CONTENT)}
    new = [cut for cut in cut_whole(changed) if cut.chunk_id not in before]
    assert 1 <= len(new) <= 3


@pytest.mark.parametrize("size", [0, 1, MIN_BYTES, MAX_BYTES, MAX_BYTES + 1, 5 * 1024 * 1024])
def test_monotonous_content_is_cut_too(size: int) -> None:
    """Zeros have no boundary but the largest size; the digest is the identity of the whole."""
    cutter = PartCutter(KEYS)
    cuts = cutter.cut([bytes(size)], last=True)
    assert b"".join(cut.data for cut in cuts) == bytes(size)
    assert all(len(cut.data) <= MAX_BYTES for cut in cuts)
    assert (cutter.size, cutter.digest()) == (size, KEYS.chunk_id(bytes(size)))
