"""`metrics`: how everything stands, for Prometheus."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tuiback.cli.invocation import Invocation
from tuiback.errors import EnvironmentFault

if TYPE_CHECKING:
    from tuiback.engine.hosting.link import HostedLink


@click.command()
@click.option("--textfile", metavar="PATH", help="Write to this file at once and whole, for node_exporter.")
@click.pass_obj
def metrics(call: Invocation, textfile: str | None) -> None:
    """Print metrics in Prometheus' text format."""
    from prometheus_client import generate_latest, write_to_textfile

    from tuiback.cli.status import current_picture
    from tuiback.engine.signalling.metrics import registry_of

    picture = current_picture(call, with_disks=True)
    registry = registry_of(lambda: picture)
    if textfile is None:
        call.output.raw(generate_latest(registry))
        return
    try:
        write_to_textfile(textfile, registry)
        Path(textfile).chmod(0o644)  # the exporter runs as another user
    except OSError as error:
        raise EnvironmentFault(f"it can't be written ({error.strerror})", textfile, "choose another place") from error


@contextlib.contextmanager
def metrics_served(engine: "HostedLink", port: int | None) -> Iterator[int | None]:
    """Within, metrics are served on this port of the loopback (0: a free one; it is given); None: nowhere."""
    if port is None:
        yield None
        return
    from prometheus_client import start_http_server

    from tuiback.engine.signalling.metrics import registry_of

    try:
        server, thread = start_http_server(port, "127.0.0.1", registry_of(engine.status))
    except OSError as error:
        what = f"metrics can't be served ({error.strerror})"
        raise EnvironmentFault(what, f"127.0.0.1:{port}", "choose another port") from error
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
