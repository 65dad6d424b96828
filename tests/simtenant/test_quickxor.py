"""quickXorHash against published vectors and the definition."""

from base64 import b64decode

import pytest

from tuiback.simtenant.quickxor import QuickXor, quick_xor

VECTORS = [
    ("", "AAAAAAAAAAAAAAAAAAAAAAAAAAA="),
    ("Sg==", "SgAAAAAAAAAAAAAAAQAAAAAAAAA="),
    ("jRRDVA==", "jaDAEKgAAAAAAAAABAAAAAAAAAA="),
    ("J9iPGCbfZSTNyw==", "J8DGIzBggm+UgQTNUgYAAAAAAAA="),
    ("DWAAX5/CIfrmErgZa8ot6ZraeSbu", "LR2Z0PjuRYGKQB/mhQAuMrAGZbQ="),
    ("aGVsbG8gd29ybGQ=", "aCgDG9jwBhDc4Q1yawMZAAAAAAA="),
]


def by_definition(data: bytes) -> int:
    """One byte at a time, as Microsoft describes it."""
    register = 0
    for place, byte in enumerate(data):
        turned = byte << (place * 11 % 160)
        register ^= (turned & ((1 << 160) - 1)) | (turned >> 160)
    return register ^ (len(data) << 96)


@pytest.mark.parametrize(("given", "expected"), VECTORS)
def test_published_vectors(given: str, expected: str) -> None:
    """Each published input has its published hash, also byte by byte."""
    data = b64decode(given)
    assert quick_xor([data]) == expected
    assert quick_xor(data[place : place + 1] for place in range(len(data))) == expected


@pytest.mark.parametrize("piece_bytes", [160, 65_537, 655_360, 700_001])
def test_pieces_do_not_matter(piece_bytes: int) -> None:
    """However the bytes are cut, the hash is that of the definition."""
    data = bytes(place * 7 % 251 for place in range(1_400_003))
    register = QuickXor()
    for start in range(0, len(data), piece_bytes):
        register.update(data[start : start + piece_bytes])
    assert register.digest() == by_definition(data).to_bytes(20, "little")
