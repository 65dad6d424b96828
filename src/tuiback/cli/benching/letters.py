"""Makes mail-size files to measure with: messages of real text as Exchange hands them out, some with attachments."""

import base64
import zlib
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from random import Random

from tuiback.cli.benching.archives import source_files

_TEXT_SUFFIXES = frozenset({".py", ".rst", ".txt", ".md", ".pyi"})
_TEXT_BYTES = 12 << 20
_TYPICAL_TEXT_BYTES = 2_500
_ATTACHMENTS = 300
_TYPICAL_ATTACHMENT_BYTES = 40_000
_IN_A_FOLDER = 500
# Shares of all messages.
_HTML = 0.7
_ATTACHED = 0.12
_TO_SEVERAL = 0.12
_PEOPLE = ("anna.berg", "li.chen", "omar.diaz", "eva.novak", "tom.okafor", "ines.roux", "jan.vos", "mia.weber")


def make_letters(folder: Path, size: int) -> None:
    """Write messages of about `size` bytes together, in folders of 500."""
    text = _text()
    attachments = _attachments()
    written = 0
    number = 0
    while written < size:
        # Who gets a message that went to several has the same text and attachments under other headers.
        random = Random(f"content {number}")  # noqa: S311 - equal environments give equal data
        body = _body(random, text, attachments)
        for _ in range(1 if random.random() > _TO_SEVERAL else 3):
            path = folder / f"{number // _IN_A_FOLDER:03}" / f"{number:06}.eml"
            path.parent.mkdir(parents=True, exist_ok=True)
            message = _headers(number) + body
            path.write_bytes(message)
            written += len(message)
            number += 1


def _text() -> bytes:
    pieces: list[bytes] = []
    size = 0
    for path in source_files():
        if size >= _TEXT_BYTES:
            break
        if path.suffix in _TEXT_SUFFIXES:
            pieces.append(path.read_bytes().decode(errors="ignore").encode("ascii", "ignore"))
            size += len(pieces[-1])
    return b"".join(pieces)


def _attachments() -> Sequence[bytes]:
    return list(islice(_compressed(), _ATTACHMENTS))


def _compressed() -> Iterator[bytes]:
    random = Random("attachments")  # noqa: S311
    for path in source_files():
        content = path.read_bytes()
        if len(content) > _TYPICAL_ATTACHMENT_BYTES:
            length = round(random.lognormvariate(0, 1) * _TYPICAL_ATTACHMENT_BYTES)
            # Office files and photos are compressed already; a few others are not.
            yield zlib.compress(content, 1)[:length] if random.random() < 0.8 else content[:length]


def _headers(number: int) -> bytes:
    random = Random(f"headers {number}")  # noqa: S311
    sender, receiver = random.choice(_PEOPLE), random.choice(_PEOPLE)
    server = f"AM0PR{random.randrange(100):02}MB{random.randrange(10_000):04}.eurprd01.prod.outlook.com"
    address = f"fe80::{random.getrandbits(64):x}%{random.randrange(9)}"
    date = f"{1 + number % 28} Nov 2026 {number % 24:02}:{number % 60:02}:{number * 7 % 60:02} +0000"
    lines = [
        f"Received: from {server} (2603:10a6:20b:{random.getrandbits(16):x}::{random.randrange(99)}) by",
        f" {server[::-1]} with HTTPS; Mon, {date}",
        f"Received: from {server} ([fe80::{random.getrandbits(64):x}]) by {server}",
        f" ([{address}]) with mapi id 15.20.{random.randrange(9999)}.{number}; {date}",
        f'From: "{sender}" <{sender}@contoso.example>',
        f'To: "{receiver}" <{receiver}@contoso.example>',
        f"Date: Mon, {date}",
        f"Message-ID: <{random.getrandbits(128):032x}@{server}>",
        "Accept-Language: en-US",
        "X-MS-Has-Attach: yes",
        f"X-MS-Exchange-Organization-Network-Message-Id: {random.getrandbits(128):032x}",
        f"X-MS-TrafficTypeDiagnostic: {server[:10]}:EE_|{server[:12]}:EE_",
        f"X-Microsoft-Antispam-Message-Info: {base64.b64encode(random.randbytes(180)).decode()}",
        "MIME-Version: 1.0",
    ]
    return "\r\n".join(lines).encode() + b"\r\n"


def _body(random: Random, text: bytes, attachments: Sequence[bytes]) -> bytes:
    subject = b"Subject: " + _excerpt(random, text, 40).replace(b"\r\n", b" ")[:60] + b"\r\n"
    plain = _excerpt(random, text, round(random.lognormvariate(0, 1) * _TYPICAL_TEXT_BYTES))
    parts = [b"Content-Type: text/plain; charset=utf-8\r\n\r\n" + plain + b"\r\n"]
    if random.random() < _HTML:
        parts.append(b"Content-Type: text/html; charset=utf-8\r\n\r\n" + _html(plain))
    if random.random() < _ATTACHED:
        parts += [_attached(number, random.choice(attachments)) for number in range(random.randint(1, 3))]
    boundary = f"_{random.randrange(9):03}_{random.getrandbits(96):024x}_".encode()
    between = b"--" + boundary + b"\r\n"
    start = subject + b'Content-Type: multipart/mixed; boundary="' + boundary + b'"\r\n\r\n'
    return start + b"".join(between + part for part in parts) + b"--" + boundary + b"--\r\n"


def _excerpt(random: Random, text: bytes, length: int) -> bytes:
    start = random.randrange(len(text) - length)
    return b"\r\n".join(text[start : start + length].split(b"\n"))


def _html(plain: bytes) -> bytes:
    paragraphs = plain.replace(b"&", b"&amp;").replace(b"<", b"&lt;").split(b"\r\n")
    style = b"margin:0cm;font-size:11.0pt;font-family:&quot;Calibri&quot;,sans-serif"
    shown = b"".join(b'<p class="MsoNormal" style="' + style + b'">' + line + b"</p>\r\n" for line in paragraphs)
    return b"<html><head></head><body>\r\n" + shown + b"</body></html>\r\n"


def _attached(number: int, content: bytes) -> bytes:
    name = f"document-{number}.docx".encode()
    head = (
        b'Content-Type: application/octet-stream; name="' + name + b'"\r\nContent-Disposition: attachment; filename="'
        + name + b'"\r\nContent-Transfer-Encoding: base64\r\n\r\n'
    )  # fmt: skip
    encoded = base64.b64encode(content)
    return head + b"\r\n".join(encoded[at : at + 76] for at in range(0, len(encoded), 76)) + b"\r\n"
