"""Looks at the engine every few seconds for what asks for somebody, and writes down what opened and closed."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import date, datetime

import msgspec
from msgspec.structs import replace

from tuiback.catalog import AlertBook, AlertRow
from tuiback.engine.activity import Activity
from tuiback.engine.archives.archive import Archive
from tuiback.engine.settings.channels import Channels, SmtpChannel, WebhookChannel
from tuiback.engine.settings.registry import Registry
from tuiback.engine.signalling.alerts import (
    GONE_IS_NEWS_FOR,
    Blocked,
    Changes,
    Condition,
    Credential,
    Departed,
    Facts,
    Severity,
    TaskFacts,
    changes,
    conditions,
    undecided,
)
from tuiback.engine.signalling.notices import notice_of
from tuiback.engine.signalling.rollbacks import settle_rollbacks
from tuiback.errors import TuibackError
from tuiback.model import AccountState, AlertStatus, Clock, Consent, EngineStatus
from tuiback.store import identify

# Questions to the catalogs and the repositories: what they answer changes by the day.
ASK_EVERY_SECONDS = 60.0
_LEVELS = {Severity.INFO: "info", Severity.WARNING: "warn", Severity.CRITICAL: "error"}


class Asked(msgspec.Struct, frozen=True):
    """What only the catalogs and the repositories know."""

    departed: tuple[Departed, ...] = ()
    unreachable: tuple[tuple[str, str], ...] = ()


def alert_status(row: AlertRow) -> AlertStatus:
    """An alert as consoles see it."""
    acked = row.acked_at is not None
    return AlertStatus(row.alert, row.severity, row.since, row.subject, row.text, row.remedy, acked)


class Watch:
    """look() compares and writes down; `alerts` are those open at the last look."""

    def __init__(
        self,
        archives: Mapping[str, Archive],
        registry: Registry,
        reasons: Mapping[str, TuibackError],
        book: AlertBook,
        channels: Channels,
        activity: Activity,
        clock: Clock,
    ) -> None:
        """`reasons` are why the last runs of tasks could do nothing, as far as this engine saw them."""
        self._archives = archives
        self._registry = registry
        self._reasons = reasons
        self._book = book
        self._channels = channels
        self._activity = activity
        self._clock = clock
        self._asked = Asked()
        self._asked_at = float("-inf")
        self._blocked: dict[tuple[str, str], datetime] = {}
        self.alerts = book.alerts()
        # Called when notices were queued.
        self.on_news: Callable[[], None] = lambda: None

    def forget(self) -> None:
        """Ask the catalogs again at the next look: something ended."""
        self._asked_at = float("-inf")

    async def look(self, picture: EngineStatus) -> None:
        """Compare what holds with what is open. Raises what the alert book raises."""
        if self._clock.monotonic() - self._asked_at >= ASK_EVERY_SECONDS:
            self._asked = await asyncio.to_thread(self._ask)
            self._asked_at = self._clock.monotonic()
        self._tell(await asyncio.to_thread(self._settle, self._facts(picture)))

    async def note_unreachable(self, name: str, reason: str) -> None:
        """The repository could not be opened: nothing else can be said."""
        facts = Facts(self._clock.now(), unreachable=((name, reason),))
        before = await asyncio.to_thread(self._book.alerts)
        skipped = {row.alert for row in before} - {f"missing:{name}"}
        found = changes(before, conditions(facts), skipped, facts.now)
        self._tell(await asyncio.to_thread(self._write, found, facts.now))

    def _facts(self, picture: EngineStatus) -> Facts:
        statuses = {status.name: status for status in picture.tasks}
        return Facts(
            now=picture.time,
            tasks=tuple(
                TaskFacts(task, statuses[task.name], str(self._reasons.get(task.name, "")))
                for task in self._registry.tasks
                if task.name in statuses
            ),
            credentials=tuple(
                Credential(
                    tenant.name,
                    tenant.credential_kind,
                    date.fromisoformat(tenant.credential_expires_on) if tenant.credential_expires_on else None,
                    waits=tenant.consent == Consent.WAITING,
                )
                for tenant in self._registry.tenants
            ),
            departed=self._asked.departed,
            blocked=self._now_blocked(picture),
            storage=picture.storage,
            unreachable=self._asked.unreachable,
        )

    def _now_blocked(self, picture: EngineStatus) -> tuple[Blocked, ...]:
        waits = {(t.tenant, t.service) for t in picture.throttles if t.wait_seconds > 0}
        self._blocked = {key: self._blocked.get(key, picture.time) for key in waits}
        return tuple(Blocked(tenant, service, since) for (tenant, service), since in self._blocked.items())

    def _ask(self) -> Asked:
        today = self._clock.now().date()
        departed: dict[tuple[str, date], list[str]] = {}
        unreachable = []
        for archive in self._archives.values():
            for account in archive.reader.accounts():
                if account.state is not AccountState.GONE or account.gone_at is None:
                    continue
                day = account.gone_at.date()
                if today - day <= GONE_IS_NEWS_FOR:
                    departed.setdefault((account.task, day), []).append(account.address or account.name)
            try:
                identify(archive.repository.backend, archive.ref.repository_id)
            except TuibackError as error:
                unreachable.append((archive.ref.name, error.what))
        settle_rollbacks(self._book, self._archives)
        left = tuple(Departed(task, day, tuple(names)) for (task, day), names in departed.items())
        return Asked(left, tuple(unreachable))

    def _settle(self, facts: Facts) -> Changes:
        oldest: dict[str, datetime] = {}
        for message in self._book.messages():
            oldest.setdefault(message.channel, message.created_at)
        reported = tuple(_condition(row) for row in self._book.reported())
        facts = replace(facts, undelivered=tuple(oldest.items()), reported=reported)
        before = self._book.alerts()
        return self._write(changes(before, conditions(facts), undecided(facts), facts.now), facts.now)

    def _write(self, found: Changes, now: datetime) -> Changes:
        if found.told or found.closed or found.reworded:
            notices = [notice_of(row, "opened", now) for row in found.told]
            notices += [notice_of(row, "closed", now) for row in found.closed]
            payloads = [msgspec.json.encode(notice) for notice in notices]
            channels = [c.name for kind in (SmtpChannel, WebhookChannel) for c in self._channels.of_kind(kind)]
            queued = dict.fromkeys(channels, payloads) if payloads else {}
            closed = [row.alert for row in found.closed]
            self._book.change(found.told, found.reworded, closed, queued, now)
        self.alerts = self._book.alerts()
        return found

    def _tell(self, found: Changes) -> None:
        for row in found.told:
            self._activity.add(_LEVELS[Severity(row.severity)], row.subject, f"alert: {row.text}")
        for row in found.closed:
            self._activity.add("ok", row.subject, f"alert closed: {row.text}")
        if found.told or found.closed:
            self.on_news()


def _condition(row: AlertRow) -> Condition:
    return Condition(row.alert, Severity(row.severity), row.subject, row.text, row.remedy, row.news)
