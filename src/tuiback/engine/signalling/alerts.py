"""Decides which conditions ask for somebody, and what changed about them since the last look. Pure."""

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime, timedelta
from enum import StrEnum

import msgspec
from msgspec.structs import replace

from tuiback.catalog import AlertRow
from tuiback.engine.backups.low_water import Room
from tuiback.engine.timing.lateness import late_since
from tuiback.model import Outcome, StorageStatus, Task, TaskStatus

FULL_WITHIN = timedelta(days=14)
# What hovers about a mark must not open and close day and night: closing takes so much more.
_CLEARLY = 1.1
# A throttle that goes on for so long is no burst of ours.
BLOCKED_FOR = timedelta(minutes=15)
# That accounts left is news for so long.
GONE_IS_NEWS_FOR = timedelta(days=7)
# A channel that fails for so long is broken.
UNDELIVERED_FOR = timedelta(hours=1)
_NAMED = 5


class Severity(StrEnum):
    """How much a condition asks for somebody: critical means that something is not backed up."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


class Condition(msgspec.Struct, frozen=True):
    """What holds now. `alert` is its stable id; `news` grows when more of the same happens.

    One that is `vague` does not know the reason, which the words of an open alert may.
    """

    alert: str
    severity: Severity
    subject: str
    text: str
    remedy: str = ""
    news: str = ""
    vague: bool = False


class TaskFacts(msgspec.Struct, frozen=True):
    """A task as configured and as it stands; `reason` is why its last run could do nothing, "" where unknown."""

    task: Task
    status: TaskStatus
    reason: str = ""


class Credential(msgspec.Struct, frozen=True):
    """The app's credential of a tenant, and its last day, None where that is unknown; `waits` for consent."""

    tenant: str
    kind: str
    expires_on: date | None = None
    waits: bool = False


class Departed(msgspec.Struct, frozen=True):
    """Accounts of a task that left on one day (UTC)."""

    task: str
    day: date
    names: tuple[str, ...]


class Blocked(msgspec.Struct, frozen=True):
    """A service of a tenant whose requests have had to wait, without a break, since then."""

    tenant: str
    service: str
    since: datetime


class Facts(msgspec.Struct, frozen=True):
    """Everything that alerts are made of. `undelivered` are channels with their oldest message's time.

    `unreachable` are repositories with the reason, `reported` what others found.
    """

    now: datetime
    tasks: tuple[TaskFacts, ...] = ()
    credentials: tuple[Credential, ...] = ()
    departed: tuple[Departed, ...] = ()
    blocked: tuple[Blocked, ...] = ()
    storage: tuple[StorageStatus, ...] = ()
    unreachable: tuple[tuple[str, str], ...] = ()
    undelivered: tuple[tuple[str, datetime], ...] = ()
    reported: tuple[Condition, ...] = ()


class Changes(msgspec.Struct, frozen=True):
    """What to write down. `told` are alerts that opened, or have news; `reworded` have only other words."""

    told: tuple[AlertRow, ...]
    reworded: tuple[AlertRow, ...]
    closed: tuple[AlertRow, ...]


def conditions(facts: Facts) -> tuple[Condition, ...]:
    """All conditions that hold."""
    return (
        *(found for task in facts.tasks for found in _of_task(task, facts.now)),
        *(found for credential in facts.credentials for found in _of_credential(credential, facts.now.date())),
        *(_of_departed(left) for left in facts.departed if facts.now.date() - left.day <= GONE_IS_NEWS_FOR),
        *(_of_blocked(blocked) for blocked in facts.blocked if facts.now - blocked.since >= BLOCKED_FOR),
        *(found for storage in facts.storage for found in _of_storage(storage, facts.now)),
        *(_of_unreachable(name, reason) for name, reason in facts.unreachable),
        *(_of_undelivered(*waits) for waits in facts.undelivered if facts.now - waits[1] >= UNDELIVERED_FOR),
        *facts.reported,
    )


def undecided(facts: Facts) -> frozenset[str]:
    """Alerts that stay as they are: outcomes of runs in progress, disks that can't be asked or hover about a mark."""
    running = (task.task.name for task in facts.tasks if task.status.run is not None)
    outcomes = {f"{kind}:{name}" for name in running for kind in ("failed", "partial")}
    unasked = {f"{kind}:{name}" for name, _ in facts.unreachable for kind in ("low", "full")}
    hovering = (_hovering(storage, facts.now) for storage in facts.storage if storage.disk_total)
    return frozenset(outcomes | unasked).union(*hovering)


def changes(
    open_alerts: Iterable[AlertRow], found: Sequence[Condition], skipped: Collection[str], now: datetime
) -> Changes:
    """Compare what holds with what is open; `skipped` stay as they are, whatever was found of them."""
    before = {row.alert: row for row in open_alerts}
    told: list[AlertRow] = []
    kept: list[AlertRow] = []
    for condition in found:
        row = before.get(condition.alert)
        if condition.alert in skipped:
            continue
        if row is None or condition.news > row.news:
            told.append(_row(condition, row.since if row else now))
        elif not condition.vague:
            kept.append(replace(row, severity=condition.severity, text=condition.text, remedy=condition.remedy))
    held = {condition.alert for condition in found} | set(skipped)
    reworded = tuple(row for row in kept if row != before[row.alert])
    return Changes(tuple(told), reworded, tuple(row for alert, row in before.items() if alert not in held))


def _row(condition: Condition, since: datetime) -> AlertRow:
    return AlertRow(
        condition.alert, condition.severity, since, condition.subject, condition.text, condition.remedy, condition.news
    )


def _of_task(facts: TaskFacts, now: datetime) -> Iterable[Condition]:
    task, status = facts.task, facts.status
    if status.last_outcome == Outcome.FAILED:
        text = f"the last run failed{f': {facts.reason}' if facts.reason else ''}"
        remedy = f"see 'tuiback logs', then 'tuiback run {task.name}'"
        yield Condition(
            f"failed:{task.name}", Severity.CRITICAL, task.name, text, remedy, vague=not facts.reason
        )
    elif status.last_outcome == Outcome.PARTIAL and (status.owed or status.failed):
        text = f"the last run left {status.owed} owed, {_accounts(status.failed)} failed"
        remedy = f"see 'tuiback owed {task.name}'; the next run tries again"
        # A later debt is news, so is one more account that fails; fewer of them are not.
        owed_at = status.owed_since.isoformat() if status.owed_since else ""
        news = f"{owed_at:32} {status.failed:09}"
        yield Condition(f"partial:{task.name}", Severity.WARNING, task.name, text, remedy, news)
    yield from _late(task, status, now)


def _late(task: Task, status: TaskStatus, now: datetime) -> Iterable[Condition]:
    since = late_since(task, status.last_ok_at, now)
    if since is not None:
        last = f"the last was at {status.last_ok_at:%Y-%m-%d %H:%M} UTC" if status.last_ok_at else "there was none yet"
        text = f"no run was ok within {task.objective}: {last}"
        remedy = f"see 'tuiback runs {task.name}'"
        yield Condition(f"late:{task.name}", Severity.CRITICAL, task.name, text, remedy)


def _of_credential(credential: Credential, today: date) -> Iterable[Condition]:
    if credential.waits:
        text = "an administrator has not consented yet: nothing of it is backed up"
        remedy = f"see 'tuiback tenant check {credential.tenant}'"
        yield Condition(f"consent:{credential.tenant}", Severity.CRITICAL, credential.tenant, text, remedy)
    if credential.expires_on is None:
        return
    left = (credential.expires_on - today).days
    stages = (
        (60, "1", Severity.INFO), (30, "2", Severity.WARNING), (7, "3", Severity.CRITICAL), (-1, "4", Severity.CRITICAL)
    )  # fmt: skip
    reached = [(stage, severity) for days, stage, severity in stages if left <= days]
    if reached:
        stage, severity = reached[-1]
        when = "expired" if left < 0 else "expires"
        text = f"the {credential.kind} {when} on {credential.expires_on}"
        remedy = f"run 'tuiback tenant renew {credential.tenant}'"
        yield Condition(f"credential:{credential.tenant}", severity, credential.tenant, text, remedy, stage)


def _of_departed(left: Departed) -> Condition:
    named = ", ".join(left.names[:_NAMED])
    more = f" and {len(left.names) - _NAMED} more" if len(left.names) > _NAMED else ""
    text = f"{_accounts(len(left.names))} left on {left.day}: {named}{more}"
    remedy = "what was backed up of them stays; see 'tuiback account list --state gone'"
    return Condition(f"gone:{left.task}:{left.day}", Severity.INFO, left.task, text, remedy)


def _of_blocked(blocked: Blocked) -> Condition:
    text = f"its limits have kept requests waiting since {blocked.since:%Y-%m-%d %H:%M} UTC"
    remedy = "lower 'tuiback limits', or let tasks run at other hours"
    return Condition(
        f"throttle:{blocked.tenant}:{blocked.service}", Severity.WARNING, f"{blocked.tenant} {blocked.service}",
        text, remedy,
    )  # fmt: skip


def _of_storage(storage: StorageStatus, now: datetime) -> Iterable[Condition]:
    if not storage.disk_total:
        return
    room = _room(storage)
    if room.free_bytes < room.mark_bytes:
        text = f"only {room.free_bytes / 1e9:.1f} GB are free: runs wait until there is room"
        remedy = "make room, or let go of data with retention and 'tuiback prune'"
        yield Condition(f"low:{storage.name}", Severity.CRITICAL, storage.name, text, remedy)
    elif storage.full_on is not None and storage.full_on - now <= FULL_WITHIN:
        text = f"the volume will be full on {storage.full_on:%Y-%m-%d}"
        yield Condition(f"full:{storage.name}", Severity.WARNING, storage.name, text, "see 'tuiback usage'")


def _hovering(storage: StorageStatus, now: datetime) -> Iterable[str]:
    room = _room(storage)
    if room.mark_bytes <= room.free_bytes < room.mark_bytes * _CLEARLY:
        yield f"low:{storage.name}"
    if storage.full_on is not None and FULL_WITHIN < storage.full_on - now <= FULL_WITHIN * _CLEARLY:
        yield f"full:{storage.name}"


def _room(storage: StorageStatus) -> Room:
    return Room(storage.url, storage.disk_total - storage.disk_used, storage.disk_total)


def _of_unreachable(name: str, reason: str) -> Condition:
    text = f"the repository can't be reached: {reason}"
    return Condition(f"missing:{name}", Severity.CRITICAL, name, text, "is its volume mounted?")


def _of_undelivered(channel: str, since: datetime) -> Condition:
    text = f"messages can't be delivered since {since:%Y-%m-%d %H:%M} UTC"
    remedy = f"try 'tuiback notify test {channel}'"
    return Condition(f"channel:{channel}", Severity.WARNING, channel, text, remedy)


def _accounts(count: int) -> str:
    return "1 account" if count == 1 else f"{count} accounts"
