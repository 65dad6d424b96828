"""The blocking HTTP client that msal speaks through when it signs in."""

from collections.abc import Callable, Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Self
from urllib.parse import urlsplit

import httpx
import msgspec

from tuiback.errors import Unreachable
from tuiback.graph.transport import CONNECT_SECONDS, tls_context

_SIGN_IN_SECONDS = 60.0
# How OpenSSL says that nobody vouches for a certificate.
_UNTRUSTED = "CERTIFICATE_VERIFY_FAILED"
_Fields = Mapping[str, str] | None


class SignInReply(msgspec.Struct, frozen=True):
    """A reply in the shape that msal reads."""

    status_code: int
    text: str
    headers: Mapping[str, str]


class SignInHttp:
    """What msal takes as its http_client; used within its context.

    msal refuses http, so an authority on this machine is shown to it as https and translated back on the wire.
    It also hands the signed assertion over as bytes, which httpx would write as b'...'. `told_time` is called with
    the service's own time whenever it states one.
    """

    def __init__(self, authority: str, told_time: Callable[[datetime], None] = lambda _: None) -> None:
        parts = urlsplit(authority)
        self._plain = f"http://{parts.netloc}" if parts.scheme == "http" else ""
        self._shown = f"https://{parts.netloc}"
        self._told_time = told_time
        self.authority = self._shown + parts.path if self._plain else authority
        timeout = httpx.Timeout(_SIGN_IN_SECONDS, connect=CONNECT_SECONDS)
        self._client = httpx.Client(verify=tls_context(), timeout=timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def get(self, url: str, params: _Fields = None, headers: _Fields = None, **_: object) -> SignInReply:
        """Send a GET as msal asks for it."""
        return self._reply(self._client.get(self.on_wire(url), params=params, headers=headers))

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

    def _reply(self, response: httpx.Response) -> SignInReply:
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
