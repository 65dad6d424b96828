"""A key with its certificate, for tests that sign in or register one."""

from base64 import b64encode
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from jwt.utils import base64url_encode


class KeyPair:
    """A key with a self-signed certificate."""

    def __init__(self, days: int = 1) -> None:
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tests")])
        builder = x509.CertificateBuilder(name, name, self.key.public_key(), x509.random_serial_number())
        now = datetime.now(UTC)
        self.certificate = (
            builder.not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=days))
            .sign(self.key, hashes.SHA256())
        )
        self.public_pem = self.certificate.public_bytes(serialization.Encoding.PEM).decode()
        self.private_pem = self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode()

    def assertion(self, claims: dict[str, Any]) -> str:
        """A client assertion of these claims."""
        thumbprint = base64url_encode(self.certificate.fingerprint(hashes.SHA256())).decode()
        return jwt.encode(claims, self.private_pem, "PS256", headers={"x5t#S256": thumbprint})

    def credential(self) -> dict[str, Any]:
        """The certificate as a keyCredential."""
        der = self.certificate.public_bytes(serialization.Encoding.DER)
        return {"type": "AsymmetricX509Cert", "usage": "Verify", "key": b64encode(der).decode(), "displayName": "k"}
