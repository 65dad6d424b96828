"""Tests of the simulated tenant as a process of its own."""

import json
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tuiback.cli.simulate import TenantSize
from tuiback.cli.tenant_process import TenantProcess
from tuiback.errors import TuibackError

SMALL = TenantSize(users=1, messages=1, files_per_user=1, seed=7, mail=None, files=None)
LIMIT_SECONDS = 30


@contextmanager
def simulate(*arguments: str) -> "Iterator[subprocess.Popen[bytes]]":
    """The process, killed at the end if it still runs."""
    command = [sys.executable, "-m", "tuiback", "simulate", *SMALL.arguments(), *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            yield process
        finally:
            process.kill()


def announced(process: "subprocess.Popen[bytes]") -> dict[str, str]:
    """The first line."""
    assert process.stdout is not None
    line = json.loads(process.stdout.readline())
    assert isinstance(line, dict)
    return line


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_until_signalled(number: signal.Signals) -> None:
    """The first line says where; it answers there, signs in as printed, and ends with 0."""
    with simulate() as process:
        line = announced(process)
        assert set(line) == {
            "schema", "graph_url", "authority", "tenant_id", "client_id", "client_secret", "control_url",
        }  # fmt: skip
        form = f"grant_type=client_credentials&client_id={line['client_id']}&client_secret={line['client_secret']}"
        scope = "&scope=https%3A%2F%2Fgraph.microsoft.com%2F.default"
        token_url = f"{line['authority']}/oauth2/v2.0/token"
        with urllib.request.urlopen(token_url, (form + scope).encode(), LIMIT_SECONDS) as answer:
            token = json.load(answer)["access_token"]
        users_url, header = f"{line['graph_url']}/v1.0/users", {"Authorization": f"Bearer {token}"}
        request = urllib.request.Request(users_url, headers=header)
        with urllib.request.urlopen(request, timeout=LIMIT_SECONDS) as answer:
            assert len(json.load(answer)["value"]) == 1
        process.send_signal(number)
        assert process.wait(LIMIT_SECONDS) == 0


def test_it_ends_with_its_parent() -> None:
    """When the other end of its stdin closes, as with a killed parent, it ends by itself."""
    with simulate("--until-stdin-closes") as process:
        announced(process)
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(LIMIT_SECONDS) == 0


def test_a_port_that_is_taken() -> None:
    """One line names the port, and the exit code says that the machine is at fault."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with simulate(f"--port={port}") as process:
            out, err = process.communicate(timeout=LIMIT_SECONDS)
    assert (process.returncode, out) == (7, b"")
    assert err.startswith(f"tuiback: port {port} can't be served".encode())
    assert err.count(b"\n") == 1


def test_the_demo_learns_why_it_did_not_start(tmp_path: Path) -> None:
    """The reason that the simulated tenant gave is passed on."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with (
            TenantProcess(SMALL, port, tmp_path / "log") as process,
            pytest.raises(TuibackError, match=f"did not start.*port {port}"),
        ):
            process.wait_until_served()
