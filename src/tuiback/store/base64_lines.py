"""Takes base64 text back to its bytes where exactly the same text can be made of them again.

A codec is (characters in a line, line end): all lines but the last are full, the last one is not empty and has no
line end, its padding is complete and its unused bits are zero. One line without a break has 0 characters and "".
"""

import binascii
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import repeat

# Fifty times as fast as binascii, which would take longer over attachments than everything else together.
from pybase64 import b64decode, b64encode

# Four characters stand for three bytes, and no quantum may lie across a line end.
_QUANTUM = 4
LINE_CHARACTERS_MAX = 1024
# Whoever does this keeps the interpreter to itself: what is done in one call stays below a millisecond.
_WINDOW_CHARACTERS = 192 * 1024
_SLICED_LINES = 256


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
            yield b64decode(text[offset : min(offset + self._window, end)])

    def encode(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """The text of these bytes, in pieces."""
        unit = self.line_characters // _QUANTUM * 3 or 3
        step = _WINDOW_CHARACTERS // unit * unit
        rest = b""
        first = True
        for piece in pieces:
            rest += piece
            if len(rest) <= step:
                # Most attachments are shorter, and made in one go.
                continue
            length = len(rest) // unit * unit
            # A line end is written before the line that follows it, for the last line has none.
            for offset in range(0, length, step):
                yield from self._lines(rest[offset : min(offset + step, length)], first)
                first = False
            rest = rest[length:]
        if rest:
            yield from self._lines(rest, first)

    def _lines(self, data: bytes, first: bool) -> Iterator[bytes]:
        text = b64encode(data)
        if not self.line_characters:
            yield text
            return
        if not first:
            yield self.line_end
        yield self.line_end.join(_cut(text, self.line_characters))

    def find_data(self, text: bytes | bytearray, start: int, end: int) -> Iterator[bytes | None]:
        """What text[start:end] stands for, in pieces; None where encode() would not make the same text of it."""
        for offset in range(start, end, self._window):
            stop = min(offset + self._window, end)
            yield self._find_block(text[offset:stop], last=stop == end)

    def _find_block(self, block: bytes | bytearray, *, last: bool) -> bytes | None:
        characters = len(block)
        if self.line_characters:
            stride = self.line_characters + len(self.line_end)
            lines, left = divmod(len(block), stride)
            characters -= lines * len(self.line_end)
            if last and not left:
                return None
            for place in range(len(self.line_end)):
                if block[self.line_characters + place :: stride] != self.line_end[place : place + 1] * lines:
                    return None
        try:
            data = b64decode(block)
        except binascii.Error:
            return None
        # Decoding passes over what is no base64, line ends and all. So many bytes can come only of that many characters
        # that are, so nothing else was passed over; and no padding lies before the last quantum, which is compared.
        quanta = -(-len(data) // 3)
        padding = block.find(b"=")
        tail = data[3 * quanta - 3 :]
        whole = quanta * _QUANTUM == characters and (padding < 0 or (last and padding >= len(block) - 2))
        return data if whole and (not last or b64encode(tail) == block[-_QUANTUM:]) else None


def find_layout(text: bytes | bytearray, start: int, end: int) -> tuple[Base64Lines, bytes | None] | None:
    """(the layout that makes text[start:end] again from its bytes, these bytes); None when there is none.

    Of text that is longer than a window the bytes are left out: decode() gives them.
    """
    break_at = text.find(b"\n", start, min(end, start + LINE_CHARACTERS_MAX + 2))
    if break_at < 0:
        layout = Base64Lines(0, b"")
    else:
        line_end = b"\r\n" if break_at > start and text[break_at - 1] == 0x0D else b"\n"
        layout = Base64Lines(break_at + 1 - len(line_end) - start, line_end)
        if layout.line_characters <= 0 or layout.line_characters % _QUANTUM:
            return None
    data: bytes | None = None
    for number, block in enumerate(layout.find_data(text, start, end)):
        if block is None:
            return None
        data = block if number == 0 else None
    return layout, data


def _cut(text: bytes, step: int) -> list[bytes]:
    """The text in pieces of `step`, the last one perhaps shorter."""
    many, rest = divmod(len(text) // step, _SLICED_LINES)
    pieces: list[bytes] = []
    offset = 0
    for lines in (*repeat(_SLICED_LINES, many), rest):
        pieces += _slicer(step, lines).unpack_from(text, offset)
        offset += lines * step
    return [*pieces, text[offset:]] if offset < len(text) else pieces


@cache
def _slicer(step: int, lines: int) -> struct.Struct:
    # Three times as fast as slicing in a loop.
    return struct.Struct(f"{step}s" * lines)
