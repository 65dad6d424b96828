"""Opens the console: the Textual app that shows the engine live and brings items back."""

import gc
from collections.abc import Callable

from tuiback.console.options import ConsoleOptions
from tuiback.console.ports import ConsoleLink, ConsoleView

__all__ = ["ConsoleLink", "ConsoleOptions", "ConsoleView", "run"]


def run(
    connect: Callable[[], ConsoleLink], view: Callable[[], ConsoleView], *, options: ConsoleOptions | None = None
) -> int:
    """Show the console until the user leaves it; the exit code, not 0 where a signal ended it.

    `connect` and then `view` are called in a thread after the first frame, so that the screen stands while the
    key is derived. What they raise is shown in a dialog; the console then stays open without an engine.
    """
    from tuiback.console.environment import prepare_environment

    # Collecting garbage while modules load costs a sixth of the time to the first frame; the app goes on with it.
    gc.disable()
    chosen = options or ConsoleOptions()
    prepare_environment(slow=chosen.slow)
    from tuiback.console.app import Console

    console = Console(connect, view, chosen)
    console.run(mouse=chosen.mouse)
    return console.return_code or 0
