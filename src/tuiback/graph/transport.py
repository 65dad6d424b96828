"""Builds the HTTP clients, and tells a request that was never sent from one that nobody knows the fate of.

httpx speaks through aiohttp's transport, which costs a quarter of the processor time per request.
"""

import asyncio
import os
import re
import ssl
from collections.abc import AsyncIterable, Mapping
from functools import cache
from http.client import HTTPResponse
from http.cookiejar import CookieJar
from ipaddress import ip_address
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit
from urllib.request import Request

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport, HttpxAiohttpClient
from yarl import URL

from tuiback.errors import EnvironmentFault, UsageError
from tuiback.graph.faults import Failure

# The first of these that is set counts.
_AUTHORITIES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE")
CONNECT_SECONDS = 20.0
READ_SECONDS = 120.0
# Front doors close idle connections after minutes; a fence of half a minute should not cost new handshakes.
_KEEPALIVE_SECONDS = 60.0

# Everything that a request can end with instead of a reply.
BREAKS = (httpx.HTTPError, httpx.StreamError, aiohttp.ClientError, OSError, TimeoutError)

_QUERY = re.compile(r"\?[^\s'\"]*")
_NOT_SENT = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.ClientHttpProxyError)


def checked_url(url: str, what: str) -> str:
    """`url` without a final slash; only https goes over a network, http only to this machine. Raises UsageError."""
    parts = urlsplit(url)
    if parts.scheme not in {"https", "http"} or not parts.hostname:
        raise UsageError(f"{what} is not an https address", url, "write it like https://graph.microsoft.com")
    if not is_private(url):
        raise UsageError(f"{what} is not encrypted", url, "write https://; http is for this machine's own addresses")
    return url.rstrip("/")


def is_private(link: str) -> bool:
    """Whether what goes through `link` can't be read on the way."""
    parts = urlsplit(link)
    return parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(parts.hostname or ""))


def web_origin(url: str) -> str:
    """Scheme, host and port of `url`: Graph's address may be given with its version."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def tls_context() -> ssl.SSLContext:
    """Whom to trust: the authorities that the environment names, a file or a folder, else those that come along.

    Raises EnvironmentFault when what is named can't be read.
    """
    return _tls_context(next((value for name in _AUTHORITIES if (value := os.environ.get(name))), ""))


@cache
def _tls_context(named: str) -> ssl.SSLContext:
    """Reading the authorities takes a twentieth of a second: once is enough."""
    if not named:
        return httpx.create_ssl_context(trust_env=False)
    is_folder = Path(named).is_dir()
    try:
        return ssl.create_default_context(cafile=None if is_folder else named, capath=named if is_folder else None)
    except OSError as error:
        what = f"the authorities to trust can't be read ({error.strerror or error})"
        raise EnvironmentFault(what, named, f"correct {' or '.join(_AUTHORITIES)}") from error


def open_client(user_agent: str, *, read_seconds: float = READ_SECONDS) -> "ExactClient":
    """A client that keeps no cookies, follows no redirects and waits for no connection: the Throttle bounds them.

    Proxies (HTTPS_PROXY, NO_PROXY) and authorities (SSL_CERT_FILE and the like) come from the environment.
    """
    return ExactClient(
        verify=tls_context(),
        timeout=httpx.Timeout(read_seconds, connect=CONNECT_SECONDS, pool=None),
        limits=httpx.Limits(max_connections=None, keepalive_expiry=_KEEPALIVE_SECONDS),
        headers={"User-Agent": user_agent},
        cookies=_NoCookies(),
        follow_redirects=False,
    )


def failure_of_break(error: BaseException) -> Failure:
    """Why no reply came, and whether Microsoft may have seen the request."""
    cause = error.__cause__ if isinstance(error.__cause__, aiohttp.ClientError) else error
    # The transport names the whole link, and pre-authenticated links hold their key in the query.
    reason = _QUERY.sub("?…", str(cause)) or type(cause).__name__
    if isinstance(cause, (aiohttp.ClientConnectorCertificateError, aiohttp.ClientConnectorSSLError)) or isinstance(
        cause.__cause__, ssl.SSLError
    ):
        message = f"the connection can't be trusted ({reason}); name your proxy's authority in SSL_CERT_FILE"
        return Failure(message=message, sent=False, hopeless=True)
    if isinstance(error, (httpx.InvalidURL, httpx.UnsupportedProtocol)):
        return Failure(message=f"this is no web address ({reason})", sent=False, hopeless=True)
    if _was_not_sent(error, cause):
        return Failure(message=f"no connection ({reason})", sent=False)
    return Failure(message=f"the connection broke before the whole answer came ({reason})", sent=True)


def _was_not_sent(error: BaseException, cause: BaseException) -> bool:
    if isinstance(cause, aiohttp.ClientError):
        # Over aiohttp a disconnect after the request also arrives as httpx.ConnectTimeout: only the cause tells.
        return isinstance(cause, _NOT_SENT)
    return isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError))


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


class _NoCookies(CookieJar):
    """Graph needs no cookies, and looking for them in every reply costs time."""

    def extract_cookies(self, response: HTTPResponse, request: Request) -> None:
        pass


class _ExactSession:
    """An aiohttp session that sends every URL byte for byte.

    aiohttp would rewrite escapes (%21 to !, %2F in a query to /), but links are opaque and some are signed.
    """

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    def request(self, method: str, url: str, **options: Any) -> object:  # noqa: ANN401 - aiohttp's own options
        return self._session.request(method, URL(url, encoded=True), **options)

    async def close(self) -> None:
        await self._session.close()
        # The transports below TLS close one round of the loop later.
        await asyncio.sleep(0)


class _ExactTransport(AiohttpTransport):
    """httpx's transport over one _ExactSession."""

    _exact: _ExactSession | None = None

    def get_client(self) -> aiohttp.ClientSession:
        """The session, made inside the running loop at the first request."""
        if self._exact is None:
            connector = aiohttp.TCPConnector(limit=0, ssl=self.ssl_context, keepalive_timeout=_KEEPALIVE_SECONDS)
            self._exact = _ExactSession(
                aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())
            )
        return cast("aiohttp.ClientSession", self._exact)

    async def aclose(self) -> None:
        if self._exact is not None:
            await self._exact.close()


class ExactClient(HttpxAiohttpClient):
    """httpx's client with the transport above, with and without a proxy.

    What goes by question() and answer() goes past all that httpx would look for each time: passwords, cookies,
    redirects and hooks.
    """

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 - httpx's own
        super().__init__(**options)
        self._usual_headers = dict(self.headers)
        self._extensions = {"timeout": self.timeout.as_dict()}

    def question(
        self, method: str, url: str, headers: Mapping[str, str], content: bytes | AsyncIterable[bytes] | None
    ) -> httpx.Request:
        """A request with the client's usual headers. Raises httpx.InvalidURL."""
        named = self._usual_headers | {name.lower(): value for name, value in headers.items()}
        return httpx.Request(method, url, headers=named, content=content, extensions=self._extensions)

    async def answer(self, question: httpx.Request) -> httpx.Response:
        """What it is answered, the body still to come; close it. Raises one of BREAKS."""
        return await self._transport_for_url(question.url).handle_async_request(question)

    def _init_transport(self, *args: Any, **options: Any) -> httpx.AsyncBaseTransport:  # noqa: ANN401 - httpx's own
        given: httpx.AsyncBaseTransport | None = options.pop("transport", None)
        return given or _ExactTransport(*args, **options)

    def _init_proxy_transport(
        self, proxy: httpx.Proxy, *args: Any, **options: Any  # noqa: ANN401 - httpx's own
    ) -> httpx.AsyncBaseTransport:
        return self._init_transport(*args, proxy=proxy, **options)
