"""What a commit carries: the rows that one SQLite transaction writes, live and at replay alike."""

from datetime import datetime

import msgspec

from tuiback.model.things import Account, Container, Kind, Outcome, StoredPart


class ChunkEntry(msgspec.Struct, frozen=True):
    """Where one chunk lies: sealed record `slot` at (`offset`, `length`) of a pack, and inside its plain bytes.

    A chunk alone in its record has inner_offset 0. `size` is the chunk's plain length in bytes.
    """

    chunk_id: bytes
    slot: int
    offset: int
    length: int
    inner_offset: int
    size: int


class PackTable(msgspec.Struct, frozen=True):
    """One durable pack: its name, stored bytes, and the chunks in it."""

    pack_id: str
    stored_bytes: int
    entries: tuple[ChunkEntry, ...]


class Location(msgspec.Struct, frozen=True):
    """Where a chunk can be read."""

    pack_id: str
    slot: int
    offset: int
    length: int
    inner_offset: int
    size: int


class VersionOpened(msgspec.Struct, frozen=True):
    """A new version of an item, valid from snapshot `seq` of its account on; it ends the one before."""

    account_id: str
    seq: int
    item_id: str
    container_id: str
    kind: Kind
    parent_id: str
    name: str
    size: int
    modified: str
    etag: str
    content_tag: str
    parts: tuple[StoredPart, ...]
    attrs: tuple[tuple[str, str], ...]


class Removal(msgspec.Struct, frozen=True):
    """An item left its container.

    It ends the version only when snapshot `seq` closes, and only while the item's live version still lies in that
    container, so that a move is never a loss.
    """

    account_id: str
    seq: int
    item_id: str
    container_id: str


class SnapshotRow(msgspec.Struct, frozen=True):
    """The state of one account after a run; open until `closed_at` is set, and a recovery point only then.

    `verified_until` moves on when a later run found nothing changed.
    """

    account_id: str
    seq: int
    run: int
    opened_at: datetime
    closed_at: datetime | None = None
    outcome: Outcome | None = None
    verified_until: datetime | None = None


class Owed(msgspec.Struct, frozen=True):
    """An item whose fetch failed: retried first at the next run. `cleared` ends the debt.

    `ack` is why somebody put up with it, "" while nobody did; it lasts as long as the debt.
    """

    account_id: str
    container_id: str
    item_id: str
    kind: Kind
    path: str
    since: datetime
    tries: int
    error: str
    request_id: str = ""
    cleared: bool = False
    ack: str = ""


class RunCounters(msgspec.Struct, frozen=True):
    """What a run did. `requests` and `throttled` count the HTTP requests sent and the 429/503 among the replies.

    Of the bytes read, `bytes_decoded` are what base64 took more than what it stands for, `bytes_single_instance` lay in
    attachments, mails and files that were known as a whole, and `bytes_blocks` in known chunks of others; what is left
    was stored as `bytes_stored`.
    """

    accounts: int = 0
    accounts_failed: int = 0
    items_new: int = 0
    items_changed: int = 0
    items_removed: int = 0
    items_unchanged: int = 0
    skipped: int = 0
    owed: int = 0
    bytes_read: int = 0
    bytes_stored: int = 0
    requests: int = 0
    throttled: int = 0
    bytes_decoded: int = 0
    bytes_single_instance: int = 0
    bytes_blocks: int = 0


class RunRow(msgspec.Struct, frozen=True):
    """One execution of a task; numbered within the repository."""

    run: int
    task: str
    trigger: str
    started_at: datetime
    ended_at: datetime | None = None
    outcome: Outcome | None = None
    counters: RunCounters = msgspec.field(default_factory=RunCounters)


class ControlRow(msgspec.Struct, frozen=True):
    """What a bare machine needs back: kind "tenant", "task", "hold" or "audit", JSON `data`, None when removed.

    A row of the audit is a segment of it, named after its log and its number there.
    """

    kind: str
    name: str
    data: bytes | None


class Expired(msgspec.Struct, frozen=True):
    """What retention or erasure gave up of one account: its metadata leaves the catalog, its content by prune.

    `versions` are (item id, seq they are valid from), never live ones unless the account is given up `whole`;
    `snapshots` are no recovery points any more.
    """

    account_id: str
    versions: tuple[tuple[str, int], ...] = ()
    snapshots: tuple[int, ...] = ()
    whole: bool = False


class CommitBody(msgspec.Struct, frozen=True):
    """Everything that becomes true at once. Applied in the order of the fields."""

    time: datetime
    controls: tuple[ControlRow, ...] = ()
    runs: tuple[RunRow, ...] = ()
    accounts: tuple[Account, ...] = ()
    snapshots_opened: tuple[SnapshotRow, ...] = ()
    containers: tuple[Container, ...] = ()
    containers_removed: tuple[tuple[str, str], ...] = ()
    versions: tuple[VersionOpened, ...] = ()
    removals: tuple[Removal, ...] = ()
    owed: tuple[Owed, ...] = ()
    snapshots_closed: tuple[SnapshotRow, ...] = ()
    expired: tuple[Expired, ...] = ()


class CommitHead(msgspec.Struct, frozen=True):
    """The newest commit of a writer: `number` counts from 1, `digest` is the hex hash in its name."""

    writer: str
    number: int
    digest: str


class Commit(msgspec.Struct, frozen=True):
    """A commit as read back or just written: its head, its predecessor's digest ("" for the first), its packs.

    `segments` are the objects that hold what `body` is too large to carry in the commit itself, `generation` is the
    newest prune its writer knew of. A commit with a `checkpoint` (a segment's id) makes all commits before it
    superfluous; every later one names that commit as its `base`. `checkpoint_copy` holds the same as `checkpoint`.
    """

    head: CommitHead
    previous: str
    packs: tuple[str, ...]
    body: CommitBody
    segments: tuple[str, ...] = ()
    generation: int = 0
    checkpoint: str = ""
    checkpoint_copy: str = ""
    base: CommitHead | None = None
