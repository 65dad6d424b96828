"""What a console, a command line or a portal can ask of the engine, wherever it runs.

Commands travel as JSON over the attach socket or by reference within the process; both ways are one code path.
"""

from datetime import datetime

import msgspec


class Command(msgspec.Struct, frozen=True, tag_field="command", kw_only=True):
    """The root of all commands."""


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


class PutTask(Command, frozen=True, tag="put-task"):
    """Add a task (see model.Task for the fields)."""

    name: str
    tenant: str
    service: str
    everything: bool = False
    fixed: bool = False
    accounts: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    keep: str = "all"
    keep_gone: str = "forever"
    mode: str = "manual"
    cron: str = ""
    tz: str = ""
    window: str = ""
    priority: int = 0


class EditTask(Command, frozen=True, tag="edit-task"):
    """Change fields of a task; None leaves one as it is. What was backed up stays as it is. Answer: {name}."""

    task: str
    everything: bool | None = None
    fixed: bool | None = None
    accounts: tuple[str, ...] | None = None
    exclude: tuple[str, ...] | None = None
    keep: str | None = None
    keep_gone: str | None = None
    mode: str | None = None
    cron: str | None = None
    tz: str | None = None
    window: str | None = None
    priority: int | None = None


class RemoveTask(Command, frozen=True, tag="remove-task"):
    """Forget a task. Its accounts keep their data, or give it up with the next prune when `drop` is set.

    Answer: {name}.
    """

    task: str
    drop: bool = False


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """What to bring back: items of one account at one snapshot. No item_ids means everything.

    A folder's id stands for all that lies in it at that snapshot.
    """

    account_id: str
    seq: int
    item_ids: tuple[str, ...] = ()


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
    reason: str = ""


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


class Prune(Command, frozen=True, tag="prune"):
    """Give up what retention lets go, and the space it took, of every repository. With dry_run nothing changes.

    Answer: the fields of cli.md's prune; `leaves_at` is when the reclaimable bytes may go, null without any.
    """

    dry_run: bool = False
    wait: bool = True


class CancelJob(Command, frozen=True, tag="cancel-job"):
    """Stop a restore, export or prune after what is in work. Answer: {}."""

    job: int


class Leave(Command, frozen=True, tag="leave"):
    """Ask the hosting engine to end: "checkpoint" stops runs cleanly first. Answer: {} before it goes."""

    how: str = "checkpoint"


class SetLimits(Command, frozen=True, tag="limits"):
    """How many accounts and files may be in work at once. Answer: {accounts, files}."""

    accounts: int | None = None
    files: int | None = None


AnyCommand = (
    RunTasks | StopTask | PauseTask | PutTenant | PutTask | EditTask | RemoveTask | Restore | Export | Prune
    | CancelJob | Leave | SetLimits
)


class Hello(msgspec.Struct, frozen=True, kw_only=True):
    """The first frame each side sends: who is there and what it speaks."""

    protocol: int
    version: str
    pid: int
    role: str
    time: datetime
