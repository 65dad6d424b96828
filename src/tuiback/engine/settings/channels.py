"""Knows whom the home tells about alerts: mail servers, webhooks and pings, kept in a file only its owner can read."""

import os
from pathlib import Path
from typing import TypeVar

import msgspec

from tuiback.errors import EnvironmentFault, FormatTooNew, NoSuchThing, UsageError

CHANNELS_FILE = "notify.json"
VERSION = 1
SECURITIES = ("starttls", "ssl", "none")


class SmtpChannel(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="smtp"):
    """Mail through a server; `digest` is the local time of the daily summary, "HH:MM", "" for none."""

    name: str
    host: str
    port: int
    security: str
    sender: str
    to: tuple[str, ...]
    user: str = ""
    password: str = ""
    digest: str = ""


class WebhookChannel(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="webhook"):
    """A POST of JSON; `authorization` is the header of that name, "" for none."""

    name: str
    url: str
    authorization: str = ""


class PingChannel(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="ping"):
    """A GET every so often while the engine lives, as healthchecks.io and its kin expect it.

    The URL is its own secret. https://healthchecks.io/docs/http_api/
    """

    name: str
    url: str
    every_seconds: float = 300.0


Channel = SmtpChannel | WebhookChannel | PingChannel
ChannelT = TypeVar("ChannelT", bound=Channel)


class _Version(msgspec.Struct, frozen=True, kw_only=True):
    version: int = VERSION


class _File(_Version, frozen=True, kw_only=True):
    channels: tuple[Channel, ...] = ()


class Channels:
    """The channels of a home; find() notices when another process has changed the file."""

    def __init__(self, home: Path) -> None:
        self._path = home / CHANNELS_FILE
        self._seen: tuple[int, int] | None = None
        self._known: tuple[Channel, ...] = ()

    def all(self) -> tuple[Channel, ...]:
        """Every channel, by name. Raises EnvironmentFault when the file can't be read, FormatTooNew for a newer one."""
        try:
            status = self._path.stat()
            seen = (status.st_mtime_ns, status.st_ino)
            if seen != self._seen:
                raw = self._path.read_bytes()
                if msgspec.json.decode(raw, type=_Version).version > VERSION:
                    raise FormatTooNew(
                        "a newer tuiback wrote the channels", str(self._path), "install the newer tuiback again"
                    )
                found = msgspec.json.decode(raw, type=_File).channels
                self._known, self._seen = tuple(sorted(found, key=lambda channel: channel.name)), seen
        except FileNotFoundError:
            self._known, self._seen = (), None
        except (OSError, msgspec.DecodeError) as error:
            raise EnvironmentFault(f"the channels can't be read ({error})", str(self._path), "repair it") from error
        return self._known

    def of_kind(self, kind: type[ChannelT]) -> tuple[ChannelT, ...]:
        """The channels of one kind."""
        return tuple(channel for channel in self.all() if isinstance(channel, kind))

    def get(self, name: str) -> Channel:
        """The channel of that name. Raises NoSuchThing."""
        found = next((channel for channel in self.all() if channel.name == name), None)
        if found is None:
            raise NoSuchThing("there is no such channel", name, "see 'tuiback notify list'")
        return found

    def add(self, channel: Channel) -> None:
        """Keep one more. Raises UsageError when the name is taken."""
        if any(known.name == channel.name for known in self.all()):
            raise UsageError("a channel of this name is there already", channel.name, "choose another name")
        self._save((*self.all(), channel))

    def replace(self, channel: Channel) -> None:
        """Keep it instead of the one of its name. Raises NoSuchThing."""
        before = self.get(channel.name)
        self._save(tuple(channel if known is before else known for known in self.all()))

    def remove(self, name: str) -> None:
        """Tell it nothing more. Raises NoSuchThing."""
        gone = self.get(name)
        self._save(tuple(channel for channel in self.all() if channel is not gone))

    def _save(self, channels: tuple[Channel, ...]) -> None:
        temporary = self._path.with_name(f"{CHANNELS_FILE}.new")
        temporary.unlink(missing_ok=True)
        try:
            with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(msgspec.json.format(msgspec.json.encode(_File(channels=channels)), indent=2) + b"\n")
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(self._path)
        except OSError as error:
            raise EnvironmentFault(
                f"the channels can't be written ({error.strerror})", str(self._path), "make room"
            ) from error
