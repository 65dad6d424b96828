"""Keeps the pre-authenticated URLs: downloads that carry their own permission, and upload sessions."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import jwt

from tuiback.simtenant.api.call import Reply
from tuiback.simtenant.state.clock import Clock, stamp

# Sessions live for days; their exact life is not documented, the answer tells it.
_SESSION_SECONDS = 24 * 3600
_AUDIENCE = "wopi/northwind-my.sharepoint.com"


@dataclass(slots=True)
class UploadSession:
    """An upload in progress: `finish` takes the whole content and gives the last answer, kept as `finished`.

    A `deferred` one waits for a last request when everything has come. Fragments of an attachment are charged to the
    application `app_id` in the `mailbox`.
    """

    mark: str
    expires: float
    finish: Callable[[bytes], Reply]
    most_fragment_bytes: int
    fragment_multiple: int
    total: int | None = None
    received: bytearray = field(default_factory=bytearray)
    is_attachment: bool = False
    finished: Reply | None = None
    app_id: str = ""
    mailbox: str = ""
    deferred: bool = False

    @property
    def expiration(self) -> str:
        """When it ends, as Graph writes it."""
        return stamp(datetime.fromtimestamp(self.expires, UTC))

    @property
    def is_whole(self) -> bool:
        """Whether everything has come, as far as anybody has said how much that is."""
        return self.total is None or len(self.received) == self.total

    def commit(self) -> Reply:
        """End the upload. Raises what `finish` raises, and is then as it was."""
        reply = self.finish(bytes(self.received))
        self.total = len(self.received)
        self.received.clear()
        self.finished = reply
        return reply


@dataclass(frozen=True, slots=True)
class Download:
    """A version of a file in the owner's drive; version 0 is the present one."""

    owner: int
    serial: int
    version: int


class Transfers:
    """Download permissions and upload sessions of one tenant."""

    def __init__(self, clock: Clock, key: bytes, url_seconds: int) -> None:
        self._clock = clock
        # HMAC-SHA256 keys of fewer than 32 bytes are refused by the JWT library.
        self._key = key * 2
        self._url_seconds = url_seconds
        self._sessions: dict[str, UploadSession] = {}

    def download_permission(self, owner: int, serial: int, payer: str = "", version: int = 0) -> str:
        """The tempauth of a download URL: a JWT whose `exp` clients may read.

        `payer` is the application that the download will be charged to, "" where it has paid already. `version` 0 is
        the file as it is at the time of the download.
        """
        expires = int(self._clock.seconds()) + self._url_seconds
        claims = {"aud": _AUDIENCE, "exp": expires, "owner": owner, "node": serial, "payer": payer, "version": version}
        return jwt.encode(claims, self._key, "HS256")

    def find_download(self, permission: str) -> Download | None:
        """What the permission is good for, or None when it is wrong or has expired."""
        claims = self._claims(permission)
        if claims.get("exp", 0) <= self._clock.seconds():
            return None
        return Download(claims["owner"], claims["node"], claims["version"])

    def payer(self, permission: str) -> str:
        """Whom a download with this permission is charged to."""
        return str(self._claims(permission).get("payer", ""))

    def _claims(self, permission: str) -> dict[str, Any]:
        try:
            claims: dict[str, Any] = jwt.decode(
                permission, self._key, ["HS256"], audience=_AUDIENCE, options={"verify_exp": False}
            )
        except jwt.InvalidTokenError:
            return {}
        return claims

    def open_session(
        self, finish: Callable[[bytes], Reply], most_fragment_bytes: int, fragment_multiple: int
    ) -> UploadSession:
        """Begin an upload."""
        expires = self._clock.seconds() + _SESSION_SECONDS
        session = UploadSession(secrets.token_urlsafe(24), expires, finish, most_fragment_bytes, fragment_multiple)
        self._sessions[session.mark] = session
        return session

    def find_session(self, mark: str) -> UploadSession | None:
        """The upload in progress, unless it is over or has expired."""
        session = self._sessions.get(mark)
        return session if session is not None and session.expires > self._clock.seconds() else None

    def close_session(self, session: UploadSession) -> None:
        """Forget an upload."""
        self._sessions.pop(session.mark, None)
