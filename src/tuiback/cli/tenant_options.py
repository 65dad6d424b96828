"""Reads what several tenant verbs take: the cloud, and a credential from a file."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TypeVar

import click

from tuiback.engine.clouds import CLOUDS, CUSTOM
from tuiback.errors import EnvironmentFault, UsageError

CommandT = TypeVar("CommandT", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class GivenCredential:
    """A credential as given: `kind` is "secret" or "certificate", `expires_on` its last day where that is known."""

    kind: str
    text: str = field(repr=False)
    expires_on: str | None


def cloud_options(command: CommandT) -> CommandT:
    """Give a command --cloud, --graph-url and --authority."""
    names = [*CLOUDS, CUSTOM]
    options = (
        click.option("--cloud", type=click.Choice(names), default="global", show_default=True, help="Where it lives."),
        click.option("--graph-url", metavar="URL", help="With --cloud custom: the root before /v1.0."),
        click.option("--authority", metavar="URL", help="With --cloud custom: where the tenant signs in."),
    )
    return _with(command, options)


def credential_options(command: CommandT) -> CommandT:
    """Give a command --client-secret-file, --certificate and --expires-on."""
    options = (
        click.option("--client-secret-file", metavar="FILE", help="Holds the app's client secret; - is stdin."),
        click.option(
            "--certificate", metavar="FILE", help="PEM with the app's certificate and private key; - is stdin."
        ),
        click.option("--expires-on", metavar="DATE", callback=check_day, help="The client secret's last day."),
    )
    return _with(command, options)


def _with(command: CommandT, options: tuple[Callable[[CommandT], CommandT], ...]) -> CommandT:
    for option in reversed(options):
        command = option(command)
    return command


def check_day(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """A callback for a day, YYYY-MM-DD."""
    if value is None:
        return None
    try:
        return date.fromisoformat(value).isoformat()
    except ValueError as error:
        raise click.BadParameter(f"{value!r} is no day: write it like 2028-11-30", ctx, param) from error


def read_credential(
    client_secret_file: str | None, certificate: str | None, expires_on: str | None = None
) -> GivenCredential:
    """The one credential that is given. Raises UsageError for none, two, or one that can't be used."""
    if (client_secret_file is None) == (certificate is None):
        raise UsageError("give either --client-secret-file or --certificate", remedy="see 'tuiback tenant add --help'")
    if client_secret_file is not None:
        return GivenCredential("secret", _read(client_secret_file), expires_on)
    if expires_on is not None:
        raise UsageError("a certificate says itself when it ends", str(certificate), "leave --expires-on out")
    from tuiback.graph.certificates import read_key_pair

    pair = read_key_pair(_read(str(certificate)), str(certificate))
    return GivenCredential("certificate", pair.pem, pair.expires_on)


def _read(name: str) -> str:
    try:
        with click.open_file(name, encoding="utf-8-sig") as file:
            text = str(file.read()).strip()
    except OSError as error:
        raise EnvironmentFault(f"can't be read ({error.strerror})", name, "check its path and owner") from error
    except UnicodeDecodeError as error:
        raise UsageError("holds no text", name, "name the file with the secret or the PEM") from error
    if not text:
        raise UsageError("is empty", name, "name the file with the secret or the PEM")
    return text
