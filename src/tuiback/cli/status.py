"""`status`: everything at a glance, from the running engine, else from what the catalogs know."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import click
import msgspec

from tuiback import __version__
from tuiback.cli.engaging import open_view
from tuiback.cli.invocation import Invocation
from tuiback.cli.output import Column, Output, Row, field
from tuiback.cli.tenant_rows import tenant_fields
from tuiback.cli.wording import bytes_text, safe_line, time_text
from tuiback.errors import TuibackError
from tuiback.model import AlertStatus, EngineStatus, StorageStatus, Task, TaskState, TaskStatus

_STOPPED = {"state": "stopped", "pid": None, "host": None, "since": None, "version": __version__}
# States of accounts in the order of how much they ask for somebody.
_WORST_FIRST = ("failed", "late", "never", "gone", "ok")

_FIELDS = (
    "name", "tenant", "service", "mode", "state", "accounts", "gone", "owed", "last_run_at", "last_ok_at",
    "last_outcome", "next_run_at",
)  # fmt: skip
_LIVE_FIELDS = (
    "run", "accounts_done", "items_done", "items_expected", "items_per_second", "bytes_per_second", "bytes_read",
    "bytes_stored", "throttled", "failed", "eta_seconds",
)  # fmt: skip
_STORAGE_FIELDS = ("name", "url", "logical_bytes", "stored_bytes", "catalog_bytes", "search_lag")

TASK_COLUMNS = (
    field("TASK", "name"),
    field("TENANT", "tenant"),
    field("SERVICE", "service"),
    field("MODE", "mode"),
    field("STATE", "state"),
    field("ACCOUNTS", "accounts", right=True),
    field("GONE", "gone", right=True),
    field("OWED", "owed", right=True),
    Column("LAST RUN", lambda row: time_text(row["last_run_at"])),
    field("OUTCOME", "last_outcome"),
    Column("NEXT RUN", lambda row: time_text(row["next_run_at"])),
)


@click.command()
@click.option("--monitor", is_flag=True, help="One line and the exit code of a monitoring plugin (Nagios, Icinga).")
@click.pass_obj
def status(call: Invocation, monitor: bool) -> int:
    """Show the engine, the tasks, the throttles and the storage at a glance."""
    if monitor:
        return _monitor(call)
    fields = status_fields(current_picture(call))
    if call.output.as_json:
        call.output.document("status", fields)
    else:
        _show(call.output, fields)
    return 0


def _monitor(call: Invocation) -> int:
    from tuiback.cli.monitor import State, line_of, monitor_line

    try:
        picture = current_picture(call, with_disks=True)
        state, line = monitor_line(picture, () if picture.engine.pid else _tasks(call), datetime.now(UTC))
    except TuibackError as error:
        state, line = State.UNKNOWN, line_of(State.UNKNOWN, str(error))
    call.output.text(line)
    return state


def _tasks(call: Invocation) -> list[Task]:
    with open_view(call) as view:
        return [task for _, task in view.tasks()]


def find_status(call: Invocation) -> EngineStatus | None:
    """The running engine's picture of this moment; None where no engine runs."""
    from tuiback.engine.hosting.glance import look

    return look(call.home_path)


def current_picture(call: Invocation, *, with_disks: bool = False) -> EngineStatus:
    """How everything stands: as the running engine says, else as the catalogs remember.

    `with_disks` asks the repositories themselves how full their volumes are where no engine does.
    """
    picture = find_status(call)
    if picture is not None:
        return picture
    from tuiback.cli.at_rest import picture_at_rest

    with open_view(call) as view:
        return picture_at_rest(view, with_disks=with_disks)


def task_fields(task: TaskStatus) -> Row:
    """One task as `task list` tells it."""
    return {name: getattr(task, name) for name in _FIELDS}


def status_fields(picture: EngineStatus) -> dict[str, Any]:
    """The document of `status`."""
    return {
        "engine": msgspec.to_builtins(picture.engine) if picture.engine.pid else _STOPPED,
        "tasks": [{name: getattr(task, name) for name in (*_FIELDS, *_LIVE_FIELDS)} for task in picture.tasks],
        "tenants": [tenant_fields(tenant) for tenant in picture.tenants],
        "throttles": list(picture.throttles),
        "limits": {"accounts": list(picture.accounts), "files": list(picture.files)},
        "storage": [_storage_fields(storage) for storage in picture.storage],
        "health": {"state": _health(picture.tasks, picture.standing), "accounts": dict(picture.standing)},
        "alerts": [_alert_fields(alert) for alert in picture.alerts],
        "version": __version__,
    }


def _alert_fields(alert: AlertStatus) -> Row:
    return {
        "id": alert.alert,
        "severity": alert.severity,
        "since": alert.since,
        "subject": alert.subject,
        "text": alert.text,
        "remedy": alert.remedy,
        "acked": alert.acked,
    }


def _storage_fields(storage: StorageStatus) -> Row:
    return {name: getattr(storage, name) for name in _STORAGE_FIELDS}


def _health(tasks: Sequence[TaskStatus], accounts: Mapping[str, int]) -> str:
    if any(task.state in (TaskState.ERROR, TaskState.DISK) for task in tasks):
        return "failed"
    if any(task.state is TaskState.PARTIAL or task.owed for task in tasks) or accounts.get("failed"):
        return "partial"
    return "ok"


def _show(output: Output, fields: Row) -> None:
    engine = fields["engine"]
    running = f"{engine['state']}, {engine['host']} (process {engine['pid']})" if engine["pid"] else "not running"
    if engine["pid"] and engine["version"] != fields["version"]:
        from tuiback.engine.hosting.glance import RESTART

        running += f", tuiback {engine['version']}; this is {fields['version']}: {RESTART}"
    accounts = fields["health"]["accounts"]
    told = ", ".join(f"{accounts[state]} {state}" for state in _WORST_FIRST if accounts.get(state))
    output.text(f"Health    {fields['health']['state']}")
    output.text(f"Engine    {running}")
    output.text(f"Accounts  {told or 'none yet'}")
    for tenant in fields["tenants"]:
        credential = tenant["credential"]
        ends = f", {credential['kind']} until {credential['expires_on']}" if credential["expires_on"] else ""
        output.text(f"Tenant    {tenant['name']}{ends}, {tenant['consent'] or 'not checked yet'}")
    for storage in fields["storage"]:
        sizes = f"{bytes_text(storage['logical_bytes'])} of data in {bytes_text(storage['stored_bytes'])}"
        output.text(f"Storage   {storage['name']}: {sizes}, {storage['url']}")
        if storage["search_lag"]:
            output.text(f"Search    {storage['name']}: {storage['search_lag']:,} items are not indexed yet")
    for throttle in fields["throttles"]:
        if throttle.wait_seconds > 0:
            output.text(f"Throttle  {throttle.service} asks us to wait {throttle.wait_seconds:.0f} s")
    for alert in fields["alerts"]:
        if not alert["acked"]:
            output.text(f"Alert     {alert['severity']}: {safe_line(alert['subject'])}: {safe_line(alert['text'])}")
    if fields["tasks"]:
        output.text("")
        output.table(fields["tasks"], TASK_COLUMNS)
    else:
        output.text("No tasks yet: tuiback task add NAME --tenant T --service S --all")
