"""Writes and reads the ids that Graph hands out, so that an id leads back to its thing without a table.

An id carries the owner's number, the thing's number and a place, masked and sealed with a keyed hash: it looks opaque
and can't be guessed, and 5,000 mailboxes need no index.
"""

import struct
from base64 import b32decode, b32encode, urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from hashlib import blake2b
from uuid import UUID

_PAYLOAD = struct.Struct(">BIII")
_NODE = struct.Struct(">II")
_SEAL_BYTES = 8
# The first bytes decide how an id begins in base64; Exchange's begin like these.
_PREFIXES = {
    "folder": bytes.fromhex("010324"),
    "message": bytes.fromhex("000324"),
    "immutable": bytes.fromhex("000900"),
    "attachment": bytes.fromhex("000903"),
    "item": bytes.fromhex("000326"),
    "calendar": bytes.fromhex("010327"),
    "event": bytes.fromhex("000328"),
    "contactFolder": bytes.fromhex("010329"),
    "contact": bytes.fromhex("00032a"),
    "taskList": bytes.fromhex("01032b"),
    "task": bytes.fromhex("00032c"),
    "taskFile": bytes.fromhex("00032d"),
    "rule": bytes.fromhex("01000e"),
    "eventFile": bytes.fromhex("00032e"),
    "calendarGroup": bytes.fromhex("01032f"),
}
_KINDS = {kind: number for number, kind in enumerate(_PREFIXES)}


@dataclass(frozen=True, slots=True)
class Reference:
    """What an Exchange id points at: `place` is the count of moves of a message or the place of an attachment."""

    kind: str
    owner: int
    serial: int
    place: int


class Ids:
    """The ids of one tenant, sealed with its key."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def encode(self, kind: str, owner: int, serial: int, place: int = 0) -> str:
        """An Exchange id of 32 URL-safe characters."""
        payload = _PAYLOAD.pack(_KINDS[kind], owner, serial, place)
        return urlsafe_b64encode(_PREFIXES[kind] + self._seal(payload)).decode()

    def find(self, text: str) -> Reference | None:
        """What the id points at, or None for an id that this tenant never made."""
        try:
            raw = urlsafe_b64decode(text)
        except ValueError:
            return None
        payload = self._open(raw[3:])
        if payload is None or len(payload) != _PAYLOAD.size:
            return None
        number, owner, serial, place = _PAYLOAD.unpack(payload)
        kind = next(name for name, known in _KINDS.items() if known == number)
        return Reference(kind, owner, serial, place)

    def node_guid(self, owner: int, serial: int) -> UUID:
        """The unique id that a drive's node shows in its eTag."""
        return UUID(bytes_le=self._seal(_NODE.pack(owner, serial)))

    def node_id(self, drive: bytes, owner: int, serial: int) -> str:
        """A driveItem id: "01" and base32 of four bytes of the drive and the node's GUID (34 characters)."""
        return "01" + b32encode(drive[:4] + self.node_guid(owner, serial).bytes_le).decode()

    def find_node(self, text: str, owner: int) -> int | None:
        """The serial of the node that `text` names in the drive of `owner`, or None."""
        try:
            raw = b32decode(text[2:].upper())
        except ValueError:
            return None
        payload = self._open(raw[4:])
        if payload is None or len(payload) != _NODE.size:
            return None
        found_owner, serial = _NODE.unpack(payload)
        return int(serial) if found_owner == owner else None

    def _seal(self, payload: bytes) -> bytes:
        seal = blake2b(payload, digest_size=_SEAL_BYTES, key=self._key).digest()
        return seal + self._masked(seal, payload)

    def _open(self, sealed: bytes) -> bytes | None:
        seal, masked = sealed[:_SEAL_BYTES], sealed[_SEAL_BYTES:]
        payload = self._masked(seal, masked)
        return payload if blake2b(payload, digest_size=_SEAL_BYTES, key=self._key).digest() == seal else None

    def _masked(self, seal: bytes, payload: bytes) -> bytes:
        mask = blake2b(seal, digest_size=max(len(payload), 1), key=self._key).digest()
        return (int.from_bytes(mask, "big") ^ int.from_bytes(payload, "big")).to_bytes(len(mask), "big")
