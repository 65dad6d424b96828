"""Counts what the store saves, and how: by single instances, by equal blocks, by compression."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Savings:
    """Bytes since the Writer was opened; put - decoded = single_instance + block + new.

    `put_bytes` is what was handed in. `decoded_bytes` is what base64 took more than the bytes it stands for, less the
    recipes and lists. Of the rest, `single_instance_bytes` lay in attachments, mails and files that were known as a
    whole, `block_bytes` in known chunks of others; `new_bytes` had to be stored. `sealed_plain_bytes` of those are
    compressed and sealed by now, to `sealed_bytes`; records that are still open are in neither.
    """

    put_bytes: int = 0
    decoded_bytes: int = 0
    single_instance_bytes: int = 0
    block_bytes: int = 0
    new_bytes: int = 0
    sealed_plain_bytes: int = 0
    sealed_bytes: int = 0

    def since(self, before: "Savings") -> "Savings":
        """What came after `before`."""
        return Savings(*(getattr(self, name) - getattr(before, name) for name in self.__slots__))


class SavingsTally:
    """Adds up stored parts and their pieces: a part that is not taken apart is one. Belongs to one event loop."""

    def __init__(self) -> None:
        self._put_bytes = 0
        self._piece_bytes = 0
        self._single_instance_bytes = 0
        self._block_bytes = 0

    def add_part(self, size: int) -> None:
        """Count a stored part of `size` bytes, its pieces aside."""
        self._put_bytes += size

    def add_piece(self, known_bytes: int, new_bytes: int) -> None:
        """Count one piece, of which so much was known and so much had to be stored."""
        self._piece_bytes += known_bytes + new_bytes
        if new_bytes:
            self._block_bytes += known_bytes
        else:
            self._single_instance_bytes += known_bytes

    def total(self, sealed_plain_bytes: int, sealed_bytes: int) -> Savings:
        """All of it, with what the packer has sealed."""
        return Savings(
            put_bytes=self._put_bytes,
            decoded_bytes=self._put_bytes - self._piece_bytes,
            single_instance_bytes=self._single_instance_bytes,
            block_bytes=self._block_bytes,
            new_bytes=self._piece_bytes - self._single_instance_bytes - self._block_bytes,
            sealed_plain_bytes=sealed_plain_bytes,
            sealed_bytes=sealed_bytes,
        )
