"""`demo`: a simulated tenant and a marked home, backed up before one's eyes."""

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click

from tuiback.cli.engaging import secret_source
from tuiback.cli.invocation import Invocation
from tuiback.cli.opening import is_terminal, show_console
from tuiback.cli.output import Column, Output, Row, field
from tuiback.cli.running import ended_picture, exit_code, trouble_of
from tuiback.cli.secret import new_secrets
from tuiback.cli.setup import make_repository
from tuiback.cli.simulate import TenantSize, tenant_size_options
from tuiback.cli.tenant_process import SimulatedTenant, TenantProcess
from tuiback.cli.waiting import await_answer, run_line
from tuiback.cli.wording import bytes_text
from tuiback.errors import UsageError

if TYPE_CHECKING:
    from tuiback.engine.archives.view import View
    from tuiback.engine.home import Home
    from tuiback.engine.hosting.link import Link

TENANT = "demo"
_LOG = "simulated-tenant.log"
_KEY_FILE = "demo.key"
_RUN_FIELDS = (
    "run", "items_new", "items_changed", "items_removed", "items_unchanged", "bytes_read", "bytes_stored", "requests",
    "throttled", "seconds",
)  # fmt: skip
_COLUMNS = (
    field("TASK", "name"),
    field("OUTCOME", "outcome"),
    field("ACCOUNTS", "accounts", right=True),
    field("ITEMS", "items", right=True),
    Column("SIZE", lambda row: bytes_text(row["bytes"]), right=True),
    field("NEW", "items_new", right=True),
    field("UNCHANGED", "items_unchanged", right=True),
    field("OWED", "owed", right=True),
    field("REQUESTS", "requests", right=True),
    Column("SECONDS", lambda row: f"{row['seconds']:.1f}", right=True),
)


@click.command()
@tenant_size_options
@click.option("--once", is_flag=True, help="Without the console: run every task once, tell the outcome, end.")
@click.pass_obj
def demo(call: Invocation, /, once: bool, **size: Any) -> int:  # noqa: ANN401 - TenantSize's fields
    """Back a simulated tenant up and watch it live."""
    headless = once or call.output.as_json or not is_terminal()
    tenant = TenantSize(**size)
    with demo_home(call.options.home) as home, TenantProcess(tenant, earlier_port(home), home.path / _LOG) as process:
        if headless:
            return _run_once(call.output, home, process)
        return _show(home, process)


@contextmanager
def demo_home(named: str | None) -> "Iterator[Home]":
    """The demonstration's home: a temporary one, or the one named, made if it is missing.

    Raises UsageError where a real home is.
    """
    from tuiback.engine.home import HOME_FILE, Home, find_home_path

    if named is None:
        folder = Path(tempfile.mkdtemp(prefix="tuiback-demo-"))
        try:
            yield make_demo_home(folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        return
    path = find_home_path(named, {})
    home = Home.open(path) if (path / HOME_FILE).exists() else make_demo_home(path)
    if not home.demo:
        raise UsageError("holds real backups", str(path), "choose another folder with --home")
    yield home


def make_demo_home(path: Path) -> "Home":
    """A home marked as a demonstration, with the key lying openly beside the data."""
    from tuiback.engine.home import MAIN, Home

    home = Home.create(path, demo=True)
    key_file = path / _KEY_FILE
    make_repository(home, MAIN, None, None, secrets=new_secrets(key_file, {}, None), key_file=key_file)
    return home


def earlier_port(home: "Home") -> int:
    """The port that the home's simulated tenant answered at before, 0 when it is new.

    Cursors are links to where they were given out: on another port they would lead to a stranger.
    """
    from tuiback.engine.archives.view import View
    from tuiback.engine.home import MAIN

    view = View(home)
    ports = [urlsplit(tenant.graph_url).port for tenant in view.reader(MAIN).tenants() if tenant.name == TENANT]
    view.close()
    return (ports[0] or 0) if ports else 0


def add_demo_tasks(link: "Link", home: "Home", tenant: SimulatedTenant) -> None:
    """Make the simulated tenant known, where it answers this time, and a task for each service."""
    from tuiback.connectors import CONNECTORS
    from tuiback.engine.archives.view import View
    from tuiback.engine.commands import PutTask, PutTenant
    from tuiback.engine.home import MAIN

    link.submit(
        PutTenant(
            name=TENANT,
            tenant_id=tenant.tenant_id,
            client_id=tenant.client_id,
            cloud="custom",
            graph_url=tenant.graph_url,
            authority=tenant.authority,
            credential_kind="secret",
            credential=tenant.client_secret,
        )
    ).result()
    view = View(home)
    there = {task.name for task in view.reader(MAIN).tasks()}
    view.close()
    for service in (connector.service for connector in CONNECTORS):
        if service not in there:
            link.submit(PutTask(name=service, tenant=TENANT, service=service, everything=True)).result()


def _run_once(output: Output, home: "Home", process: TenantProcess) -> int:
    from tuiback.engine.archives.view import View
    from tuiback.engine.commands import RunTasks
    from tuiback.engine.hosting.link import host

    link = host(home, "run", secret_source())
    try:
        add_demo_tasks(link, home, process.wait_until_served())
        runs = await_answer(link, link.submit(RunTasks()), output, run_line)["runs"]
        picture = ended_picture(link, runs)
    finally:
        link.close()
    view = View(home)
    fields = demo_fields(view, runs)
    view.close()
    if output.as_json:
        output.document("demo", {"home": str(home.path), **fields})
    else:
        _tell(output, fields)
    output.trouble(trouble_of(runs, picture))
    return exit_code(runs)


def demo_fields(view: "View", runs: Sequence[Row]) -> dict[str, Any]:
    """What `demo --once` tells: what each task protects now and what its run did."""
    from tuiback.engine.home import MAIN

    reader = view.reader(MAIN)
    services = {task.name: task.service for task in reader.tasks()}
    tasks = []
    for run in runs:
        accounts = reader.account_overview(run["task"])
        tasks.append({
            "name": run["task"],
            "service": services[run["task"]],
            "outcome": run["outcome"],
            "accounts": len(accounts),
            "items": sum(account.items for account in accounts),
            "bytes": sum(account.bytes for account in accounts),
            "owed": sum(account.owed for account in accounts),
            **{name: run[name] for name in _RUN_FIELDS},
        })
    totals = reader.totals()
    return {
        "tasks": tasks,
        "repository": {"logical_bytes": totals.logical_bytes, "stored_bytes": totals.stored_bytes},
    }


def _tell(output: Output, fields: Row) -> None:
    output.table(fields["tasks"], _COLUMNS)
    repository = fields["repository"]
    logical, stored = (bytes_text(repository[name]) for name in ("logical_bytes", "stored_bytes"))
    output.text(f"Repository: {logical} of data in {stored}")
    output.flush()


def _show(home: "Home", process: TenantProcess) -> int:
    secret_for = secret_source()

    def connect() -> "Link":
        from tuiback.engine.commands import RunTasks
        from tuiback.engine.hosting.link import host

        link = host(home, "console", secret_for)
        try:
            add_demo_tasks(link, home, process.wait_until_served())
            link.submit(RunTasks(wait=False))
        except BaseException:
            link.close()
            raise
        return link

    return show_console(home, connect, secret_for, demo=True)
