"""`status`: everything at a glance, from the running engine, else from what the catalogs know."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click
import msgspec

from tuiback import __version__
from tuiback.cli.engaging import open_view
from tuiback.cli.invocation import Invocation
from tuiback.cli.output import Column, Output, Row, field
from tuiback.cli.tenant_rows import tenant_fields
from tuiback.cli.waiting import await_picture
from tuiback.cli.wording import bytes_text, safe_line, time_text
from tuiback.errors import TuibackError
from tuiback.model import AlertStatus, EngineStatus, TaskState, TaskStatus

if TYPE_CHECKING:
    from tuiback.engine.view import View

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
)


@click.command()
@click.option("--monitor", is_flag=True, help="One line and the exit code of a monitoring plugin (Nagios, Icinga).")
@click.pass_obj
def status(call: Invocation, monitor: bool) -> int:
    """Show the engine, the tasks, the throttles and the storage at a glance."""
    if monitor:
        return _monitor(call)
    with open_view(call) as view:
        picture = find_status(call)
        fields = status_fields(picture, view)
    if call.output.as_json:
        call.output.document("status", fields)
    else:
        _show(call.output, fields)
    return 0


def _monitor(call: Invocation) -> int:
    from tuiback.cli.at_rest import picture_at_rest
    from tuiback.cli.monitor import State, line_of, monitor_line

    try:
        with open_view(call) as view:
            picture = find_status(call) or picture_at_rest(view)
            state, line = monitor_line(picture, [task for _, task in view.tasks()], datetime.now(UTC))
    except TuibackError as error:
        state, line = State.UNKNOWN, line_of(State.UNKNOWN, str(error))
    call.output.text(line)
    return state


def find_status(call: Invocation) -> EngineStatus | None:
    """The running engine's picture of this moment; None where no engine runs."""
    from tuiback.engine.link import attach

    link = attach(call.home_path)
    if link is None:
        return None
    try:
        return await_picture(link, bool)
    finally:
        link.close()


def current_tasks(picture: EngineStatus | None, view: "View") -> Sequence[TaskStatus]:
    """How every task stands: as the engine says, else as the catalogs remember."""
    if picture is not None:
        return picture.tasks
    from tuiback.cli.at_rest import tasks_at_rest

    return tasks_at_rest(view)


def task_fields(task: TaskStatus) -> Row:
    """One task as `task list` tells it."""
    return {name: getattr(task, name) for name in _FIELDS}


def status_fields(picture: EngineStatus | None, view: "View") -> dict[str, Any]:
    """The document of `status`."""
    from tuiback.engine.lateness import ok_since

    tasks = current_tasks(picture, view)
    now = datetime.now(UTC)
    accounts: Counter[str] = Counter()
    for _, reader in view.readers():
        accounts.update(reader.count_states(ok_since(reader.tasks(), now)))
    return {
        "engine": msgspec.to_builtins(picture.engine) if picture else _STOPPED,
        "tasks": [{**task_fields(task), **{name: getattr(task, name) for name in _LIVE_FIELDS}} for task in tasks],
        "tenants": [tenant_fields(tenant) for _, tenant in view.tenants()],
        "throttles": list(picture.throttles) if picture else [],
        "limits": _limits(picture),
        "storage": [_storage_fields(view, name) for name in view.home.repositories],
        "health": {"state": _health(tasks, accounts), "accounts": dict(accounts)},
        "alerts": [_alert_fields(alert) for alert in _alerts(picture, view)],
        "version": __version__,
    }


def _alerts(picture: EngineStatus | None, view: "View") -> Sequence[AlertStatus]:
    if picture is not None:
        return picture.alerts
    from tuiback.cli.at_rest import alerts_at_rest

    return alerts_at_rest(view.home)


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


def _limits(picture: EngineStatus | None) -> Row:
    if picture is None:
        return {"accounts": [], "files": []}
    return {"accounts": list(picture.accounts), "files": list(picture.files)}


def _storage_fields(view: "View", repository: str) -> Row:
    ref = view.home.repository(repository)
    reader = view.reader(repository)
    totals = reader.totals()
    return {
        "name": repository,
        "url": ref.url,
        "logical_bytes": totals.logical_bytes,
        "stored_bytes": totals.stored_bytes,
        "catalog_bytes": totals.catalog_bytes,
        "search_lag": reader.search_lag(),
    }


def _health(tasks: Sequence[TaskStatus], accounts: Mapping[str, int]) -> str:
    if any(task.state in (TaskState.ERROR, TaskState.DISK) for task in tasks):
        return "failed"
    if any(task.state is TaskState.PARTIAL or task.owed for task in tasks) or accounts.get("failed"):
        return "partial"
    return "ok"


def _show(output: Output, fields: Row) -> None:
    engine = fields["engine"]
    running = f"{engine['state']}, {engine['host']} (process {engine['pid']})" if engine["pid"] else "not running"
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
