"""What a start of the console can be told."""

from collections.abc import Callable
from dataclasses import dataclass

from tuiback.console.ports import ConsoleLink


@dataclass(frozen=True, slots=True)
class ConsoleOptions:
    """Settings of one console; the callbacks are called in a worker thread when the user leaves.

    `keep_running` hands the hosted engine over to the background, `stop` ends it cleanly; both get the link and
    may take seconds. Where `keep_running` is None the engine can't outlive this terminal and is not offered to.
    `starting` gives what a start that takes long is busy with, "" for nothing.
    """

    refresh_seconds: float = 1.0
    theme: str | None = None
    mouse: bool = True
    slow: bool = False
    read_only: bool = False
    demo: bool = False
    keep_running: Callable[[ConsoleLink], None] | None = None
    stop: Callable[[ConsoleLink], None] | None = None
    starting: Callable[[], str] = lambda: ""
