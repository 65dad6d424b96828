"""What a console, a command line or a portal can ask of the engine, wherever it runs.

Commands travel as JSON over the attach socket or by reference within the process; both ways are one code path.
"""

from datetime import datetime

import msgspec

from tuiback.model import Consent


class Command(
    msgspec.Struct, frozen=True, tag_field="command", kw_only=True, omit_defaults=True, forbid_unknown_fields=True
):
    """The root of all commands. `reason` is why, for the audit.

    A newer program's command travels without the fields that say nothing, and an older engine refuses what it does not
    know: a wish is never left out in silence. A default that changes its meaning needs another codec.PROTOCOL.
    """

    reason: str = ""


class RunTasks(Command, frozen=True, tag="run"):
    """Run these tasks and answer when they ended. A task already running is joined. An empty `tasks` means all.

    Outside its window a task is skipped, and at the window's end it is paused, unless `now` is set; after
    `max_seconds` it is paused too. Answer: {"runs": [RunReport as in cli.md's run]}.
    """

    tasks: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    trigger: str = "manual"
    wait: bool = True
    now: bool = False
    max_seconds: float | None = None


class StopTask(Command, frozen=True, tag="stop"):
    """Stop the task's run at a checkpoint: its outcome is cancelled. Answer: {}."""

    task: str


class PauseTask(Command, frozen=True, tag="pause"):
    """Keep the task from starting (a run in progress stops at a checkpoint), or let it go on. Answer: {}."""

    task: str
    paused: bool


class PutTenant(Command, frozen=True, tag="put-tenant"):
    """Add or replace a tenant; the credential comes in clear over the 0600 socket and is sealed at once."""

    name: str
    tenant_id: str
    client_id: str
    cloud: str
    graph_url: str
    authority: str
    credential_kind: str
    credential: str
    repository: str = "main"
    credential_expires_on: str | None = None
    consent: Consent = Consent.UNKNOWN
    app_object_id: str = ""
    key_id: str = ""

    def __repr__(self) -> str:
        # The credential is for nobody's log.
        return f"PutTenant({self.name!r})"


class EditTenant(Command, frozen=True, tag="edit-tenant"):
    """Change fields of a tenant; None leaves one as it is. `credential` goes with its kind. Answer: {name}."""

    tenant: str
    tenant_id: str | None = None
    client_id: str | None = None
    cloud: str | None = None
    graph_url: str | None = None
    authority: str | None = None
    credential_kind: str | None = None
    credential: str | None = None
    credential_expires_on: str | None = None

    def __repr__(self) -> str:
        return f"EditTenant({self.tenant!r})"


class RemoveTenant(Command, frozen=True, tag="remove-tenant"):
    """Forget a tenant and its credential; refused while tasks use it. Answer: {name}."""

    tenant: str


class CheckTenant(Command, frozen=True, tag="check-tenant"):
    """Sign in as the tenant's app and see what it may do. Answer: the fields of cli.md's `tenant check`."""

    tenant: str


class RenewTenant(Command, frozen=True, tag="renew-tenant"):
    """Give the tenant's app a new credential, which is proven and stored before the old one may go.

    With `token` an administrator does it, else the app itself. The one before the old one is removed; with
    `remove_old` the old one too. Answer: {name, credential: {kind, expires_on}, removed}, removed counts credentials.
    """

    tenant: str
    token: str = ""
    remove_old: bool = False

    def __repr__(self) -> str:
        return f"RenewTenant({self.tenant!r})"


class PutTask(Command, frozen=True, tag="put-task"):
    """Add a task (see model.Task for the fields)."""

    name: str
    tenant: str
    service: str
    everything: bool = False
    fixed: bool = False
    accounts: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    exclude_paths: tuple[str, ...] = ()
    keep: str = "all"
    keep_gone: str = "forever"
    mode: str = "manual"
    cron: str = ""
    tz: str = ""
    window: str = ""
    priority: int = 0
    paused: bool = False
    objective: str = ""


class EditTask(Command, frozen=True, tag="edit-task"):
    """Change fields of a task; None leaves one as it is. What was backed up stays as it is. Answer: {name}."""

    task: str
    everything: bool | None = None
    fixed: bool | None = None
    accounts: tuple[str, ...] | None = None
    exclude: tuple[str, ...] | None = None
    groups: tuple[str, ...] | None = None
    exclude_paths: tuple[str, ...] | None = None
    keep: str | None = None
    keep_gone: str | None = None
    mode: str | None = None
    cron: str | None = None
    tz: str | None = None
    window: str | None = None
    priority: int | None = None
    paused: bool | None = None
    objective: str | None = None


class RemoveTask(Command, frozen=True, tag="remove-task"):
    """Forget a task. Its accounts keep their data, or give it up with the next prune when `drop` is set.

    Answer: {name}.
    """

    task: str
    drop: bool = False


class ChangeTasks(Command, frozen=True, tag="change-tasks"):
    """Add, edit and remove tasks at once; what the removed ones backed up is kept. Answer: {}."""

    add: tuple[PutTask, ...] = ()
    edit: tuple[EditTask, ...] = ()
    remove: tuple[str, ...] = ()


class RenameTask(Command, frozen=True, tag="rename-task"):
    """Call a task `name` from now on; its accounts and its history of runs go with it. Answer: {name}."""

    task: str
    name: str


class Selection(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What to bring back: items of one account at one snapshot. No item_ids means everything.

    A folder's id stands for all that lies in it at that snapshot.
    """

    account_id: str
    seq: int
    item_ids: tuple[str, ...] = ()


class FindItems(Command, frozen=True, tag="find-items"):
    """Find what somebody names who can't look into the catalogs: the fields of naming.Wanted, and a `target` account.

    Answer: {selection: the fields of Selection, target_account_id: None without a `target`}.
    """

    account: str
    paths: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    task: str | None = None
    at: str | None = None
    target: str | None = None


class Restore(Command, frozen=True, tag="restore"):
    """Write items back to Microsoft 365. With dry_run only the plan is made.

    target_account_id None is the original; place is "new-folder", "new-folder:NAME" or "in-place"; on_conflict
    is skip, keep-both or overwrite. Answer: the fields of cli.md's restore.
    """

    selections: tuple[Selection, ...]
    target_account_id: str | None = None
    place: str = "new-folder"
    on_conflict: str = "skip"
    dry_run: bool = False
    wait: bool = True


class Export(Command, frozen=True, tag="export"):
    """Write items as files below the absolute folder or into the .zip file `to`.

    form is native, eml or json. With dry_run it answers the counts only. Answer: {job, outcome, files, bytes}.
    """

    selections: tuple[Selection, ...]
    to: str
    form: str = "native"
    overwrite: bool = False
    dry_run: bool = False
    wait: bool = True


class ResumeJob(Command, frozen=True, tag="resume-job"):
    """Let a restore or export go on that was cut off, was cancelled or left something undone, as the same job.

    What it has written stays as it is. Answer: that of the restore or export.
    """

    job: int
    wait: bool = True


class UndoJob(Command, frozen=True, tag="undo-job"):
    """Take away again what a restore has written, to where the service keeps what is deleted, as a job of its own.

    What is no longer as it was written stays, and what took the place of another item.
    Answer: {job, outcome, removed, gone, kept, failed, errors}.
    """

    job: int
    wait: bool = True


class Prune(Command, frozen=True, tag="prune"):
    """Give up what retention lets go, and the space it took, of one `repository` or all. With dry_run nothing changes.

    Answer: the fields of cli.md's prune; `leaves_at` is when the reclaimable bytes may go, null without any.
    """

    dry_run: bool = False
    wait: bool = True
    repository: str = ""


class AddHold(Command, frozen=True, tag="hold-add"):
    """Keep everything of an account, or of all accounts of a task, until then or for ever. Answer: {name}."""

    account_id: str = ""
    task: str = ""
    until: datetime | None = None


class RemoveHold(Command, frozen=True, tag="hold-remove"):
    """Let retention have its way again. Answer: {name}."""

    hold: str


class AckOwed(Command, frozen=True, tag="owed-ack"):
    """Put up with a debt: it stays listed and is tried again, but makes no run partial any more. Answer: {name}.

    `owed_id` is an id as `tuiback owed` lists it; account_id "" means the account that has one of that id.
    """

    owed_id: str
    account_id: str = ""


class FindCoverage(Command, frozen=True, tag="coverage"):
    """See which accounts of all tenants no task protects. Answer: {rows: [{account, kind, reason, ...}], troubles}."""


class Check(Command, frozen=True, tag="check"):
    """Prove one `repository` or all whole: the structure, and of the packs so many percent, the longest unseen.

    Answer: {job, outcome, packs, packs_verified, damaged, errors}; the job is the last repository's.
    """

    percent: float = 0.0
    wait: bool = True
    repository: str = ""


class MakeCheckpoint(Command, frozen=True, tag="checkpoint"):
    """Write down all that is kept, so that starts need not read the commits before. Answer: {job, outcome, errors}."""

    wait: bool = True


class CancelJob(Command, frozen=True, tag="cancel-job"):
    """Stop a restore, export or prune after what is in work. Answer: {}."""

    job: int


class TakeOver(Command, frozen=True, tag="take-over"):
    """Let this home be the only one that writes to its repositories: others refuse to from now on. Answer: {}."""


class Leave(Command, frozen=True, tag="leave"):
    """Ask the hosting engine to end: "checkpoint" stops runs cleanly first. Answer: {} before it goes."""

    how: str = "checkpoint"


class SetLimits(Command, frozen=True, tag="limits"):
    """How many accounts and files may be in work at once, and how fast they may be read; None leaves one as it is.

    `rate` is "50mbit", "mon-fri 08-18 20mbit; 100mbit" or "off", its hours in the zone `tz`. It lasts over restarts.
    Answer: {accounts, files, cap, rate, tz}.
    """

    accounts: int | None = None
    files: int | None = None
    rate: str | None = None
    tz: str | None = None


class AckAlert(Command, frozen=True, tag="ack-alert", kw_only=True):
    """Somebody knows of the open alert, which asks for nobody until there is more of it. Answer: {name}."""

    alert: str


AnyCommand = (
    RunTasks | StopTask | PauseTask | PutTenant | EditTenant | RemoveTenant | CheckTenant | RenewTenant | PutTask
    | EditTask | RemoveTask | RenameTask | ChangeTasks | Check | MakeCheckpoint | FindItems | Restore | Export | Prune
    | AddHold | RemoveHold | AckOwed | FindCoverage | CancelJob | ResumeJob | UndoJob | Leave | TakeOver
    | SetLimits | AckAlert
)


class Hello(msgspec.Struct, frozen=True, kw_only=True):
    """The first frame each side sends: who is there and what it speaks.

    Of any protocol ever to come its `protocol`, `version` and `pid` can be read. `grants` is what the engine lets the
    other side do: a Role, STRANGER, or "" from an engine that asked nobody.
    """

    protocol: int
    version: str
    pid: int = 0
    role: str = ""
    time: datetime | None = None
    origin: str = ""
    grants: str = ""
