"""`restore` and `export`: brings items back to Microsoft 365, or out as files."""

from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from tuiback.cli.arguments import expand_lists
from tuiback.cli.engaging import engine_link, reach_home
from tuiback.cli.invocation import Invocation
from tuiback.cli.output import Output, Row
from tuiback.cli.waiting import await_answer, exit_code_of, job_line
from tuiback.cli.wording import bytes_text, count_text
from tuiback.engine.restores.naming import Wanted, get_target, select
from tuiback.engine.restores.points import parse_point
from tuiback.errors import Damage, UsageError

if TYPE_CHECKING:
    from tuiback.engine.commands import AnyCommand, Selection
    from tuiback.engine.home import Home

CommandT = TypeVar("CommandT", bound=Callable[..., Any])

ORIGINAL = "original"
OVERWRITE = "overwrite"
_TO_ACCOUNT = "account:"
_NEW_FOLDER = "new-folder"
_FORMATS = ("native", "eml", "json")


def what_to_bring_back(command: CommandT) -> CommandT:
    """Give a command the arguments of Wanted; --id is repeatable and takes @FILE."""
    for decorate in (
        click.option("--at", metavar="POINT", help="The point in time; the latest without it."),
        click.option("--task", help="The task that protects the account."),
        click.option("--id", "ids", multiple=True, callback=expand_lists, metavar="ID", help="Items by id; @FILE."),
        click.argument("paths", metavar="[PATH]...", nargs=-1),
        click.argument("account"),
    ):
        command = decorate(command)
    return command


def _check_target(ctx: click.Context, param: click.Parameter, value: str) -> str:
    if value == ORIGINAL or (value.startswith(_TO_ACCOUNT) and len(value) > len(_TO_ACCOUNT)):
        return value
    raise click.BadParameter(f"{value!r} is neither 'original' nor 'account:ACCOUNT'", ctx, param)


def _check_place(ctx: click.Context, param: click.Parameter, value: str) -> str:
    name = value.removeprefix(f"{_NEW_FOLDER}:")
    if value in (_NEW_FOLDER, "in-place") or (value != name and name):
        return value
    raise click.BadParameter(f"{value!r} is neither 'new-folder', 'new-folder:NAME' nor 'in-place'", ctx, param)


@click.command()
@what_to_bring_back
@click.option(
    "--to", "target", default=ORIGINAL, show_default=True, callback=_check_target, metavar="original|account:A"
)
@click.option(
    "--place", default=_NEW_FOLDER, show_default=True, callback=_check_place, metavar="new-folder[:NAME]|in-place"
)
@click.option("--on-conflict", type=click.Choice(["skip", "keep-both", OVERWRITE]), default="skip", show_default=True)
@click.option("--dry-run", is_flag=True, help="Only say what would be written.")
@click.option("--yes", is_flag=True, help="Overwrite without asking.")
@click.option("--reason", default="", help="Kept with the job.")
@click.pass_obj
def restore(call: Invocation, /, target: str, yes: bool, **given: Any) -> int:  # noqa: ANN401
    """Write items back to Microsoft 365: nothing is overwritten unless that is asked for."""
    from tuiback.engine.commands import Restore

    settings = {name: given.pop(name) for name in ("place", "on_conflict", "dry_run", "reason")}
    home = reach_home(call)
    named = None if target == ORIGINAL else target.removeprefix(_TO_ACCOUNT)
    selection, account_id = _find(home, Wanted(**given), named)
    if settings["on_conflict"] == OVERWRITE and not (settings["dry_run"] or yes):
        _confirm_overwriting(call.output)
    command = Restore(selections=(selection,), target_account_id=account_id, **settings)
    answer = _ask_engine(call, home, command, "restore")
    return _report(call.output, "restore", answer, _restore_summary(answer, dry_run=settings["dry_run"]))


@click.command()
@what_to_bring_back
@click.option("--to", "target", required=True, metavar="DIR|FILE.zip", help="A folder, or a .zip file to write.")
@click.option("--format", "form", type=click.Choice(_FORMATS), default="native", show_default=True)
@click.option("--overwrite", is_flag=True, help="Replace files that are there already.")
@click.pass_obj
def export(call: Invocation, /, target: str, form: str, overwrite: bool, **given: Any) -> int:  # noqa: ANN401
    """Write items as files, with tuiback-manifest.jsonl beside them."""
    from tuiback.engine.commands import Export

    home = reach_home(call)
    selection, _ = _find(home, Wanted(**given))
    command = Export(selections=(selection,), to=str(Path(target).absolute()), form=form, overwrite=overwrite)
    answer = _ask_engine(call, home, command, "export")
    files = count_text(answer["files"], "file")
    return _report(call.output, "export", answer, f"{files}, {bytes_text(answer['bytes'])}")


def _find(home: "Home", wanted: Wanted, target: str | None = None) -> "tuple[Selection, str | None]":
    """What is wanted, and the id of the account `target`; the engine is asked where the files are closed."""
    import msgspec

    from tuiback.engine.archives.view import View
    from tuiback.engine.commands import FindItems, Selection
    from tuiback.engine.home import ClosedHome

    if isinstance(home, ClosedHome):
        with engine_link(home) as link:
            # The words of a point mean what they mean here.
            at = None if wanted.at is None else str(parse_point(wanted.at, datetime.now(UTC)))
            named = asdict(replace(wanted, at=at))
            found = link.submit(FindItems(**named, target=target)).result()
        return msgspec.convert((found["selection"], found["target_account_id"]), tuple[Selection, str | None])
    view = View(home)
    try:
        selection = select(view, wanted)
        return selection, None if target is None else get_target(view, target, selection.account_id)
    finally:
        view.close()


def _confirm_overwriting(output: Output) -> None:
    if not output.watched:
        raise UsageError("overwriting needs --yes where nobody can be asked", remedy="look at --dry-run first")
    click.confirm("What is there now will be overwritten. Go on?", abort=True, err=True)


def _ask_engine(call: Invocation, home: "Home", command: "AnyCommand", kind: str) -> dict[str, Any]:
    with engine_link(home) as link:
        return await_answer(link, link.submit(command), call.output, job_line(kind))


def _report(output: Output, verb: str, answer: Row, summary: str) -> int:
    """Tell the answer, each item that failed by its name; the exit code. A dry run, which is no job, was asked for."""
    told = f"{verb} {answer['job'] or '(dry run)'}: {answer['outcome']}, {summary}"
    if output.as_json:
        output.document(verb, answer)
    if answer["outcome"] != "ok":
        output.trouble([told, *answer.get("errors", ())])
    elif answer["job"] or output.as_json:
        output.note(told)
    else:
        output.text(told)
    return Damage.exit_code if answer.get("damaged") else exit_code_of(answer["outcome"])


def _restore_summary(answer: Row, *, dry_run: bool) -> str:
    fields = answer["planned"] if dry_run else answer
    names = ("create", "overwrite", "skip", "conflict") if dry_run else ("restored", "skipped", "failed", "verified")
    return ("would " if dry_run else "") + ", ".join(f"{name} {_number(fields[name])}" for name in names)


def _number(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)
