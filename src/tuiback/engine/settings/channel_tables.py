"""Channels as tables of a configuration: all but their secrets, which a new one reads from files."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import msgspec

from tuiback.engine.settings.channels import SECURITIES, Channel, PingChannel, SmtpChannel, WebhookChannel
from tuiback.errors import UsageError

_KINDS: Mapping[str, type[Channel]] = {"smtp": SmtpChannel, "webhook": WebhookChannel, "ping": PingChannel}
# Of each kind the keys that name a file, and the field that its first line is for.
_SECRETS: Mapping[str, Mapping[str, str]] = {
    "smtp": {"password_file": "password"},
    "webhook": {"url_file": "url", "authorization_file": "authorization"},
    "ping": {"url_file": "url"},
}
SECRET_KEYS = tuple(dict.fromkeys(key for keys in _SECRETS.values() for key in keys))
_PORTS = {"starttls": 587, "ssl": 465, "none": 25}
CHANNEL_TYPES: Mapping[str, Any] = {
    "kind": str, "host": str, "port": int, "security": str, "user": str, "sender": str, "to": tuple[str, ...],
    "digest": str, "every_seconds": float, **dict.fromkeys(SECRET_KEYS, str),
}  # fmt: skip
_OPEN: Mapping[str, tuple[str, ...]] = {
    "smtp": ("host", "port", "security", "user", "sender", "to", "digest"), "webhook": (), "ping": ("every_seconds",),
}  # fmt: skip


def channel_table(channel: Channel) -> dict[str, Any]:
    """What of a channel is no secret; for each secret, the file that another home would read it from."""
    kind = str(channel.__struct_config__.tag)
    values = {key: getattr(channel, key) for key in _OPEN[kind]}
    table = {key: list(value) if isinstance(value, tuple) else value for key, value in values.items()}
    files = {key: f"{channel.name}.{field}" for key, field in _SECRETS[kind].items() if getattr(channel, field)}
    return {"kind": kind, **table, **files}


def whole_channel(given: Mapping[str, Any]) -> dict[str, Any]:
    """The table with its defaults. Raises UsageError whose subject is the key that is wrong."""
    kind = given.get("kind", "")
    if kind not in _KINDS:
        raise UsageError(f"'{kind}' is no kind of channel", "kind", f"choose one of: {', '.join(_KINDS)}")
    for key in given.keys() - {"kind", *_OPEN[kind], *_SECRETS[kind]}:
        raise UsageError(f"a channel of kind {kind} has no such key", key)
    if kind == "ping":
        return {"every_seconds": 300.0, **given}
    if kind == "webhook":
        return dict(given)
    security = given.get("security", "starttls")
    if security not in SECURITIES:
        raise UsageError(f"'{security}' is not known", "security", f"choose one of: {', '.join(SECURITIES)}")
    for key in ("host", "sender", "to"):
        if not given.get(key):
            raise UsageError("is missing", key)
    if given.get("user") and security == "none":
        raise UsageError("a password would cross the network in clear", "user", "choose starttls or ssl")
    if given.get("digest"):
        try:
            datetime.strptime(given["digest"], "%H:%M")  # noqa: DTZ007 - a time of day
        except ValueError as error:
            raise UsageError("is no time of day", "digest", "write it like 07:00") from error
    return {"security": security, "port": _PORTS[security], "user": "", "digest": "", **given}


def new_channel(name: str, table: Mapping[str, Any], read_secret: Callable[[str], str]) -> Channel:
    """The channel of a whole table; `read_secret` gives the first line of a file. Raises UsageError as above."""
    kind = table["kind"]
    fields = _fields(table)
    for key, field in _SECRETS[kind].items():
        if table.get(key):
            fields[field] = read_secret(table[key])
    if kind == "smtp" and table["user"] and not fields.get("password"):
        raise UsageError("is missing: a new channel with a user needs it", "password_file")
    if kind != "smtp":
        parts = urlsplit(fields.get("url", ""))
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise UsageError("must name a file with the whole http(s) address", "url_file")
    return _KINDS[kind](name=name, **fields)


def edited_channel(before: Channel, table: Mapping[str, Any]) -> Channel:
    """The channel as the table wants it, with the secrets that it had. Raises UsageError as above."""
    if table["kind"] != before.__struct_config__.tag:
        raise UsageError("can't be changed: remove the channel, and add another one", "kind")
    if table.get("user") and not getattr(before, "password", ""):
        raise UsageError("needs a password: remove the channel, and add it again", "user")
    return msgspec.structs.replace(before, **_fields(table))


def _fields(table: Mapping[str, Any]) -> dict[str, Any]:
    values = {key: table[key] for key in _OPEN[table["kind"]]}
    return {key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}
