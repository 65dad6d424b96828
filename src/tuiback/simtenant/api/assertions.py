"""Verifies the signed assertions by which applications sign in with a certificate.

https://learn.microsoft.com/entra/identity-platform/certificate-credentials
"""

from collections.abc import Mapping
from typing import Any

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt.types import Options
from jwt.utils import base64url_encode

from tuiback.simtenant.api.signin_faults import SignInFault
from tuiback.simtenant.state.applications import Application
from tuiback.simtenant.state.clock import Clock

_UNCHECKED: Options = {"verify_aud": False, "verify_exp": False, "verify_iat": False, "verify_nbf": False}


def check_assertion(assertion: str, application: Application, endpoint: str, clock: Clock) -> None:
    """Let a good assertion pass; `endpoint` is the token endpoint without its scheme. Raises SignInFault."""
    try:
        header = jwt.get_unverified_header(assertion)
    except jwt.InvalidTokenError as error:
        raise SignInFault(401, "invalid_client", 50027, "JWT token is invalid or malformed.") from error
    certificate = _find_certificate(application, header)
    if certificate is None:
        text = "The certificate used to sign the client assertion is not registered on application."
        raise SignInFault(401, "invalid_client", 700027, text)
    claims = _claims(assertion, certificate)
    if certificate.not_valid_after_utc.timestamp() <= clock.seconds():
        text = "The certificate used to sign the client assertion is expired on application."
        raise SignInFault(401, "invalid_client", 700027, text)
    _check_claims(claims, application, endpoint, clock)


def signed_claims(proof: str, certificates: list[x509.Certificate]) -> Mapping[str, Any] | None:
    """What a JWT says that one of the certificates has signed; None when none has."""
    for certificate in certificates:
        try:
            return _claims(proof, certificate)
        except SignInFault:
            continue
    return None


def _claims(assertion: str, certificate: x509.Certificate) -> Mapping[str, Any]:
    key = certificate.public_key()
    try:
        if not isinstance(key, RSAPublicKey):
            raise jwt.InvalidKeyError
        claims: dict[str, Any] = jwt.decode(assertion, key, ["RS256", "PS256"], options=_UNCHECKED)
    except jwt.InvalidTokenError as error:
        text = "Client assertion failed signature validation."
        raise SignInFault(401, "invalid_client", 700027, text) from error
    return claims


def _check_claims(claims: Mapping[str, Any], application: Application, endpoint: str, clock: Clock) -> None:
    if str(claims.get("aud", "")).partition("://")[2] != endpoint:
        raise SignInFault(401, "invalid_client", 700021, "Client assertion audience claim does not match Realm issuer.")
    if not claims.get("iss") == claims.get("sub") == application.app_id:
        text = "Client assertion application identifier doesn't match 'client_id' parameter."
        raise SignInFault(401, "invalid_client", 700021, text)
    if float(claims.get("exp", 0)) <= clock.seconds():
        text = "Client assertion is not within its valid time range."
        raise SignInFault(401, "invalid_client", 700024, text)


def _find_certificate(application: Application, header: Mapping[str, Any]) -> x509.Certificate | None:
    """The registered certificate that the header's thumbprint names."""
    for certificate in (each.certificate for each in application.certificates):
        prints = {
            "x5t": certificate.fingerprint(hashes.SHA1()),  # noqa: S303  the thumbprint's own definition
            "x5t#S256": certificate.fingerprint(hashes.SHA256()),
        }
        # msal writes x5t with base64's padding, which JOSE does without.
        shown = {name: str(header.get(name, "")).rstrip("=") for name in prints}
        if any(shown[name] == base64url_encode(value).decode() for name, value in prints.items()):
            return certificate
    return None
