"""Serves the tenant on loopback: in the foreground, or from a thread of a test."""

import asyncio
import contextlib
import logging
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from types import FrameType, TracebackType
from typing import Self

import uvicorn

from tuiback.simtenant.certificates import Certificates
from tuiback.simtenant.front import Dropped
from tuiback.simtenant.hosts import Hosts
from tuiback.simtenant.plan import Endpoints, Plan

# Connections that clients keep open must not delay the end.
_GRACE_SECONDS = 1


class _WebServer(uvicorn.Server):
    """Tells when its sockets are served; signals are for the one who runs it."""

    def __init__(self, hosts: Hosts, certificates: Certificates | None = None) -> None:
        super().__init__(
            uvicorn.Config(
                hosts,
                http="httptools",
                ws="none",
                lifespan="off",
                access_log=False,
                log_config=None,
                log_level="error",
                server_header=False,
                timeout_keep_alive=60,
                timeout_graceful_shutdown=_GRACE_SECONDS,
                ssl_certfile=str(certificates.chain) if certificates else None,
                ssl_keyfile=str(certificates.key) if certificates else None,
            )
        )
        self.is_up = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to serve, then say so."""
        await super().startup(sockets)
        self.is_up.set()


class _Serving:
    """Everything that is served, on an event loop of its own."""

    def __init__(self, hosts: Hosts, on_ready: Callable[[Endpoints], None]) -> None:
        # A handler's own failure must be seen; connections cut on purpose are none.
        logging.getLogger("uvicorn.error").addFilter(_is_accident)
        self._hosts = hosts
        self._on_ready = on_ready
        self._servers = [(_WebServer(hosts), hosts.plain)]
        if hosts.secure:
            self._servers.append((_WebServer(hosts, hosts.certificates), hosts.secure))

    def stop(self) -> None:
        """End soon; from any thread, and from a signal handler."""
        for server, _ in self._servers:
            server.should_exit = True

    def serve_until_stopped(self) -> None:
        """Returns when all is over."""
        first = self._servers[0][0]
        with asyncio.Runner(loop_factory=first.config.get_loop_factory()) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        await self._hosts.open()
        serving = [asyncio.create_task(server.serve(sockets)) for server, sockets in self._servers]
        try:
            for server, _ in self._servers:
                await server.is_up.wait()
            self._on_ready(self._hosts.endpoints)
            await asyncio.gather(*serving)
        finally:
            await self._hosts.close()


def run(plan: Plan, port: int, on_ready: Callable[[Endpoints], None]) -> None:
    """Serve in the foreground until SIGTERM or SIGINT; `on_ready` is called once requests are answered.

    Raises OSError when the port is taken, or a file of the plan can't be written.
    """
    serving = _Serving(Hosts(plan, port), on_ready)

    def stop(_number: int, _frame: FrameType | None) -> None:
        serving.stop()

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        serving.serve_until_stopped()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Server:
    """Serves the tenant from a thread: `with Server(plan) as server: server.endpoints`."""

    def __init__(self, plan: Plan | None = None, port: int = 0) -> None:
        self._hosts = Hosts(plan or Plan(), port)
        self._ready = threading.Event()
        self._serving = _Serving(self._hosts, lambda _: self._ready.set())
        self._thread = threading.Thread(target=self._serving.serve_until_stopped, name="simtenant", daemon=True)

    @property
    def endpoints(self) -> Endpoints:
        """Where it answers."""
        return self._hosts.endpoints

    def __enter__(self) -> Self:
        self._thread.start()
        if not self._ready.wait(timeout=30):
            raise TimeoutError("the simulated tenant did not start within 30 seconds")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._serving.stop()
        self._thread.join(timeout=30)

    def reset(self) -> None:
        """Undo every write, fault, clock move and registration, and count from zero."""
        self._hosts.control.reset()


def _is_accident(record: logging.LogRecord) -> bool:
    return record.exc_info is not None and not isinstance(record.exc_info[1], Dropped)
