"""Makes bytes that look like the documents of an office, of exactly the size asked for.

Office files, PDFs and pictures are compressed inside, so their bulk is pseudo-random; text is text. A later version
of a document keeps most of its blocks, as a saved document does.
"""

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from tuiback.simtenant.content.chance import Chance
from tuiback.simtenant.content.prose import paragraph
from tuiback.simtenant.content.words import LANGUAGES

_BLOCK_BYTES = 16 * 1024
_OFFICE = "application/vnd.openxmlformats-officedocument."
CONTENT_TYPES = {
    "pdf": "application/pdf",
    "docx": _OFFICE + "wordprocessingml.document",
    "xlsx": _OFFICE + "spreadsheetml.sheet",
    "pptx": _OFFICE + "presentationml.presentation",
    "zip": "application/zip",
    "png": "image/png",
    "jpg": "image/jpeg",
    "txt": "text/plain",
    "csv": "text/csv",
    "one": "application/msonenote",
    "onetoc2": "application/octet-stream",
}
_OFFICE_PARTS = {"docx": "word", "xlsx": "xl", "pptx": "ppt", "zip": "files"}
# MS-ONESTORE file type GUIDs: https://learn.microsoft.com/openspecs/office_file_formats/ms-onestore/
_ONE_MAGIC = bytes.fromhex("e4525c7b8cd8a74daeb15378d02996d3")
_ONETOC2_MAGIC = bytes.fromhex("a12ff043d9ef764c9ee210ea5722765f")


@dataclass(frozen=True, slots=True)
class Document:
    """One version of a document: `family` is shared by its versions, `size` counts bytes."""

    family: str
    version: int
    kind: str
    size: int

    def read(self, chance: Chance) -> bytes:
        """The document's bytes."""
        maker = _MAKERS.get(self.kind, _text)
        made = maker(self, chance)
        return made if len(made) == self.size else _text(self, chance)


def _blocks(document: Document, chance: Chance, size: int) -> bytes:
    """`size` incompressible bytes, of which each version after the first replaces some blocks."""
    changed = {
        chance.below(max(size // _BLOCK_BYTES, 1), document.family, "changed", version): version
        for version in range(1, document.version + 1)
    }
    return b"".join(_each_block(document, chance, size, changed))


def _each_block(document: Document, chance: Chance, size: int, changed: dict[int, int]) -> Iterator[bytes]:
    for number, start in enumerate(range(0, size, _BLOCK_BYTES)):
        source = chance.source(document.family, document.kind, number, changed.get(number, 0))
        yield source.randbytes(min(_BLOCK_BYTES, size - start))


def _pdf(document: Document, chance: Chance) -> bytes:
    before = (
        b"%%PDF-1.7\n%%\xe2\xe3\xcf\xd3\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n"
        b"2 0 obj\n<< /Type /Pages /Kids [3 0 R] /Count 1 >>\nendobj\n"
        b"3 0 obj\n<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R >>\nendobj\n"
        b"4 0 obj\n<< /Length %010d /Filter /FlateDecode >>\nstream\n"
    )
    after = b"\nendstream\nendobj\ntrailer\n<< /Size 5 /Root 1 0 R >>\nstartxref\n0\n%%%%EOF\n"
    bulk = max(document.size - len(before % 0) - len(after % ()), 0)
    return before % bulk + _blocks(document, chance, bulk) + after % ()


def _zipped(document: Document, chance: Chance, bulk: int) -> bytes:
    folder = _OFFICE_PARTS[document.kind]
    body = "".join(paragraph(chance, LANGUAGES[0], 300, document.family, document.version, part) for part in range(2))
    parts: list[tuple[str, bytes]] = [(f"{folder}/media/image1.png", _blocks(document, chance, bulk))]
    if document.kind != "zip":
        parts.insert(0, ("[Content_Types].xml", b'<?xml version="1.0"?><Types xmlns="' + _TYPES_NAMESPACE + b'"/>'))
        parts.insert(1, (f"{folder}/document.xml", f"<document><p>{body[:500]:<500}</p></document>".encode()))
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as archive:
        for name, content in parts:
            archive.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), content)
    return made.getvalue()


_TYPES_NAMESPACE = b"http://schemas.openxmlformats.org/package/2006/content-types"


def _archive(document: Document, chance: Chance) -> bytes:
    overhead = len(_zipped(document, chance, 0))
    return _zipped(document, chance, max(document.size - overhead, 0))


def _png(document: Document, chance: Chance) -> bytes:
    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    head = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 1024, 768, 8, 2, 0, 0, 0))
    tail = chunk(b"IEND", b"")
    bulk = max(document.size - len(head) - len(tail) - 12, 0)
    return head + chunk(b"IDAT", _blocks(document, chance, bulk)) + tail


def _jpg(document: Document, chance: Chance) -> bytes:
    head, tail = bytes.fromhex("ffd8ffe000104a46494600010100000100010000"), bytes.fromhex("ffd9")
    return head + _blocks(document, chance, max(document.size - len(head) - len(tail), 0)) + tail


def _one(document: Document, chance: Chance) -> bytes:
    magic = _ONE_MAGIC if document.kind == "one" else _ONETOC2_MAGIC
    return magic + _blocks(document, chance, max(document.size - len(magic), 0))


def _text(document: Document, chance: Chance) -> bytes:
    """Prose, or rows of numbers; both grow at the end from version to version."""
    if document.kind == "csv":
        numbers = chance.source(document.family, "rows").randbytes(document.size // 2 + 1).hex(";", 4)
        rows = (numbers[start : start + 88] for start in range(0, len(numbers), 90))
        return "\r\n".join(rows).encode()[: document.size].ljust(document.size)
    language = chance.pick(LANGUAGES, document.family, "language")
    text = paragraph(chance, language, document.size, document.family).encode()[: document.size]
    # A character cut in two by the size is replaced by spaces.
    return text.decode("utf-8", "ignore").encode().ljust(document.size)


_MAKERS = {
    "pdf": _pdf,
    "docx": _archive,
    "xlsx": _archive,
    "pptx": _archive,
    "zip": _archive,
    "png": _png,
    "jpg": _jpg,
    "one": _one,
    "onetoc2": _one,
}
