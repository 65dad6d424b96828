"""`simulate`: serves the simulated tenant on loopback, in the foreground."""

import os
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from tuiback.cli.invocation import Invocation
from tuiback.cli.output import json_line
from tuiback.errors import EnvironmentFault

if TYPE_CHECKING:
    from tuiback.simtenant import Endpoints

CommandT = TypeVar("CommandT", bound=Callable[..., Any])

_FILE = click.Path(dir_okay=False, path_type=Path)
_NEW_FOLDER = click.Path(file_okay=False, path_type=Path)
_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@dataclass(frozen=True, slots=True)
class TenantSize:
    """What the simulated tenant holds: the options that `simulate` and `demo` share."""

    users: int
    messages: int
    files_per_user: int
    seed: int
    mail: Path | None
    files: Path | None

    def arguments(self) -> list[str]:
        """The same as arguments of `tuiback simulate`."""
        numbers = {
            "--users": self.users, "--messages": self.messages, "--files-per-user": self.files_per_user,
            "--seed": self.seed,
        }  # fmt: skip
        folders = {"--mail": self.mail, "--files": self.files}
        given = [f"{option}={value}" for option, value in numbers.items()]
        return given + [f"{option}={folder.absolute()}" for option, folder in folders.items() if folder]


def tenant_size_options(command: CommandT) -> CommandT:
    """Give a command the options of TenantSize; their values arrive as keywords of its field names."""
    options = (
        click.option("--users", type=click.IntRange(1, 1_000_000), default=5, show_default=True, help="Users."),
        click.option(
            "--messages", type=click.IntRange(0), default=120, show_default=True, help="Messages in each mailbox."
        ),
        click.option(
            "--files-per-user", type=click.IntRange(0), default=60, show_default=True, help="Files in each drive."
        ),
        click.option("--seed", type=int, default=1, show_default=True, help="Equal seeds make equal tenants."),
        click.option("--mail", type=_FOLDER, help="Real messages, one a file, in place of the generated ones."),
        click.option("--files", type=_FOLDER, help="Real files in place of the generated ones."),
    )
    for option in reversed(options):
        command = option(command)
    return command


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), default=0, show_default=True, help="0 picks a free one.")
@tenant_size_options
@click.option(
    "--throttle", type=click.Choice(["microsoft", "off"]), default="off", show_default=True,
    help="Whether to keep to the limits that Microsoft publishes.",
)
@click.option("--latency", type=click.FloatRange(0), default=0, metavar="MS", help="Milliseconds before each answer.")
@click.option(
    "--time-scale", type=click.FloatRange(1, 100_000), default=1, show_default=True, metavar="X",
    help="How many times as fast the tenant's time runs: limits by the minute renew in seconds.",
)
@click.option(
    "--tls", type=_NEW_FOLDER, metavar="DIR",
    help="Serve by https too, as Microsoft's hosts behind a proxy, with certificates made in DIR.",
)
@click.option("--capture", type=_FILE, metavar="FILE", help="Write every exchange down, a line of JSON each.")
@click.option("--until-stdin-closes", is_flag=True, hidden=True)
@click.pass_obj
def simulate(
    call: Invocation,
    /,
    port: int,
    throttle: str,
    latency: float,
    time_scale: float,
    tls: Path | None,
    capture: Path | None,
    until_stdin_closes: bool,
    **size: Any,  # noqa: ANN401
) -> None:
    """Serve a simulated Microsoft 365 tenant on loopback until terminated."""
    from tuiback.simtenant import Plan, run

    plan = Plan(
        **asdict(TenantSize(**size)),
        latency_seconds=latency / 1000,
        throttled=throttle == "microsoft",
        time_scale=time_scale,
        capture=capture,
        tls=tls,
    )
    if until_stdin_closes:
        threading.Thread(target=_end_with_stdin, daemon=True).start()

    def announce(endpoints: "Endpoints") -> None:
        call.output.raw(json_line(_endpoint_fields(endpoints)))
        call.output.flush()

    try:
        run(plan, port, announce)
    except OSError as error:
        if error.filename is not None:
            what = f"it can't be written ({error.strerror})"
            raise EnvironmentFault(what, str(error.filename), "name another place") from error
        what = f"port {port} can't be served ({error.strerror})"
        raise EnvironmentFault(what, remedy="choose another, or end what uses it") from error


def _endpoint_fields(endpoints: "Endpoints") -> dict[str, str]:
    # The proxy and its authority are only there with --tls.
    return {"schema": "tuiback.simulate/1", **{name: value for name, value in asdict(endpoints).items() if value}}


def _end_with_stdin() -> None:
    # The parent holds the other end of the pipe: it closes however the parent ends, kill -9 included.
    # Read without Python's buffer, whose lock this thread would still hold when the interpreter ends.
    while os.read(0, 4096):
        pass
    while True:
        # A signal that comes before the server takes signals is lost.
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(1)
