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
from tuiback.engine.asking import asked_by, peer_asker, user_name
from tuiback.engine.clock import SystemClock
from tuiback.engine.commands import Command
from tuiback.engine.home import Home, RepositoryRef
from tuiback.engine.hosting.core import Engine
from tuiback.engine.hosting.glance import RESTART, SOCKET, short_socket_path
from tuiback.engine.hosting.reception import Reception
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

    def __init__(
        self,
        home: Home,
        role: str,
        secret_for: Callable[[RepositoryRef], Secret],
        reception: Reception | None = None,
    ) -> None:
        self._home = home
        self._reception = reception or Reception(home)
        self._role = role
        self._secret_for = secret_for
        self._lock = HomeLock(home.path)
        self._loop = asyncio.new_event_loop()
        self._engine: Engine | None = None
        self._ready: concurrent.futures.Future[None] = concurrent.futures.Future()
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)
        self._clients: set[asyncio.Task[None]] = set()
        self._is_leaving = False
        self._ended = threading.Event()
        self._thread.start()

    def wait_until_ready(self) -> None:
        """Return when all repositories are open; raises what kept one closed, with the home let go again.

        A signal that is raised meanwhile ends what has just been opened, too.
        """
        try:
            self._ready.result()
        except BaseException:
            self.close()
            raise

    @property
    def status(self) -> EngineStatus | None:
        """The newest picture."""
        engine = self._engine
        return engine.picture if engine else None

    @property
    def warnings(self) -> tuple[str, ...]:
        """What was found as the repositories were opened that somebody must know."""
        return tuple(self._engine.warnings) if self._engine else ()

    def submit(self, command: Command) -> "concurrent.futures.Future[dict[str, object]]":
        """Carry a command out on the engine's loop."""
        return asyncio.run_coroutine_threadsafe(self._execute(command), self._loop)

    async def _execute(self, command: Command) -> dict[str, object]:
        await asyncio.wrap_future(self._ready)
        assert self._engine is not None
        return await self._engine.execute(command)

    def close(self) -> None:
        """End the engine at a checkpoint and wait for that."""
        with contextlib.suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(self._leave)
        self.join()

    def join(self) -> None:
        """Wait until the engine has ended, by a command or by close(), and let the home go."""
        try:
            self._ended.wait()
        except BaseException:
            # A signal ends the process, but not before the checkpoint is there. No Thread.join(): one that is
            # interrupted takes the thread for ended, https://github.com/python/cpython/issues/90882
            self._ended.wait()
            raise

    def say(self, level: str, subject: str, text: str) -> None:
        """Say something in the activity, from any thread; nothing when the engine has ended."""
        if self._engine is not None:
            with contextlib.suppress(RuntimeError):  # the loop has ended
                self._loop.call_soon_threadsafe(self._engine.say, level, subject, text)

    def _leave(self) -> None:
        self._is_leaving = True
        if self._engine is not None:
            self._engine.leaving.set()

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._serve())
        finally:
            try:
                self._loop.run_until_complete(self._loop.shutdown_default_executor())
                self._loop.close()
            finally:
                self._lock.release()
                self._ended.set()

    async def _serve(self) -> None:
        clock = SystemClock()
        activity = Activity(clock, LogFile(self._home.path))
        engine = Engine(self._home, self._role, self._secret_for, clock, activity)
        self._engine = engine
        if self._is_leaving:
            engine.leaving.set()
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
        if kept_out := await asyncio.to_thread(self._reception.open_doors):
            activity.add("warn", "engine", kept_out)
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
            await Client(self._engine, reader, writer, self._role, self._reception).serve()
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

    def __init__(
        self,
        engine: Engine,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        host_role: str,
        reception: Reception,
    ) -> None:
        self._engine = engine
        self._reader = reader
        self._writer = writer
        self._host_role = host_role
        self._reception = reception
        self._version = ""
        self._answering: set[asyncio.Task[None]] = set()

    async def serve(self) -> None:
        """Greet, then push pictures and answer commands until the other side hangs up."""
        connection = self._writer.get_extra_info("socket")
        peer, role = await asyncio.to_thread(self._reception.admit, connection)
        now, grants = SystemClock().now(), role or codec.STRANGER
        self._writer.write(codec.hello(__version__, os.getpid(), self._host_role, now, grants=grants))
        if role is None:
            told = "may not use this engine: none of this user's groups has a role"
            self._engine.say("warn", user_name(peer.uid), told)
            return
        theirs = codec.decode_hello(await self._reader.readline())
        if theirs.protocol != codec.PROTOCOL:
            return
        self._version = theirs.version
        asker = peer_asker(peer, theirs.origin, role)
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
        # Whoever comes now must see what any command has changed before.
        picture = await self._engine.fresh_picture()
        while True:
            if picture is not None and picture.number != shown:
                shown = picture.number
                await self._send(codec.Told(status=picture))
            await asyncio.sleep(PUSH_SECONDS / 4)
            picture = self._engine.picture

    async def _answer(self, line: bytes) -> None:
        try:
            asked = codec.decode_ask(line)
        except msgspec.DecodeError as e:
            await self._say_unknown(line, e)
            return
        try:
            answer = await self._engine.execute(asked.command)
            told = codec.Told(number=asked.number, answer=answer)
        except TuibackError as e:
            told = codec.Told(number=asked.number, fault=codec.fault_of(e))
        with contextlib.suppress(ConnectionError):
            await self._send(told)

    async def _say_unknown(self, line: bytes, error: msgspec.DecodeError) -> None:
        """Answer what another version asked and this one has no words for."""
        what = f"the engine is tuiback {__version__}, and tuiback {self._version} asked what it does not know ({error})"
        fault = codec.fault_of(HomeBusy(what, "", f"let both be the same version; {RESTART}"))
        with contextlib.suppress(msgspec.DecodeError, ConnectionError):
            await self._send(codec.Told(number=codec.number_of(line), fault=fault))

    async def _send(self, told: codec.Told) -> None:
        self._writer.write(codec.encode(told))
        await self._writer.drain()
