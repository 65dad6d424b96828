"""Takes base64 text back to its bytes where exactly the same text can be made of them again.

A codec is (characters in a line, line end): all lines but the last are full, the last one is not empty and has no
line end, its padding is complete and its unused bits are zero. One line without a break has 0 characters and "".
"""

import binascii
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import chain

_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
# Four characters stand for three bytes, and no quantum may lie across a line end.
_QUANTUM = 4
LINE_CHARACTERS_MAX = 1024
# binascii keeps the interpreter to itself: what is done in one call stays below a millisecond.
_WINDOW_CHARACTERS = 192 * 1024
_SLICED_LINES = 64


@dataclass(frozen=True, slots=True)
class Base64Lines:
    """How base64 text is laid out. `line_characters` is a multiple of 4, or 0 for one line of any length."""

    line_characters: int
    line_end: bytes

    @property
    def _window(self) -> int:
        """Characters, with line ends, of so many whole lines as are worked on at once."""
        if not self.line_characters:
            return _WINDOW_CHARACTERS
        stride = self.line_characters + len(self.line_end)
        return _WINDOW_CHARACTERS // stride * stride

    def decode(self, text: bytes | bytearray, start: int, end: int) -> Iterator[bytes]:
        """The bytes that text[start:end] stands for; it must be of this layout, see find_layout()."""
        for offset in range(start, end, self._window):
            yield binascii.a2b_base64(text[offset : min(offset + self._window, end)])

    def encode(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """The text of these bytes, in pieces."""
        unit = self.line_characters // _QUANTUM * 3 or 3
        step = _WINDOW_CHARACTERS // unit * unit
        rest = b""
        first = True
        for piece in pieces:
            rest += piece
            length = len(rest) // unit * unit
            # A line end is written before the line that follows it, for the last line has none.
            for offset in range(0, length, step):
                yield from self._lines(rest[offset : min(offset + step, length)], first)
                first = False
            rest = rest[length:]
        if rest:
            yield from self._lines(rest, first)

    def _lines(self, data: bytes, first: bool) -> Iterator[bytes]:
        text = binascii.b2a_base64(data, newline=False)
        if not self.line_characters:
            yield text
            return
        if not first:
            yield self.line_end
        yield self.line_end.join(_cut(text, self.line_characters))

    def fits(self, text: bytes | bytearray, start: int, end: int) -> bool:
        """Whether text[start:end] is what encode() makes of its bytes."""
        return _ends_well(text, start, end) and all(
            self._block_fits(text[offset : min(offset + self._window, end)], offset + self._window >= end)
            for offset in range(start, end, self._window)
        )

    def _block_fits(self, block: bytes | bytearray, last: bool) -> bool:
        lines = 0
        if self.line_characters:
            stride = self.line_characters + len(self.line_end)
            lines, left = divmod(len(block), stride)
            if last and (left % _QUANTUM or not left):
                return False
            for place in range(len(self.line_end)):
                if block[self.line_characters + place :: stride] != self.line_end[place : place + 1] * lines:
                    return False
        body = block[:-_QUANTUM] if last else block
        return body.translate(None, _ALPHABET) == self.line_end * lines


def find_layout(text: bytes | bytearray, start: int, end: int) -> Base64Lines | None:
    """The layout that makes text[start:end] again from its bytes; None when there is none."""
    break_at = text.find(b"\n", start, min(end, start + LINE_CHARACTERS_MAX + 2))
    if break_at < 0:
        layout = Base64Lines(0, b"")
        return layout if (end - start) % _QUANTUM == 0 and layout.fits(text, start, end) else None
    line_end = b"\r\n" if break_at > start and text[break_at - 1] == 0x0D else b"\n"
    characters = break_at + 1 - len(line_end) - start
    if characters <= 0 or characters % _QUANTUM:
        return None
    layout = Base64Lines(characters, line_end)
    return layout if layout.fits(text, start, end) else None


def _cut(text: bytes, step: int) -> list[bytes]:
    """The text in pieces of `step`, the last one perhaps shorter."""
    many = _slicer(step)
    sliced = len(text) // many.size * many.size
    pieces = list(chain.from_iterable(many.iter_unpack(memoryview(text)[:sliced])))
    return pieces + [text[offset : offset + step] for offset in range(sliced, len(text), step)]


@cache
def _slicer(step: int) -> struct.Struct:
    # Three times as fast as slicing in a loop.
    return struct.Struct(f"{step}s" * _SLICED_LINES)


def _ends_well(text: bytes | bytearray, start: int, end: int) -> bool:
    last = bytes(text[max(start, end - _QUANTUM) : end])
    try:
        return binascii.b2a_base64(binascii.a2b_base64(last, strict_mode=True), newline=False) == last
    except binascii.Error:
        return False
