"""The sign-in service's memory: which applications exist, and which access tokens are good.

Tokens are JWTs signed with the tenant's key, so one stays good when the same plan is served again.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt.types import Options
from jwt.utils import base64url_encode

from tuiback.simtenant.api.call import Fault
from tuiback.simtenant.plan import Plan
from tuiback.simtenant.state.clock import Clock

_GRAPH = "https://graph.microsoft.com"


@dataclass(frozen=True, slots=True)
class Application:
    """A registered application with its admin-consented roles."""

    client_id: str
    secrets: frozenset[str]
    certificates: tuple[x509.Certificate, ...]
    roles: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Grant:
    """What an access token says."""

    expires: float
    client_id: str
    roles: frozenset[str]


class SignInFault(Exception):
    """A refusal of the token endpoint: https://learn.microsoft.com/entra/identity-platform/reference-error-codes."""

    def __init__(self, status: int, error: str, number: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.error = error
        self.number = number
        self.text = text


class SignIn:
    """Applications and tokens of one tenant."""

    def __init__(self, plan: Plan, clock: Clock, key: bytes) -> None:
        self._clock = clock
        self._plan = plan
        # HMAC-SHA256 keys of fewer than 32 bytes are refused by the JWT library.
        self._key = key[::-1] * 2
        self._applications: dict[str, Application] = {}
        self._opened: dict[str, _Grant] = {}
        self.register(plan.client_id, [plan.client_secret], plan.certificates, plan.roles)

    def register(
        self, client_id: str, secrets: Iterable[str], certificates: Iterable[str], roles: Iterable[str]
    ) -> None:
        """Make an application known, or replace it."""
        loaded = tuple(x509.load_pem_x509_certificate(each.encode()) for each in certificates)
        self._applications[client_id] = Application(client_id, frozenset(secrets), loaded, frozenset(roles))

    def issue(self, form: Mapping[str, str], endpoint: str) -> dict[str, Any]:
        """The token endpoint's answer to a client credentials grant. Raises SignInFault."""
        if form.get("grant_type") != "client_credentials":
            raise SignInFault(400, "unsupported_grant_type", 70003, "The app requested an unsupported grant type.")
        if not form.get("scope", "").endswith("/.default"):
            raise SignInFault(400, "invalid_scope", 1002012, "The provided value for scope is not valid.")
        client_id = form.get("client_id", "")
        application = self._applications.get(client_id)
        if application is None:
            text = f"Application with identifier '{client_id}' was not found in the directory."
            raise SignInFault(400, "unauthorized_client", 700016, text)
        if "client_assertion" in form:
            _check_assertion(form["client_assertion"], application, endpoint, self._clock)
        elif form.get("client_secret") not in application.secrets:
            text = f"Invalid client secret provided. Ensure the secret being sent is the value for app '{client_id}'."
            raise SignInFault(401, "invalid_client", 7000215, text)
        life = self._plan.token_seconds
        token = self._token(application, life)
        return {"token_type": "Bearer", "expires_in": life, "ext_expires_in": life, "access_token": token}

    def who(self, authorization: str) -> tuple[str, frozenset[str]]:
        """The application behind an Authorization header, and its roles. Raises Fault 401."""
        grant = self._grant(authorization)
        return grant.client_id, grant.roles

    def _grant(self, authorization: str) -> "_Grant":
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise _unauthorized("Access token is empty.")
        if token not in self._opened:
            self._opened[token] = self._open(token)
        grant = self._opened[token]
        if grant.expires <= self._clock.seconds():
            raise _unauthorized("Lifetime validation failed, the token is expired.")
        return grant

    def _token(self, application: Application, life_seconds: int) -> str:
        now = int(self._clock.seconds())
        claims = {
            "aud": _GRAPH, "iss": f"https://sts.windows.net/{self._plan.tenant_id}/", "iat": now, "nbf": now,
            "exp": now + life_seconds, "appid": application.client_id, "idtyp": "app", "ver": "1.0",
            "tid": self._plan.tenant_id, "roles": sorted(application.roles), "uti": uuid4().hex[:22],
        }  # fmt: skip
        return jwt.encode(claims, self._key, "HS256")

    def _open(self, token: str) -> "_Grant":
        try:
            checks: Options = {"verify_exp": False, "verify_iat": False, "verify_nbf": False}
            claims = jwt.decode(token, self._key, ["HS256"], audience=_GRAPH, options=checks)
        except jwt.InvalidTokenError as error:
            raise _unauthorized("Access token validation failure. Invalid signature.") from error
        return _Grant(float(claims["exp"]), claims["appid"], frozenset(claims["roles"]))


def _unauthorized(message: str) -> Fault:
    fault = Fault(401, "InvalidAuthenticationToken", message)
    fault.headers["WWW-Authenticate"] = (
        'Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", '
        'client_id="00000003-0000-0000-c000-000000000000"'
    )
    return fault


def _check_assertion(assertion: str, application: Application, endpoint: str, clock: Clock) -> None:
    """Verify a signed client assertion; `endpoint` is the token endpoint without its scheme.

    https://learn.microsoft.com/entra/identity-platform/certificate-credentials
    """
    try:
        header = jwt.get_unverified_header(assertion)
    except jwt.InvalidTokenError as error:
        raise SignInFault(401, "invalid_client", 50027, "JWT token is invalid or malformed.") from error
    certificate = _find_certificate(application, header)
    if certificate is None:
        text = "The certificate used to sign the client assertion is not registered on application."
        raise SignInFault(401, "invalid_client", 700027, text)
    key = certificate.public_key()
    try:
        if not isinstance(key, RSAPublicKey):
            raise jwt.InvalidKeyError
        options: Options = {"verify_aud": False, "verify_exp": False, "verify_iat": False, "verify_nbf": False}
        claims = jwt.decode(assertion, key, ["RS256", "PS256"], options=options)
    except jwt.InvalidTokenError as error:
        text = "Client assertion failed signature validation."
        raise SignInFault(401, "invalid_client", 700027, text) from error
    _check_claims(claims, application, endpoint, clock)


def _check_claims(claims: Mapping[str, Any], application: Application, endpoint: str, clock: Clock) -> None:
    if str(claims.get("aud", "")).partition("://")[2] != endpoint:
        raise SignInFault(401, "invalid_client", 700021, "Client assertion audience claim does not match Realm issuer.")
    if not claims.get("iss") == claims.get("sub") == application.client_id:
        text = "Client assertion application identifier doesn't match 'client_id' parameter."
        raise SignInFault(401, "invalid_client", 700021, text)
    if float(claims.get("exp", 0)) <= clock.seconds():
        text = "Client assertion is not within its valid time range."
        raise SignInFault(401, "invalid_client", 700024, text)


def _find_certificate(application: Application, header: Mapping[str, Any]) -> x509.Certificate | None:
    """The registered certificate that the header's thumbprint names."""
    for certificate in application.certificates:
        prints = {
            "x5t": certificate.fingerprint(hashes.SHA1()),  # noqa: S303  the thumbprint's own definition
            "x5t#S256": certificate.fingerprint(hashes.SHA256()),
        }
        # msal writes x5t with base64's padding, which JOSE does without.
        shown = {name: str(header.get(name, "")).rstrip("=").rstrip("=") for name in prints}
        if any(shown[name] == base64url_encode(value).decode() for name, value in prints.items()):
            return certificate
    return None
