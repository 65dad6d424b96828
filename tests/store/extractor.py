"""Takes a backup out of its folder with the libraries named here and nothing of tuiback.

python extractor.py FOLDER KEY_FILE TARGET writes every part of every version to TARGET. It follows the description in
the package tuiback.store, makes every check that the format offers, and knows one writer, "nas".
"""

import hashlib
import hmac
import json
import struct
import sys
from base64 import b64decode, b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import blake3
import msgspec
import xxhash
import zstandard
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

HEADER = struct.Struct(">8sHHI16s16sQIQ32s32s")
RECORD = struct.Struct(">BII16s")

Row = dict[str, Any]


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

    def settings(self, name: str) -> Row:
        """A JSON object whose second line is its BLAKE3."""
        line, checksum = (self.folder / name).read_bytes().splitlines()
        assert blake3.blake3(line).hexdigest() == checksum.decode()
        settings: Row = json.loads(line)
        assert settings["version"] == 1
        return settings

    def record(self, data: bytes, offset: int, length: int, record_type: int) -> bytes:
        """The plain bytes of a record of an object."""
        magic, version, _, features, repository, writer, number, epoch, time_ns, salt, commitment = HEADER.unpack(
            data[:132]
        )
        assert (version, features, repository) == (1, 0, self.repository)
        info = magic + repository + writer + struct.pack(">QIQ", number, epoch, time_ns)
        key, expected = hkdf(self.roots["epochs"][epoch], salt, info)
        assert commitment == expected
        kind, slot, sealed_length, checksum = RECORD.unpack_from(data, offset)
        sealed = data[offset + 25 : offset + length]
        assert (kind, len(sealed), xxhash.xxh3_128_digest(sealed)) == (record_type, sealed_length, checksum)
        place = data[:132] + struct.pack(">IBI", slot, kind, sealed_length - 16)
        padded = AESGCM(key).decrypt(slot.to_bytes(12, "big"), sealed, place)
        frame = zstandard.ZstdDecompressor().decompressobj()
        plain = frame.decompress(padded)
        assert frame.eof
        assert not any(frame.unused_data)
        return plain

    def file(self, name: str) -> bytes:
        """An object whose name ends with the hash of its bytes."""
        data = (self.folder / name).read_bytes()
        assert blake3.blake3(data).hexdigest() == name[-64:]
        return data

    def trailer(self, data: bytes) -> list[Any]:
        """The rows at the end of a pack or segment."""
        length, end = struct.unpack(">I8s", data[-12:])
        assert end == b"tuib-end"
        rows: list[Any] = msgspec.msgpack.decode(self.record(data, len(data) - 12 - length, length, 3))
        return rows

    def chunks(self, packs: list[str]) -> dict[bytes, bytes]:
        """All chunks of these packs by their id."""
        chunks = {}
        for pack in packs:
            data = self.file(f"packs/{pack[:2]}/{pack}")
            for _, offset, length, ids, sizes in self.trailer(data):
                plain = self.record(data, offset, length, 1 if len(sizes) == 1 else 2)
                for number, size in enumerate(sizes):
                    chunk, plain = plain[:size], plain[size:]
                    chunk_id = ids[32 * number : 32 * number + 32]
                    assert blake3.blake3(chunk, key=self.id_key).digest() == chunk_id
                    chunks[chunk_id] = chunk
                assert not plain
        return chunks

    def segment(self, segment: str) -> Iterator[tuple[str, bytes]]:
        """(what, plain bytes) of each record of a segment."""
        data = self.file(f"segments/{segment[:2]}/{segment}")
        for _, offset, length, _, what, _ in self.trailer(data):
            yield what, self.record(data, offset, length, 5)

    def part(self, stored: Row, chunks: dict[bytes, bytes]) -> bytes:
        """The bytes of a part: of its chunks in a row, of those that lists name, or of what a recipe makes of them."""
        rest = [chunks[chunk] for chunk in stored["chunks"]]
        for _ in range({"list1": 1, "list2": 2}.get(stored["form"], 0)):
            ids = b"".join(rest)
            rest = [chunks[ids[start : start + 32]] for start in range(0, len(ids), 32)]
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

    def commits(self) -> dict[tuple[str, int], tuple[str, Row]]:
        """(digest, commit) of all commits that are there, by writer and number."""
        commits = {}
        for path in self.folder.glob("commits/*/*"):
            writer, number, digest = path.parent.name, int(path.name[:10]), path.name[11:]
            data = self.file(f"commits/{writer}/{path.name}")
            commit = msgspec.msgpack.decode(self.record(data, 132, len(data) - 132, 4))
            assert (commit["writer"], commit["number"]) == (writer, number)
            commits[writer, number] = digest, commit
        return commits

    def history(self) -> tuple[list[str], list[Row]]:
        """(packs, versions) that the newest checkpoint and the commits after it name. There is one writer."""
        commits = self.commits()
        packs: list[str] = []
        versions: list[Row] = []
        number, previous = 0, ""
        # A void checkpoint does not count either; these backups have none.
        checkpoints = [key for key, (_, commit) in commits.items() if commit["checkpoint"]]
        if checkpoints:
            ((what, plain),) = self.segment(commits[max(checkpoints)][1]["checkpoint"])
            assert what == "table"
            table = msgspec.msgpack.decode(plain)
            ((_, number, previous),) = (head.values() for head in table["covers"])
            packs = [table["packs"][start : start + 32].hex() for start in range(0, len(table["packs"]), 32)]
            for subject, (base, deltas) in table["subjects"].items():
                versions += self.base(subject, [self.referred(table, ref) for ref in base])
                versions += [row for ref in deltas for row in self.changed(self.referred(table, ref))]
        accepts = [self.accept(path.name) for path in self.folder.glob("gc/*-accept")]
        while (key := ("nas", number + 1)) in commits:
            digest, commit = commits[key]
            assert commit["previous"] == previous
            number, previous = number + 1, digest
            if any(accept["seen"][0]["number"] < number and commit["generation"] < accept["generation"]
                   for accept in accepts):  # fmt: skip
                continue
            packs += commit["packs"]
            versions += commit["body"]["versions"]
            for segment in commit["segments"]:
                versions += [row for _, plain in self.segment(segment) for row in self.changed(plain)]
        doomed = {name[-64:] for accept in accepts for name in accept["doomed"]}
        return [pack for pack in packs if pack not in doomed], versions

    def accept(self, name: str) -> Row:
        """What a prune decided."""
        data = (self.folder / "gc" / name).read_bytes()
        accept: Row = msgspec.msgpack.decode(self.record(data, 132, len(data) - 132, 6))
        assert name == f"{accept['generation']:010d}-accept"
        return accept

    def referred(self, table: Row, ref: list[Any]) -> bytes:
        """The record that a checkpoint's table refers to."""
        index, _, offset, length, _, _, digest = ref
        segment = table["segments"][32 * index : 32 * index + 32].hex()
        plain = self.record(self.file(f"segments/{segment[:2]}/{segment}"), offset, length, 5)
        assert blake3.blake3(plain, key=self.id_key).digest() == digest
        return plain

    def changed(self, plain: bytes) -> list[Row]:
        """The versions in a record of changes."""
        return [row for rows in msgspec.msgpack.decode(plain) for row in rows["versions"]]

    def base(self, account: str, pieces: list[bytes]) -> Iterator[Row]:
        """The versions in an account's base."""
        names = ("name", "size", "digest", "chunks", "form")
        for row in [row for piece in pieces for row in msgspec.msgpack.decode(piece)[5]]:
            parts: list[Row] = [dict(zip(names, part, strict=True)) for part in row[13]]
            for part in parts:
                ids = part["chunks"]
                part["chunks"] = [ids[start : start + 32] for start in range(0, len(ids), 32)]
            yield {"account_id": account, "item_id": row[0], "parts": parts}


def main(folder: Path, key_file: Path, target: Path) -> None:
    """Write every part to a file numbered as it comes; the list of them, with what they are, is index.json."""
    extractor = Extractor(folder, "key-file", key_file.read_bytes())
    packs, versions = extractor.history()
    chunks = extractor.chunks(packs)
    index: list[list[str]] = []
    for version in versions:
        for part in version["parts"]:
            (target / str(len(index))).write_bytes(extractor.part(part, chunks))
            index.append([version["account_id"], version["item_id"], part["name"]])
    (target / "index.json").write_text(json.dumps(index))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
