"""An office at eight in the morning: somebody late, somebody failed, somebody gone, debts, jobs, holds and history."""

from datetime import timedelta

import msgspec
from msgspec.structs import replace

from tests.console.fakes import GIB, HOSTILE, NOW, FakeCatalog, FakeView, account, busy_status, office
from tuiback.catalog import ChoreRow, DayGrowth, JobRow
from tuiback.engine.commands import Prune
from tuiback.model import (
    AccountKind,
    AccountState,
    AlertStatus,
    EngineStatus,
    Hold,
    JobStatus,
    Kind,
    Outcome,
    Owed,
    RunCounters,
    RunRow,
    Task,
)

LATE = "mailbox:ben"
FAILED = "mailbox:room"
GONE = "mailbox:roy"


def catalog() -> FakeCatalog:
    """The office of the other tests, with two more mailboxes, and all that went wrong."""
    found = office()
    left = account(AccountKind.MAILBOX, "roy", "exo-hq", "roy@contoso.com")
    found.accounts += [
        account(AccountKind.MAILBOX, "room", "exo-shared", "room-berlin@contoso.com"),
        replace(left, state=AccountState.GONE, gone_at=NOW - timedelta(days=3), gone_reason="left the tenant"),
    ]
    found.states = {
        LATE: ("ok", NOW - timedelta(days=2)),
        FAILED: ("failed", NOW - timedelta(days=4)),
        GONE: ("gone", NOW - timedelta(days=3)),
    }
    found.plans = [
        Task(
            "exo-hq", "contoso", "exchange", everything=True, mode="scheduled", cron="0 22 * * *", tz="Europe/Berlin",
            window="mon-fri 20:00-06:00,sat-sun", keep="7d,4w,12m,3y", keep_gone="365d", objective="26h",
            created_at=NOW - timedelta(days=400), exclude=("x",), exclude_paths=("*.iso",),
        ),
        Task("onedrive-all", "contoso", "onedrive", everything=True, mode="continuous", keep="365d"),
        Task("exo-shared", "contoso", "exchange", accounts=("room-berlin@contoso.com",), keep="30v"),
    ]
    found.held = [Hold("1a2b3c4d", "case 17/2026", "anna", NOW - timedelta(days=9), account_id="mailbox:anna")]
    found.debts = [
        debt("mailbox:anna", "m-0", "Inbox/Projects/Q3 contract draft", "the message could not be parsed", 4),
        debt("drive:anna", "d-logo", f"Plans/{HOSTILE}/logo.png", "the file is locked by another user", 12),
        replace(debt("drive:anna", "d-old", "Plans/old.pst", "Microsoft holds it for malware", 30), ack="known virus"),
        debt(FAILED, "", "", "Microsoft denies access (ErrorAccessDenied); check the app's permissions", 3),
    ]
    found.past_runs = [run(1187 - number, number) for number in range(12)]
    found.days = [DayGrowth(NOW.date() - timedelta(days=n), 5, 20 * GIB, (5 + n % 7) * GIB) for n in range(80, -1, -1)]
    return found


def debt(account_id: str, item_id: str, path: str, error: str, tries: int) -> Owed:
    """Something owed since as many nights as it was tried."""
    since = NOW - timedelta(days=tries)
    return Owed(account_id, "c" if item_id else "", item_id, Kind.MESSAGE, path, since, tries, error, "req-1")


def run(number: int, nights: int) -> RunRow:
    """A run of exo-hq so many nights ago; every fourth was partial."""
    began = NOW - timedelta(days=nights, hours=11)
    outcome = Outcome.PARTIAL if nights % 4 == 0 else Outcome.OK
    counters = RunCounters(
        accounts=500, accounts_failed=nights % 4 == 0, items_new=4203, items_changed=310, items_removed=88, owed=2,
        bytes_read=14 * GIB, bytes_stored=5 * GIB, requests=91_222, throttled=17,
    )
    return RunRow(number, "exo-hq", "schedule", began, began + timedelta(hours=2, minutes=7), outcome, counters)


def view() -> FakeView:
    """What is kept of all that."""
    plan = msgspec.json.encode(Prune())
    began = NOW - timedelta(hours=5)
    rows = [
        JobRow(9, "restore", "anna@contoso.com to anna@contoso.com", "running", None, 0, 0, plan, b"", began, began),
        JobRow(8, "prune", "main", "ended", Outcome.OK, 120, 120, plan, b"[]", began, began + timedelta(minutes=9)),
        JobRow(
            7, "export", f"anna@contoso.com to /volume1/{HOSTILE}", "ended", Outcome.PARTIAL, 84, 90, plan,
            msgspec.json.encode(["Inbox/m: it can't be read", "Sent/x: it can't be read"]), began, began,
        ),
        JobRow(6, "sampled check", "main", "running", None, 3, 14, plan, b"", began, began),
    ]
    chores = [
        ChoreRow("prune", NOW - timedelta(days=90), NOW - timedelta(hours=7), Outcome.OK),
        ChoreRow("sample", NOW - timedelta(days=90), NOW - timedelta(hours=7), Outcome.FAILED, "pack 12ab is damaged"),
        ChoreRow("structure", NOW - timedelta(days=90)),
    ]
    return FakeView(catalog(), rows, chores)


def status(number: int = 1) -> EngineStatus:
    """The busy engine, with a job under way and a late task."""
    busy = busy_status(number)
    late = AlertStatus(
        "late:exo-hq", "critical", NOW - timedelta(hours=3), "exo-hq",
        "no run was ok within 26h: the last was at 2026-11-21 22:00 UTC", "see 'tuiback runs exo-hq'", acked=False,
    )
    job = JobStatus(
        9, "restore", "anna@contoso.com to anna@contoso.com", "running", None, 340, 1200, 3 * GIB, 2, "Inbox"
    )
    storage = replace(busy.storage[0], full_on=NOW + timedelta(days=212))
    return replace(busy, alerts=(late, *busy.alerts), jobs=(job,), storage=(storage,))
