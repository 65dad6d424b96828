"""Opens the home and reaches its engine: the one that runs already, else one hosted by this process."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from types import FrameType
from typing import TYPE_CHECKING

from tuiback.cli.invocation import Invocation
from tuiback.cli.output import Output, standard_output
from tuiback.cli.secret import get_secret, terminal_ask
from tuiback.errors import EnvironmentFault

if TYPE_CHECKING:
    from tuiback.engine.archives.view import View
    from tuiback.engine.home import Home, RepositoryRef
    from tuiback.engine.hosting.link import Link
    from tuiback.store import Secret


def open_home(call: Invocation) -> "Home":
    """The home that the line names. Raises EnvironmentFault when its `init` never ended."""
    from tuiback.engine.home import Home

    home = Home.open(call.home_path)
    if not home.repositories:
        raise EnvironmentFault("the home has no repository yet", str(home.path), "finish it with 'tuiback init'")
    return home


def reach_home(call: Invocation) -> "Home":
    """The home that the line names, for verbs that its engine can do alone: its files may be somebody else's."""
    from tuiback.engine.home import HOME_FILE, ClosedHome

    try:
        (call.home_path / HOME_FILE).open("rb").close()
    except PermissionError:
        return ClosedHome(call.home_path)
    except OSError:
        pass
    return open_home(call)


@contextmanager
def open_view(call: Invocation) -> "Iterator[View]":
    """Read-only sight of everything that the home's catalogs know; no key and no engine is needed."""
    from tuiback.engine.archives.view import View

    view = View(open_home(call))
    try:
        yield view
    finally:
        view.close()


def _output() -> Output:
    """Where the verb that is carried out answers."""
    import click

    context = click.get_current_context(silent=True)
    if context and isinstance(context.obj, Invocation):
        return context.obj.output
    return standard_output(as_json=False, quiet=True)


def secret_source() -> "Callable[[RepositoryRef], Secret]":
    """Finds what opens a repository, asking at the terminal where nothing is named."""
    return partial(_secret_of, ask=terminal_ask())


def _secret_of(ref: "RepositoryRef", ask: Callable[[str], str] | None) -> "Secret":
    return get_secret(ref.key_file, ref.url, os.environ, ask)


@contextmanager
def engine_link(home: "Home") -> "Iterator[Link]":
    """The engine of the home: attached to where it runs, else hosted here and ended at a checkpoint on leaving.

    While it is hosted here, a terminal that hangs up is let go, and what was asked for goes on to its end.
    """
    from tuiback.engine.hosting.link import HostedLink, attach_or_host

    output = _output()
    link = attach_or_host(home, "run", secret_source(), output.progress)
    if isinstance(link, HostedLink):
        output.progress("")
        output.warn(link.warnings)
    with outliving_terminal(link.say) if isinstance(link, HostedLink) else nullcontext():
        try:
            yield link
        except BaseException as why:
            if not isinstance(why, Exception):
                output.progress("Ending at a checkpoint")
            raise
        finally:
            link.close()


@contextmanager
def outliving_terminal(say: Callable[[str], None]) -> Iterator[None]:
    """Within, the end of the terminal is said and is no end; nohup, which wants the same, is left alone."""
    terminals = [descriptor for descriptor in (0, 1, 2) if os.isatty(descriptor)]

    def let_go(_number: int, _frame: FrameType | None) -> None:
        nothing = os.open(os.devnull, os.O_RDWR)
        for descriptor in terminals:
            os.dup2(nothing, descriptor)
        os.close(nothing)
        say("the terminal hung up; this goes on in the background")

    before = signal.getsignal(signal.SIGHUP)
    if before is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, let_go)
    try:
        yield
    finally:
        # Once another signal has ended what was asked for, this one is ignored.
        if signal.getsignal(signal.SIGHUP) is let_go:
            signal.signal(signal.SIGHUP, before)
