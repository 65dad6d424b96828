"""Hosts the engine of a home: the lock, the engine's own thread and loop, and the socket that others attach to."""

import asyncio
import concurrent.futures
import contextlib
import fcntl
import logging
import os
import socket
import threading
from collections.abc import Callable
from pathlib import Path

import msgspec

from tuiback import __version__
from tuiback.engine import codec
from tuiback.engine.activity import Activity
from tuiback.engine.asking import asked_by, peer_asker
from tuiback.engine.attach import SOCKET, short_socket_path
from tuiback.engine.clock import SystemClock
from tuiback.engine.commands import Command
from tuiback.engine.core import Engine
from tuiback.engine.home import Home, RepositoryRef
from tuiback.engine.log_file import LogFile
from tuiback.errors import HomeBusy, TuibackError
from tuiback.model import EngineStatus
from tuiback.store import Secret

LOCK = "engine.lock"
PUSH_SECONDS = 1.0
CUT_OFF = "the engine before did not end by itself; what it had not committed yet is backed up again by the next run"
log = logging.getLogger("tuiback.host")


class HomeLock:
    """The right to be the one engine of a home; held as long as the file is open."""

    def __init__(self, home: Path) -> None:
        self._fd = os.open(home / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._fd)
            raise HomeBusy("another engine holds this home", str(home), "attach to it, or stop it first") from None

    def release(self) -> None:
        """Give the right up."""
        os.close(self._fd)


def listen(home: Path) -> socket.socket:
    """The listening socket, for the owner of the home only. A stale one is removed: the lock is ours."""
    (home / SOCKET).unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    before = os.umask(0o077)
    try:
        with short_socket_path(home) as path:
            listener.bind(path)
        (home / SOCKET).chmod(0o600)
        listener.listen()
    except BaseException:
        listener.close()
        raise
    finally:
        os.umask(before)
    return listener


class EngineHost:
    """An engine on a thread of its own, so that neither a stalled terminal nor a busy screen can slow a backup."""

    def __init__(self, home: Home, role: str, secret_for: Callable[[RepositoryRef], Secret]) -> None:
        self._home = home
        self._role = role
        self._secret_for = secret_for
        self._lock = HomeLock(home.path)
        self._loop = asyncio.new_event_loop()
        self._engine: Engine | None = None
        self._ready: concurrent.futures.Future[None] = concurrent.futures.Future()
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)
        self._clients: set[asyncio.Task[None]] = set()
        self._thread.start()

    def wait_until_ready(self) -> None:
        """Return when all repositories are open; raises what kept one closed, with the home let go again."""
        try:
            self._ready.result()
        except BaseException:
            self._thread.join()
            raise

    @property
    def status(self) -> EngineStatus | None:
        """The newest picture."""
        engine = self._engine
        return engine.picture if engine else None

    def submit(self, command: Command) -> "concurrent.futures.Future[dict[str, object]]":
        """Carry a command out on the engine's loop."""
        return asyncio.run_coroutine_threadsafe(self._execute(command), self._loop)

    async def _execute(self, command: Command) -> dict[str, object]:
        await asyncio.wrap_future(self._ready)
        assert self._engine is not None
        return await self._engine.execute(command)

    def close(self) -> None:
        """End the engine at a checkpoint and wait for that."""
        if self._thread.is_alive():
            with contextlib.suppress(RuntimeError):  # the loop ended in this very moment
                self._loop.call_soon_threadsafe(self._leave)
            self._thread.join()

    def join(self) -> None:
        """Wait until the engine has ended, by a command or by close()."""
        self._thread.join()

    def _leave(self) -> None:
        if self._engine is not None:
            self._engine.leaving.set()

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._serve())
        finally:
            self._loop.run_until_complete(self._loop.shutdown_default_executor())
            self._loop.close()
            self._lock.release()

    async def _serve(self) -> None:
        clock = SystemClock()
        activity = Activity(clock, LogFile(self._home.path))
        engine = Engine(self._home, self._role, self._secret_for, clock, activity)
        self._engine = engine
        try:
            await engine.open()
        except BaseException as e:  # noqa: BLE001  # whoever waits for the engine must hear of everything
            await engine.close()
            self._ready.set_exception(e)
            return
        if (self._home.path / SOCKET).exists():
            # Whoever ends by itself removes it.
            activity.add("warn", "engine", CUT_OFF)
        server = await asyncio.start_unix_server(self._greet, sock=listen(self._home.path), limit=codec.FRAME_BYTES)
        self._ready.set_result(None)
        try:
            await engine.leaving.wait()
        finally:
            server.close()
            (self._home.path / SOCKET).unlink(missing_ok=True)
            await engine.close()
            for client in self._clients:
                client.cancel()
            await asyncio.gather(*self._clients, return_exceptions=True)

    async def _greet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        me = asyncio.current_task()
        assert me is not None
        self._clients.add(me)
        try:
            assert self._engine is not None
            await Client(self._engine, reader, writer, self._role).serve()
        except (ConnectionError, asyncio.IncompleteReadError, ValueError):
            log.debug("a client hung up")
        except asyncio.CancelledError:
            # The engine ends. Python 3.11's streams call a cancelled handler an error of its own.
            log.debug("a client is left behind")
        finally:
            self._clients.discard(me)
            writer.close()


class Client:
    """One attached console or command line."""

    def __init__(self, engine: Engine, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, role: str) -> None:
        self._engine = engine
        self._reader = reader
        self._writer = writer
        self._role = role
        self._answering: set[asyncio.Task[None]] = set()

    async def serve(self) -> None:
        """Greet, then push pictures and answer commands until the other side hangs up."""
        clock = SystemClock()
        self._writer.write(codec.hello(__version__, os.getpid(), self._role, clock.now()))
        theirs = codec.decode_hello(await self._reader.readline())
        if theirs.protocol != codec.PROTOCOL:
            return
        asker = peer_asker(self._writer.get_extra_info("socket"), theirs.origin)
        pushing = asyncio.ensure_future(self._push())
        try:
            while line := await self._reader.readline():
                with asked_by(asker):
                    task = asyncio.ensure_future(self._answer(line))
                self._answering.add(task)
                task.add_done_callback(self._answering.discard)
        finally:
            # A command goes on without its listener: a restore must not end because a laptop slept.
            pushing.cancel()

    async def _push(self) -> None:
        shown = -1
        while True:
            picture = self._engine.picture
            if picture is not None and picture.number != shown:
                shown = picture.number
                await self._send(codec.Told(status=picture))
            await asyncio.sleep(PUSH_SECONDS / 4)

    async def _answer(self, line: bytes) -> None:
        try:
            asked = codec.decode_ask(line)
        except msgspec.DecodeError:
            return
        try:
            answer = await self._engine.execute(asked.command)
            told = codec.Told(number=asked.number, answer=answer)
        except TuibackError as e:
            told = codec.Told(number=asked.number, fault=codec.fault_of(e))
        with contextlib.suppress(ConnectionError):
            await self._send(told)

    async def _send(self, told: codec.Told) -> None:
        self._writer.write(codec.encode(told))
        await self._writer.drain()
