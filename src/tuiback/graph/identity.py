"""Signs the app in and hands out its token, renewed before it ends.

Client credentials flow: https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow
"""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import urlsplit

import httpx

from tuiback.errors import MicrosoftRefuses, Unreachable, UsageError
from tuiback.graph.transport import CONNECT_SECONDS, checked_url, tls_context, web_origin
from tuiback.model import Clock

# A token is replaced so long before its end: a request may wait in the throttle after it got one.
_RENEW_SECONDS = 300.0
_SIGN_IN_SECONDS = 60.0

_PEM_BLOCK = re.compile(r"-----BEGIN ([A-Z ]+)-----.+?-----END \1-----", re.DOTALL)

# What to do about the codes that are met in practice; https://learn.microsoft.com/entra/identity-platform/reference-error-codes
_REMEDIES: Mapping[int, str] = {
    7000215: "enter the client secret's value, not its id",
    7000222: "the client secret has expired: add a new one in Entra and enter it",
    700016: "check the client id and that the app is registered in this tenant",
    700027: "register the certificate with the app in Entra",
    90002: "check the tenant id",
    7000112: "the app is disabled in Entra: enable it",
    53003: "a Conditional Access policy blocks the app",
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


class TokenSource:
    """The token of one app, shared by all its requests."""

    def __init__(self, app: AppIdentity, *, clock: Clock) -> None:
        self._app = app
        self._clock = clock
        self._authority = _tenant_authority(app)
        self._credential = _msal_credential(app)
        self._scope = f"{web_origin(app.graph_url)}/.default"
        self._renewal: asyncio.Task[None] | None = None
        self._token = ""
        self._renew_at = 0.0

    async def token(self, rejected: str = "") -> str:
        """A token that is good for some minutes, and is not the one that the service just `rejected`.

        Raises MicrosoftRefuses when Entra says no, Unreachable when it says nothing.
        """
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

    def _is_good(self, rejected: str) -> bool:
        return bool(self._token) and self._token != rejected and self._clock.monotonic() < self._renew_at

    async def _renew(self) -> None:
        started_at = self._clock.monotonic()
        answer = await asyncio.to_thread(self._sign_in)
        if answer.get("error") == "temporarily_unavailable":
            raise self._unreachable("temporarily unavailable")
        if "access_token" not in answer:
            raise _refusal(answer, self._app)
        lifetime = float(answer.get("expires_in", 3600))
        self._token = str(answer["access_token"])
        self._renew_at = started_at + max(lifetime - _RENEW_SECONDS, lifetime / 2)

    def _unreachable(self, reason: str) -> Unreachable:
        host = urlsplit(self._authority).netloc
        return Unreachable(f"sign-in gets no answer ({reason})", host, "check the network, the proxy and the firewall")

    def _sign_in(self) -> dict[str, Any]:
        """One sign-in from scratch: msal's own cache would hand a rejected token out again."""
        from msal import ConfidentialClientApplication

        try:
            with _MsalHttp(self._authority) as http:
                application = ConfidentialClientApplication(
                    self._app.client_id,
                    client_credential=self._credential,
                    authority=http.authority,
                    instance_discovery=False,
                    http_client=http,
                )
                answer: dict[str, Any] = application.acquire_token_for_client([self._scope])
                return answer
        except (httpx.HTTPError, OSError) as error:
            raise self._unreachable(str(error) or type(error).__name__) from error
        except ValueError as error:
            # msal reports a tenant that Entra does not know as a ValueError of its discovery.
            raise MicrosoftRefuses(
                "Entra does not know this tenant or its answer can't be read", self._authority,
                "check the tenant id and the cloud",
            ) from error


def _tenant_authority(app: AppIdentity) -> str:
    authority = checked_url(app.authority, "the sign-in address")
    return authority if urlsplit(authority).path.strip("/") else f"{authority}/{app.tenant_id}"


def _msal_credential(app: AppIdentity) -> str | dict[str, str]:
    if app.credential_kind == "secret":
        return app.credential
    if app.credential_kind != "certificate":
        raise UsageError("the kind of credential is neither secret nor certificate", app.credential_kind)
    blocks = {match[1]: match[0] for match in _PEM_BLOCK.finditer(app.credential)}
    key = next((block for label, block in blocks.items() if label.endswith("PRIVATE KEY")), None)
    certificate = blocks.get("CERTIFICATE")
    remedy = "give a PEM file with the unencrypted private key and the certificate"
    if key is None or certificate is None:
        raise UsageError("the credential lacks the private key or the certificate", app.client_id, remedy)
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        load_pem_private_key(key.encode(), password=None)
    except (ValueError, TypeError) as error:
        raise UsageError("the private key of the credential can't be read", app.client_id, remedy) from error
    return {"private_key": key, "public_certificate": certificate}


def _refusal(answer: Mapping[str, Any], app: AppIdentity) -> MicrosoftRefuses:
    """Entra's own words, shortened to their first line, and what to do about them."""
    codes = [int(code) for code in answer.get("error_codes", ()) if str(code).isdigit()]
    lines = str(answer.get("error_description") or answer.get("error") or "no reason given").splitlines()
    remedy = next((_REMEDIES[code] for code in codes if code in _REMEDIES), "check the app's registration in Entra")
    return MicrosoftRefuses(f"sign-in refused: {lines[0]}", f"app {app.client_id}", remedy)


@dataclass(frozen=True, slots=True)
class _MsalReply:
    """A reply in the shape that msal reads."""

    status_code: int
    text: str
    headers: Mapping[str, str]


_Fields = Mapping[str, str] | None


class _MsalHttp:
    """The blocking client that msal speaks through.

    msal refuses http, so an authority on this machine is shown to it as https and translated back on the wire.
    It also hands the signed assertion over as bytes, which httpx would write as b'...'.
    """

    def __init__(self, authority: str) -> None:
        parts = urlsplit(authority)
        self._plain = f"http://{parts.netloc}" if parts.scheme == "http" else ""
        self._shown = f"https://{parts.netloc}"
        self.authority = self._shown + parts.path if self._plain else authority
        timeout = httpx.Timeout(_SIGN_IN_SECONDS, connect=CONNECT_SECONDS)
        self._client = httpx.Client(verify=tls_context(), timeout=timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def get(self, url: str, params: _Fields = None, headers: _Fields = None, **_: object) -> _MsalReply:
        return self._reply(self._client.get(self._on_wire(url), params=params, headers=headers))

    def post(
        self,
        url: str,
        params: _Fields = None,
        data: Mapping[str, str | bytes] | None = None,
        headers: _Fields = None,
        **_: object,
    ) -> _MsalReply:
        form = {key: value.decode() if isinstance(value, bytes) else value for key, value in (data or {}).items()}
        return self._reply(self._client.post(self._on_wire(url), params=params, data=form, headers=headers))

    def close(self) -> None:
        """The owner closes."""

    def _on_wire(self, url: str) -> str:
        return url.replace(self._shown, self._plain, 1) if self._plain else url

    def _reply(self, response: httpx.Response) -> _MsalReply:
        # msal would report these as a refusal, or keep them to answer from memory.
        if response.status_code == 429 or response.status_code >= 500:
            raise httpx.HTTPError(f"HTTP {response.status_code}")
        text = response.text.replace(self._plain, self._shown) if self._plain else response.text
        return _MsalReply(response.status_code, text, dict(response.headers))
