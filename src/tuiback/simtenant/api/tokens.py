"""Makes the tokens of one tenant and reads them back: access tokens for Graph, id tokens for whoever signs people in.

Access tokens are signed with the tenant's key, so one stays good when the same plan is served again.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any
from uuid import uuid4

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm
from jwt.types import Options

from tuiback.simtenant.api.call import Fault
from tuiback.simtenant.content.company import Person
from tuiback.simtenant.plan import Plan
from tuiback.simtenant.state.applications import Principal
from tuiback.simtenant.state.clock import Clock

# The audience of tokens for Graph.
GRAPH = "https://graph.microsoft.com"
_KEY_BITS = 2048


@dataclass(frozen=True, slots=True)
class Bearer:
    """Whom an access token stands for: an application, with the permissions that it carries.

    `person_id` is the object id of the person on whose behalf it acts, "" where it acts by itself. An application
    signed in `by_certificate` or with a secret; `audience` is the service that takes the token.
    """

    expires: float
    client_id: str
    permissions: frozenset[str]
    person_id: str = ""
    audience: str = GRAPH
    by_certificate: bool = False


class Tokens:
    """The tokens that are good here."""

    def __init__(self, plan: Plan, clock: Clock, key: bytes) -> None:
        self._plan = plan
        self._clock = clock
        # HMAC-SHA256 keys of fewer than 32 bytes are refused by the JWT library.
        self._key = key[::-1] * 2
        self._key_id = key.hex()
        self._opened: dict[str, Bearer] = {}

    def for_application(
        self, client_id: str, roles: Iterable[str], audience: str = GRAPH, *, by_certificate: bool = False,
        principal: Principal | None = None,
    ) -> str:  # fmt: skip
        """An access token of an application by itself, which tells its `principal` where that is known.

        https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference
        """
        how = "2" if by_certificate else "1"
        more = {"aud": audience, "appidacr": how, "idtyp": "app", "roles": sorted(roles)}
        if principal is not None:
            more |= {"app_displayname": principal.name, "oid": principal.object_id, "sub": principal.object_id}
        return self._access(client_id, more)

    def for_person(self, client_id: str, person: Person, scopes: Iterable[str]) -> str:
        """An access token of an application on behalf of a person."""
        identity = {
            "oid": person.object_id, "sub": person.object_id, "upn": person.address, "unique_name": person.address,
            "name": person.name,
        }  # fmt: skip
        return self._access(client_id, {"idtyp": "user", "scp": " ".join(sorted(scopes)), **identity})

    def id_token(self, client_id: str, person: Person, issuer: str, nonce: str) -> str:
        """Who signed in, for the application that asked; verified with the keys of key_set()."""
        now = int(self._clock.seconds())
        claims = {
            "aud": client_id, "iss": issuer, "iat": now, "nbf": now, "exp": now + self._plan.token_seconds,
            "sub": person.object_id, "oid": person.object_id, "tid": self._plan.tenant_id, "ver": "2.0",
            "preferred_username": person.address, "name": person.name,
        }  # fmt: skip
        if nonce:
            claims["nonce"] = nonce
        return jwt.encode(claims, self._private_key, "RS256", headers={"kid": self._key_id})

    def key_set(self) -> dict[str, Any]:
        """The JWKS document."""
        public = RSAAlgorithm.to_jwk(self._private_key.public_key(), as_dict=True)
        return {"keys": [public | {"kid": self._key_id, "use": "sig", "alg": "RS256"}]}

    def open(self, authorization: str) -> Bearer:
        """Whom an Authorization header stands for at Graph. Raises Fault 401."""
        bearer = self.open_any(authorization)
        if bearer.audience != GRAPH:
            raise _unauthorized("Access token validation failure. Invalid audience.")
        return bearer

    def find_for(self, authorization: str, audience: str) -> Bearer | None:
        """Whom an Authorization header stands for at another service, or None where it is not good there."""
        try:
            bearer = self.open_any(authorization)
        except Fault:
            return None
        return bearer if bearer.audience == audience else None

    def open_any(self, authorization: str) -> Bearer:
        """Whom an Authorization header stands for, at whatever service. Raises Fault 401."""
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise _unauthorized("Access token is empty.")
        if token not in self._opened:
            self._opened[token] = self._read(token)
        bearer = self._opened[token]
        if bearer.expires <= self._clock.seconds():
            raise _unauthorized("Lifetime validation failed, the token is expired.")
        return bearer

    def revoke(self, authorization: str) -> None:
        """Let the token in an Authorization header expire now."""
        token = authorization.partition(" ")[2]
        self._opened[token] = replace(self.open_any(authorization), expires=0)

    @cached_property
    def _private_key(self) -> rsa.RSAPrivateKey:
        # Made only when a person signs in, for it takes a tenth of a second.
        return rsa.generate_private_key(public_exponent=65537, key_size=_KEY_BITS)

    def _access(self, client_id: str, more: dict[str, Any]) -> str:
        now = int(self._clock.seconds())
        claims = {
            "aud": GRAPH, "iss": f"https://sts.windows.net/{self._plan.tenant_id}/", "iat": now, "nbf": now,
            "exp": now + self._plan.token_seconds, "appid": client_id, "ver": "1.0", "tid": self._plan.tenant_id,
            "uti": uuid4().hex[:22], **more,
        }  # fmt: skip
        return jwt.encode(claims, self._key, "HS256")

    def _read(self, token: str) -> Bearer:
        try:
            checks: Options = {"verify_exp": False, "verify_iat": False, "verify_nbf": False, "verify_aud": False}
            claims = jwt.decode(token, self._key, ["HS256"], options=checks)
        except jwt.InvalidTokenError as error:
            raise _unauthorized("Access token validation failure. Invalid signature.") from error
        permissions = frozenset(claims.get("roles", ())) | frozenset(claims.get("scp", "").split())
        person_id = claims["oid"] if claims["idtyp"] == "user" else ""
        by_certificate = claims.get("appidacr") == "2"
        return Bearer(float(claims["exp"]), claims["appid"], permissions, person_id, claims["aud"], by_certificate)


def _unauthorized(message: str) -> Fault:
    fault = Fault(401, "InvalidAuthenticationToken", message)
    fault.headers["WWW-Authenticate"] = (
        'Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", '
        'client_id="00000003-0000-0000-c000-000000000000"'
    )
    return fault
