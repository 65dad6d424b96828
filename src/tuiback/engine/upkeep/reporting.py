"""Puts together what an auditor asks for about a span of time: runs, points, debts, checks, restores, holds, rules."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tuiback.catalog import AccountOverview, CatalogReader, CheckDates
from tuiback.engine.upkeep.auditing import read_audit
from tuiback.engine.upkeep.holds import is_over
from tuiback.model.audited import AuditEntry, find_breaks

Cell = str | int | bool | datetime | None

# A run that is older than all of these would be no run of a span that anybody asks about.
_RUNS_SEARCHED = 1_000_000
_BROUGHT_BACK = frozenset({"restore", "export", "cat", "preview"})


@dataclass(frozen=True, slots=True)
class Section:
    """A table of the report; every row has a cell for each column."""

    name: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True, slots=True)
class Span:
    """From when until when, both included."""

    start: datetime
    end: datetime

    def __contains__(self, moment: datetime) -> bool:
        return self.start <= moment <= self.end


def report_sections(reader: CatalogReader, state_path: Path, span: Span, now: datetime) -> Iterator[Section]:
    """All sections of one repository."""
    overviews = reader.account_overview()
    called = {o.account.account_id: o.account.address or o.account.name for o in overviews}
    entries, breaks = read_audit(state_path, reader)
    yield _runs(reader, span)
    yield _points(reader, overviews, span)
    yield _owed(reader, called)
    yield _checks(state_path, reader, now)
    yield from _audited(entries, [*breaks, *find_breaks(entries)], span)
    yield _holds(reader, called, now)
    yield _retention(reader)


def _runs(reader: CatalogReader, span: Span) -> Section:
    columns = (
        "run", "task", "trigger", "started_at", "ended_at", "outcome", "accounts", "accounts_failed", "items_new",
        "items_changed", "items_removed", "owed", "bytes_read", "bytes_stored",
    )  # fmt: skip
    rows = [
        (
            run.run, run.task, run.trigger, run.started_at, run.ended_at, run.outcome or "did not end",
            run.counters.accounts, run.counters.accounts_failed, run.counters.items_new, run.counters.items_changed,
            run.counters.items_removed, run.counters.owed, run.counters.bytes_read, run.counters.bytes_stored,
        )
        for run in reversed(reader.runs(None, _RUNS_SEARCHED))
        if run.started_at in span
    ]  # fmt: skip
    return Section("runs", "Runs", columns, tuple(rows))


def _points(reader: CatalogReader, overviews: Sequence[AccountOverview], span: Span) -> Section:
    columns = (
        "account", "kind", "account_id", "task", "state", "gone_at", "gone_reason", "points", "points_in_span",
        "oldest_point", "newest_point", "last_ok_at", "items", "bytes", "owed",
    )  # fmt: skip
    rows = []
    for overview in overviews:
        account = overview.account
        taken = [point.taken_at for point in reader.points(account.account_id)]
        rows.append(
            (
                account.address or account.name, account.kind, account.account_id, account.task, overview.state,
                account.gone_at, account.gone_reason, len(taken), sum(moment in span for moment in taken),
                min(taken, default=None), max(taken, default=None), overview.last_ok_at, overview.items,
                overview.bytes, overview.owed,
            )
        )  # fmt: skip
    return Section("accounts", "Recovery points by account", columns, tuple(rows))


def _owed(reader: CatalogReader, called: dict[str, str]) -> Section:
    columns = ("account", "path", "since", "tries", "error", "request_id", "acknowledged")
    rows = [
        (called.get(d.account_id, d.account_id), d.path, d.since, d.tries, d.error, d.request_id, d.ack)
        for d in reader.owed()
    ]
    return Section("owed", "What is owed now", columns, tuple(rows))


def _checks(state_path: Path, reader: CatalogReader, now: datetime) -> Section:
    """How much of the repository was verified when; a missing state.db knows of no check."""
    columns = ("check", "packs", "never_checked", "all_checked_since")
    packs = reader.totals().packs
    rows: list[tuple[Cell, ...]] = []
    for read, name in ((False, "checksums"), (True, "content")):
        told = None
        if state_path.exists():
            dates = CheckDates.open(state_path)
            try:
                told = dates.coverage(now, read=read)
            finally:
                dates.close()
        # Packs that no check has seen yet are not among those that it knows.
        never = packs - (told.packs - told.never) if told else packs
        rows.append((name, packs, max(never, 0), told.oldest_at if told and never <= 0 else None))
    return Section("checks", "Checks of what is stored", columns, tuple(rows))


def _audited(entries: Sequence[AuditEntry], breaks: Sequence[str], span: Span) -> Iterator[Section]:
    columns = ("time", "who", "uid", "origin", "action", "subject", "reason", "detail")
    told = [e for e in entries if e.time in span]
    restores = tuple(_audit_row(e) for e in told if e.action in _BROUGHT_BACK)
    yield Section("restores", "Restores, exports and looks into items", columns, restores)
    changes = tuple(_audit_row(e) for e in told if e.action not in _BROUGHT_BACK)
    yield Section("changes", "Changes of the configuration", columns, changes)
    proof = tuple((line,) for line in breaks) or (("whole",),)
    yield Section("audit", "Whether the audit is what was written", ("finding",), proof)


def _audit_row(entry: AuditEntry) -> tuple[Cell, ...]:
    return (
        entry.time, entry.who, entry.uid, entry.origin, entry.action, entry.subject, entry.reason, entry.detail
    )  # fmt: skip


def _holds(reader: CatalogReader, called: dict[str, str], now: datetime) -> Section:
    columns = ("hold", "account", "task", "until", "state", "made_by", "made_at", "reason")
    rows = [
        (
            h.hold_id, called.get(h.account_id, h.account_id), h.task, h.until, "over" if is_over(h, now) else "held",
            h.made_by, h.made_at, h.reason,
        )
        for h in reader.holds()
    ]  # fmt: skip
    return Section("holds", "Holds", columns, tuple(rows))


def _retention(reader: CatalogReader) -> Section:
    columns = ("task", "tenant", "service", "mode", "paused", "keep", "keep_gone")
    rows = [(t.name, t.tenant, t.service, t.mode, t.paused, t.keep, t.keep_gone) for t in reader.tasks()]
    return Section("retention", "Retention", columns, tuple(rows))
