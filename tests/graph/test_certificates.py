"""Keys with certificates, and the proofs that Entra wants before it rolls them."""

from datetime import UTC, datetime, timedelta

import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from tuiback.errors import UsageError
from tuiback.graph.certificates import KeyPair, make_key_pair, read_key_pair

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def pair() -> KeyPair:
    """A small one, for its making takes long."""
    return make_key_pair("tuiback-acme", NOW, bits=2048)


def test_a_new_pair(pair: KeyPair) -> None:
    """It is good for two years from now on, even where the clock is a bit behind."""
    certificate = x509.load_pem_x509_certificate(pair.certificate.encode())
    assert certificate.subject == certificate.issuer
    assert certificate.not_valid_before_utc < NOW
    assert pair.expires_on == "2028-11-22"
    assert not pair.is_expired(NOW + timedelta(days=729))
    assert pair.is_expired(NOW + timedelta(days=731))


def test_the_pair_is_read_back(pair: KeyPair) -> None:
    """In any order, with words around."""
    text = f"Bag Attributes\n{pair.certificate}\nkey:\n{pair.key}"
    assert read_key_pair(text, "") == pair
    assert "PRIVATE" not in repr(pair)


def test_a_strangers_certificate(pair: KeyPair) -> None:
    """A key and a certificate that don't belong together never get as far as Entra."""
    other = make_key_pair("other", NOW, bits=2048)
    with pytest.raises(UsageError, match="don't belong together"):
        read_key_pair(pair.key + other.certificate, "app")


def test_a_proof(pair: KeyPair) -> None:
    """Signed by the key, for the application object, good for less than ten minutes."""
    public = x509.load_pem_x509_certificate(pair.certificate.encode()).public_key()
    assert isinstance(public, RSAPublicKey)
    claims = jwt.decode(
        pair.proof("object-1", NOW), public, ["RS256"], audience="00000002-0000-0000-c000-000000000000",
        options={"verify_exp": False, "verify_nbf": False},
    )  # fmt: skip
    assert claims["iss"] == "object-1"
    assert claims["nbf"] < NOW.timestamp() < claims["exp"]
    assert claims["exp"] - claims["nbf"] < 600


def test_its_name_in_entra(pair: KeyPair) -> None:
    """Graph shows a thumbprint; only the certificate's own fits."""
    assert pair.is_named(pair.thumbprint)
    assert not pair.is_named("")
    assert not pair.is_named("AAAA")
    assert pair.key_credential["displayName"] == "tuiback until 2028-11-22"
