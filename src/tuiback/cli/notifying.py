"""`notify`: who is told of alerts: by mail, webhook or ping."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click

from tuiback.cli.arguments import check_name, expand_lists
from tuiback.cli.engaging import open_home
from tuiback.cli.groups import WholeGroup
from tuiback.cli.invocation import Invocation
from tuiback.cli.output import field
from tuiback.errors import EnvironmentFault, NoSuchThing, TuibackError, UsageError

if TYPE_CHECKING:
    from tuiback.engine.settings.channels import Channel, Channels

_PORTS = {"starttls": 587, "ssl": 465, "none": 25}
_COLUMNS = (field("NAME", "name"), field("KIND", "kind"), field("WHERE", "where"), field("DIGEST", "digest"))
_TESTED = (field("NAME", "name"), field("KIND", "kind"), field("RESULT", "result"))


@click.group(cls=WholeGroup)
def notify() -> None:
    """Say who is told of alerts, and try it."""


@notify.group("add")
def add() -> None:
    """Add a channel: smtp, webhook or ping."""


def check_clock(ctx: click.Context, param: click.Parameter, value: str) -> str:
    """A callback for a local time HH:MM."""
    if value:
        try:
            return f"{datetime.strptime(value, '%H:%M'):%H:%M}"  # noqa: DTZ007 - a time of day
        except ValueError as error:
            raise click.BadParameter(f"{value!r} is no time of day: write it like 07:00", ctx, param) from error
    return value


@add.command("smtp")
@click.argument("name", callback=check_name)
@click.option("--host", required=True)
@click.option("--port", type=click.IntRange(1, 65535), help="587 with starttls, 465 with ssl, else 25.")
@click.option("--security", type=click.Choice(list(_PORTS)), default="starttls", show_default=True)
@click.option("--user", default="", help="Signs in as this user.")
@click.option("--password-file", metavar="FILE", help="Its first line is the password; - is stdin.")
@click.option("--from", "sender", required=True, metavar="ADDRESS")
@click.option("--to", multiple=True, required=True, callback=expand_lists, metavar="ADDRESS", help="Repeatable; @FILE.")
@click.option("--digest", default="", callback=check_clock, metavar="HH:MM", help="A summary each day at this time.")
@click.pass_obj
def add_smtp(call: Invocation, /, name: str, port: int | None, password_file: str | None, **given: Any) -> None:  # noqa: ANN401
    """Tell by mail."""
    from tuiback.engine.settings.channels import SmtpChannel

    if bool(given["user"]) != bool(password_file):
        raise UsageError("--user and --password-file go together", name, "give both or none")
    if given["user"] and given["security"] == "none":
        raise UsageError("a password would cross the network in clear", name, "choose --security starttls or ssl")
    password = _secret_line(password_file) if password_file else ""
    channel = SmtpChannel(name=name, port=port or _PORTS[given["security"]], password=password, **given)
    _add(call, channel)


@add.command("webhook")
@click.argument("name", callback=check_name)
@click.option("--url", metavar="URL", help="Where to POST; an address that is a secret comes by --url-file.")
@click.option("--url-file", metavar="FILE", help="Its first line is the address; - is stdin.")
@click.option("--authorization-file", metavar="FILE", help="Its first line is the header: 'Bearer ...'.")
@click.pass_obj
def add_webhook(
    call: Invocation, name: str, url: str | None, url_file: str | None, authorization_file: str | None
) -> None:
    """Tell by a POST of JSON."""
    from tuiback.engine.settings.channels import WebhookChannel

    authorization = _secret_line(authorization_file) if authorization_file else ""
    _add(call, WebhookChannel(name=name, url=_address(url, url_file), authorization=authorization))


@add.command("ping")
@click.argument("name", callback=check_name)
@click.option("--url", metavar="URL", help="What to call; an address that is a secret comes by --url-file.")
@click.option("--url-file", metavar="FILE", help="Its first line is the address; - is stdin.")
@click.option("--every", "every_seconds", type=click.IntRange(10, 86_400), default=300, show_default=True,
              metavar="SECONDS", help="How often while the engine lives.")  # fmt: skip
@click.pass_obj
def add_ping(call: Invocation, name: str, url: str | None, url_file: str | None, every_seconds: int) -> None:
    """Call an address while the engine lives, as healthchecks.io expects it."""
    from tuiback.engine.settings.channels import PingChannel

    _add(call, PingChannel(name=name, url=_address(url, url_file), every_seconds=every_seconds))


@notify.command("list")
@click.pass_obj
def list_channels(call: Invocation) -> None:
    """List the channels, without their secrets."""
    rows = [channel_fields(channel) for channel in _channels(call).all()]
    call.output.listing("notify-list", "channels", rows, _COLUMNS)


@notify.command("remove")
@click.argument("name")
@click.pass_obj
def remove(call: Invocation, name: str) -> None:
    """Tell this channel nothing more."""
    _channels(call).remove(name)
    call.output.added("notify-remove", name, f"Channel {name} removed")


@notify.command("test")
@click.argument("names", metavar="[NAME]...", nargs=-1)
@click.pass_obj
def test(call: Invocation, names: tuple[str, ...]) -> int:
    """Send a test message to every channel, or those named, and say whether it arrived."""
    channels = _channels(call)
    chosen = [channels.get(name) for name in names] or list(channels.all())
    if not chosen:
        raise NoSuchThing("there is no channel yet", remedy="add one with 'tuiback notify add'")
    import asyncio

    rows = asyncio.run(_try_all(chosen))
    call.output.listing("notify-test", "channels", rows, _TESTED)
    failed = [row for row in rows if row["error"]]
    call.output.trouble([f"{row['name']}: {row['error']}" for row in failed])
    return 0 if not failed else 1 if len(failed) == len(rows) else 3


def channel_fields(channel: "Channel") -> Mapping[str, Any]:
    """A channel as `notify list` tells it: of an address that may be a secret, the host only."""
    from tuiback.engine.settings.channels import PingChannel, SmtpChannel

    fields: dict[str, Any] = {"name": channel.name, "kind": channel.__struct_config__.tag}
    if isinstance(channel, SmtpChannel):
        where = f"{', '.join(channel.to)} by {channel.host}:{channel.port}"
        return {**fields, "where": where, "digest": channel.digest or None}
    fields |= {"where": urlsplit(channel.url).netloc.rpartition("@")[2], "digest": None}
    return {**fields, "every_seconds": channel.every_seconds} if isinstance(channel, PingChannel) else fields


async def _try_all(channels: "list[Channel]") -> list[dict[str, Any]]:
    import asyncio

    return list(await asyncio.gather(*(_try(channel) for channel in channels)))


async def _try(channel: "Channel") -> dict[str, Any]:
    from tuiback.engine.signalling.notices import trial_notice
    from tuiback.engine.signalling.notify import deliver

    error = None
    try:
        await deliver(channel, trial_notice(datetime.now(UTC)))
    except TuibackError as failure:
        error = f"{failure.what}; {failure.remedy}"
    fields = {"name": channel.name, "kind": channel.__struct_config__.tag, "ok": error is None, "error": error}
    return {**fields, "result": error or "arrived"}


def _channels(call: Invocation) -> "Channels":
    from tuiback.engine.settings.channels import Channels

    return Channels(open_home(call).path)


def _add(call: Invocation, channel: "Channel") -> None:
    _channels(call).add(channel)
    call.output.added("notify-add", channel.name, f"Channel {channel.name} added. Next: tuiback notify test")


def _address(url: str | None, url_file: str | None) -> str:
    if bool(url) == bool(url_file):
        raise UsageError("a channel has one address", remedy="give --url or --url-file")
    address = url or _secret_line(url_file or "")
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError("is no http(s) address", parts.netloc, "give a whole URL")
    return address


def _secret_line(path: str) -> str:
    """The first line of a file or of stdin."""
    try:
        with click.open_file(path, encoding="utf-8") as file:
            line = str(file.readline()).rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise EnvironmentFault("the file can't be read", path, "check its name and owner") from error
    if not line:
        raise UsageError("the file is empty", path, "put the secret into its first line")
    return line
