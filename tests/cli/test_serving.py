"""The engine without a console: it tells systemd how it stands, and ends well."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Tuiback
from tuiback.cli.units import UNITS, unit_text


def start(home: Path, *options: str, **environment: str) -> "subprocess.Popen[str]":
    """Start serving."""
    command = [sys.executable, "-m", "tuiback", *options, "--home", str(home), "serve"]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env={**os.environ, **environment})


def ready(listening: socket.socket) -> str:
    """What came first over systemd's socket."""
    listening.settimeout(60)
    return listening.recv(4096).decode()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_tells_systemd_and_ends_with_0(home: Path, tmp_path: Path, number: signal.Signals) -> None:
    """READY once the repositories are open, STOPPING at the end; a hang-up of the terminal is no end."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        with start(home, NOTIFY_SOCKET=str(tmp_path / "notify")) as serving:
            assert ready(listening) == "READY=1"
            serving.send_signal(signal.SIGHUP)
            assert "WATCHDOG=1\nSTATUS=waiting for the next task" in (ready(listening), ready(listening))
            serving.send_signal(number)
            assert serving.wait(60) == 0
            listening.setblocking(False)
            told = []
            while True:
                try:
                    told.append(listening.recv(4096).decode())
                except BlockingIOError:
                    break
            assert told[-1] == "STOPPING=1"


def test_a_second_engine_is_refused_and_others_attach(tuiback: Tuiback, home: Path, tmp_path: Path) -> None:
    """`serve` beside a running engine ends with 5; `status` sees who hosts it; events come as JSON lines."""
    (tmp_path / "secret").write_text("x\n")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        with start(home, "--json", NOTIFY_SOCKET=str(tmp_path / "notify")) as serving:
            assert ready(listening) == "READY=1"
            assert tuiback("--home", home, "serve").code == 5
            engine = tuiback("--json", "--home", home, "status").document["engine"]
            assert (engine["host"], engine["pid"]) == ("serve", serving.pid)
            serving.terminate()
            out, _ = serving.communicate(timeout=60)
            assert serving.returncode == 0
            assert all(json.loads(line)["schema"] == "tuiback.serve/1" for line in out.splitlines())


def test_units_are_what_systemd_accepts(tuiback: Tuiback, home: Path, tmp_path: Path) -> None:
    """systemd-analyze verify has nothing to say about service, run and timer; a % in a path is written twice."""
    names = {"service": "tuiback.service", "run": "tuiback-run.service", "timer": "tuiback-run.timer"}
    assert set(names) == set(UNITS)
    for kind, name in names.items():
        (tmp_path / name).write_bytes(tuiback("--home", home, "serve", "--print-unit", kind).out)
    assert tuiback("--home", home, "serve", "--print-unit").out == (tmp_path / "tuiback.service").read_bytes()
    text = unit_text("service", Path("/volume1/100% tuiback"), [Path("/volume1/100% tuiback/repository"), Path("/m")])
    assert "ReadWritePaths='/volume1/100%% tuiback' /m\n" in text
    tool = shutil.which("systemd-analyze")
    if tool is None:
        pytest.skip("needs systemd-analyze")
    units = [str(tmp_path / name) for name in names.values()]
    checked = subprocess.run([tool, "verify", *units], capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stderr) == (0, "")
