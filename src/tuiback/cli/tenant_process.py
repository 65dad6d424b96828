"""Runs the simulated tenant as a process of its own, so that it takes no time from the console's screen."""

import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from tuiback.cli.simulate import TenantSize
from tuiback.errors import TuibackError

_END_SECONDS = 10


class SimulatedTenant(msgspec.Struct, frozen=True):
    """Where the simulated tenant answers, and how to sign in to it."""

    graph_url: str
    authority: str
    tenant_id: str
    client_id: str
    client_secret: str
    control_url: str


class TenantProcess:
    """The simulated tenant, starting at once and served while the context lasts.

    What it says for people goes to the file `log`. It ends with this process too, however that ends.
    """

    def __init__(self, size: TenantSize, port: int, log: Path) -> None:
        options = [f"--port={port}", "--until-stdin-closes", *size.arguments()]
        command = [sys.executable, "-m", "tuiback", "simulate", *options]
        self._log = log
        with log.open("wb") as errors:
            # A session of its own: Ctrl-C at the terminal must not take it away from a backup that is ending.
            self._process = subprocess.Popen(  # noqa: S603 - this very program
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, start_new_session=True
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def wait_until_served(self) -> SimulatedTenant:
        """Where it answers, as soon as it does; to be asked once. Raises TuibackError when it does not start."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        try:
            return msgspec.json.decode(line, type=SimulatedTenant)
        except msgspec.DecodeError as error:
            said = self._log.read_text(errors="replace").strip().splitlines()
            reason = said[-1] if said else "it said nothing"
            what = f"the simulated tenant did not start: {reason}"
            raise TuibackError(what) from error

    def close(self) -> None:
        """End it."""
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            stream.close()
        try:
            self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
