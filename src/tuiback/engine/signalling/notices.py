"""Puts into words what channels are told: one notice for each change of an alert, and the daily digest."""

import socket
from collections.abc import Iterable
from datetime import datetime

import msgspec

from tuiback import __version__
from tuiback.catalog import AlertRow
from tuiback.model import EngineStatus

SCHEMA = "tuiback.notice/1"


class AlertFields(msgspec.Struct, frozen=True, kw_only=True):
    """An alert as webhooks are told of it."""

    id: str
    severity: str
    since: datetime
    subject: str
    text: str
    remedy: str


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """One message. `event` is opened, closed, digest or test; `id` is the same however often it is sent."""

    schema: str = SCHEMA
    id: str
    event: str
    time: datetime
    host: str
    version: str = __version__
    title: str
    text: str
    alert: AlertFields | None = None


def notice_of(row: AlertRow, event: str, now: datetime) -> Notice:
    """An alert that opened or closed."""
    state = "CLOSED" if event == "closed" else row.severity.upper()
    lines = [
        f"{row.subject}: {row.text}", *([f"What to do: {row.remedy}"] if row.remedy and event != "closed" else []), "",
        f"Alert {row.alert}, since {_moment(row.since)}",
    ]  # fmt: skip
    fields = AlertFields(
        id=row.alert, severity=row.severity, since=row.since, subject=row.subject, text=row.text, remedy=row.remedy
    )
    return _notice(event, f"{row.alert}:{event}", f"{state}: {row.subject}: {row.text}", lines, now, fields)


def trial_notice(now: datetime) -> Notice:
    """A message that only proves the channel."""
    return _notice("test", "test", "test message", ["If you read this, this channel works."], now)


def digest_of(picture: EngineStatus, alerts: Iterable[AlertRow], now: datetime) -> Notice:
    """How everything stands, once a day."""
    rows = list(alerts)
    fresh = [row for row in rows if row.acked_at is None]
    lines = [f"{len(picture.tasks)} tasks, {len(fresh)} open alerts, {len(rows) - len(fresh)} acknowledged ones", ""]
    lines += [f"{row.severity.upper()}: {row.subject}: {row.text}" for row in fresh] + [""] * bool(fresh)
    for task in picture.tasks:
        ok = _moment(task.last_ok_at) if task.last_ok_at else "never"
        outcome = task.last_outcome or "not run yet"
        lines.append(f"{task.name}: {outcome}, {task.accounts} accounts, {task.owed} owed, last ok {ok}")
    lines.append("")
    for storage in picture.storage:
        full = f", full on {storage.full_on:%Y-%m-%d}" if storage.full_on else ""
        lines.append(f"{storage.name}: {storage.stored_bytes / 1e9:,.1f} GB stored{full}")
    title = f"{len(fresh)} open alerts" if fresh else "all is well"
    return _notice("digest", "digest", title, lines, now)


def _notice(
    event: str, about: str, title: str, lines: Iterable[str], now: datetime, alert: AlertFields | None = None
) -> Notice:
    host = socket.gethostname()
    text = "\n".join(_printable(line) for line in lines)
    return Notice(
        id=f"{about}:{now:%Y%m%dT%H%M%S.%fZ}",
        event=event,
        time=now,
        host=host,
        title=_printable(title),
        text=text,
        alert=alert,
    )


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def _printable(line: str) -> str:
    """Names come from strangers: nothing in them may end a header or act on a terminal."""
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in line)
