"""Only the right secret opens a slot, and derived keys never change."""

import hashlib
import hmac

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.store.doubles import KEY_FILE, PASSPHRASE, SCRYPT_N, TIME
from tuiback.errors import Damage, FormatTooNew, UsageError, WrongKey
from tuiback.store.keys import Keys, KeySlot, RootKeys, Scrypt, Secret, new_root_keys, unwrap, wrap

REPOSITORY = bytes(range(16))
ROOTS = RootKeys(identity=bytes(range(32)), epochs={1: bytes(range(32, 64))})
KEYS = Keys(ROOTS, REPOSITORY)


def slot_for(secret: Secret) -> KeySlot:
    """A slot that `secret` opens."""
    return wrap(ROOTS, secret, repository=REPOSITORY, scrypt_n=SCRYPT_N, created_at=TIME)


def hkdf(secret: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    """HKDF-SHA256 written down from RFC 5869, independent of the library in use."""
    key = hmac.digest(salt or bytes(32), secret, "sha256")
    out = block = b""
    for counter in range(1, -(-length // 32) + 1):
        block = hmac.digest(key, block + info + bytes([counter]), "sha256")
        out += block
    return out[:length]


@pytest.mark.parametrize("secret", [PASSPHRASE, KEY_FILE])
def test_slot_opens_with_its_secret(secret: Secret) -> None:
    """What was wrapped comes back, for a passphrase and for a key file."""
    assert unwrap(slot_for(secret), secret, repository=REPOSITORY, subject="keys/1") == ROOTS


@pytest.mark.parametrize("secret", [PASSPHRASE, KEY_FILE])
def test_slot_refuses_another_secret(secret: Secret) -> None:
    """One byte more is another secret."""
    other = Secret(secret.kind, secret.value + b"!")
    with pytest.raises(WrongKey, match="does not open"):
        unwrap(slot_for(secret), other, repository=REPOSITORY, subject="keys/1")


def test_slot_is_bound_to_its_repository() -> None:
    """A slot carried over from another repository does not open."""
    with pytest.raises(WrongKey):
        unwrap(slot_for(PASSPHRASE), PASSPHRASE, repository=bytes(16), subject="keys/1")


def test_changed_slot_is_damage() -> None:
    """The right secret with changed wrapped keys is damage, not a wrong key."""
    slot = slot_for(PASSPHRASE)
    broken = replace(slot, wrapped=slot.wrapped[:-1] + bytes([slot.wrapped[-1] ^ 1]))
    with pytest.raises(Damage, match="key slot is damaged"):
        unwrap(broken, PASSPHRASE, repository=REPOSITORY, subject="keys/1")


@pytest.mark.parametrize(
    ("scrypt", "what"),
    [
        (Scrypt(n=1 << 24), "asks for 17179869184 bytes of memory"),
        (Scrypt(n=1 << 17, r=1 << 10), "asks for 17179869184 bytes of memory"),
        (Scrypt(n=3), "impossible cost"),
        (Scrypt(n=0), "impossible cost"),
    ],
)
def test_hostile_cost_is_refused(scrypt: Scrypt, what: str) -> None:
    """A slot that asks for more than 1 GiB, or for nonsense, is not tried."""
    slot = replace(slot_for(PASSPHRASE), scrypt=scrypt)
    with pytest.raises(Damage, match=what):
        unwrap(slot, PASSPHRASE, repository=REPOSITORY, subject="keys/1")


def test_later_slot_is_too_new() -> None:
    """A slot of a later format says so."""
    with pytest.raises(FormatTooNew, match="update tuiback"):
        unwrap(replace(slot_for(KEY_FILE), version=2), KEY_FILE, repository=REPOSITORY, subject="k")


@pytest.mark.parametrize("secret", [Secret("passphrase", b""), Secret("key-file", bytes(31))])
def test_short_secret_is_refused(secret: Secret) -> None:
    """No empty passphrase, no key file under 256 bits."""
    with pytest.raises(UsageError):
        slot_for(secret)


def test_chunk_ids_are_what_they_were() -> None:
    """Golden: an id that changed would mean that nothing stored is ever found again."""
    assert KEYS.chunk_id(b"").hex() == "20c8eb80b534b00fbd2f91c51d6af327fd4460eb2ba376facffc04aad59e849d"
    assert KEYS.chunk_id(b"abc").hex() == "c91b9f1a4391cae3a9e972c835d12f94aef7435cd1bf2c6e31b06a142ae00960"
    assert KEYS.chunk_id(bytes(1_000_000)).hex() == "059484bf923af5f49b7f9cbf2a9443e04e4d5735746050c4db31c7298808c77a"
    assert KEYS.chunker_seed == 0x74a8dc412c90eaff


def test_seed_follows_from_the_identity_by_rfc_5869() -> None:
    """The chunker's seed can be derived by anybody who has the identity key and the RFC."""
    derived = hkdf(ROOTS.identity, b"", b"tuiback chunker", 64)
    assert KEYS.chunker_seed == int.from_bytes(derived[:8], "big") >> 1


def test_hasher_in_steps_gives_the_chunk_id() -> None:
    """A part in pieces has the identity of the whole."""
    hasher = KEYS.hasher()
    hasher.update(b"a")
    hasher.update(b"bc")
    assert hasher.digest() == KEYS.chunk_id(b"abc")


def test_new_epoch_keeps_the_identity() -> None:
    """Rotating the key changes what seals, never what a chunk is called."""
    rotated = Keys(RootKeys(ROOTS.identity, {**ROOTS.epochs, 2: bytes(32)}), REPOSITORY)
    assert rotated.chunk_id(b"abc") == KEYS.chunk_id(b"abc")
    assert rotated.epoch == 2
    assert rotated.unseal(KEYS.seal(b"old", "tenant"), "tenant") == b"old"
    with pytest.raises(Damage, match="epoch 2"):
        KEYS.unseal(rotated.seal(b"new", "tenant"), "tenant")


@given(plain=st.binary(max_size=300), purpose=st.text(max_size=20))
def test_small_secret_round_trip(plain: bytes, purpose: str) -> None:
    """What is sealed for a purpose is unsealed for it, and never looks the same twice."""
    sealed = KEYS.seal(plain, purpose)
    assert KEYS.unseal(sealed, purpose) == plain
    assert sealed != KEYS.seal(plain, purpose)


@settings(max_examples=60)
@given(position=st.integers(0, 60), bit=st.integers(0, 7))
def test_changed_secret_never_unseals(position: int, bit: int) -> None:
    """Every single flipped bit is noticed."""
    sealed = bytearray(KEYS.seal(b"client secret value 0123456789", "tenant"))
    sealed[position % len(sealed)] ^= 1 << bit
    with pytest.raises((Damage, FormatTooNew)):
        KEYS.unseal(bytes(sealed), "tenant")


def test_secret_of_another_purpose_or_cut_off() -> None:
    """Neither another purpose nor a piece of it opens."""
    sealed = KEYS.seal(b"secret", "tenant contoso")
    with pytest.raises(Damage):
        KEYS.unseal(sealed, "tenant fabrikam")
    with pytest.raises(Damage, match="cut off"):
        KEYS.unseal(sealed[:10], "tenant contoso")


def test_nothing_secret_is_shown() -> None:
    """No repr gives a key or passphrase away."""
    shown = repr(PASSPHRASE) + repr(KEY_FILE) + repr(ROOTS) + repr(KEYS)
    assert "horse" not in shown
    assert repr(KEY_FILE.value)[2:-1] not in shown
    assert repr(ROOTS.identity)[2:-1] not in shown


def test_new_keys_are_fresh() -> None:
    """Two repositories never share a key."""
    one, other = new_root_keys(), new_root_keys()
    assert len({one.identity, other.identity, one.epochs[1], other.epochs[1]}) == 4
    assert {len(key) for key in (one.identity, *one.epochs.values())} == {hashlib.sha256().digest_size}
