"""A tiny HTTP/1.1 server that answers by script, down to broken bodies and resets, and keeps what it was asked."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import parse_qs

TENANT = "7c0a2d1e-1111-4222-8333-444455556666"


@dataclass(frozen=True)
class Seen:
    """One request as it came over the wire: `target` is not decoded."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]


@dataclass(frozen=True)
class Reply:
    """One answer. `cut_after`: the connection dies after so many bytes of the body. `hang_up`: no answer at all.

    `until`: the answer waits for this event.
    """

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    cut_after: int | None = None
    hang_up: bool = False
    until: asyncio.Event | None = None


Answer = Reply | Callable[[Seen], Reply]


def as_json(value: Any, status: int = 200, **headers: str) -> Reply:
    """A JSON reply; header names are written with underscores."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return Reply(status, json.dumps(value).encode(), {"Content-Type": "application/json", **named})


def fault(status: int, code: str, message: str = "", **headers: str) -> Reply:
    """Graph's error envelope."""
    inner = {"request-id": "r-1"}
    return as_json({"error": {"code": code, "message": message, "innerError": inner}}, status, **headers)


class ScriptedServer:
    """Answers each (method, path) with its replies in turn, the last one for ever. Unknown paths get 404."""

    def __init__(self) -> None:
        self.seen: list[Seen] = []
        self.tokens_issued = 0
        self.in_flight = 0
        self.most_in_flight = 0
        self._script: dict[tuple[str, str], list[Answer]] = {}
        self._server: asyncio.Server | None = None
        self._arrival = asyncio.Condition()
        self._connections: set[asyncio.StreamWriter] = set()
        self.on("GET", f"/{TENANT}/v2.0/.well-known/openid-configuration", self._discovery)
        self.on("POST", f"/{TENANT}/oauth2/v2.0/token", self._token)

    @property
    def url(self) -> str:
        assert self._server is not None
        host, port = self._server.sockets[0].getsockname()[:2]
        return f"http://{host}:{port}"

    def on(self, method: str, path: str, *answers: Answer) -> None:
        """Script the answers of one path (without query)."""
        self._script[(method, path)] = list(answers)

    def asked(self, method: str, path: str) -> list[Seen]:
        """The requests for one path so far."""
        return [seen for seen in self.seen if (seen.method, seen.path) == (method, path)]

    async def arrival(self, method: str, path: str, count: int = 1) -> None:
        """Wait until so many requests for one path came."""
        async with asyncio.timeout(30), self._arrival:
            await self._arrival.wait_for(lambda: len(self.asked(method, path)) >= count)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Self]:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        try:
            yield self
        finally:
            self._server.close()
            for writer in list(self._connections):
                writer.close()
            await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections.add(writer)
        try:
            while (seen := await _read_request(reader)) is not None:
                async with self._arrival:
                    self.seen.append(seen)
                    self._arrival.notify_all()
                self.in_flight += 1
                self.most_in_flight = max(self.most_in_flight, self.in_flight)
                try:
                    going_on = await self._answer(seen, writer)
                finally:
                    self.in_flight -= 1
                if not going_on:
                    return
        except (ConnectionError, asyncio.IncompleteReadError):
            return
        finally:
            self._connections.discard(writer)
            writer.close()

    async def _answer(self, seen: Seen, writer: asyncio.StreamWriter) -> bool:
        answers = self._script.get((seen.method, seen.path), [fault(404, "itemNotFound")])
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        reply = answer(seen) if callable(answer) else answer
        if reply.until is not None:
            await reply.until.wait()
        if reply.hang_up:
            return False
        headers = dict(reply.headers)
        if reply.status not in {204, 304} and "Transfer-Encoding" not in headers:
            headers["Content-Length"] = str(len(reply.body))
        head = "".join(f"{name}: {text}\r\n" for name, text in headers.items())
        body = reply.body if reply.cut_after is None else reply.body[: reply.cut_after]
        writer.write(f"HTTP/1.1 {reply.status} Scripted\r\n{head}\r\n".encode() + body)
        await writer.drain()
        return reply.cut_after is None

    def _discovery(self, seen: Seen) -> Reply:
        root = f"{self.url}/{TENANT}"
        return as_json(
            {
                "token_endpoint": f"{root}/oauth2/v2.0/token",
                "authorization_endpoint": f"{root}/oauth2/v2.0/authorize",
                "device_authorization_endpoint": f"{root}/oauth2/v2.0/devicecode",
                "issuer": f"{root}/v2.0",
            }
        )

    def _token(self, seen: Seen) -> Reply:
        form = parse_qs(seen.body.decode())
        assert form["grant_type"] == ["client_credentials"]
        self.tokens_issued += 1
        return as_json({"token_type": "Bearer", "expires_in": 3599, "access_token": f"token-{self.tokens_issued}"})


async def _read_request(reader: asyncio.StreamReader) -> Seen | None:
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    method, target, _ = lines[0].split(" ")
    headers = {name.lower(): text.strip() for name, _, text in (line.partition(":") for line in lines[1:] if line)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    assert "transfer-encoding" not in headers
    return Seen(method, target, headers, body)
