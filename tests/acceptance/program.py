"""Runs tuiback and its simulated tenant as the processes that a user would start."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.acceptance.terminal import Line
from tests.warm import Warm

PROGRAM = (sys.executable, "-m", "tuiback")


@contextmanager
def simulated(*options: str) -> Iterator[dict[str, str]]:
    """A simulated tenant in a process of its own; its endpoints."""
    process = Warm("simulate", "--port", "0", *options, stdout=subprocess.PIPE)
    assert process.stdout is not None
    try:
        yield json.loads(process.stdout.readline())
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
        process.stdout.close()


class Installation:
    """A home below `folder`, its repository there too or at a URL, and the command line on it.

    Commands are processes that are warm already; `cold` ones are started as a shell starts them.
    """

    def __init__(
        self, folder: Path, repository: str = "", environment: Mapping[str, str] | None = None, *, cold: bool = False
    ) -> None:
        self.folder = folder
        self.home = folder / "home"
        self.repository = repository or str(folder / "repository")
        self._environment = {**os.environ, **(environment or {}), "TUIBACK_HOME": str(self.home)}
        self._cold = cold

    def start(self, *arguments: str) -> "subprocess.Popen[bytes]":
        """Start a command and leave it running."""
        pipe = subprocess.PIPE
        if not self._cold:
            return Warm(*arguments, stdout=pipe, stderr=pipe, env=self._environment)
        command = [*PROGRAM, *arguments]
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, env=self._environment)

    def start_on_a_line(self, *arguments: str) -> Line:
        """Start a command at a terminal, the console without any."""
        return Line([*PROGRAM, *arguments], {"TUIBACK_HOME": str(self.home), "TERM": "xterm-256color"})

    def run(self, *arguments: str, code: int = 0) -> str:
        """Run a command to its end, which must be `code`; its standard output."""
        process = self.start(*arguments)
        out, err = process.communicate(timeout=110)
        assert process.returncode == code, f"{arguments}: {process.returncode}\n{out.decode()}\n{err.decode()}"
        return out.decode()

    def run_under(self, *tool: str, arguments: Sequence[str]) -> "subprocess.CompletedProcess[bytes]":
        """Run a command under a tool that looks on; however it ends."""
        command = [*tool, *PROGRAM, *arguments]
        return subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, env=self._environment, check=False, timeout=110
        )

    def ask(self, *arguments: str, code: int = 0) -> dict[str, Any]:
        """Run with --json: its one document."""
        answer = json.loads(self.run("--json", *arguments, code=code))
        assert isinstance(answer, dict)
        return answer

    def rows(self, *arguments: str) -> list[dict[str, Any]]:
        """Run with --json a verb that prints an object a line."""
        return [json.loads(line) for line in self.run("--json", *arguments).splitlines()]

    def set_up(self, tenant: dict[str, str], services: Sequence[str] = ("exchange", "onedrive")) -> None:
        """Initialise, sign the tenant in, and add a task for each service."""
        self.folder.mkdir(parents=True, exist_ok=True)
        secret = self.folder / "secret"
        secret.write_text(tenant["client_secret"])
        key = str(self.folder / "tuiback.key")
        self.run("init", "--repository", self.repository, "--key-file", key)
        self.run(
            "tenant", "add", "acme", "--tenant-id", tenant["tenant_id"], "--client-id", tenant["client_id"],
            "--client-secret-file", str(secret), "--cloud", "custom", "--graph-url", tenant["graph_url"],
            "--authority", tenant["authority"],
        )  # fmt: skip
        for service in services:
            self.run("task", "add", service, "--tenant", "acme", "--service", service, "--all")
