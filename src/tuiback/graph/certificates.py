"""Makes the keys and certificates that apps sign in with, and signs the proofs that rolling them asks for."""

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

from tuiback.errors import UsageError

LIFE_DAYS = 730
KEY_BITS = 3072
# A clock that runs ahead of Microsoft's must not make the certificate one of the future.
_BACKDATED = timedelta(hours=1)

_PEM_BLOCK = re.compile(r"-----BEGIN ([A-Z ]+)-----.+?-----END \1-----", re.DOTALL)
_REMEDY = "give a PEM file with the unencrypted private key and the certificate"

# What a proof of possession holds: https://learn.microsoft.com/graph/application-rollkey-prooftoken
_PROOF_AUDIENCE = "00000002-0000-0000-c000-000000000000"
_PROOF_SECONDS = 300
_SKEW_SECONDS = 60


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A private key and its certificate, each as PEM."""

    key: str = field(repr=False)
    certificate: str

    @property
    def pem(self) -> str:
        """Both in one text."""
        return self.key + self.certificate

    @property
    def expires_on(self) -> str:
        """The last day of the certificate, as YYYY-MM-DD in UTC."""
        return f"{self._loaded.not_valid_after_utc:%Y-%m-%d}"

    @property
    def thumbprint(self) -> str:
        """The SHA-1 that Entra shows certificates by."""
        return self._loaded.fingerprint(hashes.SHA1()).hex().upper()  # noqa: S303 - a name, not a protection

    def is_named(self, key_identifier: str) -> bool:
        """Whether Graph's customKeyIdentifier, a thumbprint in base64 or hexadecimal, means this certificate."""
        digest = self._loaded.fingerprint(hashes.SHA1())  # noqa: S303 - a name, not a protection
        return key_identifier in (base64.b64encode(digest).decode(), digest.hex().upper())

    @property
    def key_credential(self) -> Mapping[str, str]:
        """The certificate as Graph takes it: https://learn.microsoft.com/graph/api/resources/keycredential."""
        der = self._loaded.public_bytes(Encoding.DER)
        return {
            "type": "AsymmetricX509Cert",
            "usage": "Verify",
            "key": base64.b64encode(der).decode(),
            "displayName": f"tuiback until {self.expires_on}",
        }

    def is_expired(self, now: datetime) -> bool:
        """Whether nothing that the key signs counts any more."""
        return self._loaded.not_valid_after_utc <= now

    def proof(self, object_id: str, now: datetime) -> str:
        """The word of this key, which is registered with the application, for a change of its keys."""
        start = int(now.timestamp()) - _SKEW_SECONDS
        claims = {
            "aud": _PROOF_AUDIENCE, "iss": object_id, "nbf": start, "exp": start + _SKEW_SECONDS + _PROOF_SECONDS
        }  # fmt: skip
        print_bytes = self._loaded.fingerprint(hashes.SHA1())  # noqa: S303 - the header's own definition
        headers = {"x5t": base64.urlsafe_b64encode(print_bytes).decode().rstrip("=")}
        return jwt.encode(claims, self.key, "RS256", headers=headers)

    @property
    def _loaded(self) -> x509.Certificate:
        return x509.load_pem_x509_certificate(self.certificate.encode())


def make_key_pair(name: str, now: datetime, *, days: int = LIFE_DAYS, bits: int = KEY_BITS) -> KeyPair:
    """A new RSA key with a self-signed certificate for the subject `name`. Takes up to a second."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=bits)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    certificate = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - _BACKDATED)
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    return KeyPair(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
        certificate.public_bytes(Encoding.PEM).decode(),
    )


def read_key_pair(pem: str, subject: str) -> KeyPair:
    """Key and certificate of a PEM text, which is `subject`'s. Raises UsageError where they can't be used."""
    blocks = {match[1]: match[0] for match in _PEM_BLOCK.finditer(pem)}
    key = next((block for label, block in blocks.items() if label.endswith("PRIVATE KEY")), None)
    certificate = blocks.get("CERTIFICATE")
    if key is None or certificate is None:
        raise UsageError("the credential lacks the private key or the certificate", subject, _REMEDY)
    try:
        # Whether it is a sound RSA key takes a tenth of a second to say, and its first signature tells.
        private = load_pem_private_key(key.encode(), password=None, unsafe_skip_rsa_key_validation=True)
    except (ValueError, TypeError) as error:
        raise UsageError("the private key of the credential can't be read", subject, _REMEDY) from error
    try:
        public = x509.load_pem_x509_certificate(certificate.encode()).public_key()
    except ValueError as error:
        raise UsageError("the certificate of the credential can't be read", subject, _REMEDY) from error
    if private.public_key() != public:
        raise UsageError("key and certificate of the credential don't belong together", subject, _REMEDY)
    return KeyPair(f"{key}\n", f"{certificate}\n")
