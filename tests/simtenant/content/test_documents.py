"""Generated documents have exactly their size, open in other programs, and keep blocks between versions."""

import io
import zipfile
import zlib

import pytest

from tuiback.simtenant.content.chance import Chance
from tuiback.simtenant.content.documents import CONTENT_TYPES, Document

CHANCE = Chance(3)


@pytest.mark.parametrize("kind", sorted(CONTENT_TYPES))
@pytest.mark.parametrize("size", [0, 1, 900, 2_500, 16_384, 100_001])
def test_size_is_exact(kind: str, size: int) -> None:
    """However small, a document has the size that was announced, and the same bytes each time."""
    document = Document("family", 1, kind, size)
    assert len(document.read(CHANCE)) == size
    assert document.read(CHANCE) == document.read(Chance(3))


@pytest.mark.parametrize("kind", ["docx", "xlsx", "pptx", "zip"])
def test_archives_open(kind: str) -> None:
    """Office documents are intact zip archives."""
    with zipfile.ZipFile(io.BytesIO(Document("family", 0, kind, 50_000).read(CHANCE))) as archive:
        assert archive.testzip() is None


def test_png_chunks_are_sound() -> None:
    """The image's chunks carry right checksums."""
    made = Document("family", 0, "png", 30_000).read(CHANCE)
    place, names = 8, []
    while place < len(made):
        length = int.from_bytes(made[place : place + 4], "big")
        body = made[place + 4 : place + 8 + length]
        assert zlib.crc32(body).to_bytes(4, "big") == made[place + 8 + length : place + 12 + length]
        names.append(body[:4])
        place += 12 + length
    assert names == [b"IHDR", b"IDAT", b"IEND"]


def test_versions_share_most_of_their_bytes() -> None:
    """A later version differs, but most 4 KiB pieces of the earlier one are found in it."""
    first, later = (Document("family", version, "docx", 400_000).read(CHANCE) for version in (0, 3))
    assert first != later
    pieces = [first[start : start + 4096] for start in range(0, 400_000, 4096)]
    assert sum(piece in later for piece in pieces) > 0.8 * len(pieces)
