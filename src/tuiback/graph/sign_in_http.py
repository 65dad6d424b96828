"""The HTTP client that msal speaks through when it signs in: blocking, on a thread beside the loop that sends."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any, Self
from urllib.parse import urlsplit

import httpx
import msgspec

from tuiback import __version__
from tuiback.errors import Unreachable
from tuiback.graph.transport import open_client

_SIGN_IN_SECONDS = 60.0
_OK = 200
# How OpenSSL says that nobody vouches for a certificate.
_UNTRUSTED = "CERTIFICATE_VERIFY_FAILED"
_Fields = Mapping[str, str] | None


class SignInReply(msgspec.Struct, frozen=True):
    """A reply in the shape that msal reads."""

    status_code: int
    text: str
    headers: Mapping[str, str]


class SignInHttp:
    """What msal takes as its http_client; used on another thread than the loop's, within its context.

    msal refuses http, so an authority on this machine is shown to it as https and translated back on the wire.
    It also hands the signed assertion over as bytes, which httpx would write as b'...'. `told_time` is called with
    the service's own time whenever it states one. What a sign-in asks for before it signs in, where the tenant's
    endpoints are, is looked up in `known` and kept there.
    """

    def __init__(
        self,
        authority: str,
        told_time: Callable[[datetime], None] = lambda _: None,
        known: "dict[str, SignInReply] | None" = None,
    ) -> None:
        parts = urlsplit(authority)
        self._plain = f"http://{parts.netloc}" if parts.scheme == "http" else ""
        self._shown = f"https://{parts.netloc}"
        self._told_time = told_time
        self._known = {} if known is None else known
        self.authority = self._shown + parts.path if self._plain else authority
        # The client that all requests go by: a blocking one would load a second HTTP library first.
        self._client = open_client(f"tuiback/{__version__}", read_seconds=_SIGN_IN_SECONDS)
        self._loop = asyncio.get_running_loop()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    def get(self, url: str, params: _Fields = None, headers: _Fields = None, **_: object) -> SignInReply:
        """Send a GET as msal asks for it."""
        if params is None and url in self._known:
            return self._known[url]
        reply = self._reply(self._client.get(self.on_wire(url), params=params, headers=headers))
        if params is None and reply.status_code == _OK:
            self._known[url] = reply
        return reply

    def post(
        self,
        url: str,
        params: _Fields = None,
        data: Mapping[str, str | bytes] | None = None,
        headers: _Fields = None,
        **_: object,
    ) -> SignInReply:
        """Send a form as msal asks for it."""
        form = {key: value.decode() if isinstance(value, bytes) else value for key, value in (data or {}).items()}
        return self._reply(self._client.post(self.on_wire(url), params=params, data=form, headers=headers))

    def close(self) -> None:
        """The owner closes."""

    def on_wire(self, url: str) -> str:
        """The true address of what msal was shown."""
        return url.replace(self._shown, self._plain, 1) if self._plain else url

    def _reply(self, asking: Coroutine[Any, Any, httpx.Response]) -> SignInReply:
        response = asyncio.run_coroutine_threadsafe(asking, self._loop).result()
        # msal would report these as a refusal, or keep them to answer from memory.
        if response.status_code == 429 or response.status_code >= 500:
            raise httpx.HTTPError(f"HTTP {response.status_code}")
        moment = _moment(response.headers.get("date", ""))
        if moment is not None:
            self._told_time(moment)
        text = response.text.replace(self._plain, self._shown) if self._plain else response.text
        return SignInReply(response.status_code, text, dict(response.headers))


def no_answer(authority: str, reason: str) -> Unreachable:
    """The error that sign-in ends with where nobody answers."""
    remedy = "check the network, the proxy and the firewall"
    if _UNTRUSTED in reason:
        remedy = "name your proxy's authority in SSL_CERT_FILE"
    return Unreachable(f"sign-in gets no answer ({reason})", urlsplit(authority).netloc, remedy)


def _moment(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else None
