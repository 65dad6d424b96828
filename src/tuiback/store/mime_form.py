"""Stores a mail as a recipe and pieces, so that an attachment is the same chunks in every mail and as a file.

The chunks of a part of form "mime" are the recipe, then those of each piece in its order. A recipe is a msgpack array;
its entries in a row are the mail: a bin is those bytes, an array [chunks, codec, line_characters, line_end] is a piece
of so many chunks, as it is with codec "" or as base64 text with codec "base64" (see base64_lines). A piece is
identified and cut exactly like a part of its bytes.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Annotated

import msgspec

from tuiback.errors import Damage
from tuiback.store.base64_lines import LINE_CHARACTERS_MAX, Base64Lines
from tuiback.store.chunker import WHOLE_PART_BYTES, WINDOW_BYTES, Cut, PartCutter
from tuiback.store.keys import Keys
from tuiback.store.mime_spans import Mail, Span, find_spans

MIME = "mime"
# What StoredPart.form may say: chunks in their order, or this.
FORMS = frozenset({"", MIME})
# Numbers of what is no piece of a mail: its recipe, and a part that is not taken apart.
RECIPE = 0
WHOLE = 0
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
_recipe_decoder = msgspec.msgpack.Decoder(list[_Entry])


@dataclass(frozen=True, slots=True)
class PieceCuts:
    """Some chunks of one piece; `number` counts the pieces of a mail from 1, and see RECIPE and WHOLE."""

    number: int
    cuts: tuple[Cut, ...]


@dataclass(frozen=True, slots=True)
class SmallPart:
    """A part that was cut at once: the identity of its bytes, its form, and its chunks, a recipe first."""

    digest: bytes
    form: str
    pieces: tuple[PieceCuts, ...]


class MailCutter:
    """Cuts one mail into pieces and recipe. For one thread at a time; the mail must not change meanwhile."""

    def __init__(self, keys: Keys, mail: Mail, stretches: tuple[Span | slice, ...]) -> None:
        self._keys = keys
        self._mail = mail
        self._stretches = stretches
        self._entries: list[_Entry] = []
        # Of what a reader will make of recipe and pieces, not of the mail.
        self._reassembled = keys.hasher()
        self._pieces = 0

    def pieces(self) -> Iterator[PieceCuts]:
        """The chunks of all pieces in their order, never much more than a window of them at once."""
        for stretch in self._stretches:
            if isinstance(stretch, slice):
                literal = bytes(self._mail[stretch])
                self._entries.append(literal)
                self._reassembled.update(literal)
            else:
                yield from self._piece(stretch)

    def recipe(self) -> tuple[Cut, bytes] | None:
        """The recipe and the identity of the whole mail, once all pieces are cut.

        None when recipe and pieces would not give the mail back: then it must be stored in another form.
        """
        came = self._keys.hasher()
        came.update(self._mail)
        digest = came.digest()
        if self._reassembled.digest() != digest:
            return None
        data = msgspec.msgpack.encode(self._entries)
        return Cut(self._keys.chunk_id(data), data), digest

    def _piece(self, span: Span) -> Iterator[PieceCuts]:
        self._pieces += 1
        cutter: PartCutter | None = None
        taken: list[bytes] = []
        chunks = 0
        for text in _texts(self._mail, span, taken):
            self._reassembled.update(text)
            if sum(map(len, taken)) >= WINDOW_BYTES:
                cutter = cutter or PartCutter(self._keys)
                cuts = cutter.cut(taken, last=False)
                taken.clear()
                chunks += len(cuts)
                yield PieceCuts(self._pieces, tuple(cuts))
        cuts = self._last(cutter, taken)
        yield PieceCuts(self._pieces, tuple(cuts))
        layout = span.layout or Base64Lines(0, b"")
        codec = _BASE64 if span.layout else ""
        self._entries.append(
            _Piece(chunks + len(cuts), codec, layout.line_characters, layout.line_end.decode())
        )

    def _last(self, cutter: PartCutter | None, taken: list[bytes]) -> list[Cut]:
        if cutter is None and sum(map(len, taken)) <= WHOLE_PART_BYTES:
            data = b"".join(taken)
            return [Cut(self._keys.chunk_id(data), data)]
        return (cutter or PartCutter(self._keys)).cut(taken, last=True)


def find_cutter(keys: Keys, mail: Mail) -> MailCutter | None:
    """What cuts this mail; None when it has nothing that is worth storing apart."""
    spans = find_spans(mail)
    if not spans:
        return None
    stretches = tuple(_stretches(spans, len(mail)))
    literal_bytes = sum(one.stop - one.start for one in stretches if isinstance(one, slice))
    if literal_bytes + _ENTRY_BYTES * len(stretches) > WHOLE_PART_BYTES:
        return None
    return MailCutter(keys, mail, stretches)


def cut_small(keys: Keys, name: str, data: bytes) -> SmallPart:
    """The part `name` of at most WHOLE_PART_BYTES, taken apart if it is a mail worth it."""
    cutter = find_cutter(keys, data) if name == MIME else None
    if cutter is not None:
        pieces = tuple(cutter.pieces())
        proven = cutter.recipe()
        if proven is not None:
            return SmallPart(proven[1], MIME, (PieceCuts(RECIPE, (proven[0],)), *pieces))
    chunk_id = keys.chunk_id(data)
    return SmallPart(chunk_id, "", (PieceCuts(WHOLE, (Cut(chunk_id, data),)),))


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
            layout = Base64Lines(entry.line_characters, entry.line_end.encode())
            yield from layout.encode(islice(chunks, entry.chunks))
        else:
            yield from islice(chunks, entry.chunks)


def _stretches(spans: Iterable[Span], size: int) -> Iterator[Span | slice]:
    """The whole mail in order: spans, and the literal stretches around them."""
    done = 0
    for span in (*spans, Span(size, size, None)):
        if span.start - done > _LITERAL_BYTES_MAX:
            yield Span(done, span.start, None)
        elif span.start > done:
            yield slice(done, span.start)
        if span.end > span.start:
            yield span
        done = span.end


def _texts(mail: Mail, span: Span, taken: list[bytes]) -> Iterator[bytes]:
    """What a reader will make of the span; the bytes that it will make it of are added to `taken`."""

    def blocks() -> Iterator[bytes]:
        decoded = span.layout.decode(mail, span.start, span.end) if span.layout else _windows(mail, span)
        for block in decoded:
            taken.append(block)
            yield block

    return span.layout.encode(blocks()) if span.layout else blocks()


def _windows(mail: Mail, span: Span) -> Iterator[bytes]:
    for offset in range(span.start, span.end, WINDOW_BYTES):
        yield bytes(mail[offset : min(offset + WINDOW_BYTES, span.end)])
