"""Hosting and attaching: one engine a home, commands and errors over the socket, clean ends."""

import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType

import pytest
from msgspec.structs import replace

from tests.engine.rig import SECRET, make_home
from tuiback.catalog import State
from tuiback.engine import codec
from tuiback.engine.archives.view import View
from tuiback.engine.clock import SystemClock
from tuiback.engine.commands import Leave, PutTask, PutTenant, RemoveTask, RunTasks, SetLimits, StopTask
from tuiback.engine.home import Home
from tuiback.engine.hosting.glance import SOCKET, look, short_socket_path
from tuiback.engine.hosting.host import EngineHost
from tuiback.engine.hosting.link import HostedLink, Link, attach, attach_or_host, host
from tuiback.engine.hosting.reception import Reception
from tuiback.errors import HomeBusy, NoSuchThing, UsageError, WrongKey
from tuiback.store import Secret

TENANT = PutTenant(
    name="acme",
    tenant_id="11111111-2222-3333-4444-555555555555",
    client_id="66666666-7777-8888-9999-000000000000",
    cloud="custom",
    graph_url="http://127.0.0.1:9",
    authority="http://127.0.0.1:9/11111111-2222-3333-4444-555555555555",
    credential_kind="secret",
    credential="hush",
)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home deep enough that its socket's path would not fit into an address."""
    return make_home(tmp_path / ("deep-" * 20))


@pytest.fixture
def hosted(home: Home) -> Iterator[HostedLink]:
    """The engine of the home, in this process."""
    link = host(home, "run", lambda _: SECRET)
    yield link
    link.close()


def until(condition: Callable[[], bool]) -> None:
    """Wait for a condition that must come."""
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_attached_console_sees_and_commands(home: Home, hosted: HostedLink) -> None:
    """An attached process sees the same picture and its commands are carried out; answers and errors come back."""
    attached = attach(home.path)
    assert attached is not None
    until(lambda: attached.status() is not None)
    status = attached.status()
    assert status is not None
    assert status.engine.host == "run"
    answer = attached.submit(SetLimits(accounts=3)).result(10)
    assert (answer["accounts"], answer["files"]) == (3, 20)
    with pytest.raises(NoSuchThing, match="no such task"):
        attached.submit(RunTasks(tasks=("nothing",))).result(10)
    with pytest.raises(UsageError, match="cap"):
        attached.submit(SetLimits(files=100_000)).result(10)
    attached.close()


def test_the_audit_knows_who_attached(home: Home, hosted: HostedLink) -> None:
    """The user as the kernel says, the process, and the reason that goes with the command."""
    attached = attach(home.path)
    assert attached is not None
    attached.submit(replace(TENANT, reason="a new customer")).result(20)
    attached.close()
    state = State.open(home.state_path("main"))
    (entry,) = state.audit_entries()
    state.close()
    assert (entry.action, entry.uid, entry.reason) == ("put-tenant", os.getuid(), "a new customer")
    assert entry.origin.startswith(f"process {os.getpid()}")


def test_one_look_shows_what_has_ended(home: Home, hosted: HostedLink) -> None:
    """Whoever looks after a command sees what it did, without any catalog; nobody is there without an engine."""
    hosted.submit(TENANT).result(20)
    hosted.submit(PutTask(name="mail", tenant="acme", service="exchange", everything=True)).result(20)
    picture = look(home.path)
    assert picture is not None
    assert [task.name for task in picture.tasks] == ["mail"]
    assert [(t.name, t.credential_kind) for t in picture.tenants] == [("acme", "secret")]
    assert (picture.standing, picture.storage[0].name) == ({}, "main")
    hosted.submit(RemoveTask(task="mail")).result(20)
    assert (look(home.path) or picture).tasks == ()
    hosted.close()
    assert look(home.path) is None


def test_only_one_engine_a_home(home: Home, hosted: HostedLink) -> None:
    """A second host is refused; whoever asks for a line gets one to the first."""
    with pytest.raises(HomeBusy):
        host(home, "console", lambda _: SECRET)
    link = attach_or_host(home, "console", lambda _: SECRET)
    assert not link.hosted
    link.close()


def test_configuration_survives(home: Home, hosted: HostedLink) -> None:
    """Tenants and tasks come back at the next start; the secret is in no file of the home in clear."""
    hosted.submit(TENANT).result(20)
    hosted.submit(PutTask(name="mail", tenant="acme", service="exchange", everything=True)).result(20)
    with pytest.raises(UsageError, match="exists already"):
        hosted.submit(PutTask(name="mail", tenant="acme", service="exchange")).result(20)
    with pytest.raises(NoSuchThing, match="not running"):
        hosted.submit(StopTask(task="mail")).result(20)
    hosted.close()
    link: Link = host(home, "console", lambda _: SECRET)
    status = link.status()
    assert status is not None
    assert [t.name for t in status.tasks] == ["mail"]
    link.close()
    assert [t.name for _, t in View(home).tenants()] == ["acme"]
    files = [p for p in home.path.parent.rglob("*") if p.is_file()]
    assert not [p for p in files if b"hush" in p.read_bytes()]


def test_leave_ends_the_engine_and_frees_the_home(home: Home, hosted: HostedLink) -> None:
    """An attached process can ask the engine to end; the socket goes, the home is free, waiting answers fail."""
    attached = attach(home.path)
    assert attached is not None
    attached.submit(Leave()).result(10)
    until(lambda: not (home.path / SOCKET).exists())
    hosted.close()
    with pytest.raises(HomeBusy, match="ended"):
        attached.submit(SetLimits()).result(10)
    host(home, "run", lambda _: SECRET).close()


def test_wrong_key_frees_the_home(home: Home) -> None:
    """An engine that can't open the repository says so and does not hold the home."""
    with pytest.raises(WrongKey):
        host(home, "run", lambda _: Secret("passphrase", b"something else altogether"))
    host(home, "run", lambda _: SECRET).close()


def test_a_signal_while_it_opens_ends_the_engine(home: Home) -> None:
    """What the signal raises is raised once the home is free again, and a second signal changes nothing."""

    class Stop(Exception):
        pass

    def stop(number: int, frame: FrameType | None) -> None:
        raise Stop

    def secret_for(_: object) -> Secret:
        for _ in range(2):
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR1)
            time.sleep(0.01)
        return SECRET

    before = signal.signal(signal.SIGUSR1, stop)
    try:
        with pytest.raises(Stop):
            host(home, "run", secret_for)
    finally:
        signal.signal(signal.SIGUSR1, before)
    host(home, "run", lambda _: SECRET).close()


def test_another_protocol_is_told(home: Home, hosted: HostedLink) -> None:
    """A client of another protocol is greeted, so that it can say who is there, and then left."""
    with socket.socket(socket.AF_UNIX) as s, short_socket_path(home.path) as path:
        s.connect(path)
        s.settimeout(10)
        s.sendall(codec.hello("99.0", 1, "console", SystemClock().now()).replace(b'"protocol":1', b'"protocol":99'))
        greeting = s.makefile("rb").readline()
        assert codec.decode_hello(greeting).protocol == codec.PROTOCOL
        assert s.recv(1) == b""


def test_socket_is_for_its_owner_only(home: Home) -> None:
    """Nobody else may even connect, where the machine has none of the groups."""
    engine = EngineHost(home, "run", lambda _: SECRET, Reception(home, groups=lambda _: {}))
    engine.wait_until_ready()
    try:
        assert (home.path / SOCKET).stat().st_mode & 0o777 == 0o600
        assert home.path.stat().st_mode & 0o077 == 0
    finally:
        engine.close()
