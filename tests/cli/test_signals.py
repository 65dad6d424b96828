"""Terminals that hang up and processes that are told to end, twice: the engine goes on, or leaves a checkpoint."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.terminal import Line
from tests.engine.rig import SECRET, make_home
from tuiback.engine.archives.view import View
from tuiback.engine.commands import PutTask, PutTenant, RunTasks
from tuiback.engine.hosting.glance import SOCKET, look
from tuiback.engine.hosting.link import attach, host
from tuiback.errors import HomeBusy
from tuiback.model import EngineStatus
from tuiback.simtenant import Plan, Server

PATIENCE_SECONDS = 60


def until(condition: Callable[[], bool]) -> None:
    """Wait for what must come."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


class Held:
    """A home whose one task can be held up in the middle of its run."""

    def __init__(self, folder: Path, server: Server) -> None:
        self._home = make_home(folder)
        self._server = server
        self.path = self._home.path
        (folder / "passphrase").write_bytes(SECRET.value)
        self._environment = {"TUIBACK_PASSPHRASE_FILE": str(folder / "passphrase"), "TERM": "xterm-256color"}
        at = server.endpoints
        link = host(self._home, "run", lambda _: SECRET)
        tenant = PutTenant(
            name="acme", tenant_id=at.tenant_id, client_id=at.client_id, cloud="custom", graph_url=at.graph_url,
            authority=at.authority, credential_kind="secret", credential=at.client_secret,
        )  # fmt: skip
        for command in (tenant, PutTask(name="mail", tenant="acme", service="exchange", everything=True)):
            link.submit(command).result(PATIENCE_SECONDS)
        link.close()

    def hold(self) -> None:
        """From now on Microsoft lets the task wait, a second at a time."""
        self._control(match="GET .*/messages/delta", status=503, retry_after=1, times=-1)

    def let_go(self) -> None:
        """What waited goes on."""
        self._control(clear=True)

    def _control(self, **body: Any) -> None:
        url = f"{self._server.endpoints.control_url}/fault"
        urllib.request.urlopen(urllib.request.Request(url, json.dumps(body).encode()), timeout=PATIENCE_SECONDS)

    def _command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "tuiback", "--home", str(self.path), *arguments]

    def start(self, *arguments: str) -> "subprocess.Popen[bytes]":
        """Start a command without a terminal."""
        environment = {**os.environ, **self._environment}
        return subprocess.Popen(self._command(*arguments), stderr=subprocess.PIPE, env=environment)

    def start_on_a_line(self, *arguments: str) -> Line:
        """Start a command at a terminal."""
        return Line(self._command(*arguments), self._environment)

    def picture(self) -> EngineStatus | None:
        """What the engine shows, None while none runs."""
        try:
            return look(self.path)
        except HomeBusy:
            # It ended in this very moment.
            return None

    def is_running(self, hosted_by: str) -> bool:
        """Whether an engine that is hosted so is in the task's run."""
        picture = self.picture()
        return picture is not None and picture.engine.host == hosted_by and picture.tasks[0].run is not None

    def runs(self) -> list[tuple[str, str | None]]:
        """Trigger and outcome of the past runs, the newest first."""
        view = View(self._home)
        try:
            return [(run.trigger, run.outcome) for _, reader in view.readers() for run in reader.runs()]
        finally:
            view.close()


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Held]:
    """One for all tests here: each leaves it without an engine."""
    with Server(Plan(users=1, messages=4, files_per_user=0)) as server:
        yield Held(tmp_path_factory.mktemp("nas"), server)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_the_second_signal_disturbs_no_checkpoint(held: Held, number: signal.Signals, code: int) -> None:
    """The run ends as cancelled, its socket is gone, and the exit code says which signal it was."""
    held.hold()
    running = held.start("run", "mail")
    until(lambda: held.is_running("run"))
    running.send_signal(number)
    until(lambda: running.poll() is not None or has(running.pid, "SigIgn", number))
    running.send_signal(number)
    _, err = running.communicate(timeout=PATIENCE_SECONDS)
    assert (running.returncode, err.strip()) == (code, b"")
    assert held.picture() is None
    assert not (held.path / SOCKET).exists()
    assert held.runs()[0] == ("manual", "cancelled")


def test_a_run_goes_on_without_its_terminal(held: Held) -> None:
    """The same process finishes it, and says in the activity what happened; whoever attaches sees that."""
    held.hold()
    line = held.start_on_a_line("run", "mail")
    until(lambda: held.is_running("run"))
    line.hang_up()

    def told() -> bool:
        picture = held.picture()
        return picture is not None and any("hung up" in line.text for line in picture.activity)

    until(told)
    picture = held.picture()
    assert picture is not None
    assert (picture.engine.pid, picture.engine.host) == (line.pid, "run")
    held.let_go()
    assert line.wait(PATIENCE_SECONDS) == 0
    assert held.runs()[0] == ("manual", "ok")


def test_a_consoles_run_goes_on_without_its_terminal(held: Held) -> None:
    """A process of its own takes it up from the checkpoint, and the history of runs says so."""
    held.hold()
    line = held.start_on_a_line()
    line.read_until(b"mail")
    link = attach(held.path)
    assert link is not None
    link.submit(RunTasks(wait=False)).result(PATIENCE_SECONDS)
    link.close()
    until(lambda: held.is_running("console"))
    line.hang_up()
    assert line.wait(PATIENCE_SECONDS) == 0
    until(lambda: held.is_running("run"))
    held.let_go()
    until(lambda: held.picture() is None)
    assert held.runs()[:2] == [("background", "ok"), ("manual", "cancelled")]


def test_a_console_that_is_told_to_end_says_so(held: Held) -> None:
    """It leaves a checkpoint and ends with the code of the signal, however often that comes."""
    line = held.start_on_a_line()
    line.read_until(b"mail")
    for _ in range(2):
        os.kill(line.pid, signal.SIGTERM)
    # What leaves the alternate screen: it has restored the terminal.
    line.read_until(b"\x1b[?1049l")
    assert line.wait(PATIENCE_SECONDS) == 143
    assert held.picture() is None


def test_a_signal_before_the_engine_stands_ends_it_too(held: Held) -> None:
    """Whoever ends a command at once does not wait for ever, and the home is free again."""
    running = held.start("run", "mail")
    until(lambda: has(running.pid, "SigCgt", signal.SIGTERM))
    running.send_signal(signal.SIGTERM)
    running.communicate(timeout=PATIENCE_SECONDS)
    assert running.returncode == 143
    assert held.picture() is None


def has(pid: int, mask: str, number: signal.Signals) -> bool:
    """Whether a process catches (SigCgt) or ignores (SigIgn) a signal by now: proc(5)."""
    told = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith(mask))
    return bool(int(told.split()[1], 16) >> (number - 1) & 1)
