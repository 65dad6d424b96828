"""An engine and a catalog out of scripts and small dicts, for the console's tests and pictures."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from tuiback import __version__
from tuiback.catalog import (
    AccountOverview,
    ChoreRow,
    DayGrowth,
    Entry,
    Hit,
    JobRow,
    Point,
    SearchQuery,
    SearchScope,
    TaskTotals,
    Totals,
)
from tuiback.console.ports import Order
from tuiback.engine.commands import Command
from tuiback.errors import TuibackError
from tuiback.model import (
    Account,
    AccountKind,
    ActivityLine,
    AlertStatus,
    AtWork,
    EngineInfo,
    EngineStatus,
    Gauge,
    Hold,
    JobStatus,
    Kind,
    MachineStatus,
    Outcome,
    Owed,
    RunRow,
    StorageStatus,
    StoredPart,
    Task,
    TaskState,
    TaskStatus,
    Tenant,
    ThrottleStatus,
)

NOW = datetime(2026, 11, 23, 10, 41, 7, tzinfo=UTC)
GIB = 1 << 30
HOSTILE = "\x1b[31mred\x1b[0m [bold]x[/] \u202egpj.exe \U0001f468\u200d\U0001f469 \u0007"


def work(address: str, phase: str, what: str, items: int, read: int) -> AtWork:
    """An account at work."""
    return AtWork(f"mailbox:{address}", address, phase, what, items, read)


def task(name: str, service: str = "exchange", state: TaskState = TaskState.IDLE, **changes: object) -> TaskStatus:
    """A task row; idle and never run unless told otherwise."""
    plain = TaskStatus(
        name=name, tenant="contoso", service=service, mode="manual", state=state, accounts=5, accounts_done=0, gone=0,
        owed=0, items_done=0, items_expected=0, items_per_second=0.0, bytes_per_second=0.0, bytes_read=0,
        bytes_stored=0, throttled=0, failed=0, run=None, eta_seconds=None, last_run_at=None, last_ok_at=None,
        last_outcome=None, next_run_at=None,
    )
    return replace(plain, **changes)


def busy_status(number: int = 1, *, wait_seconds: float = 47.0) -> EngineStatus:
    """A picture with everything in it; `number` moves the figures on."""
    return EngineStatus(
        number=number,
        time=NOW + timedelta(seconds=number),
        engine=EngineInfo("running", 4711, "serve", NOW - timedelta(days=3, hours=4), __version__),
        tasks=(
            task(
                "exo-hq", state=TaskState.RUNNING, mode="continuous", accounts=500, accounts_done=312,
                items_done=84203 + number * 84, items_expected=136000, items_per_second=84.2, bytes_per_second=9.2e6,
                bytes_read=14 * GIB, bytes_stored=5 * GIB, throttled=3, run=1187, eta_seconds=72 * 60 + 12,
                last_run_at=NOW - timedelta(hours=1), last_ok_at=NOW - timedelta(hours=3), last_outcome="ok",
                at_work=(
                    work("anna@contoso.com", "list", "Inbox", 84203, 3 * GIB),
                    work("sales-shared@contoso.com", "fetch", "RE: Offer 2026", 12044, GIB),
                    work("room-berlin@contoso.com", "wait", HOSTILE, 0, 0),
                ),
            ),
            task(
                "onedrive-all", "onedrive", TaskState.RUNNING, mode="scheduled", accounts=500, accounts_done=155,
                items_done=9120 + number * 41, items_expected=31000, items_per_second=41.0, bytes_per_second=28.7e6,
                bytes_read=212 * GIB, bytes_stored=118 * GIB, run=1188, eta_seconds=220 * 60, owed=2,
                last_run_at=NOW - timedelta(hours=2), last_ok_at=NOW - timedelta(days=1), last_outcome="partial",
                at_work=(work("anna@contoso.com", "fetch", "Budget 2027.xlsx", 311, GIB),),
            ),
            task(
                "sites-collab", "sharepoint", TaskState.THROTTLED, mode="scheduled", accounts=200, accounts_done=88,
                items_done=4400, items_expected=10000, throttled=17, run=1189, last_ok_at=NOW - timedelta(hours=26),
                bytes_read=40 * GIB, bytes_stored=18 * GIB, last_outcome="ok",
            ),
            task("teams-all", "teams", TaskState.WAITING, mode="scheduled", accounts=64,
                 next_run_at=NOW.replace(hour=21, minute=0)),
            task("exo-shared", state=TaskState.ERROR, accounts=50, accounts_done=49, owed=1, failed=1,
                 last_ok_at=NOW - timedelta(days=2), last_outcome="failed", bytes_read=4 * GIB, bytes_stored=GIB),
            task("onedrive-vip", "onedrive", TaskState.IDLE, mode="continuous", accounts=12, accounts_done=12,
                 last_ok_at=NOW - timedelta(minutes=4), last_outcome="ok", next_run_at=NOW + timedelta(minutes=5),
                 bytes_read=90 * GIB, bytes_stored=56 * GIB),
        ),
        throttles=(
            ThrottleStatus("contoso", "outlook", 11, 40, 0, 0.0, 48211, 3, 121.4),
            ThrottleStatus("contoso", "sharepoint", 9, 14, 6, wait_seconds, 9120, 17, 0.0),
            ThrottleStatus("contoso", "directory", 0, 8, 0, 0.0, 12, 0, 0.0),
        ),
        accounts=(Gauge("exchange", 6, 10), Gauge("onedrive", 7, 10)),
        files=(Gauge("exchange", 11, 20), Gauge("onedrive", 9, 20)),
        machine=MachineStatus((50.0 + number % 7, 61.5), int(5.1 * GIB), 16 * GIB, 41.2e6, 1.1e6, (1.2, 0.98, 0.7)),
        storage=(StorageStatus("main", "/volume1/tuiback", 7578 * GIB, 11162 * GIB, 32000 * GIB, 7578 * GIB, GIB),),
        activity=(
            ActivityLine(3, NOW, "throttle", "sites-collab", "SharePoint asks us to wait 47 s; 20→14 at once"),
            ActivityLine(2, NOW - timedelta(seconds=5), "ok", "onedrive-all", "anna@contoso.com 1204 items 3.1 GB"),
            ActivityLine(1, NOW - timedelta(seconds=12), "warn", "exo-shared", f"projects@ {HOSTILE} owed"),
        ),
        alerts=(
            AlertStatus("credential:contoso", "warning", NOW, "contoso", "expires in 9 days", "", acked=False),
            AlertStatus("failed:exo-shared", "critical", NOW, "exo-shared", "exo-shared failed twice", "", acked=False),
            AlertStatus("gone:exo-shared:2026-11-20", "info", NOW, "exo-shared", "1 account left", "", acked=True),
        ),
    )


class FakeLink:
    """Plays pictures in turn and answers commands from a table."""

    def __init__(self, pictures: Sequence[EngineStatus] = (), *, hosted: bool = False) -> None:
        self.pictures = list(pictures)
        self.hosted = hosted
        self.role = "admin"
        self.commands: list[Command] = []
        self.answers: dict[type[Command], dict[str, object] | TuibackError] = {}
        self.closed = False

    def status(self) -> EngineStatus | None:
        """The next picture; the last one stays."""
        if not self.pictures:
            return None
        return self.pictures.pop(0) if len(self.pictures) > 1 else self.pictures[0]

    def submit(self, command: Command) -> "Future[dict[str, object]]":
        """Remember the command and answer at once."""
        self.commands.append(command)
        future: Future[dict[str, object]] = Future()
        answer = self.answers.get(type(command), {})
        if isinstance(answer, TuibackError):
            future.set_exception(answer)
        else:
            future.set_result(answer)
        return future

    def close(self) -> None:
        """Remember it."""
        self.closed = True


def entry(item_id: str, name: str, kind: Kind = Kind.MESSAGE, **changes: object) -> Entry:
    """One version of an item in the root of anna's mailbox, live since snapshot 1."""
    plain: dict[str, object] = {
        "item_id": item_id, "account_id": "mailbox:anna", "kind": kind, "parent_id": "", "name": name, "size": 4096,
        "modified": "2026-11-20T14:02:00Z", "from_seq": 1, "until_seq": None, "attrs": {}, "versions": 1, "etag": "e",
        "content_tag": "", "container_id": "c",
    }
    return Entry(**(plain | changes))  # type: ignore[arg-type]  # each test names fields of Entry


def account(kind: AccountKind, name: str, task_name: str, address: str) -> Account:
    """An account, keyed by its short name."""
    return Account(f"{kind.value}:{name}", kind, "contoso", task_name, name, name.title(), address)


@dataclass
class FakeCatalog:
    """A catalog of entries held in a list; counts the pages that were asked for."""

    accounts: list[Account] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    seqs: tuple[int, ...] = (3, 2, 1)
    contents: dict[str, dict[str, bytes]] = field(default_factory=dict)
    pages: int = 0
    hits: list[Hit] = field(default_factory=list)
    lag: int = 0
    searched: list[tuple[SearchQuery, SearchScope | None]] = field(default_factory=list)
    plans: list[Task] = field(default_factory=list)
    held: list[Hold] = field(default_factory=list)
    debts: list[Owed] = field(default_factory=list)
    past_runs: list[RunRow] = field(default_factory=list)
    days: list[DayGrowth] = field(default_factory=list)
    states: dict[str, tuple[str, datetime | None]] = field(default_factory=dict)

    def account_overview(self, task: str | None = None) -> Sequence[AccountOverview]:
        """Every account is ok, but those in `states`."""
        found = []
        for one in self.accounts:
            state, last_ok_at = self.states.get(one.account_id, ("ok", NOW))
            owed = sum(debt.account_id == one.account_id for debt in self.debts)
            if task in {None, one.task}:
                found.append(AccountOverview(one, (), state, last_ok_at, 3, 84203, 5 * GIB, owed))
        return found

    def count_states(self, ok_since: Mapping[str, tuple[datetime, bool]]) -> dict[str, int]:
        """The states of account_overview(), and late by `ok_since`."""
        counts: Counter[str] = Counter()
        for one in self.account_overview():
            moment, _ = ok_since.get(one.account.task, (None, False))
            late = moment and one.state == "ok" and one.last_ok_at and one.last_ok_at < moment
            counts["late" if late else one.state] += 1
        return dict(counts)

    def tenants(self) -> Sequence[Tenant]:
        """One tenant."""
        return [
            Tenant("contoso", "t-1", "c-1", "global", "", "", "certificate", b"", "2026-12-02"),
        ]

    def tasks(self) -> Sequence[Task]:
        """What a test has put in."""
        return self.plans

    def holds(self) -> Sequence[Hold]:
        """What a test has put in."""
        return self.held

    def owed(self, account_id: str | None = None, task: str | None = None) -> Sequence[Owed]:
        """What a test has put in."""
        return [debt for debt in self.debts if account_id in {None, debt.account_id}]

    def runs(self, task: str | None = None, limit: int = 50) -> Sequence[RunRow]:
        """What a test has put in."""
        return [run for run in self.past_runs if task in {None, run.task}][:limit]

    def totals(self) -> Totals:
        """As much as the busy status says."""
        return Totals(32000 * GIB, 9000 * GIB, 3_000_000, 9_000_000, 14_200_000, 90_000, 7578 * GIB, GIB)

    def totals_by_task(self) -> Sequence[TaskTotals]:
        """All of it is mail."""
        return [TaskTotals("exo-hq", 500, 32000 * GIB, 9000 * GIB, 3_000_000, 9_000_000)]

    def unique_bytes(self) -> int:
        """A little more than is stored."""
        return 9318 * GIB

    def growth(self) -> Sequence[DayGrowth]:
        """What a test has put in."""
        return self.days

    def points(self, account_id: str) -> Sequence[Point]:
        """One point a day."""
        return [
            Point(account_id, seq, taken_at, NOW, seq, "exo-hq", 84203, 5 * GIB, Outcome.OK)
            for seq in self.seqs
            for taken_at in [NOW - timedelta(days=3 - seq, hours=2)]
        ]

    def children(
        self, account_id: str, seq: int, parent_id: str, *, after: tuple[str, str] | None = None, limit: int = 256,
        kinds: Sequence[Kind] | None = None, order: Order = "name", deleted: bool = False,
    ) -> Sequence[Entry]:
        """A keyset page, as the catalog cuts it."""
        self.pages += 1
        found = [
            one for one in self.entries
            if one.account_id == account_id and one.parent_id == parent_id and (kinds is None or one.kind in kinds)
            and one.from_seq <= seq and ((one.until_seq is not None and one.until_seq <= seq) == deleted)
        ]
        if order == "modified":
            found.sort(key=lambda one: (one.modified, one.item_id), reverse=True)
            rest = [one for one in found if after is None or (one.modified, one.item_id) < after]
        else:
            found.sort(key=lambda one: (one.name.casefold(), one.item_id))
            key = None if after is None else (after[0].casefold(), after[1])
            rest = [one for one in found if key is None or (one.name.casefold(), one.item_id) > key]
        return rest[:limit]

    def versions(self, account_id: str, item_id: str) -> Sequence[Entry]:
        """All versions, the newest first."""
        found = [one for one in self.entries if one.account_id == account_id and one.item_id == item_id]
        return sorted(found, key=lambda one: -one.from_seq)

    def find_entry(self, account_id: str, item_id: str, seq: int | None) -> Entry | None:
        """The version at the snapshot."""
        found = self.versions(account_id, item_id)
        return next((one for one in found if seq is None or one.from_seq <= seq), None)

    def search(self, query: SearchQuery, scope: SearchScope | None = None) -> Iterator[Hit]:
        """What a test has put in."""
        self.searched.append((query, scope))
        return iter(self.hits)

    def search_lag(self, most: int = 1_000_000) -> int:
        """What a test has put in."""
        return min(self.lag, most)

    def parts(self, account_id: str, item_id: str, from_seq: int) -> Sequence[StoredPart]:
        """The parts that `contents` has for the item; the digest carries the key to find them by."""
        return [
            StoredPart(name, len(data), f"{item_id}/{name}".encode(), ())
            for name, data in self.contents.get(item_id, {}).items()
        ]

    def read(self, part: StoredPart) -> Iterator[bytes]:
        """The part's bytes in small pieces."""
        item_id, _, name = part.digest.decode().rpartition("/")
        data = self.contents[item_id][name]
        for start in range(0, len(data), 1000):
            yield data[start : start + 1000]


@dataclass
class FakeView:
    """One repository called main."""

    catalog: FakeCatalog
    past_jobs: list[JobRow] = field(default_factory=list)
    kept_up: list[ChoreRow] = field(default_factory=list)

    def jobs(self) -> Sequence[JobRow]:
        """What a test has put in."""
        return self.past_jobs

    def chores(self) -> Sequence[ChoreRow]:
        """What a test has put in."""
        return self.kept_up

    def readers(self) -> Iterator[tuple[str, FakeCatalog]]:
        """The one catalog."""
        yield "main", self.catalog

    def note_preview(self, repository: str, account_id: str, name: str) -> None:
        """Nobody audits a fake."""

    def content(self, repository: str) -> FakeCatalog:
        """The catalog holds the content too."""
        assert repository == "main"
        return self.catalog


def ended_job(outcome: str = "ok") -> JobStatus:
    """A restore that ended."""
    return JobStatus(7, "restore", "anna@contoso.com", "ended", outcome, 2, 2, 98304, 0, "")


MAIL = b"""From: B. Kim <bkim@contoso.com>\r
To: anna@contoso.com\r
Subject: =?utf-8?q?Q3_contract_draft?=\r
Date: Fri, 20 Nov 2026 14:02:00 +0100\r
MIME-Version: 1.0\r
Content-Type: multipart/mixed; boundary=b\r
\r
--b\r
Content-Type: text/html; charset=utf-8\r
\r
<html><head><style>p{}</style></head><body><p>Hi Anna,</p><p>the redlined <b>draft</b> is attached.
Please check clause 4 &amp; the annex.</p><ul><li>price</li><li>term</li></ul><script>alert(1)</script></body></html>\r
--b\r
Content-Type: application/pdf; name="draft.pdf"\r
Content-Disposition: attachment; filename="draft.pdf"\r
Content-Transfer-Encoding: base64\r
\r
JVBERi0xLjQK\r
--b--\r
"""


def office() -> FakeCatalog:
    """A mailbox and a drive with folders, hostile names, an old version and a deleted mail."""
    drive, folder, file = "drive:anna", Kind.FOLDER, Kind.FILE
    kim, roy = "B. Kim <bkim@contoso.com>", "J. Roy <roy@contoso.com>"
    mails = [
        ("Q3 contract draft", kim, 84_000), ("RE: Q3 contract draft", "anna@contoso.com", 12_000),
        ("Invoice 4711", "billing@northwind.example", 310_000), ("Minutes 17 Nov", kim, 22_000),
        (HOSTILE, roy, 1_100_000), ("会議のお知らせ 2026年11月", "田中 <tanaka@contoso.com>", 18_000),
        ("Kündigung für Müller & Söhne", "hr@contoso.com", 9_000), ("FW: offer", roy, 1_000_000),
    ]
    entries = [
        entry("f-inbox", "Inbox", folder, attrs={"well_known": "inbox", "total": "8"}),
        entry("f-projects", "Projects", folder, parent_id="f-inbox", attrs={"total": "1204"}),
        entry("f-travel", "Travel", folder, parent_id="f-inbox"),
        entry("f-sent", "Sent Items", folder, attrs={"well_known": "sentitems"}),
        entry("f-archive", "Archive", folder),
        entry("m-gone", "Offer final", parent_id="f-inbox", until_seq=3, attrs={"subject": "Offer final", "from": roy}),
    ]
    for number, (subject, sender, size) in enumerate(mails):
        day = f"2026-11-{20 - number:02}T14:02:00Z"
        entries.append(entry(
            f"m-{number}", subject, parent_id="f-inbox", size=size, modified=day,
            attrs={"subject": subject, "from": sender, "to": "anna@contoso.com", "date": day, "attachments": "1"},
        ))
    entries += [
        entry("d-plans", "Plans", folder, account_id=drive),
        entry("d-budget", "Budget 2027.csv", file, account_id=drive, size=123_456, versions=2, from_seq=2),
        entry("d-budget", "Budget 2027.csv", file, account_id=drive, size=100_000, versions=2, until_seq=2),
        entry("d-logo", "logo.png", file, account_id=drive, size=4_200_000),
    ]
    contents = {"m-0": {"properties": b"{}", "mime": MAIL}, "d-budget": {"file": b"month,amount\njan,1\n"},
                "d-logo": {"file": bytes(range(256)) * 8}}
    return FakeCatalog(
        [account(AccountKind.MAILBOX, "anna", "exo-hq", "anna@contoso.com"),
         account(AccountKind.MAILBOX, "ben", "exo-hq", "ben@contoso.com"),
         account(AccountKind.DRIVE, "anna", "onedrive-all", "anna@contoso.com")],
        entries, contents=contents,
    )
