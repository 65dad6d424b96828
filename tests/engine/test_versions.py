"""Programs and engines of different versions: what they understand goes on, what they don't is told."""

import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from tests.engine.forged import forged_engine, hello, picture
from tests.engine.rig import SECRET, make_home
from tuiback import __version__
from tuiback.engine import codec
from tuiback.engine.clock import SystemClock
from tuiback.engine.commands import Prune, RunTasks, SetLimits
from tuiback.engine.home import Home
from tuiback.engine.hosting.attach import attach
from tuiback.engine.hosting.glance import look, short_socket_path
from tuiback.engine.hosting.link import host
from tuiback.errors import HomeBusy
from tuiback.model import EngineInfo, EngineStatus

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
PICTURE = EngineStatus(7, NOW, EngineInfo("idle", 4711, "serve", NOW, "0.0.9"))


@pytest.mark.parametrize(
    ("greeting", "remedy"),
    [
        ('{"protocol":0,"version":"0.0.1"}', "systemctl restart tuiback"),
        (hello("99.0", protocol=99, role=["of", "another", "shape"]), "upgrade this one to 99.0"),
    ],
)
def test_another_protocol_is_told_with_both_versions(tmp_path: Path, greeting: str, remedy: str) -> None:
    """Whichever is the older one, whatever its hello looks like: what to do stands there, and the exit code is 5."""
    with forged_engine(tmp_path, greeting):
        for try_it in (attach, look):
            with pytest.raises(HomeBusy) as caught:
                try_it(tmp_path)
            version = msgspec.json.decode(greeting)["version"]
            assert f"the engine of this home is tuiback {version} " in caught.value.what
            assert f"this is {__version__}" in caught.value.what
            assert remedy in caught.value.remedy
            assert caught.value.exit_code == 5


def test_an_engine_of_the_same_protocol_is_seen(tmp_path: Path) -> None:
    """Fields that it does not send yet, or that this version does not know, are nothing to stumble over."""
    newer = picture(PICTURE).replace('"number":7', '"number":8,"mood":"fine"')
    with forged_engine(tmp_path, hello("0.0.9", mood="fine"), newer):
        seen = look(tmp_path)
        assert seen is not None
        assert (seen.number, seen.engine.version) == (8, "0.0.9")
        link = attach(tmp_path)
        assert link is not None
        # That one asked nobody for a role.
        assert (link.engine_version, link.role) == ("0.0.9", "admin")
        link.close()


def test_a_picture_without_words_is_told(tmp_path: Path) -> None:
    """Nobody waits for an answer that can't be read, or is told that no engine runs."""
    with forged_engine(tmp_path, hello("0.0.9"), '{"status":{"number":"seven"}}'):
        with pytest.raises(HomeBusy, match=r"tuiback 0\.0\.9 .*upgrade the older of them"):
            look(tmp_path)
        link = attach(tmp_path)
        assert link is not None
        with pytest.raises(HomeBusy, match=r"tuiback 0\.0\.9"):
            link.submit(SetLimits()).result(20)


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[socket.socket]:
    """A greeted line to a real engine, by hand."""
    home: Home = make_home(tmp_path)
    hosted = host(home, "serve", lambda _: SECRET)
    with socket.socket(socket.AF_UNIX) as made, short_socket_path(home.path) as path:
        made.connect(path)
        made.settimeout(20)
        made.sendall(codec.hello("99.0", 1, "console", SystemClock().now()))
        yield made
    hosted.close()


@pytest.mark.parametrize(
    "asked", ['{"command":"dance"}', '{"command":"prune","gently":true}', '{"command":"prune","dry_run":7}']
)
def test_what_the_engine_does_not_know_is_refused_as_a_whole(connection: socket.socket, asked: str) -> None:
    """A newer program's command or wish is not left out in silence: a prune that should be gentle does not happen."""
    connection.sendall(b'{"number":5,"command":' + asked.encode() + b"}\nnot even that\n")
    with connection.makefile("rb") as lines:
        lines.readline()
        told = next(told for told in map(codec.decode_told, lines) if told.number == 5)
    assert told.fault is not None
    assert (told.fault.exit, told.fault.code) == (5, "home_busy")
    assert f"the engine is tuiback {__version__}, and tuiback 99.0 asked" in told.fault.what
    assert "systemctl restart tuiback" in told.fault.remedy


def test_what_says_nothing_does_not_travel() -> None:
    """So an older engine takes a newer program's command as long as nothing new is asked for."""
    assert msgspec.json.decode(codec.ask(1, RunTasks())) == {"number": 1, "command": {"command": "run"}}
    assert msgspec.json.decode(codec.ask(2, Prune(dry_run=True)))["command"] == {"command": "prune", "dry_run": True}


def test_an_unknown_error_keeps_its_code_and_exit() -> None:
    """A newer engine's kinds of errors are told as they are."""
    error = codec.error_of(codec.Fault(code="too_hot", exit=7, what="it is hot", subject="the NAS", remedy="wait"))
    assert (error.code, error.exit_code, str(error)) == ("too_hot", 7, "the NAS: it is hot; wait")
