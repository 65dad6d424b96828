"""Serves the tenant on loopback: in the foreground, or from a thread of a test."""

import asyncio
import logging
import signal
import socket
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Self

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from tuiback.simtenant.api.cloud import Cloud
from tuiback.simtenant.api.storage import resolve_storage
from tuiback.simtenant.capture import Capture
from tuiback.simtenant.control import Control, control_app
from tuiback.simtenant.faults import Faults
from tuiback.simtenant.front import Dropped, Front, resolve_api
from tuiback.simtenant.plan import Endpoints, Plan
from tuiback.simtenant.reception import Counts, Reception

_LOOPBACK = "127.0.0.1"
# Connections that clients keep open must not delay the end.
_GRACE_SECONDS = 1


class _Hosts:
    """One ASGI application for three ports: API, storage, control."""

    def __init__(self, plan: Plan, port: int) -> None:
        self.sockets = [_listening(port), _listening(0), _listening(0)]
        api, storage, control = (each.getsockname()[1] for each in self.sockets)
        cloud, counts, faults = Cloud(plan), Counts(), Faults()
        cloud.storage_port = storage
        self.control = Control(cloud, counts, faults)
        self._capture = capture = Capture(plan.capture) if plan.capture is not None else None
        self._apps: dict[int, ASGIApp] = {
            api: Front(Reception(cloud, counts, faults, resolve_api), counts, capture),
            storage: Front(Reception(cloud, counts, faults, resolve_storage), counts, capture),
            control: control_app(self.control),
        }
        root = f"http://{_LOOPBACK}:{api}"
        self.endpoints = Endpoints(
            graph_url=root,
            authority=f"{root}/{plan.tenant_id}",
            tenant_id=plan.tenant_id,
            client_id=plan.client_id,
            client_secret=plan.client_secret,
            control_url=f"http://{_LOOPBACK}:{control}",
        )

    def close(self) -> None:
        """Let go of what was opened for serving."""
        if self._capture is not None:
            self._capture.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._apps[scope["server"][1]](scope, receive, send)


class _Uvicorn(uvicorn.Server):
    """Tells when its sockets are served."""

    def __init__(self, hosts: _Hosts, on_ready: Callable[[Endpoints], None]) -> None:
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
            )
        )
        # A handler's own failure must be seen; connections cut on purpose are none.
        logging.getLogger("uvicorn.error").addFilter(_is_accident)
        self._hosts = hosts
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to serve, then say so."""
        await super().startup(sockets)
        self._on_ready(self._hosts.endpoints)

    def serve_until_told(self) -> None:
        """Run an event loop of its own until `should_exit`."""
        with asyncio.Runner(loop_factory=self.config.get_loop_factory()) as runner:
            runner.run(self.serve(self._hosts.sockets))


def run(plan: Plan, port: int, on_ready: Callable[[Endpoints], None]) -> None:
    """Serve in the foreground until SIGTERM or SIGINT; `on_ready` is called once requests are answered."""
    hosts = _Hosts(plan, port)
    # uvicorn raises the signal again when it has ended; these handlers make that an ordinary return.
    before = {number: signal.signal(number, _ignore) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        _Uvicorn(hosts, on_ready).serve_until_told()
    finally:
        hosts.close()
        for number, handler in before.items():
            signal.signal(number, handler)


class Server:
    """Serves the tenant from a thread: `with Server(plan) as server: server.endpoints`."""

    def __init__(self, plan: Plan | None = None, port: int = 0) -> None:
        self._hosts = _Hosts(plan or Plan(), port)
        self._ready = threading.Event()
        self._uvicorn = _Uvicorn(self._hosts, lambda _: self._ready.set())
        self._thread = threading.Thread(target=self._uvicorn.serve_until_told, name="simtenant", daemon=True)

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
        self._uvicorn.should_exit = True
        self._thread.join(timeout=30)
        self._hosts.close()

    def reset(self) -> None:
        """Undo every write, fault, clock move and registration, and count from zero."""
        self._hosts.control.reset()


def _listening(port: int) -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind((_LOOPBACK, port))
    made.listen(128)
    return made


def _is_accident(record: logging.LogRecord) -> bool:
    return record.exc_info is not None and not isinstance(record.exc_info[1], Dropped)


def _ignore(_number: int, _frame: FrameType | None) -> None:
    """Nothing: uvicorn has already ended."""
