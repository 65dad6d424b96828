"""Stores a mail as a recipe and pieces, so that an attachment is the same chunks in every mail and as a file.

The chunks of a part of form "mime" are the recipe, then those of each piece in its order. A recipe is a msgpack array;
its entries in a row are the mail: a bin is those bytes, an array [chunks, codec, line_characters, line_end] is a piece
of so many chunks, as it is with codec "" or as base64 text with codec "base64" (see base64_lines). A piece is
identified and cut exactly like a part of its bytes.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import islice
from typing import Annotated, NamedTuple

import msgspec

from tuiback.errors import Damage
from tuiback.store.base64_lines import LINE_CHARACTERS_MAX, Base64Lines
from tuiback.store.chunker import WHOLE_PART_BYTES, WINDOW_BYTES, Cut, PartCutter
from tuiback.store.keys import Keys
from tuiback.store.mime_spans import Mail, Span, find_spans

MIME = "mime"
# Numbers of what is no piece of a mail: its recipe, a part that is not taken apart, and the lists of its chunks.
RECIPE = 0
WHOLE = 0
LISTS = -1
_BASE64 = "base64"
# Longer stretches between two spans are pieces too, so that a recipe stays one chunk.
_LITERAL_BYTES_MAX = 16 * 1024
# More than the msgpack of an entry takes beside its literal.
_ENTRY_BYTES = 32

_LineCharacters = Annotated[int, msgspec.Meta(ge=0, le=LINE_CHARACTERS_MAX, multiple_of=4)]


class _Piece(msgspec.Struct, array_like=True, frozen=True):
    chunks: int
    codec: str
    line_characters: _LineCharacters
    line_end: str


_Entry = bytes | _Piece
_recipe_encoder = msgspec.msgpack.Encoder()
_recipe_decoder = msgspec.msgpack.Decoder(list[_Entry])


class PieceCuts(NamedTuple):
    """Some chunks of one piece; `number` counts the pieces of a mail from 1, and see RECIPE, WHOLE and LISTS."""

    number: int
    cuts: tuple[Cut, ...]


class ShortPart(NamedTuple):
    """A part that was cut at once: the identity of its bytes, its form, and its chunks, a recipe first."""

    digest: bytes
    form: str
    pieces: tuple[PieceCuts, ...]


class MailCutter:
    """Cuts one mail into pieces and recipe. For one thread at a time; the mail must not change meanwhile."""

    def __init__(self, keys: Keys, mail: Mail, stretches: Sequence[Span | slice]) -> None:
        self._keys = keys
        self._mail = mail
        self._stretches = stretches
        self._entries: list[_Entry] = []

    def pieces(self) -> Iterator[PieceCuts]:
        """The chunks of all pieces in their order, never much more than a window of them at once."""
        number = 0
        for stretch in self._stretches:
            if isinstance(stretch, slice):
                self._entries.append(bytes(self._mail[stretch]))
                continue
            number += 1
            chunks = 0
            for cuts in self._cuts(stretch):
                chunks += len(cuts)
                yield PieceCuts(number, tuple(cuts))
            layout = stretch.layout
            self._entries.append(
                _Piece(chunks, _BASE64, layout.line_characters, layout.line_end.decode())
                if layout
                else _Piece(chunks, "", 0, "")
            )

    def recipe(self) -> tuple[Cut, bytes]:
        """The recipe and the identity of the whole mail, once all pieces are cut."""
        data = _recipe_encoder.encode(self._entries)
        return Cut(self._keys.chunk_id(data), data), self._keys.chunk_id(self._mail)

    def _cuts(self, span: Span) -> Iterator[Sequence[Cut]]:
        data = span.data
        if data is None and span.layout is None and span.end - span.start <= WHOLE_PART_BYTES:
            data = bytes(self._mail[span.start : span.end])
        if data is not None and len(data) <= WHOLE_PART_BYTES:
            yield (Cut(self._keys.chunk_id(data), data),)
            return
        cutter = PartCutter(self._keys)
        taken: list[bytes] = []
        size = 0
        for block in [data] if data is not None else _blocks(self._mail, span):
            taken.append(block)
            size += len(block)
            if size >= WINDOW_BYTES:
                yield cutter.cut(taken, last=False)
                taken, size = [], cutter.held_bytes
        yield cutter.cut(taken, last=True)


def find_cutter(keys: Keys, mail: Mail) -> MailCutter | None:
    """What cuts this mail; None when it has nothing that is worth storing apart."""
    spans = find_spans(mail)
    if not spans:
        return None
    stretches = list(_stretches(spans, len(mail)))
    literal_bytes = sum(one.stop - one.start for one in stretches if isinstance(one, slice))
    if literal_bytes + _ENTRY_BYTES * len(stretches) > WHOLE_PART_BYTES:
        return None
    return MailCutter(keys, mail, stretches)


def cut_short(keys: Keys, name: str, data: Mail) -> ShortPart:
    """The part `name`, whole in memory, taken apart if it is a mail worth it."""
    cutter = find_cutter(keys, data) if name == MIME else None
    if cutter is not None:
        pieces = tuple(cutter.pieces())
        recipe, digest = cutter.recipe()
        return ShortPart(digest, MIME, (PieceCuts(RECIPE, (recipe,)), *pieces))
    if len(data) > WHOLE_PART_BYTES:
        part = PartCutter(keys)
        cuts = tuple(part.cut([bytes(data)], last=True))
        return ShortPart(part.digest(), "", (PieceCuts(WHOLE, cuts),))
    chunk_id = keys.chunk_id(data)
    return ShortPart(chunk_id, "", (PieceCuts(WHOLE, (Cut(chunk_id, bytes(data)),)),) if data else ())


def reassemble(chunks: Iterator[bytes], subject: str) -> Iterator[bytes]:
    """The mail that these chunks make up, the recipe first. Raises Damage when that is none.

    Whoever reads must compare the whole with its digest: a missing piece is not noticed here.
    """
    try:
        entries = _recipe_decoder.decode(next(chunks, b""))
    except msgspec.DecodeError as error:
        raise Damage("its first chunk is no recipe", subject, "run tuiback check") from error
    for entry in entries:
        if isinstance(entry, bytes):
            yield entry
        elif entry.codec == _BASE64:
            yield from _layout(entry.line_characters, entry.line_end).encode(islice(chunks, entry.chunks))
        else:
            yield from islice(chunks, entry.chunks)


@lru_cache(64)
def _layout(line_characters: int, line_end: str) -> Base64Lines:
    # Most mails have the same few.
    return Base64Lines(line_characters, line_end.encode())


def _stretches(spans: Iterable[Span], size: int) -> Iterator[Span | slice]:
    """The whole mail in order: spans, and the literal stretches around them."""
    done = 0
    for span in (*spans, Span(size, size)):
        if span.start - done > _LITERAL_BYTES_MAX:
            yield Span(done, span.start)
        elif span.start > done:
            yield slice(done, span.start)
        if span.end > span.start:
            yield span
        done = span.end


def _blocks(mail: Mail, span: Span) -> Iterator[bytes]:
    if span.layout:
        return span.layout.decode(mail, span.start, span.end)
    return (
        bytes(mail[offset : min(offset + WINDOW_BYTES, span.end)])
        for offset in range(span.start, span.end, WINDOW_BYTES)
    )
