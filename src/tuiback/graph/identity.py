"""Signs the app in and hands out its token, renewed before it ends.

Client credentials flow: https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol
from urllib.parse import urlsplit

from tuiback.errors import MicrosoftRefuses, TuibackError, UsageError
from tuiback.graph.msal_loading import load_msal
from tuiback.graph.sign_in_http import SignInHttp, SignInReply, no_answer
from tuiback.graph.transport import BREAKS, checked_url, web_origin
from tuiback.model import Clock

# A token is replaced so long before its end: a request may wait in the throttle after it got one.
_RENEW_SECONDS = 300.0
# Sign-ins that follow each other within so long ask once where the tenant signs in.
_KNOWN_SECONDS = 600.0

# What to do about the codes that are met in practice; https://learn.microsoft.com/entra/identity-platform/reference-error-codes
_REMEDIES: Mapping[int, str] = {
    7000215: "enter the client secret's value, not its id",
    7000222: "the client secret has expired: add a new one in Entra and enter it",
    700016: "check the client id and that the app is registered in this tenant",
    700027: "register the certificate with the app in Entra",
    90002: "check the tenant id",
    7000112: "the app is disabled in Entra: enable it",
    53003: "a Conditional Access policy blocks the app",
    70017: "the sign-in was declined: start again",
    70019: "the code has expired: start again",
    90094: "sign in as an administrator who may grant this",
}


@dataclass(frozen=True, slots=True)
class AppIdentity:
    """The app registration that requests are made as.

    `graph_url` and `authority` are roots such as https://graph.microsoft.com and
    https://login.microsoftonline.com (with or without the tenant's path). `credential_kind` is "secret" or
    "certificate"; `credential` then holds the secret, or key and certificate in PEM.
    """

    tenant_id: str
    client_id: str
    authority: str
    graph_url: str
    credential_kind: str
    credential: str = field(repr=False)


class Tokens(Protocol):
    """Where tokens of the app come from."""

    @property
    def skew_seconds(self) -> float:
        """How far Microsoft's clock is ahead of this machine's, as the newest sign-in saw it."""
        ...

    async def token(self, rejected: str = "") -> str:
        """A token that is good for some minutes, and is not the one that the service just `rejected`.

        Raises MicrosoftRefuses when Entra says no, Unreachable when it says nothing.
        """
        ...

    async def close(self) -> None:
        """Wait for a sign-in under way: its thread can't be stopped."""
        ...


class GivenToken:
    """The token of somebody who has signed in already; it can't be renewed."""

    skew_seconds = 0.0

    def __init__(self, token: str) -> None:
        self._token = token

    async def token(self, rejected: str = "") -> str:
        """The token. Raises MicrosoftRefuses once the service has rejected it."""
        if rejected == self._token:
            raise MicrosoftRefuses("the sign-in of the administrator does not count", "", "sign in again")
        return self._token

    async def close(self) -> None:
        """Nothing is under way."""


class SignIn:
    """Signs one app in, as often as it is asked to."""

    def __init__(self, app: AppIdentity, *, clock: Clock) -> None:
        self._app = app
        self._clock = clock
        self._authority = tenant_authority(app.authority, app.tenant_id)
        self._credential = _msal_credential(app)
        self._scope = f"{web_origin(app.graph_url)}/.default"
        # Where the tenant signs in, and until when that is believed.
        self._known: dict[str, SignInReply] = {}
        self._known_until = 0.0
        self.skew_seconds = 0.0

    def change_credential(self, app: AppIdentity) -> None:
        """Sign in with another credential of the same app from the next time on. Raises UsageError."""
        self._credential = _msal_credential(app)
        self._app = app

    async def fresh(self) -> tuple[str, float]:
        """A new token and for how many seconds it is good. Raises MicrosoftRefuses, Unreachable."""
        if self._clock.monotonic() >= self._known_until:
            self._known.clear()
            self._known_until = self._clock.monotonic() + _KNOWN_SECONDS
        try:
            return await self._token_from_entra()
        except TuibackError:
            # The endpoints may have moved.
            self._known.clear()
            raise

    async def _token_from_entra(self) -> tuple[str, float]:
        try:
            async with SignInHttp(self._authority, self._told_time, self._known) as http:
                answer = await asyncio.to_thread(self._sign_in, http)
        except BREAKS as error:
            raise no_answer(self._authority, str(error) or type(error).__name__) from error
        except ValueError as error:
            raise unknown_tenant(self._authority) from error
        if answer.get("error") == "temporarily_unavailable":
            raise no_answer(self._authority, "temporarily unavailable")
        if "access_token" not in answer:
            raise refusal_of(answer, f"app {self._app.client_id}")
        return str(answer["access_token"]), float(answer.get("expires_in", 3600))

    def _told_time(self, moment: datetime) -> None:
        self.skew_seconds = (moment - self._clock.now()).total_seconds()

    def _sign_in(self, http: SignInHttp) -> dict[str, Any]:
        """One sign-in from scratch: msal's own cache would hand a rejected token out again."""
        application = load_msal().ConfidentialClientApplication(
            self._app.client_id,
            client_credential=self._credential,
            authority=http.authority,
            instance_discovery=False,
            http_client=http,
        )
        # Where none are named msal loads a second HTTP library for what that one raises.
        answer: dict[str, Any] = application.acquire_token_for_client([self._scope], http_exceptions=BREAKS)
        return answer


class TokenSource:
    """The token of one app, shared by all its requests; a Tokens."""

    def __init__(self, app: AppIdentity, *, clock: Clock, sign_in: SignIn | None = None) -> None:
        self._app = app
        self._sign_in = sign_in or SignIn(app, clock=clock)
        self._clock = clock
        self._renewal: asyncio.Task[None] | None = None
        self._token = ""
        self._renew_at = 0.0

    @property
    def skew_seconds(self) -> float:
        """How far Microsoft's clock is ahead of this machine's, as the newest sign-in saw it."""
        return self._sign_in.skew_seconds

    def another(self) -> "TokenSource":
        """A source of the same app's tokens whose token is its own; both follow a change of the credential."""
        return TokenSource(self._app, clock=self._clock, sign_in=self._sign_in)

    async def token(self, rejected: str = "") -> str:
        """A token that is good for some minutes, and is not the one that the service just `rejected`.

        Raises MicrosoftRefuses when Entra says no, Unreachable when it says nothing.
        """
        if rejected and rejected == self._token:
            # Nobody who comes meanwhile may still get it.
            self._token = ""
        if not self._is_good(rejected):
            if self._renewal is None or self._renewal.done():
                self._renewal = asyncio.create_task(self._renew())
                # Whoever waited may be gone when it fails.
                self._renewal.add_done_callback(lambda task: task.cancelled() or task.exception())
            # All who need a token share one sign-in and its outcome.
            await asyncio.shield(self._renewal)
        return self._token

    async def close(self) -> None:
        """Wait for a sign-in under way: its thread can't be stopped."""
        if self._renewal is not None:
            await asyncio.wait([self._renewal])

    def change_credential(self, app: AppIdentity) -> None:
        """Sign in with another credential of the same app from the next time on. Raises UsageError."""
        self._sign_in.change_credential(app)

    def _is_good(self, rejected: str) -> bool:
        return bool(self._token) and self._token != rejected and self._clock.monotonic() < self._renew_at

    async def _renew(self) -> None:
        started_at = self._clock.monotonic()
        token, lifetime_seconds = await self._sign_in.fresh()
        self._token = token
        self._renew_at = started_at + max(lifetime_seconds - _RENEW_SECONDS, lifetime_seconds / 2)


def tenant_authority(authority: str, tenant_id: str) -> str:
    """Where the tenant signs in; `authority` may name the tenant already. Raises UsageError."""
    authority = checked_url(authority, "the sign-in address")
    return authority if urlsplit(authority).path.strip("/") else f"{authority}/{tenant_id}"


def unknown_tenant(authority: str) -> MicrosoftRefuses:
    """What msal reports as a ValueError of its discovery."""
    return MicrosoftRefuses(
        "Entra does not know this tenant or its answer can't be read", authority, "check the tenant id and the cloud"
    )


def _msal_credential(app: AppIdentity) -> str | dict[str, str]:
    if app.credential_kind == "secret":
        return app.credential
    if app.credential_kind != "certificate":
        raise UsageError("the kind of credential is neither secret nor certificate", app.credential_kind)
    from tuiback.graph.certificates import read_key_pair

    pair = read_key_pair(app.credential, app.client_id)
    return {"private_key": pair.key, "public_certificate": pair.certificate}


def refusal_of(answer: Mapping[str, Any], subject: str) -> MicrosoftRefuses:
    """Entra's own words, shortened to their first line, and what to do about them."""
    codes = [int(code) for code in answer.get("error_codes", ()) if str(code).isdigit()]
    lines = str(answer.get("error_description") or answer.get("error") or "no reason given").splitlines()
    remedy = next((_REMEDIES[code] for code in codes if code in _REMEDIES), "check the app's registration in Entra")
    return MicrosoftRefuses(f"sign-in refused: {lines[0]}", subject, remedy)
