"""The daily summary: once a day at its local time, whatever happens."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from tests.console.fakes import busy_status
from tuiback.catalog import AlertBook, AlertRow
from tuiback.engine.settings.channels import Channels, SmtpChannel
from tuiback.engine.signalling.digests import newest_digest_time, queue_digests
from tuiback.engine.signalling.notices import Notice

NOW = datetime(2026, 11, 23, 12, 30, tzinfo=UTC)


@pytest.mark.parametrize("hour", range(0, 24, 5))
def test_a_digest_is_for_the_last_moment_that_its_time_came(hour: int) -> None:
    """Within the last day, at that local time."""
    due = newest_digest_time(f"{hour:02}:15", NOW)
    assert timedelta(0) <= NOW - due < timedelta(days=1)
    assert (due.astimezone().hour, due.astimezone().minute) == (hour, 15)


def test_one_digest_a_day(tmp_path: Path) -> None:
    """A new channel waits for its time; a week without an engine is made up for by one; other channels get none."""
    channels = Channels(tmp_path)
    facts = {"host": "h", "port": 25, "security": "none", "sender": "a@x", "to": ("b@x",)}
    channels.add(msgspec.convert({"kind": "smtp", "name": "daily", "digest": "07:00", **facts}, SmtpChannel))
    channels.add(msgspec.convert({"kind": "smtp", "name": "never", **facts}, SmtpChannel))
    book = AlertBook.open(tmp_path / "alerts.db")
    book.change([AlertRow("low:main", "critical", NOW, "main", "the disk is low", "")], [], [], {}, NOW)
    counts = []
    for hours in (0, 1, 24, 25, 30, 24 * 8, 24 * 8 + 1):
        queue_digests(channels, book, replace(busy_status(), time=NOW + timedelta(hours=hours)))
        counts.append(len(book.messages()))
    assert counts == [0, 0, 1, 1, 1, 2, 2]
    first, _ = book.messages()
    notice = msgspec.json.decode(first.payload, type=Notice)
    assert (first.channel, notice.event, notice.title) == ("daily", "digest", "1 open alerts")
    assert "CRITICAL: main: the disk is low" in notice.text
    assert busy_status().tasks[0].name in notice.text
    book.close()
