"""Takes a backup out of its folder with the libraries named here and nothing of tuiback.

python extractor.py FOLDER KEY_FILE TARGET writes every part of every version to TARGET, and what they are to its
index.json. All it knows is the description in the package tuiback.store.
"""

import hashlib
import hmac
import json
import struct
import sys
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import blake3
import msgspec
import zstandard
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

Row = dict[str, Any]
unpack = msgspec.msgpack.Decoder(strict=False).decode


def hkdf(secret: bytes, salt: bytes, info: bytes) -> tuple[bytes, bytes]:
    """HKDF-SHA256 of RFC 5869: 32 bytes of key, 32 of commitment."""
    pseudo_random = hmac.digest(salt or bytes(32), secret, "sha256")
    first = hmac.digest(pseudo_random, info + b"\1", "sha256")
    return first, hmac.digest(pseudo_random, first + info + b"\2", "sha256")


def ids(joined: bytes) -> list[bytes]:
    """The ids that stand in a row."""
    return [joined[start : start + 32] for start in range(0, len(joined), 32)]


def mail(recipe: bytes, *pieces: bytes) -> Iterator[bytes]:
    """The bytes of a mail that was taken apart."""
    rest = iter(pieces)
    for entry in unpack(recipe):
        if isinstance(entry, bytes):
            yield entry
            continue
        count, codec, line_characters, line_end = entry
        text = b"".join(next(rest) for _ in range(count))
        text = b64encode(text) if codec == "base64" else text
        step = line_characters or len(text) or 1
        yield line_end.encode().join(text[start : start + step] for start in range(0, len(text), step))


class Extractor:
    """Opens the repository in a folder with the secret of a kind of slot."""

    def __init__(self, folder: Path, kind: str, secret: bytes) -> None:
        self.folder = folder
        names = "config", f"keys/{max(int(path.stem) for path in folder.glob('keys/*'))}"
        config, keys = (json.loads((folder / name).read_bytes().split(b"\n")[0]) for name in names)
        repository = bytes.fromhex(config["repository_id"])
        slot = next(slot for slot in keys["slots"].values() if slot["kind"] == kind)
        salt, commitment, wrapped = (b64decode(slot[name]) for name in ("salt", "commitment", "wrapped"))
        if slot["scrypt"]:
            secret = hashlib.scrypt(secret, salt=salt, **slot["scrypt"], maxmem=1 << 30, dklen=32)
        key, expected = hkdf(secret, salt, b"tuiback key slot " + repository)
        assert commitment == expected
        self.roots = unpack(AESGCM(key).decrypt(bytes(12), wrapped, repository))
        self.id_key, _ = hkdf(self.roots["identity"], b"", b"tuiback chunk id")

    def record(self, data: bytes, offset: int = 132) -> bytes:
        """The plain bytes of a record of an object."""
        epoch, salt, commitment = int.from_bytes(data[56:60]), data[68:100], data[100:132]
        key, expected = hkdf(self.roots["epochs"][epoch], salt, data[:8] + data[16:68])
        assert commitment == expected
        kind, slot, length = struct.unpack_from(">BII", data, offset)
        place = data[:132] + struct.pack(">IBI", slot, kind, length - 16)
        padded = AESGCM(key).decrypt(slot.to_bytes(12), data[offset + 25 : offset + 25 + length], place)
        return zstandard.ZstdDecompressor().decompressobj().decompress(padded)

    def records(self, kind: str, name: str) -> Iterator[tuple[list[Any], bytes]]:
        """(its row in the trailer, plain bytes) of each record of a pack or segment."""
        data = (self.folder / kind / name[:2] / name).read_bytes()
        assert blake3.blake3(data).hexdigest() == name
        for row in unpack(self.record(data, len(data) - 12 - int.from_bytes(data[-12:-8]))):
            yield row, self.record(data, row[1])

    def chunks(self, packs: Iterable[str]) -> dict[bytes, bytes]:
        """All chunks of these packs by their id."""
        chunks: dict[bytes, bytes] = {}
        for (_, _, _, joined, sizes), data in (each for pack in packs for each in self.records("packs", pack)):
            plain = BytesIO(data)
            chunks.update((chunk_id, plain.read(size)) for chunk_id, size in zip(ids(joined), sizes, strict=True))
        return chunks

    def part(self, stored: Row, chunks: dict[bytes, bytes]) -> bytes:
        """The bytes of a part: of its chunks in a row, of those that lists name, or of what a recipe makes of them."""
        pieces = [chunks[chunk] for chunk in stored["chunks"]]
        for _ in range({"list1": 1, "list2": 2}.get(stored["form"], 0)):
            pieces = [chunks[chunk] for chunk in ids(b"".join(pieces))]
        data = b"".join(mail(*pieces) if stored["form"] == "mime" else pieces)
        assert blake3.blake3(data, key=self.id_key).digest() == stored["digest"]
        return data

    def kept(self, table: Row) -> Iterator[Row]:
        """The versions of a checkpoint's table: of each account those of its base, then those in the changes after."""
        segments = enumerate(ids(table["segments"]))
        found = {(n, row[1]): data for n, name in segments for row, data in self.records("segments", name.hex())}
        for account, all_refs in table["subjects"].items():
            base, changes = ([unpack(found[ref[0], ref[2]]) for ref in refs] for refs in all_refs)
            for row in (row for piece in base for row in piece[5]):
                names = ("name", "size", "digest", "chunks", "form")
                parts = [dict(zip(names, part, strict=True)) | {"chunks": ids(part[3])} for part in row[13]]
                yield {"account_id": account, "item_id": row[0], "parts": parts}
            yield from (row for bodies in changes for body in bodies for row in body["versions"])

    def history(self) -> tuple[list[str], list[Row]]:
        """(packs, versions) that the newest checkpoint and the commits after it name."""
        accepts = [unpack(self.record(path.read_bytes())) for path in self.folder.glob("gc/*-accept")]
        paths = sorted(self.folder.glob("commits/*/*"))
        commits = {path.name[-64:]: unpack(self.record(path.read_bytes())) for path in paths}
        packs, versions, heads = [], [], {}
        if checkpoints := [commit for commit in commits.values() if commit["checkpoint"]]:
            newest = max(checkpoints, key=lambda commit: commit["body"]["time"])
            ((_, plain),) = self.records("segments", newest["checkpoint"])
            table = unpack(plain)
            packs, versions = [pack.hex() for pack in ids(table["packs"])], list(self.kept(table))
            heads = {head["writer"]: (head["number"], head["digest"]) for head in table["covers"]}
        for digest, commit in commits.items():
            if heads.get(commit["writer"], (0, "")) != (commit["number"] - 1, commit["previous"]):
                continue
            heads[commit["writer"]] = commit["number"], digest
            if not any(is_void(commit, digest, accept) for accept in accepts):
                spilled = [data for name in commit["segments"] for _, data in self.records("segments", name)]
                bodies = [commit["body"], *(body for data in spilled for body in unpack(data))]
                versions += [row for body in bodies for row in body["versions"]]
                packs += commit["packs"]
        doomed = {name[-64:] for accept in accepts for name in accept["doomed"]}
        return [pack for pack in packs if pack not in doomed], versions


def is_void(commit: Row, digest: str, accept: Row) -> bool:
    """Whether the commit was made without knowing of the prune, and may rest on what that gave up."""
    seen = {head["writer"]: head["number"] for head in accept["seen"]}.get(commit["writer"], 0)
    return digest in accept["void"] or (commit["generation"] < accept["generation"] and commit["number"] > seen)


def main(folder: Path, key_file: Path, target: Path) -> None:
    """Write each part to a file numbered as it comes."""
    extractor = Extractor(folder, "key-file", key_file.read_bytes())
    packs, versions = extractor.history()
    chunks = extractor.chunks(packs)
    found = [(each["account_id"], each["item_id"], part) for each in versions for part in each["parts"]]
    for number, (_, _, part) in enumerate(found):
        (target / str(number)).write_bytes(extractor.part(part, chunks))
    (target / "index.json").write_text(json.dumps([(*owner, part["name"]) for *owner, part in found]))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
