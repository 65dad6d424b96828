"""Opens the console on a home, or says how to begin where there is none."""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from tuiback.cli.engaging import reach_home, secret_source
from tuiback.cli.invocation import Invocation
from tuiback.cli.secret import must_ask
from tuiback.errors import NoSuchThing, UsageError

if TYPE_CHECKING:
    import subprocess

    from tuiback.catalog import CatalogReader, ChoreRow, JobRow, State
    from tuiback.console import ConsoleLink
    from tuiback.engine.home import Home, RepositoryRef
    from tuiback.store import Reader, Secret

_JOBS_SHOWN = 50

_HOW_TO_BEGIN = """\
There is no home at {home} yet. Three ways to begin:

  1  try the demo: a simulated tenant, backed up before your eyes
       tuiback demo

  2  back up a tenant
       tuiback init --repository /mnt/nas/tuiback --key-file ~/tuiback.key
       tuiback tenant register NAME      # an admin signs in at a browser
       tuiback task add mail --tenant NAME --service exchange --all
       tuiback run --all

  3  open an existing repository, with its passphrase or key file
       tuiback adopt /mnt/nas/tuiback"""


class Sight:
    """What the console may read: the catalogs of a home, and the content with the key found at its opening."""

    def __init__(self, home: "Home", secret_for: "Callable[[RepositoryRef], Secret]") -> None:
        from tuiback.engine.archives.view import View

        self._view = View(home)
        self._secret_for = secret_for

    def readers(self) -> "Iterator[tuple[str, CatalogReader]]":
        """Name and catalog of every repository."""
        return self._view.readers()

    def content(self, repository: str) -> "Reader":
        """Reads the parts of one repository's items."""
        return self._view.content(repository, self._secret_for)

    def jobs(self) -> "Sequence[JobRow]":
        """The newest jobs of all repositories."""
        return [row for state in self._states() for row in state.jobs(_JOBS_SHOWN)]

    def chores(self) -> "Sequence[ChoreRow]":
        """What the engine does by itself, and when it was done last."""
        from tuiback.catalog import Upkeep

        # The engine keeps them with its first repository.
        path = self._view.home.state_path(next(iter(self._view.home.repositories)))
        if not path.exists():
            return ()
        upkeep = Upkeep.open(path)
        try:
            return upkeep.chores()
        finally:
            upkeep.close()

    def _states(self) -> "Iterator[State]":
        from tuiback.catalog import State

        for name in self._view.home.repositories:
            path = self._view.home.state_path(name)
            if path.exists():
                state = State.open(path)
                try:
                    yield state
                finally:
                    state.close()

    def note_preview(self, repository: str, account_id: str, name: str) -> None:
        """Write down that somebody is about to see an item's content."""
        from tuiback.engine.clock import SystemClock
        from tuiback.engine.upkeep.auditing import deed_by_hand, note_deed

        deed = deed_by_hand("preview", name, accounts=(account_id,))
        note_deed(self._view.home, repository, SystemClock(), deed)


def open_console(call: Invocation) -> int:
    """Open the console on the home of the line; the engine is hosted here where none runs yet."""
    from tuiback.engine.home import ClosedHome

    try:
        home = reach_home(call)
    except NoSuchThing:
        call.output.text(_HOW_TO_BEGIN.format(home=call.home_path))
        return 0
    if call.output.as_json or not is_terminal():
        raise UsageError("the console needs a terminal", remedy="name a verb: see 'tuiback --help'")
    secret_for = remembered(secret_source())
    is_ours = not isinstance(home, ClosedHome)
    if is_ours and must_ask(home.repositories.values(), os.environ) and not _engine_runs(home):
        # Asked for now: once the console stands, nobody could be asked at this terminal any more.
        for ref in home.repositories.values():
            secret_for(ref)
    starting = [""]

    def told(words: str) -> None:
        starting[0] = words

    def connect() -> "ConsoleLink":
        from tuiback.engine.hosting.link import attach_or_host

        return attach_or_host(home, "console", secret_for, told)

    return show_console(home, connect, secret_for, demo=home.demo, starting=lambda: starting[0])


def show_console(
    home: "Home",
    connect: "Callable[[], ConsoleLink]",
    secret_for: "Callable[[RepositoryRef], Secret]",
    *,
    demo: bool,
    starting: Callable[[], str] = lambda: "",
) -> int:
    """Show the console until it is left. A demonstration ends with it; a real home's runs may go on alone.

    `starting` gives what `connect` is busy with.
    """
    from tuiback.console import ConsoleOptions, run

    def keep_running(link: "ConsoleLink") -> None:
        tasks = running_tasks(link)
        link.close()
        if tasks:
            go_on_alone(home, tasks, secret_for)

    options = ConsoleOptions(demo=demo, keep_running=None if demo else keep_running, starting=starting)

    def view() -> Sight:
        # Raises where the files of the home are somebody else's.
        _ = home.repositories
        return Sight(home, secret_for)

    return run(connect, view, options=options)


def is_terminal() -> bool:
    """Whether somebody sits at both ends of this process."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def remembered(secret_for: "Callable[[RepositoryRef], Secret]") -> "Callable[[RepositoryRef], Secret]":
    """The same source, asked once for each repository."""
    known: dict[str, Secret] = {}

    def recall(ref: "RepositoryRef") -> "Secret":
        if ref.name not in known:
            known[ref.name] = secret_for(ref)
        return known[ref.name]

    return recall


def running_tasks(link: "ConsoleLink") -> list[str]:
    """The tasks in a run now."""
    picture = link.status()
    return [task.name for task in picture.tasks if task.run is not None] if picture else []


def go_on_alone(
    home: "Home", tasks: Sequence[str], secret_for: "Callable[[RepositoryRef], Secret]"
) -> "subprocess.Popen[bytes]":
    """Start a process of its own that runs these tasks on from their checkpoints and outlives this terminal.

    A passphrase that was asked for goes to it through a pipe.
    """
    command = [sys.executable, "-m", "tuiback", "--home", str(home.path), "run", "--background", *tasks]
    environment = dict(os.environ)
    asked = [secret for ref in home.repositories.values() if (secret := secret_for(ref)).kind == "passphrase"]
    pipe: tuple[int, ...] = ()
    if asked:
        reading, writing = os.pipe()
        os.write(writing, asked[0].value + b"\n")
        os.close(writing)
        environment["TUIBACK_PASSPHRASE_FILE"] = f"/dev/fd/{reading}"
        pipe = (reading,)
    import subprocess

    process = subprocess.Popen(  # noqa: S603 - this very program
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        pass_fds=pipe,
    )
    for descriptor in pipe:
        os.close(descriptor)
    return process


def _engine_runs(home: "Home") -> bool:
    from tuiback.engine.hosting.link import attach

    link = attach(home.path)
    if link is None:
        return False
    link.close()
    return True
