"""Draws numbers that depend only on the tenant's seed and on what they are for."""

import random
from collections.abc import Sequence
from hashlib import blake2b
from statistics import NormalDist
from typing import TypeVar
from uuid import UUID

T = TypeVar("T")
Key = int | str
_NORMAL = NormalDist()


class Chance:
    """Numbers by key: the same key gives the same number in every process and in any order of asking."""

    def __init__(self, seed: int) -> None:
        self._key = (seed % 2**64).to_bytes(8, "big")

    def digest(self, size: int, *key: Key) -> bytes:
        """`size` bytes (at most 64)."""
        return blake2b(repr(key).encode(), digest_size=size, key=self._key).digest()

    def number(self, *key: Key) -> int:
        """A number below 2**64."""
        return int.from_bytes(self.digest(8, *key), "big")

    def fraction(self, *key: Key) -> float:
        """A number in [0, 1)."""
        return self.number(*key) / 2**64

    def below(self, limit: int, *key: Key) -> int:
        """A whole number in [0, limit)."""
        return self.number(*key) % limit

    def pick(self, choices: Sequence[T], *key: Key) -> T:
        """One of `choices`."""
        return choices[self.number(*key) % len(choices)]

    def guid(self, *key: Key) -> UUID:
        """A GUID that looks like a random one."""
        return UUID(bytes=self.digest(16, *key), version=4)

    def source(self, *key: Key) -> random.Random:
        """A generator of its own, for content that needs many draws."""
        return random.Random(self.number(*key))


def log_normal(quantile: float, median: float, sigma: float, limit: float) -> int:
    """The size below which `quantile` of a log-normal population lies, at most `limit`."""
    clipped = min(max(quantile, 1e-6), 1 - 1e-6)
    return int(min(limit, median * 2.718281828459045 ** (sigma * _NORMAL.inv_cdf(clipped))))
