"""Real receivers on loopback for what the engine tells: a mail server and a web server."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import TypeVar

from aiohttp import web
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

T = TypeVar("T")


class TurnedClock:
    """A clock that a test turns; sleeping turns it too."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 11, 23, 8, tzinfo=UTC)

    def now(self) -> datetime:
        """As turned."""
        return self.moment

    def monotonic(self) -> float:
        """The same in seconds."""
        return self.moment.timestamp()

    async def sleep(self, seconds: float) -> None:
        """Time jumps."""
        self.turn(seconds)

    def turn(self, seconds: float) -> None:
        """Let time pass."""
        self.moment += timedelta(seconds=seconds)


@dataclass
class Web:
    """Answers everything with `status` and remembers what came."""

    status: int = 200
    came: list[tuple[str, str, bytes, str]] = field(default_factory=list)
    url: str = ""

    @property
    def paths(self) -> list[str]:
        """What was called, in order."""
        return [path for _, path, _, _ in self.came]

    async def answer(self, request: web.Request) -> web.Response:
        """Remember the request."""
        body = await request.read()
        self.came.append((request.method, request.path, body, request.headers.get("Authorization", "")))
        return web.Response(status=self.status)


@asynccontextmanager
async def web_server() -> AsyncIterator[Web]:
    """A web server on a free port."""
    seen = Web()
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", seen.answer)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        seen.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield seen
    finally:
        await runner.cleanup()


@dataclass
class Mailbox:
    """Takes mail; with `password` set only from who knows it, and nothing for those who are `unknown`."""

    password: str = ""
    unknown: tuple[str, ...] = ()
    mails: list[EmailMessage] = field(default_factory=list)
    port: int = 0

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Take the recipient."""
        if address in self.unknown:
            return "550 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Take the mail."""
        assert isinstance(envelope.content, bytes)
        mail = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        return "250 OK"

    def authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, login: object
    ) -> AuthResult:
        """Compare the password."""
        known = isinstance(login, LoginPassword) and login.password == self.password.encode()
        return AuthResult(success=known, handled=False)


@asynccontextmanager
async def mail_server(mailbox: Mailbox) -> AsyncIterator[Mailbox]:
    """A mail server on a free port."""
    asks = bool(mailbox.password)

    def connected() -> SMTP:
        return SMTP(
            mailbox, hostname="sink", authenticator=mailbox.authenticate, auth_required=asks, auth_require_tls=False
        )

    server = await asyncio.get_running_loop().create_server(connected, "127.0.0.1", 0)
    mailbox.port = server.sockets[0].getsockname()[1]
    try:
        yield mailbox
    finally:
        server.close()
        await server.wait_closed()


@contextmanager
def in_background(server: AbstractAsyncContextManager[T]) -> Iterator[T]:
    """Let the server answer on a thread of its own, for tests that block theirs."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        value = asyncio.run_coroutine_threadsafe(server.__aenter__(), loop).result(10)
        try:
            yield value
        finally:
            asyncio.run_coroutine_threadsafe(server.__aexit__(None, None, None), loop).result(10)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
