"""Turns a passphrase or key file into the repository's keys, and wraps those keys into slots.

A slot wraps the root keys: `identity`, from which the chunk ids and chunk boundaries follow, and one key per
epoch, from which everything that seals follows. So a new epoch never costs the dedup.
"""

import hashlib
import os
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

import blake3
import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from tuiback.errors import Damage, FormatTooNew, UsageError, WrongKey

# The format that this version reads and writes. Format 0 was never released and is refused.
VERSION = 1
DEFAULT_SCRYPT_N = 1 << 17
# A slot comes from the disk: one that asks for more would be an attack on the machine that opens it.
_SCRYPT_BYTES_MAX = 1 << 30
_KEY_FILE_BYTES_MIN = 32
_KEY_BYTES = 32
_SECRET_HEADER_BYTES = 1 + 4 + 12
# Every key made by one_key seals once, or under a nonce that its caller numbers.
_ONLY_NONCE = bytes(12)

SecretKind = Literal["passphrase", "key-file"]


@dataclass(frozen=True, slots=True)
class Secret:
    """What the owner holds: a passphrase, or the content of a key file (at least 32 random bytes)."""

    kind: SecretKind
    value: bytes = field(repr=False)


class RootKeys(msgspec.Struct, frozen=True):
    """The random keys that a slot wraps: 32 bytes each, epochs counted from 1."""

    identity: bytes
    epochs: dict[int, bytes]

    def __repr__(self) -> str:
        return f"RootKeys(epochs={sorted(self.epochs)})"


class Scrypt(msgspec.Struct, frozen=True):
    """The cost of a passphrase slot (RFC 7914)."""

    n: int
    r: int = 8
    p: int = 1


class KeySlot(msgspec.Struct, frozen=True, kw_only=True):
    """One way to open the repository. A key-file slot has no scrypt.

    `confirmed_at` is when its owner last proved to have its secret, None before the first time.
    """

    version: int = VERSION
    kind: SecretKind
    created_at: datetime
    confirmed_at: datetime | None = None
    salt: bytes
    scrypt: Scrypt | None
    commitment: bytes
    wrapped: bytes


def new_root_keys() -> RootKeys:
    """Fresh keys of a new repository, from the operating system's generator."""
    return RootKeys(os.urandom(_KEY_BYTES), {1: os.urandom(_KEY_BYTES)})


def with_next_epoch(roots: RootKeys) -> RootKeys:
    """The same keys and a fresh one for the next epoch; the identity stays, and with it the dedup."""
    return RootKeys(roots.identity, {**roots.epochs, max(roots.epochs) + 1: os.urandom(_KEY_BYTES)})


def one_key(secret: bytes, salt: bytes, info: bytes) -> tuple[bytes, bytes]:
    """(key, commitment), 32 bytes each, by HKDF-SHA256 (RFC 5869).

    AES-GCM alone does not commit to its key: a sealed text could be made to open under two of them. Comparing
    the stored commitment first rules that out.
    """
    material = HKDF(algorithm=SHA256(), length=2 * _KEY_BYTES, salt=salt, info=info).derive(secret)
    return material[:_KEY_BYTES], material[_KEY_BYTES:]


def wrap(roots: RootKeys, secret: Secret, *, repository: bytes, scrypt_n: int, created_at: datetime) -> KeySlot:
    """A new slot that opens with `secret`. Raises UsageError when the secret is too short."""
    if secret.kind == "key-file" and len(secret.value) < _KEY_FILE_BYTES_MIN:
        raise UsageError(f"a key file holds at least {_KEY_FILE_BYTES_MIN} random bytes", remedy="make another one")
    if not secret.value:
        raise UsageError("the passphrase is empty", remedy="choose a long one")
    scrypt = Scrypt(scrypt_n) if secret.kind == "passphrase" else None
    salt = os.urandom(_KEY_BYTES)
    key, commitment = one_key(_stretch(secret, salt, scrypt), salt, _slot_info(repository))
    wrapped = AESGCM(key).encrypt(_ONLY_NONCE, msgspec.msgpack.encode(roots), repository)
    return KeySlot(
        kind=secret.kind, created_at=created_at, salt=salt, scrypt=scrypt, commitment=commitment, wrapped=wrapped
    )


def unwrap(slot: KeySlot, secret: Secret, *, repository: bytes, subject: str) -> RootKeys:
    """The keys in the slot.

    Raises WrongKey when the secret is not the slot's, Damage when the slot is broken or asks for more than
    1 GiB of memory, FormatTooNew when it is of a later format.
    """
    if slot.version > VERSION:
        raise FormatTooNew("a newer tuiback wrote this key slot", subject, "update tuiback")
    key, commitment = one_key(_stretch(secret, slot.salt, slot.scrypt), slot.salt, _slot_info(repository))
    if commitment != slot.commitment:
        raise WrongKey(f"this {secret.kind} does not open it", subject)
    try:
        return msgspec.msgpack.decode(AESGCM(key).decrypt(_ONLY_NONCE, slot.wrapped, repository), type=RootKeys)
    except (InvalidTag, msgspec.DecodeError) as error:
        raise Damage("the key slot is damaged", subject, "restore keys/ from a copy of the repository") from error


def _slot_info(repository: bytes) -> bytes:
    return b"tuiback key slot " + repository


def _stretch(secret: Secret, salt: bytes, scrypt: Scrypt | None) -> bytes:
    if scrypt is None:
        return secret.value
    memory = 128 * scrypt.n * scrypt.r * scrypt.p
    if memory > _SCRYPT_BYTES_MAX:
        raise Damage(f"a key slot asks for {memory} bytes of memory", remedy="restore keys/ from a copy")
    try:
        return hashlib.scrypt(
            secret.value, salt=salt, n=scrypt.n, r=scrypt.r, p=scrypt.p, maxmem=memory + (1 << 20), dklen=_KEY_BYTES
        )
    except ValueError as error:
        raise Damage(f"a key slot has an impossible cost: {error}", remedy="restore keys/ from a copy") from error


class Keys:
    """All keys of one open repository, derived from its root keys."""

    def __init__(self, roots: RootKeys, repository: bytes) -> None:
        self._roots = roots
        self._epochs = roots.epochs
        self.repository = repository
        self.epoch = max(roots.epochs)
        self._id_key = one_key(roots.identity, b"", b"tuiback chunk id")[0]
        seed = one_key(roots.identity, b"", b"tuiback chunker")[0]
        # pyfastcdc shifts its 64-bit seed left by one and overflows at 2^63.
        self.chunker_seed = int.from_bytes(seed[:8], "big") >> 1

    def hand_over(self) -> bytes:
        """What take_over() needs in a process beside this one: the keys themselves, for nowhere else."""
        return msgspec.msgpack.encode((self._roots, self.repository))

    @classmethod
    def take_over(cls, handed_over: bytes) -> "Keys":
        """The keys that another process has opened."""
        return cls(*msgspec.msgpack.decode(handed_over, type=tuple[RootKeys, bytes]))

    def chunk_id(self, plain: bytes | bytearray) -> bytes:
        """The identity of these bytes: BLAKE3-256 under the repository's id key."""
        return blake3.blake3(plain, key=self._id_key).digest()

    def hasher(self) -> blake3.blake3:
        """chunk_id in steps: update() as bytes come, then digest()."""
        return blake3.blake3(key=self._id_key)

    def epoch_key(self, epoch: int, subject: str) -> bytes:
        """The root of what was sealed in that epoch. Raises Damage when no slot has it."""
        key = self._epochs.get(epoch)
        if key is None:
            remedy = "start this program again if the key was rotated meanwhile"
            raise Damage(f"it is sealed under key epoch {epoch}, which the key slot did not have", subject, remedy)
        return key

    def seal(self, plain: bytes, purpose: str) -> bytes:
        """A small secret sealed for one purpose: version, epoch, nonce, AES-256-GCM."""
        nonce = os.urandom(12)
        header = bytes([VERSION]) + self.epoch.to_bytes(4, "big") + nonce
        return header + self._purpose_cipher(self.epoch, purpose).encrypt(nonce, plain, header)

    def unseal(self, sealed: bytes, purpose: str) -> bytes:
        """What seal() was given. Raises Damage when it was changed or sealed for another purpose."""
        header = sealed[:_SECRET_HEADER_BYTES]
        if len(header) < _SECRET_HEADER_BYTES:
            raise Damage("the sealed secret is cut off", purpose)
        if header[0] > VERSION:
            raise FormatTooNew("a newer tuiback sealed this", purpose, "update tuiback")
        cipher = self._purpose_cipher(int.from_bytes(header[1:5], "big"), purpose)
        try:
            return cipher.decrypt(header[5:], sealed[_SECRET_HEADER_BYTES:], header)
        except InvalidTag as error:
            raise Damage("the sealed secret does not open", purpose, "enter it again") from error

    def _purpose_cipher(self, epoch: int, purpose: str) -> AESGCM:
        info = b"tuiback secret " + self.repository + purpose.encode()
        return AESGCM(one_key(self.epoch_key(epoch, purpose), b"", info)[0])
