"""What the console and `tuiback status` show: one immutable picture of the engine a second."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

import msgspec


class TaskState(StrEnum):
    """What a task is doing, in the words of the screen."""

    RUNNING = "RUN"
    THROTTLED = "THR"
    WAITING = "WAIT"
    ERROR = "ERR"
    PARTIAL = "PART"
    IDLE = "IDLE"
    PAUSED = "PAUS"
    DISK = "DISK"


class EngineInfo(msgspec.Struct, frozen=True):
    """Who hosts the engine: `host` is console, run or serve."""

    state: str
    pid: int
    host: str
    since: datetime
    version: str


class AtWork(msgspec.Struct, frozen=True):
    """One account in work at this moment: phase list, fetch, wait or write, and the object's name."""

    account_id: str
    address: str
    phase: str
    what: str
    items_done: int
    bytes_read: int


class TaskStatus(msgspec.Struct, frozen=True):
    """One row of the task table. Rates are averages of the last seconds; eta_seconds is None when unknown.

    items_expected is what the services state or list of the accounts at work so far (0: nothing yet), owed_since when
    the newest of what is owed failed first.
    """

    name: str
    tenant: str
    service: str
    mode: str
    state: TaskState
    accounts: int
    accounts_done: int
    gone: int
    owed: int
    items_done: int
    items_expected: int
    items_per_second: float
    bytes_per_second: float
    bytes_read: int
    bytes_stored: int
    throttled: int
    failed: int
    run: int | None
    eta_seconds: float | None
    last_run_at: datetime | None
    last_ok_at: datetime | None
    last_outcome: str | None
    next_run_at: datetime | None
    at_work: tuple[AtWork, ...] = ()
    owed_since: datetime | None = None


class AllowanceStatus(msgspec.Struct, frozen=True):
    """What of a limit is used up: `used` of `units` in any `seconds`, of a service or of one `account` there.

    `measure` says what is counted ("units" or "bytes up"); `wait_seconds` is how long its next request must wait.
    """

    account: str
    measure: str
    used: int
    units: int
    seconds: float
    wait_seconds: float


class ThrottleStatus(msgspec.Struct, frozen=True):
    """How hard one service throttles: wait_seconds is what is left of Retry-After, limit what is allowed at once.

    `ledger` has the limits of the service, and of the accounts that have the least left; none where nothing limits.
    """

    tenant: str
    service: str
    in_flight: int
    limit: int
    waiting: int
    wait_seconds: float
    requests: int
    throttled: int
    requests_per_second: float
    ledger: tuple[AllowanceStatus, ...] = ()


class Gauge(msgspec.Struct, frozen=True):
    """So many of at most so many: accounts or files of one service in work."""

    service: str
    used: int
    limit: int


class MachineStatus(msgspec.Struct, frozen=True):
    """The NAS itself; sampled in the engine's thread. Network figures are bytes a second."""

    cpu_percent: tuple[float, ...]
    ram_used: int
    ram_total: int
    net_in: float
    net_out: float
    load: tuple[float, float, float]


class StorageStatus(msgspec.Struct, frozen=True):
    """The repository and the volume it lies on, in bytes; full_on is the forecast's date or None.

    search_lag counts the versions that search does not know yet.
    """

    name: str
    url: str
    disk_used: int
    disk_total: int
    logical_bytes: int
    stored_bytes: int
    catalog_bytes: int
    full_on: datetime | None = None
    search_lag: int = 0


class ActivityLine(msgspec.Struct, frozen=True):
    """One line of the activity log: level ok, info, warn, error or throttle."""

    number: int
    time: datetime
    level: str
    subject: str
    text: str


class JobStatus(msgspec.Struct, frozen=True):
    """A restore, export or prune: progress and, when `state` is "ended", its outcome and report."""

    job: int
    kind: str
    subject: str
    state: str
    outcome: str | None
    done: int
    total: int
    bytes_done: int
    failed: int
    note: str


class AlertStatus(msgspec.Struct, frozen=True):
    """A condition that asks for somebody. `alert` is its stable id, severity info, warning or critical."""

    alert: str
    severity: str
    since: datetime
    subject: str
    text: str
    remedy: str
    acked: bool


class TenantStatus(msgspec.Struct, frozen=True):
    """A tenant and what signs in to it; its fields are those of Tenant, whose secrets stay where they are."""

    name: str
    tenant_id: str
    cloud: str
    credential_kind: str
    credential_expires_on: str | None
    consent: str


class EngineStatus(msgspec.Struct, frozen=True):
    """The whole picture. `number` grows with each new one; `standing` counts the accounts of all tasks by state."""

    number: int
    time: datetime
    engine: EngineInfo
    tasks: tuple[TaskStatus, ...] = ()
    throttles: tuple[ThrottleStatus, ...] = ()
    accounts: tuple[Gauge, ...] = ()
    files: tuple[Gauge, ...] = ()
    machine: MachineStatus | None = None
    storage: tuple[StorageStatus, ...] = ()
    activity: tuple[ActivityLine, ...] = ()
    jobs: tuple[JobStatus, ...] = ()
    alerts: tuple[AlertStatus, ...] = ()
    tenants: tuple[TenantStatus, ...] = ()
    standing: Mapping[str, int] = msgspec.field(default_factory=dict)
