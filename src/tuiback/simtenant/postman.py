"""Carries messages to the receivers of notifications on this machine, one after the other, beside the server."""

import ssl
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from ipaddress import ip_address
from urllib.parse import urlsplit

# https://learn.microsoft.com/graph/change-notifications-delivery-webhooks
_WAIT_SECONDS = 10
_MOST_BYTES = 65_536


class Unreachable(Exception):
    """The receiver does not answer, or is not on this machine."""


class Postman:
    """Sends without making the server wait."""

    def __init__(self) -> None:
        self._sending: ThreadPoolExecutor | None = None

    def send_soon(self, url: str, body: bytes) -> None:
        """Bring `body` there; what can't be brought is lost."""
        if self._sending is None:
            self._sending = ThreadPoolExecutor(max_workers=1, thread_name_prefix="postman")
        self._sending.submit(_send_once, url, body)

    def close(self) -> None:
        """Send nothing more."""
        if self._sending is not None:
            self._sending.shutdown(wait=False, cancel_futures=True)
            self._sending = None


def _send_once(url: str, body: bytes) -> None:
    try:
        post(url, body, "application/json")
    except Unreachable:
        return


def post(url: str, body: bytes, media_type: str) -> tuple[int, bytes]:
    """The status and body of what a receiver on this machine answers. Raises Unreachable."""
    parts = urlsplit(url)
    connection = _connection(parts.scheme, parts.hostname or "", parts.port)
    target = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
    try:
        connection.request("POST", target, body, {"Content-Type": media_type})
        answer = connection.getresponse()
        return answer.status, answer.read(_MOST_BYTES)
    except (OSError, HTTPException) as error:
        raise Unreachable(str(error)) from error
    finally:
        connection.close()


def _connection(scheme: str, host: str, port: int | None) -> HTTPConnection:
    if not _is_here(host):
        raise Unreachable("only receivers on this machine are told")
    if scheme == "http":
        return HTTPConnection(host, port, timeout=_WAIT_SECONDS)
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return HTTPSConnection(host, port, timeout=_WAIT_SECONDS, context=context)


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
