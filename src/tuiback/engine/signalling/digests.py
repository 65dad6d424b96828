"""Queues the daily summary of every mail channel that wants one."""

from datetime import UTC, datetime, timedelta

import msgspec

from tuiback.catalog import AlertBook
from tuiback.engine.settings.channels import Channels, SmtpChannel
from tuiback.engine.signalling.notices import digest_of
from tuiback.model import EngineStatus


def newest_digest_time(at: str, now: datetime) -> datetime:
    """The last moment up to now at which a digest of that local time "HH:MM" was due."""
    local = now.astimezone()
    wanted = local.replace(hour=int(at[:2]), minute=int(at[3:]), second=0, microsecond=0)
    return (wanted if wanted <= local else wanted - timedelta(days=1)).astimezone(UTC)


def queue_digests(channels: Channels, book: AlertBook, picture: EngineStatus) -> None:
    """Queue each digest that is due by the picture's time; days on which no engine looked are made up for once.

    The first digest of a new channel comes at its time, not at once.
    """
    now = picture.time
    for channel in channels.of_kind(SmtpChannel):
        if not channel.digest:
            continue
        due, made_for = newest_digest_time(channel.digest, now), book.digest_at(channel.name)
        if made_for is None or made_for < due:
            first = made_for is None
            payload = None if first else msgspec.json.encode(digest_of(picture, book.alerts(), now))
            book.queue_digest(channel.name, due, payload, now)
