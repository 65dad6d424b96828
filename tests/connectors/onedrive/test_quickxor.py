"""quickXorHash against published vectors and the definition itself."""

import base64
import random

import pytest

from tuiback.connectors.onedrive.quickxor import QuickXor

# From rclone's quickxorhash_test.go, bytes and hash in base64.
VECTORS = [
    ("", "AAAAAAAAAAAAAAAAAAAAAAAAAAA="),
    ("Sg==", "SgAAAAAAAAAAAAAAAQAAAAAAAAA="),
    ("jRRDVA==", "jaDAEKgAAAAAAAAABAAAAAAAAAA="),
    ("J9iPGCbfZSTNyw==", "J8DGIzBggm+UgQTNUgYAAAAAAAA="),
    ("DWAAX5/CIfrmErgZa8ot6ZraeSbu", "LR2Z0PjuRYGKQB/mhQAuMrAGZbQ="),
    (base64.b64encode(b"hello world").decode(), "aCgDG9jwBhDc4Q1yawMZAAAAAAA="),
]


def bitwise(data: bytes) -> str:
    """The hash as its definition says it: each byte XORed at bit 11 * i, the length into the last 8 bytes."""
    bits = [0] * 160
    for i, byte in enumerate(data):
        for bit in range(8):
            bits[(11 * i + bit) % 160] ^= byte >> bit & 1
    register = sum(bit << place for place, bit in enumerate(bits))
    return base64.b64encode((register ^ (len(data) << 96)).to_bytes(20, "little")).decode()


@pytest.mark.parametrize(("data", "expected"), VECTORS)
def test_published_vectors(data: str, expected: str) -> None:
    """The published hashes come out, whether the bytes come at once or one by one."""
    plain = base64.b64decode(data)
    whole, single = QuickXor(), QuickXor()
    whole.update(plain)
    for byte in plain:
        single.update(bytes([byte]))
    assert whole.hash() == single.hash() == expected


def test_pieces_of_any_size_equal_the_definition() -> None:
    """Pieces that end before, at and after the fold make no difference."""
    chance = random.Random(5)
    data = chance.randbytes(50_000)
    assert bitwise(data) == hash_of(data)
    long = chance.randbytes(160 * 4096 * 2 + 12_345)
    pieces = QuickXor()
    start = 0
    while start < len(long):
        size = chance.choice([1, 159, 160, 4096, 655_360, 700_000])
        pieces.update(long[start : start + size])
        start += size
    assert pieces.hash() == hash_of(long) == bytewise(long)
    assert pieces.size == len(long)


def hash_of(data: bytes) -> str:
    """The hash of bytes that come at once."""
    hashed = QuickXor()
    hashed.update(data)
    return hashed.hash()


def bytewise(data: bytes) -> str:
    """The definition with whole bytes shifted, for longer inputs."""
    register = 0
    rows = [0] * 160
    for i, byte in enumerate(data):
        rows[i % 160] ^= byte
    for place, byte in enumerate(rows):
        shifted = byte << (11 * place % 160)
        register ^= (shifted & (1 << 160) - 1) | (shifted >> 160)
    return base64.b64encode((register ^ (len(data) << 96)).to_bytes(20, "little")).decode()
