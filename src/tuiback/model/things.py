"""The words of tuiback as frozen facts: tenant, task, account, container, item.

What there is one of for every item or chunk is a msgspec.Struct: it is made in a tenth of a dataclass's time.
"""

from datetime import datetime
from enum import StrEnum

import msgspec


class AccountKind(StrEnum):
    """What an account is; with a colon behind it, the prefix of an ACCOUNT on the command line."""

    MAILBOX = "mailbox"
    ARCHIVE = "archive"
    DRIVE = "drive"
    SITE = "site"
    TEAM = "team"


class Kind(StrEnum):
    """What an item is. Folders of every service are items too, so that a tree has names and history."""

    MESSAGE = "message"
    FOLDER = "folder"
    FILE = "file"
    NOTEBOOK = "notebook"


# Items that only hold others: people don't count them, and nothing of them is fetched.
FOLDER_KINDS = frozenset({Kind.FOLDER, Kind.NOTEBOOK})


class Outcome(StrEnum):
    """How a run, a snapshot or a job ended."""

    OK = "ok"
    PARTIAL = "partial"
    FAILED = "failed"
    CANCELLED = "cancelled"
    PAUSED = "paused"
    SKIPPED = "skipped"


class AccountState(StrEnum):
    """Whether the tenant still has the account."""

    ACTIVE = "active"
    GONE = "gone"


class Consent(StrEnum):
    """Whether an administrator lets the tenant's app do what it asks for."""

    UNKNOWN = ""
    WAITING = "waiting for consent"
    GRANTED = "granted"


class Tenant(msgspec.Struct, frozen=True):
    """One Microsoft 365 organisation and the app that tuiback signs in with.

    `credential` is sealed with the repository's master key (store.Repository.seal), `credential_kind` says
    whether it holds a client "secret" or a "certificate" (PEM with key). `credential_expires_on` is its last day,
    YYYY-MM-DD, where that is known. Where tuiback registered or renewed the app itself, `app_object_id` names it in
    the directory and `key_id` the credential there; `retired_key_id` is the one before, still valid.
    """

    name: str
    tenant_id: str
    client_id: str
    cloud: str
    graph_url: str
    authority: str
    credential_kind: str
    credential: bytes
    credential_expires_on: str | None = None
    consent: Consent = Consent.UNKNOWN
    app_object_id: str = ""
    key_id: str = ""
    retired_key_id: str = ""


class Task(msgspec.Struct, frozen=True):
    """What to back up: service and scope.

    With `everything` the scope is all accounts of the service, new ones too, unless `fixed` froze the list
    into `accounts` (ACCOUNT texts or account ids). `groups` are ids or names of groups whose members, those of nested
    groups too, belong to it. `exclude` holds ACCOUNT texts, `exclude_paths` patterns of what is left out of accounts
    (engine.left_out). `former_names` are the names it had before, the newest first. `keep` and `keep_gone` are its
    retention as the command line has it: "all", "365d", "30v" or "7d,4w,12m,3y", and "forever" or "365d".
    `mode` is "manual", "scheduled" (by `cron`) or "continuous"; `window` are its allowed hours; both are read in the
    zone `tz`, "" being UTC. Of tasks that are due together those of the highest `priority` start first. A task is late
    when no run was ok within its `objective`, a span like "26h"; with "" it never is.
    """

    name: str
    tenant: str
    service: str
    everything: bool = False
    fixed: bool = False
    accounts: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    exclude_paths: tuple[str, ...] = ()
    former_names: tuple[str, ...] = ()
    mode: str = "manual"
    paused: bool = False
    keep: str = "all"
    keep_gone: str = "forever"
    cron: str = ""
    tz: str = ""
    window: str = ""
    priority: int = 0
    objective: str = ""
    created_at: datetime | None = None


class Account(msgspec.Struct, frozen=True):
    """Anything a task protects, keyed by object id: addresses are dated aliases that may move to others.

    account_id is "<kind>:<object id>", for example "mailbox:8f6f2c0e-…" or "drive:b!xA9h…". `owner_id` is the
    directory object the account belongs to (the user of a drive; the mailbox's own id again for mailboxes).
    """

    account_id: str
    kind: AccountKind
    tenant: str
    task: str
    owner_id: str
    name: str
    address: str
    state: AccountState = AccountState.ACTIVE
    gone_at: datetime | None = None
    gone_reason: str = ""


class Hold(msgspec.Struct, frozen=True):
    """Keeps everything of one account, or of all accounts of one task, whatever retention says.

    One of `account_id` and `task` is set. It ends with `until`; with None only by being removed.
    """

    hold_id: str
    reason: str
    made_by: str
    made_at: datetime
    account_id: str = ""
    task: str = ""
    until: datetime | None = None


class Owner(msgspec.Struct, frozen=True):
    """The home that has taken a repository over: no other one writes there any more."""

    home_id: str
    host: str
    since: datetime


class Container(msgspec.Struct, frozen=True):
    """The unit Microsoft tracks changes for; it owns the cursor.

    `relisting` is set while a full listing replaces an expired cursor: a crash then starts that listing again,
    because the ids it had already seen are known to nobody else.
    """

    account_id: str
    container_id: str
    kind: str
    name: str
    cursor: str = ""
    relisting: bool = False


class RemoteItem(msgspec.Struct, frozen=True):
    """One item as a listing shows it, before anything of its content was fetched.

    `parent_id` is the folder item it lies in ("" is the account's root). Equal `etag` means unchanged.
    `content_tag` is the service's own statement about the content (a hash and size, or the fields that change
    with it; "" when there is none); the connector's same_content() knows how far to trust it. `properties` is
    the JSON that is kept as a part of its own; `attrs` are the few display fields that the catalog lists.
    `link` is where the content lies for some minutes ("" when the listing does not tell): it is a key, kept nowhere.
    """

    item_id: str
    kind: Kind
    parent_id: str
    name: str
    size: int
    modified: str
    etag: str
    content_tag: str = ""
    properties: bytes = b""
    attrs: tuple[tuple[str, str], ...] = ()
    has_content: bool = True
    link: str = ""


class Known(msgspec.Struct, frozen=True):
    """What the catalog knows of an item's newest version, live or removed, when a listing shows it again."""

    item_id: str
    kind: Kind
    container_id: str
    parent_id: str
    name: str
    etag: str
    content_tag: str
    parts: tuple["StoredPart", ...]
    live: bool
    removal_pending: bool


class StoredPart(msgspec.Struct, frozen=True):
    """A piece of an item's content in the repository: `size` bytes, which the chunks give back.

    `digest` is the keyed BLAKE3-256 of the whole part, compared at every read. `form` says how the chunks make it
    up: "" in their order; other forms are the store's (see store.mime_form and store.chunk_lists). The `chunks` of a
    list form name further ones.
    """

    name: str
    size: int
    digest: bytes
    chunks: tuple[bytes, ...]
    form: str = ""
