"""`task`: what is backed up, when, and for how long it is kept."""

import sys
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

import click
from msgspec.structs import asdict

from tuiback.cli.arguments import check_name, expand_lists
from tuiback.cli.engaging import engine_link, open_view, reach_home
from tuiback.cli.groups import WholeGroup
from tuiback.cli.invocation import Invocation
from tuiback.cli.status import TASK_COLUMNS, current_picture, task_fields
from tuiback.errors import NoSuchThing, UsageError

if TYPE_CHECKING:
    from tuiback.engine.home import Home

CommandT = TypeVar("CommandT", bound=Callable[..., Any])


def check_service(ctx: click.Context, param: click.Parameter, value: str) -> str:
    """A callback for the name of a service that there is a connector for."""
    from tuiback.connectors import CONNECTORS

    services = [connector.service for connector in CONNECTORS]
    if value not in services:
        raise click.BadParameter(f"{value!r} is not one of {', '.join(services)}", ctx, param)
    return value


def check_keep(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """A callback for the rules of --keep and --keep-gone."""
    if value is not None and value != param.default:
        from tuiback.engine.settings.retention import parse_keep, parse_keep_gone

        try:
            (parse_keep if param.name == "keep" else parse_keep_gone)(value)
        except UsageError as error:
            raise click.BadParameter(f"{value!r} {error.what}: {error.remedy}", ctx, param) from error
    return value


def check_patterns(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    """A callback for patterns of paths, which may stand in a list."""
    patterns = expand_lists(ctx, param, values)
    if patterns:
        from tuiback.engine.settings.left_out import LeftOut

        try:
            LeftOut(patterns)
        except UsageError as error:
            raise click.BadParameter(f"{error.subject!r} {error.what}: {error.remedy}", ctx, param) from error
    return patterns


def plan_options(*, default: bool) -> Callable[[CommandT], CommandT]:
    """The options of `add` and `edit` that say when a task runs and what it keeps; in `edit` none has a default."""

    def given(value: str) -> str | None:
        return value if default else None

    options = (
        click.option("--group", "groups", multiple=True, callback=expand_lists, metavar="G",
                     help="Its members and those of groups in it, by name or id; looked up at each run."),
        click.option("--exclude-path", "exclude_paths", multiple=True, callback=check_patterns, metavar="GLOB",
                     help="Leave out folders and files, as in a .gitignore file: '*.iso', 'Documents/old/'. "
                     "What was backed up before stays as it was then; mail folders count, messages do not."),
        click.option("--exclude", multiple=True, callback=expand_lists, metavar="A", help="Never these; @FILE."),
        click.option("--mode", type=click.Choice(["manual", "scheduled", "continuous"]), default=given("manual"),
                     help="continuous: again and again, sooner where much changes, never sooner than Microsoft asks."),
        click.option("--cron", default=given(""), metavar="EXPR", help="When it is scheduled: '0 22 * * *'."),
        click.option("--tz", default=given(""), metavar="ZONE", help="The zone of --cron and --window: Europe/Berlin."),
        click.option("--window", default=given(""), metavar="HOURS", help="'mon-fri 20:00-06:00,sat-sun'."),
        click.option("--keep", default=given("all"), callback=check_keep, metavar="RULE",
                     help="all, 365d, 30v or 7d,4w,12m,3y."),
        click.option("--keep-gone", default=given("forever"), callback=check_keep, metavar="TIME",
                     help="How long after an account has left: forever or 365d."),
        click.option("--objective", default=given(""), metavar="TIME", help="Late without an ok run in: 26h, 8d."),
        click.option("--priority", type=int, default=0 if default else None, metavar="N", help="Higher ones go first."),
    )  # fmt: skip

    def decorate(command: CommandT) -> CommandT:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


@click.group(cls=WholeGroup)
def task() -> None:
    """Add, list and change what is backed up."""


@task.command("add")
@click.argument("name", callback=check_name)
@click.option("--tenant", required=True, help="Whose data.")
@click.option("--service", required=True, callback=check_service, help="exchange or onedrive.")
@click.option("--all", "everything", is_flag=True, help="All accounts of the service, new ones too.")
@click.option("--fixed", is_flag=True, help="With --all: the accounts there are today only.")
@click.option("--account", "accounts", multiple=True, callback=expand_lists, metavar="A", help="Repeatable; @FILE.")
@plan_options(default=True)
@click.pass_obj
def add_task(
    call: Invocation,
    /,
    name: str,
    tenant: str,
    everything: bool,
    fixed: bool,
    accounts: tuple[str, ...],
    **given: Any,  # noqa: ANN401
) -> None:
    """Add a task: a service and its accounts."""
    from tuiback.engine.commands import PutTask

    if everything == bool(accounts or given["groups"]):
        raise UsageError("give either --all, or --account and --group", name, "say which accounts it protects")
    if fixed and not everything:
        raise UsageError("--fixed goes with --all", name, "leave it out: named accounts are fixed anyway")
    home = reach_home(call)
    _check_new(call, home, name, tenant)
    command = PutTask(name=name, tenant=tenant, everything=everything, fixed=fixed, accounts=accounts, **given)
    with engine_link(home) as link:
        link.submit(command).result()
    call.output.added("task-add", name, f"Task {name} added. Next: tuiback run {name}")


@task.command("edit")
@click.argument("name")
@click.option("--all", "everything", is_flag=True, help="All accounts of the service, new ones too.")
@click.option("--fixed", is_flag=True, help="With --all: the accounts there are today only.")
@click.option("--account", "accounts", multiple=True, callback=expand_lists, metavar="A", help="Only these.")
@plan_options(default=False)
@click.pass_obj
def edit_task(
    call: Invocation,
    /,
    name: str,
    everything: bool,
    fixed: bool,
    accounts: tuple[str, ...],
    **given: Any,  # noqa: ANN401
) -> None:
    """Change a task; what it backed up stays. Only the options given change anything."""
    from tuiback.engine.commands import EditTask

    groups = given.pop("groups")
    if everything and (accounts or groups):
        raise UsageError("give either --all, or --account and --group", name, "say which accounts it protects")
    scope: dict[str, Any] = {}
    if everything:
        scope = {"everything": True, "fixed": fixed, "accounts": (), "groups": ()}
    elif accounts or groups:
        scope = {"everything": False, "fixed": False, "accounts": accounts, "groups": groups}
    for name_of_list in ("exclude", "exclude_paths"):
        given[name_of_list] = given[name_of_list] or None
    command = EditTask(task=name, **scope, **given)
    with engine_link(reach_home(call)) as link:
        link.submit(command).result()
    call.output.added("task-edit", name, f"Task {name} changed")


@task.command("rename")
@click.argument("old")
@click.argument("new", callback=check_name)
@click.pass_obj
def rename_task(call: Invocation, old: str, new: str) -> None:
    """Call a task something else; its accounts and its history of runs go with it."""
    from tuiback.engine.commands import RenameTask

    with engine_link(reach_home(call)) as link:
        link.submit(RenameTask(task=old, name=new)).result()
    call.output.added("task-rename", new, f"Task {old} is called {new} now")


@task.command("pause")
@click.argument("name")
@click.pass_obj
def pause_task(call: Invocation, name: str) -> None:
    """Keep a task from running; a run in progress stops at a checkpoint."""
    _set_paused(call, name, paused=True)


@task.command("resume")
@click.argument("name")
@click.pass_obj
def resume_task(call: Invocation, name: str) -> None:
    """Let a paused task run again."""
    _set_paused(call, name, paused=False)


@task.command("remove")
@click.argument("name")
@click.option("--data", type=click.Choice(["keep", "drop"]), help="What becomes of what it backed up.")
@click.pass_obj
def remove_task(call: Invocation, name: str, data: str | None) -> None:
    """Forget a task; say whether its data is kept or given up."""
    from tuiback.engine.commands import RemoveTask

    if data is None:
        question = f"Keep what {name} backed up? 'drop' gives it up for good"
        if not sys.stdin.isatty():
            raise UsageError("say what becomes of its data", name, "add --data keep or --data drop")
        data = str(click.prompt(question, type=click.Choice(["keep", "drop"]), default="keep", err=True))
    with engine_link(reach_home(call)) as link:
        link.submit(RemoveTask(task=name, drop=data == "drop")).result()
    after = "its data stays" if data == "keep" else "its space is freed by 'tuiback prune'"
    call.output.added("task-remove", name, f"Task {name} removed; {after}")


@task.command("show")
@click.argument("name")
@click.pass_obj
def show_task(call: Invocation, name: str) -> None:
    """Show a task's plan and how it stands."""
    with open_view(call) as view:
        plan = next((task for _, task in view.tasks() if task.name == name), None)
        if plan is None:
            raise NoSuchThing("no such task", name, "see 'tuiback task list'")
    standing = next(task for task in current_picture(call).tasks if task.name == name)
    from tuiback.engine.timing.pace import least_pause_seconds

    # `accounts` says how many there are, as in the list.
    fields = {**asdict(plan), **task_fields(standing), "named_accounts": plan.accounts}
    # What Microsoft asks of those who ask it again and again.
    fields["least_pause_seconds"] = least_pause_seconds(plan.service) if plan.mode == "continuous" else None
    if call.output.as_json:
        call.output.document("task-show", fields)
        return
    for key, value in fields.items():
        if value not in ("", (), None):
            call.output.text(f"{key.replace('_', ' '):14} {shown(value)}")


def shown(value: object) -> str:
    """A field's value for people."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return f"{value.astimezone():%Y-%m-%d %H:%M}"
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _set_paused(call: Invocation, name: str, *, paused: bool) -> None:
    from tuiback.engine.commands import PauseTask

    with engine_link(reach_home(call)) as link:
        link.submit(PauseTask(task=name, paused=paused)).result()
    verb = "pause" if paused else "resume"
    call.output.added(f"task-{verb}", name, f"Task {name} {verb}d")


def _check_new(call: Invocation, home: "Home", name: str, tenant: str) -> None:
    """Refuse before an engine is started for it; where only the engine knows, it refuses itself."""
    from tuiback.engine.home import ClosedHome

    if isinstance(home, ClosedHome):
        return
    with open_view(call) as view:
        if any(task.name == name for _, task in view.tasks()):
            raise UsageError("a task of this name is there already", name, "choose another name")
        if not any(known.name == tenant for _, known in view.tenants()):
            raise NoSuchThing("there is no such tenant", tenant, "see 'tuiback tenant list'")


@task.command("list")
@click.pass_obj
def list_tasks(call: Invocation) -> None:
    """List the tasks and how they stand."""
    rows = [task_fields(task) for task in current_picture(call).tasks]
    call.output.listing("task-list", "tasks", rows, TASK_COLUMNS)
