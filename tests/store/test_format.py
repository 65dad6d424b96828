"""A backup can be read without tuiback: everything from the passphrase to a mail, by the format's description alone."""

import hashlib
import hmac
import json
import struct
from base64 import b64decode, b64encode
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

import blake3
import msgspec
import xxhash
import zstandard
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tests.store.doubles import KEY_FILE, PASSPHRASE, SCRYPT_N, DictIndex, FixedClock, body, version
from tests.store.mails import letter
from tests.store.test_writer import content
from tuiback.store import Repository, Writer, open_backend

HEADER = struct.Struct(">8sHHI16s16sQIQ32s32s")
RECORD = struct.Struct(">BII16s")


def hkdf(secret: bytes, salt: bytes, info: bytes) -> tuple[bytes, bytes]:
    """HKDF-SHA256 of RFC 5869: 32 bytes of key, 32 of commitment."""
    pseudo_random = hmac.digest(salt or bytes(32), secret, "sha256")
    first = hmac.digest(pseudo_random, info + b"\1", "sha256")
    return first, hmac.digest(pseudo_random, first + info + b"\2", "sha256")


class Extractor:
    """Reads a repository's folder with nothing of tuiback; every check that the format offers is made."""

    def __init__(self, folder: Path, kind: str, secret: bytes) -> None:
        self.folder = folder
        self.repository = bytes.fromhex(self.settings("config")["repository_id"])
        generation = max(int(path.stem) for path in folder.glob("keys/*"))
        slots = self.settings(f"keys/{generation}")["slots"].values()
        slot = next(slot for slot in slots if slot["kind"] == kind)
        salt = b64decode(slot["salt"])
        if slot["scrypt"]:
            secret = hashlib.scrypt(secret, salt=salt, **slot["scrypt"], maxmem=1 << 30, dklen=32)
        key, commitment = hkdf(secret, salt, b"tuiback key slot " + self.repository)
        assert commitment == b64decode(slot["commitment"])
        roots = AESGCM(key).decrypt(bytes(12), b64decode(slot["wrapped"]), self.repository)
        self.roots = msgspec.msgpack.decode(roots, strict=False)
        self.id_key = hkdf(self.roots["identity"], b"", b"tuiback chunk id")[0]

    def settings(self, name: str) -> dict[str, Any]:
        """A JSON object whose second line is its BLAKE3."""
        line, checksum = (self.folder / name).read_bytes().splitlines()
        assert blake3.blake3(line).hexdigest() == checksum.decode()
        settings: dict[str, Any] = json.loads(line)
        assert settings["version"] == 0
        return settings

    def record(self, data: bytes, offset: int, length: int) -> bytes:
        """The plain bytes of a record of an object."""
        magic, _, _, features, repository, writer, number, epoch, time_ns, salt, commitment = HEADER.unpack(data[:132])
        assert (repository, features) == (self.repository, 0)
        info = magic + repository + writer + struct.pack(">QIQ", number, epoch, time_ns)
        key, expected = hkdf(self.roots["epochs"][epoch], salt, info)
        assert commitment == expected
        kind, slot, sealed_length, checksum = RECORD.unpack_from(data, offset)
        sealed = data[offset + 25 : offset + length]
        assert (len(sealed), xxhash.xxh3_128_digest(sealed)) == (sealed_length, checksum)
        place = data[:132] + struct.pack(">IBI", slot, kind, sealed_length - 16)
        padded = AESGCM(key).decrypt(slot.to_bytes(12, "big"), sealed, place)
        frame = zstandard.ZstdDecompressor().decompressobj()
        plain = frame.decompress(padded)
        assert frame.eof
        assert not any(frame.unused_data)
        return plain

    def chunks(self) -> dict[bytes, bytes]:
        """All chunks of all packs by their id."""
        chunks = {}
        for path in self.folder.glob("packs/*/*"):
            data = path.read_bytes()
            assert path.name == blake3.blake3(data).hexdigest()
            trailer_length, end = struct.unpack(">I8s", data[-12:])
            assert end == b"tuib-end"
            trailer = self.record(data, len(data) - 12 - trailer_length, trailer_length)
            for _, offset, length, ids, sizes in msgspec.msgpack.decode(trailer):
                plain = self.record(data, offset, length)
                for number, size in enumerate(sizes):
                    chunk, plain = plain[:size], plain[size:]
                    chunk_id = ids[32 * number : 32 * number + 32]
                    assert blake3.blake3(chunk, key=self.id_key).digest() == chunk_id
                    chunks[chunk_id] = chunk
                assert not plain
        return chunks

    def part(self, stored: dict[str, Any], chunks: dict[bytes, bytes]) -> bytes:
        """The bytes of a part: its chunks in a row, or what a recipe in the first makes of the others."""
        rest = [chunks[chunk] for chunk in stored["chunks"]]
        data = b"".join(rest)
        if stored["form"] == "mime":
            recipe, *rest = rest
            data = b""
            for entry in msgspec.msgpack.decode(recipe):
                if isinstance(entry, bytes):
                    data += entry
                    continue
                count, codec, line_characters, line_end = entry
                piece, rest = b"".join(rest[:count]), rest[count:]
                if codec == "base64":
                    text = b64encode(piece)
                    step = line_characters or len(text)
                    piece = line_end.encode().join(text[start : start + step] for start in range(0, len(text), step))
                data += piece
        assert len(data) == stored["size"]
        assert blake3.blake3(data, key=self.id_key).digest() == stored["digest"]
        return data

    def commits(self, writer: str) -> list[dict[str, Any]]:
        """The commits of a writer in order, each following the one before."""
        previous = ""
        commits = []
        for number, path in enumerate(sorted(self.folder.glob(f"commits/{writer}/*")), start=1):
            data = path.read_bytes()
            digest = blake3.blake3(data).hexdigest()
            assert path.name == f"{number:010d}-{digest}"
            commit = msgspec.msgpack.decode(self.record(data, 132, len(data) - 132))
            assert (commit["writer"], commit["number"], commit["previous"]) == (writer, number, previous)
            commits.append(commit)
            previous = digest
        return commits


async def test_backup_is_readable_without_tuiback(tmp_path: Path, executor: Executor) -> None:
    """Mails, with attachments too, and a large file come out byte for byte, with either secret."""
    backend = open_backend(str(tmp_path / "r"))
    repository = Repository.create(backend, [PASSPHRASE, KEY_FILE], clock=FixedClock(), scrypt_n=SCRYPT_N)
    writer = Writer(repository, DictIndex(), executor)
    blocks = [content(number, 5000) for number in range(8)] + [content(99, 3_000_000), b""]
    blocks += [letter(number, content(1, 5000), content(99, 3_000_000)) for number in range(3)]
    head = None
    for number, block in enumerate(blocks):
        part = await writer.put("mailbox:a", "message", "mime", block)
        packs = [table.pack_id for table in await writer.flush()]
        head = repository.append("nas", head, packs, body(version(f"m{number}", part))).head
    for secret in (PASSPHRASE, KEY_FILE):
        extractor = Extractor(tmp_path / "r", secret.kind, secret.value)
        chunks = extractor.chunks()
        versions = [row for commit in extractor.commits("nas") for row in commit["body"]["versions"]]
        assert [row["item_id"] for row in versions] == [f"m{number}" for number in range(len(blocks))]
        assert [extractor.part(row["parts"][0], chunks) for row in versions] == blocks
        assert [row["parts"][0]["form"] for row in versions[-3:]] == 3 * ["mime"]
