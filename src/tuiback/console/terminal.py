"""Drives the terminal so that its end never keeps the program from ending."""

import sys
from io import TextIOWrapper
from typing import TextIO, cast

from textual.app import App
from textual.drivers.linux_driver import LinuxDriver


class HangUpProof:
    """Writes to a terminal until that hangs up, and from then on to nobody.

    Textual writes in a thread behind a bounded queue. Were an error to end that thread, the queue would fill and
    the application would wait for room for ever while it tries to restore a terminal that is no more.
    """

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def write(self, text: str) -> int:
        """Write, or pretend to."""
        try:
            return self._file.write(text)
        except OSError:
            return len(text)

    def flush(self) -> None:
        """Flush, or pretend to."""
        try:
            self._file.flush()
        except OSError:
            return

    def fileno(self) -> int:
        """The terminal's descriptor."""
        return self._file.fileno()

    def isatty(self) -> bool:
        """Whether it is a terminal at all."""
        return self._file.isatty()


class TerminalDriver(LinuxDriver):
    """Textual's own driver over a terminal that may hang up."""

    def __init__(
        self, app: App[object], *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        assert sys.__stderr__ is not None
        self._file = cast("TextIOWrapper", HangUpProof(sys.__stderr__))
