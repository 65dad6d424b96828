"""The bytes of a file in a drive, wherever they come from, readable from any offset."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol

from tuiback.simtenant.content.chance import Chance
from tuiback.simtenant.content.documents import Document
from tuiback.simtenant.quickxor import quick_xor

_PIECE_BYTES = 256 * 1024


class Source(Protocol):
    """A file's bytes: `size` is known without making them."""

    @property
    def size(self) -> int:
        """How many bytes there are."""
        ...

    @property
    def quick_xor_hash(self) -> str:
        """The hash as Graph shows it."""
        ...

    def pieces(self, start: int, stop: int) -> Iterator[bytes]:
        """The bytes from `start` up to `stop`."""
        ...


@dataclass(slots=True)
class GeneratedSource:
    """A document made from the seed each time it is read; only its hash is kept."""

    document: Document
    chance: Chance
    _hash: str = ""

    @property
    def size(self) -> int:
        """How many bytes there are."""
        return self.document.size

    @property
    def quick_xor_hash(self) -> str:
        """The hash as Graph shows it."""
        if not self._hash:
            self._hash = quick_xor(self.pieces(0, self.size))
        return self._hash

    def pieces(self, start: int, stop: int) -> Iterator[bytes]:
        """The bytes from `start` up to `stop`."""
        made = self.document.read(self.chance) if self.size else b""
        for offset in range(start, stop, _PIECE_BYTES):
            yield made[offset : min(offset + _PIECE_BYTES, stop)]


class FileSource:
    """A file of the machine, read as it lies there."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @cached_property
    def size(self) -> int:
        """How many bytes the file had when it was first asked for."""
        return self._path.stat().st_size

    @cached_property
    def quick_xor_hash(self) -> str:
        """The hash as Graph shows it."""
        return quick_xor(self.pieces(0, self.size))

    def pieces(self, start: int, stop: int) -> Iterator[bytes]:
        """The bytes from `start` up to `stop`."""
        with self._path.open("rb") as file:
            file.seek(start)
            while start < stop and (piece := file.read(min(_PIECE_BYTES, stop - start))):
                start += len(piece)
                yield piece


class HeldSource:
    """Bytes that were uploaded, kept in memory."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    @property
    def size(self) -> int:
        """How many bytes there are."""
        return len(self._content)

    @cached_property
    def quick_xor_hash(self) -> str:
        """The hash as Graph shows it."""
        return quick_xor([self._content])

    def pieces(self, start: int, stop: int) -> Iterator[bytes]:
        """The bytes from `start` up to `stop`."""
        for offset in range(start, stop, _PIECE_BYTES):
            yield self._content[offset : min(offset + _PIECE_BYTES, stop)]
