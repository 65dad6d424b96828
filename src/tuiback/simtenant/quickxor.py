"""Computes quickXorHash, the only content hash that OneDrive for Business offers.

The register has 160 bits; byte i is XORed in at bit (11 * i mod 160), and the length into the last eight bytes:
https://learn.microsoft.com/onedrive/developer/code-snippets/quickxorhash
"""

from base64 import b64encode
from collections.abc import Iterable

_BITS = 160
_SHIFT = 11
# Byte i and byte i + 160 land on the same bit, so rows of 160 bytes may be XORed together first; 4096 of them at once
# keep the work inside one big-integer operation of the interpreter.
_ROW_BYTES = 160
_FOLD_BYTES = _ROW_BYTES * 4096
_REGISTER = (1 << _BITS) - 1


class QuickXor:
    """Takes bytes in pieces of any length and gives their hash."""

    def __init__(self) -> None:
        self._folded = 0
        self._length = 0
        self._rest = bytearray()

    def update(self, data: bytes) -> None:
        """Append `data`."""
        self._length += len(data)
        self._rest += data
        whole = len(self._rest) // _FOLD_BYTES * _FOLD_BYTES
        if whole:
            with memoryview(self._rest) as view:
                for start in range(0, whole, _FOLD_BYTES):
                    self._folded ^= int.from_bytes(view[start : start + _FOLD_BYTES], "little")
            del self._rest[:whole]

    def digest(self) -> bytes:
        """The 20 bytes of the hash."""
        folded = self._folded ^ int.from_bytes(self._rest, "little")
        size = _FOLD_BYTES
        while size > _ROW_BYTES:
            size //= 2
            folded = (folded & ((1 << 8 * size) - 1)) ^ (folded >> 8 * size)
        register = 0
        for place, byte in enumerate(folded.to_bytes(_ROW_BYTES, "little")):
            turned = byte << (place * _SHIFT % _BITS)
            register ^= (turned & _REGISTER) | (turned >> _BITS)
        return (register ^ (self._length << (_BITS - 64))).to_bytes(_BITS // 8, "little")

    def text(self) -> str:
        """The hash as Graph writes it: base64."""
        return b64encode(self.digest()).decode()


def quick_xor(pieces: Iterable[bytes]) -> str:
    """The base64 hash of the joined `pieces`."""
    register = QuickXor()
    for piece in pieces:
        register.update(piece)
    return register.text()
