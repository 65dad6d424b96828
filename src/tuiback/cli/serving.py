"""`serve`: the engine without a console, with its schedule, until it is told to end."""

import os
import signal
import socket
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import click

from tuiback.cli.engaging import open_home, secret_source
from tuiback.cli.invocation import Invocation
from tuiback.cli.metrics import metrics_served
from tuiback.cli.output import Output, json_line
from tuiback.cli.units import UNITS, unit_text

if TYPE_CHECKING:
    from tuiback.engine.home import RepositoryRef
    from tuiback.engine.hosting.link import HostedLink
    from tuiback.model import ActivityLine, EngineStatus

_LOOK_SECONDS = 0.5


@click.command()
@click.option(
    "--print-unit", is_flag=False, flag_value="service", type=click.Choice(sorted(UNITS)), metavar="[KIND]",
    help="Print a systemd unit: service (this engine), or run and timer (a run at night without one).",
)
@click.option("--metrics", "metrics_port", type=click.IntRange(0, 65535), metavar="PORT",
              help="Serve metrics for Prometheus on this port of the loopback.")  # fmt: skip
@click.pass_obj
def serve(call: Invocation, print_unit: str | None, metrics_port: int | None) -> int:
    """Run the engine with its schedule until it is terminated."""
    home = open_home(call)
    if print_unit is not None:
        call.output.raw(unit_text(print_unit, home.path, _folders(home.repositories.values())).encode())
        return 0
    from tuiback.engine.hosting.link import host

    ending = _Ending()
    engine = host(home, "serve", secret_source(), lambda text: _tell_start(call.output, text))
    notify("READY=1")
    call.output.note(f"Serving {home.path}; Ctrl-C ends it")
    try:
        with metrics_served(engine, metrics_port) as port:
            if port is not None:
                call.output.note(f"Metrics at http://127.0.0.1:{port}/metrics")
            _attend(call.output, engine, ending)
    finally:
        notify("STOPPING=1")
        engine.close()
        ending.restore()
    return 0


def _attend(output: Output, engine: "HostedLink", ending: "_Ending") -> None:
    """Tell systemd and whoever reads the output what goes on, until the end is wanted."""
    shown = 0
    while not ending.wanted:
        picture = engine.status()
        if picture is not None:
            notify(f"WATCHDOG=1\nSTATUS={_sentence(picture)}")
            shown = _tell(output, picture, shown)
        time.sleep(_LOOK_SECONDS)


def _tell_start(output: Output, text: str) -> None:
    """Tell systemd and whoever looks on what keeps the engine from being ready yet."""
    output.progress(text)
    if text:
        notify(f"STATUS={text}")


def notify(text: str) -> None:
    """Tell systemd how the service stands, where it is the one that started it.

    https://www.freedesktop.org/software/systemd/man/latest/sd_notify.html
    """
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sent:
        try:
            sent.sendto(text.encode(), "\0" + address[1:] if address.startswith("@") else address)
        except OSError as error:
            print(f"systemd can't be told: {error.strerror}", file=sys.stderr)  # noqa: T201 - the journal


class _Ending:
    """Whether somebody asked for the end; while it lives a hang-up of the terminal is none."""

    def __init__(self) -> None:
        self.wanted = False
        self._before = {number: signal.signal(number, self._ask) for number in (signal.SIGTERM, signal.SIGINT)}
        self._before[signal.SIGHUP] = signal.signal(signal.SIGHUP, signal.SIG_IGN)

    def restore(self) -> None:
        """Put the handlers back that were there before."""
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _ask(self, _number: int, _frame: FrameType | None) -> None:
        self.wanted = True


def _folders(refs: "Iterable[RepositoryRef]") -> list[Path]:
    """Where the engine writes besides the home."""
    return [Path(place) for ref in refs for place in (ref.url, ref.catalog) if "://" not in place]


def _sentence(picture: "EngineStatus") -> str:
    running = [task.name for task in picture.tasks if task.run is not None]
    return f"running {', '.join(running)}" if running else "waiting for the next task"


def _tell(output: Output, picture: "EngineStatus", shown: int) -> int:
    """Give out the activity that is new; the number of the newest line."""
    for line in picture.activity:
        if line.number > shown:
            _tell_line(output, line)
    return max([shown, *(line.number for line in picture.activity)])


def _tell_line(output: Output, line: "ActivityLine") -> None:
    if output.as_json:
        fields = {"time": line.time, "level": line.level, "subject": line.subject, "text": line.text}
        output.raw(json_line({"schema": "tuiback.serve/1", **fields}))
    else:
        output.text(f"{line.time.astimezone():%Y-%m-%d %H:%M:%S} {line.level:8} {line.subject}: {line.text}")
    output.flush()
