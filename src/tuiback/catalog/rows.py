"""What the catalog answers: frozen facts for the engine, the command line and the console."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

import msgspec

from tuiback.model import Account, Kind, Outcome


@dataclass(frozen=True, slots=True)
class Alias:
    """An address that an account has, or had until `until`."""

    address: str
    since: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True)
class AccountOverview:
    """One row of the account list.

    `state` is gone, failed, never or ok; who knows the schedule turns ok into late. `items` and `bytes` are what
    is live now, folders left out. `aliases` are all addresses ever, the newest first.
    """

    account: Account
    aliases: tuple[Alias, ...]
    state: str
    last_ok_at: datetime | None
    points: int
    items: int
    bytes: int
    owed: int


@dataclass(frozen=True, slots=True)
class Point:
    """A closed snapshot. `items` and `bytes` leave folders out."""

    account_id: str
    seq: int
    taken_at: datetime
    verified_until: datetime
    run: int
    task: str
    items: int
    bytes: int
    outcome: Outcome | None


class Entry(msgspec.Struct, frozen=True):
    """One version of an item as a listing shows it: valid from snapshot from_seq until until_seq (None: live).

    `versions` counts all versions kept of the item. Names are as the service gave them, control characters too.
    """

    item_id: str
    account_id: str
    kind: Kind
    parent_id: str
    name: str
    size: int
    modified: str
    from_seq: int
    until_seq: int | None
    attrs: Mapping[str, str]
    versions: int
    etag: str
    content_tag: str
    container_id: str


@dataclass(frozen=True, slots=True)
class Hit:
    """An item that a search found, as the version that fits: from_seq tells which.

    `account` is the account's address or name. `snapshot` is the newest one that shows this version, last_seen when
    that was last verified; first_seen is when the item was first backed up, in any version. deleted_at is None while
    the item lives on.
    """

    item_id: str
    account_id: str
    account: str
    task: str
    kind: Kind
    name: str
    size: int
    modified: str
    from_seq: int
    snapshot: int
    first_seen: datetime
    last_seen: datetime
    deleted_at: datetime | None


@dataclass(frozen=True, slots=True)
class Totals:
    """How much there is. `items` and `live_bytes` are live and leave folders out.

    `logical_bytes` is what all versions would take if each were kept whole, `stored_bytes` the size of the packs.
    """

    logical_bytes: int
    live_bytes: int
    items: int
    versions: int
    chunks: int
    packs: int
    stored_bytes: int
    catalog_bytes: int


@dataclass(frozen=True, slots=True)
class TaskTotals:
    """The part of Totals that belongs to the accounts of one task."""

    task: str
    accounts: int
    logical_bytes: int
    live_bytes: int
    items: int
    versions: int


@dataclass(frozen=True, slots=True)
class DayGrowth:
    """What the runs of one day (UTC) read and stored."""

    day: date
    runs: int
    bytes_read: int
    bytes_stored: int


@dataclass(frozen=True, slots=True)
class JobRow:
    """A restore, export or prune as state.db keeps it; `plan` and `report` are the engine's own encoding."""

    job: int
    kind: str
    subject: str
    state: str
    outcome: Outcome | None
    done: int
    total: int
    plan: bytes
    report: bytes
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class JournalRow:
    """One intended write to Microsoft; `done` tells that it ended: well and as `new_id`, or in vain without one.

    `replaces` is the item whose place it took, "" for none.
    """

    job: int
    item_key: str
    target: str
    done: bool
    new_id: str
    note: str
    replaces: str = ""


@dataclass(frozen=True, slots=True)
class AlertRow:
    """A condition that asks for somebody, open since then.

    `news` grows when more of the same has happened: what was acknowledged is then news again.
    """

    alert: str
    severity: str
    since: datetime
    subject: str
    text: str
    remedy: str
    news: str = ""
    acked_at: datetime | None = None
    acked_by: str = ""
    ack_reason: str = ""


@dataclass(frozen=True, slots=True)
class MessageRow:
    """What a channel is still to be told; `payload` is the engine's own encoding."""

    number: int
    channel: str
    payload: bytes
    created_at: datetime
    due_at: datetime
    tries: int
