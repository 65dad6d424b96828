"""Opens the home and reaches its engine: the one that runs already, else one hosted by this process."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from tuiback.cli.invocation import Invocation
from tuiback.cli.secret import get_secret, terminal_ask
from tuiback.errors import EnvironmentFault

if TYPE_CHECKING:
    from tuiback.engine.home import Home, RepositoryRef
    from tuiback.engine.link import Link
    from tuiback.engine.view import View
    from tuiback.store import Secret


def open_home(call: Invocation) -> "Home":
    """The home that the line names. Raises EnvironmentFault when its `init` never ended."""
    from tuiback.engine.home import Home

    home = Home.open(call.home_path)
    if not home.repositories:
        raise EnvironmentFault("the home has no repository yet", str(home.path), "finish it with 'tuiback init'")
    return home


@contextmanager
def open_view(call: Invocation) -> "Iterator[View]":
    """Read-only sight of everything that the home's catalogs know; no key and no engine is needed."""
    from tuiback.engine.view import View

    view = View(open_home(call))
    try:
        yield view
    finally:
        view.close()


def secret_source() -> "Callable[[RepositoryRef], Secret]":
    """Finds what opens a repository, asking at the terminal where nothing is named."""
    return partial(_secret_of, ask=terminal_ask())


def _secret_of(ref: "RepositoryRef", ask: Callable[[str], str] | None) -> "Secret":
    return get_secret(ref.key_file, ref.url, os.environ, ask)


@contextmanager
def engine_link(home: "Home") -> "Iterator[Link]":
    """The engine of the home: attached to where it runs, else hosted here and ended at a checkpoint on leaving."""
    from tuiback.engine.link import attach_or_host

    link = attach_or_host(home, "run", secret_source())
    try:
        yield link
    finally:
        link.close()
