"""Seals the records of one object under a key of its own, so that none can be moved or changed.

An object starts with a clear header of 132 bytes, all numbers big-endian:
magic 8, version u16, zero u16, required features u32, repository id 16, writer 16, number u64, key epoch u32,
time in ns since 1970 u64, salt 32, key commitment 32.
A record is 25 clear bytes (type u8, slot u32, sealed length u32, xxh3_128 of the sealed bytes 16) and the sealed
bytes: AES-256-GCM with its tag of 16 bytes at their end, under the object's key, with the slot as nonce of 12 bytes
and header, slot u32, type u8 and padded length u32 as associated data. What is sealed is one zstd frame that states
its content size, of at most 1 GiB, then zeros up to the padded length: the frame's length L, if 2 or more, rounded up
to a multiple of 2^(E - S), where E is the number of bits of L less one, and S the number of bits of E.
"""

import struct
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import xxhash
import zstandard
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tuiback.errors import Damage, FormatTooNew
from tuiback.store.keys import VERSION, Keys, one_key

PACK_MAGIC = b"tuibpack"
COMMIT_MAGIC = b"tuibcmmt"
SEGMENT_MAGIC = b"tuibsgmt"
GC_MAGIC = b"tuibprun"
LOSS_MAGIC = b"tuiblost"
# Bits of features that a reader must know to read the object; version 1 has none.
KNOWN_FEATURES = 0
ZSTD_LEVEL = 3

_HEADER = struct.Struct(">8sHHI16s16sQIQ32s32s")
_RECORD = struct.Struct(">BII16s")
_PLACE = struct.Struct(">IBI")
HEADER_BYTES = _HEADER.size
RECORD_HEADER_BYTES = _RECORD.size
_TAG_BYTES = 16
# No record is made larger; a frame that claims more is not ours.
_PLAIN_BYTES_MAX = 1 << 30
_CHECK = "run tuiback check"


class RecordType(IntEnum):
    """What a record holds."""

    CHUNK = 1
    BUNDLE = 2
    TRAILER = 3
    COMMIT = 4
    ROWS = 5
    GC = 6
    LOSS = 7


_TYPES = frozenset(RecordType)


@dataclass(frozen=True, slots=True)
class Header:
    """The clear start of an object; with the epoch's key it yields the object's key."""

    magic: bytes
    repository: bytes
    writer: bytes
    number: int
    epoch: int
    time_ns: int
    salt: bytes

    def encode(self, commitment: bytes) -> bytes:
        """The clear bytes."""
        return _HEADER.pack(
            self.magic, VERSION, 0, KNOWN_FEATURES, self.repository, self.writer, self.number,
            self.epoch, self.time_ns, self.salt, commitment,
        )  # fmt: skip

    def object_key(self, epoch_key: bytes) -> tuple[bytes, bytes]:
        """(key, key commitment) of this object alone."""
        numbers = struct.pack(">QIQ", self.number, self.epoch, self.time_ns)
        return one_key(epoch_key, self.salt, self.magic + self.repository + self.writer + numbers)


def open_envelope(data: bytes, magic: bytes, repository: bytes, keys: Keys, subject: str) -> "Envelope":
    """The envelope of the object that starts with `data`.

    Raises Damage when it is not such an object of this repository or its header was changed, FormatTooNew when
    it is of a later format.
    """
    if len(data) < HEADER_BYTES or data[:8] != magic:
        raise Damage("it does not start as it must", subject, _CHECK)
    _, version, _, features, owner, writer, number, epoch, time_ns, salt, commitment = _HEADER.unpack_from(data)
    if version > VERSION or features & ~KNOWN_FEATURES:
        raise FormatTooNew(f"it has format version {version}, features {features:#x}", subject, "update tuiback")
    if version < VERSION:
        raise Damage(f"it has format version {version}, which was never released", subject, _CHECK)
    if owner != repository:
        raise Damage(f"it belongs to repository {owner.hex()}", subject, _CHECK)
    header = Header(magic, repository, writer, number, epoch, time_ns, salt)
    key, expected = header.object_key(keys.epoch_key(epoch, subject))
    if commitment != expected:
        raise Damage("its header is not what was written", subject, _CHECK)
    return Envelope(key, data[:HEADER_BYTES])


def new_envelope(header: Header, keys: Keys) -> "Envelope":
    """The envelope of a new object; its salt must be fresh."""
    key, commitment = header.object_key(keys.epoch_key(header.epoch, "a new object"))
    return Envelope(key, header.encode(commitment))


@dataclass(frozen=True, slots=True)
class Record:
    """A record whose sealed bytes still have their checksum."""

    type: RecordType
    slot: int
    sealed: bytes


def split_record(data: bytes, subject: str) -> Record:
    """The record that `data` holds exactly. Needs no key. Raises Damage."""
    if len(data) < RECORD_HEADER_BYTES:
        raise Damage("a record is cut off", subject, _CHECK)
    type_number, slot, sealed_length, checksum = _RECORD.unpack_from(data)
    sealed = data[RECORD_HEADER_BYTES:]
    if len(sealed) != sealed_length or type_number not in _TYPES:
        raise Damage("a record does not start as it must", subject, _CHECK)
    if xxhash.xxh3_128_digest(sealed) != checksum:
        raise Damage(f"record {slot} has changed on its disk", subject, _CHECK)
    return Record(RecordType(type_number), slot, sealed)


def padded_length(length: int) -> int:
    """The length that hides `length` at a cost of at most 12 %, about 1.5 % on average at 64 KiB and more.

    Padmé, section 4 of "Reducing Metadata Leakage from Encrypted Files and Communication with PURBs",
    https://arxiv.org/abs/1806.03160.
    """
    if length < 2:
        return length
    exponent = length.bit_length() - 1
    free_bits = exponent - exponent.bit_length()
    mask = (1 << free_bits) - 1
    return (length + mask) & ~mask


class Envelope:
    """Seals and opens the records of one object. Thread-safe; each slot may be sealed once only."""

    def __init__(self, key: bytes, header_bytes: bytes) -> None:
        self._cipher = AESGCM(key)
        self.header_bytes = header_bytes

    def seal(self, slot: int, record_type: RecordType, plain: bytes) -> tuple[bytes, bytes]:
        """(clear start, sealed bytes) of a record with `plain` compressed."""
        return self._sealed(slot, record_type, _contexts.compressor.compress(plain))

    def seal_all(self, records: Sequence[tuple[int, RecordType, bytes]]) -> list[tuple[bytes, bytes]]:
        """seal() each (slot, type, plain bytes, not empty), compressed in one call: the GIL is given away once."""
        frames = _contexts.compressor.multi_compress_to_buffer([plain for _, _, plain in records])
        return [
            self._sealed(slot, record_type, frames[number].tobytes())
            for number, (slot, record_type, _) in enumerate(records)
        ]

    def _sealed(self, slot: int, record_type: RecordType, frame: bytes) -> tuple[bytes, bytes]:
        padded = frame.ljust(padded_length(len(frame)), b"\0")
        sealed = self._cipher.encrypt(_nonce(slot), padded, self._place(slot, record_type, len(padded)))
        return _RECORD.pack(record_type, slot, len(sealed), xxhash.xxh3_128_digest(sealed)), sealed

    def unseal(self, record: Record, subject: str) -> bytes:
        """The plain bytes of a record. Raises Damage."""
        place = self._place(record.slot, record.type, len(record.sealed) - _TAG_BYTES)
        try:
            padded = self._cipher.decrypt(_nonce(record.slot), record.sealed, place)
            if zstandard.frame_content_size(padded) > _PLAIN_BYTES_MAX:
                raise Damage(f"record {record.slot} claims to be too large", subject, _CHECK)
            return _contexts.decompressor.decompress(padded)
        except (InvalidTag, zstandard.ZstdError) as error:
            raise Damage(f"record {record.slot} does not open under the repository's key", subject, _CHECK) from error

    def _place(self, slot: int, record_type: RecordType, plain_length: int) -> bytes:
        return self.header_bytes + _PLACE.pack(slot, record_type, plain_length)


def _nonce(slot: int) -> bytes:
    return slot.to_bytes(12, "big")


class _Zstd(threading.local):
    """Contexts of one thread: they are costly to make and must not be shared."""

    def __init__(self) -> None:
        self.compressor = zstandard.ZstdCompressor(level=ZSTD_LEVEL)
        self.decompressor = zstandard.ZstdDecompressor()


_contexts = _Zstd()
