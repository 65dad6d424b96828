"""What the catalog answers: frozen facts for the engine, the command line and the console."""

from collections.abc import Mapping
from datetime import date, datetime

import msgspec

from tuiback.model import Account, Kind, Outcome


class Alias(msgspec.Struct, frozen=True):
    """An address that an account has, or had until `until`."""

    address: str
    since: datetime
    until: datetime | None


class AccountOverview(msgspec.Struct, frozen=True):
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


class Point(msgspec.Struct, frozen=True):
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


class Hit(msgspec.Struct, frozen=True):
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


class Totals(msgspec.Struct, frozen=True):
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


class TaskTotals(msgspec.Struct, frozen=True):
    """The part of Totals that belongs to the accounts of one task."""

    task: str
    accounts: int
    logical_bytes: int
    live_bytes: int
    items: int
    versions: int


class DayGrowth(msgspec.Struct, frozen=True):
    """What the runs of one day (UTC) read and stored."""

    day: date
    runs: int
    bytes_read: int
    bytes_stored: int


class RunSavings(msgspec.Struct, frozen=True):
    """What all runs together read, what of that took no room for which reason, and what the rest was stored as.

    The fields are those of RunCounters.
    """

    bytes_read: int
    bytes_decoded: int
    bytes_single_instance: int
    bytes_blocks: int
    bytes_stored: int


class JobRow(msgspec.Struct, frozen=True):
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


class JournalRow(msgspec.Struct, frozen=True):
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


class AlertRow(msgspec.Struct, frozen=True):
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


class MessageRow(msgspec.Struct, frozen=True):
    """What a channel is still to be told; `payload` is the engine's own encoding."""

    number: int
    channel: str
    payload: bytes
    created_at: datetime
    due_at: datetime
    tries: int
