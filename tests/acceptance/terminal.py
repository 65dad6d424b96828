"""A real terminal: tmux in a server of its own, keys in, screens out."""

import fcntl
import os
import pty
import select
import shlex
import shutil
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


class Line:
    """A program on a pseudo-terminal that can hang up, as an SSH connection does."""

    def __init__(self, arguments: list[str], environment: dict[str, str]) -> None:
        self.seen = b""
        self.pid, self._fd = pty.fork()
        if self.pid == 0:
            os.execvpe(arguments[0], arguments, {**os.environ, **environment})
        # Else whatever is started next would hold this line too.
        os.set_inheritable(self._fd, False)
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))

    def read_until(self, wanted: bytes, seconds: float = 40) -> None:
        """Read until the program has shown this."""
        deadline = time.monotonic() + seconds
        while wanted not in self.seen:
            assert time.monotonic() < deadline, self.seen[-2000:]
            if select.select([self._fd], [], [], 0.1)[0]:
                self.seen += os.read(self._fd, 65536)

    def hang_up(self) -> None:
        """The connection is gone."""
        os.close(self._fd)

    def wait(self, seconds: float = 30) -> int:
        """The exit code, once the program has ended."""
        deadline = time.monotonic() + seconds
        while True:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                return os.waitstatus_to_exitcode(status)
            if time.monotonic() > deadline:
                os.kill(self.pid, signal.SIGKILL)
                os.waitpid(self.pid, 0)
                raise AssertionError("the program did not end")
            time.sleep(0.05)


def require(tool: str) -> None:
    """Skip where the machine lacks a tool; under CI that is a failure, because CI installs it."""
    if shutil.which(tool) is None:
        assert not os.environ.get("TUIBACK_CI"), f"CI must have {tool}"
        pytest.skip(f"{tool} is not installed")


class Terminal:
    """One tmux window of a fixed size."""

    def __init__(self, socket: Path) -> None:
        self._tmux = ("tmux", "-S", str(socket), "-f", "/dev/null")

    def open(self, command: str, width: int, height: int, environment: dict[str, str]) -> None:
        """Run a command in a new window."""
        size = ("-x", str(width), "-y", str(height))
        given = [f"-e{name}={value}" for name, value in environment.items()]
        subprocess.run([*self._tmux, "new-session", "-d", *size, *given, command], check=True)

    def screen(self) -> list[str]:
        """The lines that stand there now."""
        shown = subprocess.run([*self._tmux, "capture-pane", "-p"], capture_output=True, check=True)
        return shown.stdout.decode().splitlines()

    def press(self, *keys: str) -> None:
        """Press keys, by their tmux names."""
        subprocess.run([*self._tmux, "send-keys", *keys], check=True)

    def until(self, wanted: Callable[[str], bool], seconds: float = 40) -> str:
        """Wait for a screen; the text of it."""
        deadline = time.monotonic() + seconds
        while True:
            text = "\n".join(self.screen())
            if wanted(text):
                return text
            assert time.monotonic() < deadline, f"it never came; the screen is\n{text}"
            time.sleep(0.1)

    def gone(self) -> bool:
        """Whether the program has ended and its window with it."""
        return subprocess.run([*self._tmux, "has-session"], capture_output=True, check=False).returncode != 0

    def close(self) -> None:
        """End it whatever it does."""
        subprocess.run([*self._tmux, "kill-server"], capture_output=True, check=False)


@contextmanager
def terminal(tmp_path: Path, arguments: list[str], width: int = 80, height: int = 24) -> Iterator[Terminal]:
    """A terminal that runs tuiback with these arguments."""
    require("tmux")
    window = Terminal(tmp_path / "tmux.sock")
    environment = {"TERM": "xterm-256color", "TMPDIR": str(tmp_path), "TUIBACK_HOME": str(tmp_path / "home")}
    errors = tmp_path / "program-failed"
    command = shlex.join(arguments) + f" || echo $? >{shlex.quote(str(errors))}"
    window.open(command, width, height, environment)
    try:
        yield window
    finally:
        window.close()
    assert not errors.exists(), errors.read_text()
