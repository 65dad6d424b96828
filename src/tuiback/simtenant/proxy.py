"""A CONNECT proxy on loopback that leads Microsoft's host names to the simulated tenant, and refuses all others."""

import asyncio
import contextlib
import socket
from collections.abc import Mapping
from fnmatch import fnmatch

_HEAD_BYTES = 16 * 1024
_PIECE_BYTES = 64 * 1024
_HTTPS = "443"


class ConnectProxy:
    """`ports` gives the port on loopback for each pattern of host names."""

    def __init__(self, ports: Mapping[str, int]) -> None:
        self._ports = ports
        self._server: asyncio.Server | None = None

    async def start(self, listening: socket.socket) -> None:
        """Serve the socket from now on."""
        self._server = await asyncio.start_server(self._serve, sock=listening, limit=_HEAD_BYTES)

    async def stop(self) -> None:
        """Take no more connections; those at work are cut."""
        if self._server is not None:
            self._server.close()

    def find_port(self, target: str) -> int | None:
        """Where a CONNECT target leads; None for hosts that are not simulated."""
        host, _, port = target.lower().rpartition(":")
        if port != _HTTPS:
            return None
        return next((found for pattern, found in self._ports.items() if fnmatch(host, pattern)), None)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            head = await reader.readuntil(b"\r\n\r\n")
            method, target, *_ = (*head.split(b"\r\n", 1)[0].decode("latin-1").split(" "), "", "")
            port = self.find_port(target) if method == "CONNECT" else None
            if port is None:
                writer.write(_refusal(f"{method} {target} leads out of the simulated tenant"))
            else:
                await _join(reader, writer, port)
        with contextlib.suppress(OSError):
            writer.close()
            await writer.wait_closed()


async def _join(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int) -> None:
    there_reader, there_writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
    await asyncio.gather(_pump(reader, there_writer), _pump(there_reader, writer))


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass on what comes until it ends, then end the other side too."""
    with contextlib.suppress(OSError):
        while piece := await reader.read(_PIECE_BYTES):
            writer.write(piece)
            await writer.drain()
    with contextlib.suppress(OSError):
        writer.close()


def _refusal(text: str) -> bytes:
    body = text.encode("latin-1", "replace") + b"\n"
    return b"HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
