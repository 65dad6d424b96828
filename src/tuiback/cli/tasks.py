"""`task add` and `task list`: what is backed up."""

from typing import TYPE_CHECKING

import click

from tuiback.cli.arguments import check_name, expand_lists
from tuiback.cli.engaging import engine_link, open_home, open_view
from tuiback.cli.invocation import Invocation
from tuiback.cli.status import TASK_COLUMNS, current_tasks, find_status, task_fields
from tuiback.errors import NoSuchThing, UsageError

if TYPE_CHECKING:
    from tuiback.engine.view import View


def check_service(ctx: click.Context, param: click.Parameter, value: str) -> str:
    """A callback for the name of a service that there is a connector for."""
    from tuiback.connectors import CONNECTORS

    services = [connector.service for connector in CONNECTORS]
    if value not in services:
        raise click.BadParameter(f"{value!r} is not one of {', '.join(services)}", ctx, param)
    return value


@click.group()
def task() -> None:
    """Add and list what is backed up."""


@task.command("add")
@click.argument("name", callback=check_name)
@click.option("--tenant", required=True, help="Whose data.")
@click.option("--service", required=True, callback=check_service, help="exchange or onedrive.")
@click.option("--all", "everything", is_flag=True, help="All accounts of the service, new ones too.")
@click.option("--fixed", is_flag=True, help="With --all: the accounts there are today only.")
@click.option("--account", "accounts", multiple=True, callback=expand_lists, metavar="A", help="Repeatable; @FILE.")
@click.option("--exclude", multiple=True, callback=expand_lists, metavar="A", help="Never these; @FILE.")
@click.pass_obj
def add_task(
    call: Invocation,
    name: str,
    tenant: str,
    service: str,
    everything: bool,
    fixed: bool,
    accounts: tuple[str, ...],
    exclude: tuple[str, ...],
) -> None:
    """Add a task: a service and its accounts."""
    from tuiback.engine.commands import PutTask

    if everything == bool(accounts):
        raise UsageError("give either --all or --account", name, "say which accounts it protects")
    if fixed and not everything:
        raise UsageError("--fixed goes with --all", name, "leave it out: named accounts are fixed anyway")
    home = open_home(call)
    with open_view(call) as view:
        _check_new(view, name, tenant)
    command = PutTask(
        name=name, tenant=tenant, service=service, everything=everything, fixed=fixed, accounts=accounts,
        exclude=exclude,
    )  # fmt: skip
    with engine_link(home) as link:
        link.submit(command).result()
    call.output.added("task-add", name, f"Task {name} added. Next: tuiback run {name}")


def _check_new(view: "View", name: str, tenant: str) -> None:
    if any(task.name == name for _, task in view.tasks()):
        raise UsageError("a task of this name is there already", name, "choose another name")
    if not any(known.name == tenant for _, known in view.tenants()):
        raise NoSuchThing("there is no such tenant", tenant, "see 'tuiback tenant list'")


@task.command("list")
@click.pass_obj
def list_tasks(call: Invocation) -> None:
    """List the tasks and how they stand."""
    with open_view(call) as view:
        rows = [task_fields(task) for task in current_tasks(find_status(call), view)]
    call.output.listing("task-list", "tasks", rows, TASK_COLUMNS)
