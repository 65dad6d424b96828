"""Lets people sign in: by a code on another device, or in the browser with a code for the application.

https://learn.microsoft.com/entra/identity-platform/v2-oauth2-device-code
https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow
"""

import secrets
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

import msgspec

from tuiback.simtenant.api.signin_faults import SignInFault
from tuiback.simtenant.api.tokens import Tokens
from tuiback.simtenant.content.company import Person
from tuiback.simtenant.plan import Plan
from tuiback.simtenant.state.clock import Clock
from tuiback.simtenant.state.directory import Directory

_DEVICE_SECONDS = 900
_CODE_SECONDS = 600
_USER_CODE_LETTERS = "BCDFGHJKLMNPQRSTVWXYZ23456789"
# What every person may consent to; all else asks for an administrator.
_OPEN_SCOPES = frozenset({"openid", "profile", "email", "offline_access", "User.Read", ".default"})


@dataclass(slots=True)
class DeviceFlow:
    """A sign-in that waits for a person at another device."""

    device_code: str
    user_code: str
    client_id: str
    scopes: frozenset[str]
    expires: float
    person: Person | None = None
    declined: bool = False


@dataclass(frozen=True, slots=True)
class Authorization:
    """What a browser sign-in was asked for: https://datatracker.ietf.org/doc/html/rfc7636 adds the challenge."""

    client_id: str
    scopes: frozenset[str]
    redirect_uri: str
    state: str
    nonce: str
    challenge: str
    challenge_method: str


@dataclass(frozen=True, slots=True)
class _Code:
    authorization: Authorization
    person: Person
    expires: float


@dataclass(frozen=True, slots=True)
class _Session:
    client_id: str
    scopes: frozenset[str]
    person: Person


class Logins:
    """The sign-ins under way and the refresh tokens given out. The first person is the tenant's administrator.

    Permissions have one name for applications and for people, so who asks for ".default" gets on behalf of people what
    the application has been `granted`: https://learn.microsoft.com/entra/identity-platform/scopes-oidc
    """

    def __init__(
        self, plan: Plan, clock: Clock, directory: Directory, tokens: Tokens, granted: Callable[[str], frozenset[str]]
    ) -> None:
        self._granted = granted
        self._plan = plan
        self._clock = clock
        self._directory = directory
        self._tokens = tokens
        self._devices: dict[str, DeviceFlow] = {}
        self._codes: dict[str, _Code] = {}
        self._sessions: dict[str, _Session] = {}

    def begin_device(self, client_id: str, scope: str) -> DeviceFlow:
        """A new device sign-in."""
        user_code = "".join(secrets.choice(_USER_CODE_LETTERS) for _ in range(9))
        expires = self._clock.seconds() + _DEVICE_SECONDS
        flow = DeviceFlow(secrets.token_urlsafe(32), user_code, client_id, read_scopes(scope), expires)
        self._devices[flow.device_code] = flow
        return flow

    def find_device(self, user_code: str) -> DeviceFlow | None:
        """The device sign-in that a person holds the code of."""
        code = user_code.strip().upper()
        now = self._clock.seconds()
        return next((each for each in self._devices.values() if each.user_code == code and each.expires > now), None)

    def enter(self, account: str, scopes: frozenset[str]) -> Person:
        """The person who signs in and consents. Raises SignInFault."""
        person = self._directory.find_person(account.strip())
        if person is None:
            text = f"The user account '{account}' does not exist in the tenant."
            raise SignInFault(400, "invalid_grant", 50034, text)
        if person.index and not scopes <= _OPEN_SCOPES:
            text = "Admin consent is required for the permissions that the app requested."
            raise SignInFault(400, "access_denied", 90094, text)
        return person

    def is_administrator(self, person: Person) -> bool:
        """Whether the person may consent for all."""
        return person.index == 0

    def new_code(self, authorization: Authorization, person: Person) -> str:
        """The code that the application redeems."""
        code = secrets.token_urlsafe(40)
        self._codes[code] = _Code(authorization, person, self._clock.seconds() + _CODE_SECONDS)
        return code

    def redeem_device(self, form: Mapping[str, str], issuer: str) -> dict[str, Any]:
        """Tokens, once the person has signed in. Raises SignInFault authorization_pending until then."""
        flow = self._devices.get(form.get("device_code", ""))
        if flow is None or flow.client_id != form.get("client_id"):
            raise SignInFault(400, "bad_verification_code", 70018, "The device code is not known.")
        if flow.expires <= self._clock.seconds():
            raise SignInFault(400, "expired_token", 70019, "The device code has expired.")
        if flow.declined:
            raise SignInFault(400, "authorization_declined", 70017, "The user declined the sign-in.")
        if flow.person is None:
            text = "OAuth 2.0 device flow error. Authorization is pending. Continue polling."
            raise SignInFault(400, "authorization_pending", 70016, text)
        del self._devices[flow.device_code]
        return self._answer(_Session(flow.client_id, flow.scopes, flow.person), form, issuer, "")

    def redeem_code(self, form: Mapping[str, str], issuer: str) -> dict[str, Any]:
        """Tokens for the code of a browser sign-in, once. Raises SignInFault."""
        code = self._codes.pop(form.get("code", ""), None)
        if code is None or code.expires <= self._clock.seconds():
            raise SignInFault(400, "invalid_grant", 70008, "The provided authorization code has expired or was used.")
        asked = code.authorization
        if (form.get("client_id"), form.get("redirect_uri")) != (asked.client_id, asked.redirect_uri):
            raise SignInFault(400, "invalid_grant", 50148, "The code was issued to another application or reply URL.")
        if asked.challenge and _challenge(form.get("code_verifier", ""), asked.challenge_method) != asked.challenge:
            text = "The code_verifier does not match the code_challenge supplied in the authorization request."
            raise SignInFault(400, "invalid_grant", 501481, text)
        return self._answer(_Session(asked.client_id, asked.scopes, code.person), form, issuer, asked.nonce)

    def refresh(self, form: Mapping[str, str], issuer: str) -> dict[str, Any]:
        """New tokens for a refresh token. Raises SignInFault."""
        session = self._sessions.get(form.get("refresh_token", ""))
        if session is None or session.client_id != form.get("client_id"):
            raise SignInFault(400, "invalid_grant", 70000, "The provided value for 'refresh_token' is not valid.")
        asked = read_scopes(form.get("scope", "")) - _OPEN_SCOPES
        if not asked <= session.scopes | self._granted(session.client_id):
            text = "The user or administrator has not consented to use the application with these permissions."
            raise SignInFault(400, "invalid_grant", 65001, text)
        return self._answer(replace(session, scopes=session.scopes | asked), form, issuer, "")

    def _answer(self, session: _Session, form: Mapping[str, str], issuer: str, nonce: str) -> dict[str, Any]:
        permissions = session.scopes - {"openid", "profile", "email", "offline_access", ".default"}
        if ".default" in session.scopes:
            permissions |= self._granted(session.client_id)
        life = self._plan.token_seconds
        answer: dict[str, Any] = {
            "token_type": "Bearer",
            "scope": " ".join(sorted(permissions)),
            "expires_in": life,
            "ext_expires_in": life,
            "access_token": self._tokens.for_person(session.client_id, session.person, permissions),
        }
        if "offline_access" in session.scopes:
            answer["refresh_token"] = secrets.token_urlsafe(48)
            self._sessions[answer["refresh_token"]] = session
        if "openid" in session.scopes:
            answer["id_token"] = self._tokens.id_token(session.client_id, session.person, issuer, nonce)
        if form.get("client_info") == "1":
            info = {"uid": session.person.object_id, "utid": self._plan.tenant_id}
            answer["client_info"] = urlsafe_b64encode(msgspec.json.encode(info)).decode().rstrip("=")
        return answer


def read_scopes(text: str) -> frozenset[str]:
    """The names in a scope parameter, without the resource before Graph's."""
    return frozenset(name.removeprefix("https://graph.microsoft.com/") for name in text.split())


def _challenge(verifier: str, method: str) -> str:
    if method.upper() != "S256":
        return verifier
    return urlsafe_b64encode(sha256(verifier.encode()).digest()).decode().rstrip("=")
