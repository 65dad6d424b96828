"""`apply` and `export-config`: the whole configuration, without secrets, as one file under version control."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tuiback.cli.engaging import engine_link, open_home, open_view
from tuiback.cli.invocation import Invocation
from tuiback.cli.output import Output
from tuiback.errors import EnvironmentFault, UsageError

if TYPE_CHECKING:
    from tuiback.engine.channels import Channel, Channels
    from tuiback.engine.commands import ChangeTasks, Command
    from tuiback.engine.configuration import Change, Difference, Document

_SIGNS = {"added": "+", "edited": "~", "removed": "-"}
# Of a list so many entries are named.
_ENTRIES_TOLD = 5


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE.toml")
@click.option("--dry-run", is_flag=True, help="Only tell what would change.")
@click.option("--remove-absent", is_flag=True, help="Remove tasks and tenants that the file leaves out; data stays.")
@click.pass_obj
def apply(call: Invocation, file: Path, dry_run: bool, remove_absent: bool) -> None:
    """Make the configuration what a file says; a second time nothing changes.

    A key that is left out has its default. Lists may hold @FILE, one entry a line, beside the file. A new tenant signs
    in with what client_secret_file or certificate names; a new channel reads its secrets from password_file, url_file
    and authorization_file.
    """
    from tuiback.engine.configuration import NOTIFY, find_difference, read_document

    wanted = read_document(_read(file), str(file), lambda values: _expanded(values, file.parent))
    difference = find_difference(_present(call), wanted, remove_absent=remove_absent)
    commands = commands_for(difference.changes, file)
    channels = channels_for(_channels(call), (c for c in difference.changes if c.section == NOTIFY), file)
    tell(call.output, difference)
    if commands and not dry_run:
        with engine_link(open_home(call)) as link:
            for command in commands:
                link.submit(command).result()
    for keep, channel in channels if not dry_run else ():
        keep(channel)
    if call.output.as_json:
        call.output.document("apply", fields_of(difference) | {"dry_run": dry_run})
    verb = "would change" if dry_run else "changed"
    call.output.note(f"{len(difference.changes)} {verb}, {len(difference.unchanged)} as they were")


@click.command("export-config")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE.toml")
@click.pass_obj
def export_config(call: Invocation, file: Path) -> None:
    """Write the whole configuration, without secrets, for `apply` to read; - is stdout."""
    import tomli_w

    from tuiback.engine.configuration import file_tables

    document = _present(call)
    text = tomli_w.dumps(file_tables(document), indent=2)
    if str(file) == "-":
        call.output.raw(text.encode())
        return
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise EnvironmentFault(f"can't be written ({error.strerror})", str(file), "check its folder") from error
    counts = {"tenants": len(document["tenants"]), "tasks": len(document["tasks"])}
    if call.output.as_json:
        call.output.document("export-config", {"file": str(file), **counts})
    call.output.note(f"{file}: {counts['tenants']} tenants, {counts['tasks']} tasks")


def _present(call: Invocation) -> "Document":
    from tuiback.engine.allotment import load_limits
    from tuiback.engine.configuration import present_document

    home = open_home(call)
    with open_view(call) as view:
        urls = {name: ref.url for name, ref in home.repositories.items()}
        tasks = (task for _, task in view.tasks())
        return present_document(urls, view.tenants(), tasks, load_limits(home.path), _channels(call).all())


def _channels(call: Invocation) -> "Channels":
    from tuiback.engine.channels import Channels

    return Channels(open_home(call).path)


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise EnvironmentFault(f"can't be read ({error.strerror})", str(file), "check its path and owner") from error
    except UnicodeDecodeError as error:
        raise UsageError("is not UTF-8 text", str(file), "save it as such") from error


def _expanded(values: list[str], folder: Path) -> list[str]:
    """The entries, with the lines of FILE in the place of @FILE; relative to the folder of the configuration."""
    expanded: list[str] = []
    for value in values:
        if value.startswith("@") and value != "@":
            expanded += [line.strip() for line in _read(folder / value[1:]).splitlines() if line.strip()]
        else:
            expanded.append(value)
    return expanded


def commands_for(changes: "Iterable[Change]", file: Path) -> "list[Command]":
    """What to ask of the engine, in that order. Raises UsageError for what no command can change."""
    from tuiback.engine.commands import ChangeTasks, EditTenant, PutTenant, RemoveTenant, SetLimits
    from tuiback.engine.configuration import LIMITS, REPOSITORIES, TASKS, TENANTS

    by_section: dict[str, list[Change]] = {section: [] for section in (LIMITS, REPOSITORIES, TENANTS, TASKS)}
    for change in changes:
        by_section.setdefault(change.section, []).append(change)
    for change in by_section[REPOSITORIES]:
        raise _refused(file, change, "url", "repositories are made and moved by hand, with 'tuiback repository'")
    commands: list[Command] = [SetLimits(**_after(change)) for change in by_section[LIMITS]]
    for change in by_section[TENANTS]:
        if change.what == "added":
            commands.append(PutTenant(name=change.name, **_tenant_fields(change, file)))
        elif change.what == "edited":
            commands.append(EditTenant(tenant=change.name, **_tenant_edits(change, file)))
    tasks = _task_commands(by_section[TASKS], file)
    if tasks != ChangeTasks():
        commands.append(tasks)
    commands += [RemoveTenant(tenant=change.name) for change in by_section[TENANTS] if change.what == "removed"]
    return commands


def channels_for(
    channels: "Channels", changes: "Iterable[Change]", file: Path
) -> "list[tuple[Callable[[Channel], None], Channel]]":
    """Each channel that is new or another one, with what keeps it. Raises UsageError."""
    from tuiback.engine.channel_tables import edited_channel, new_channel

    kept: list[tuple[Callable[[Channel], None], Channel]] = []
    for change in changes:
        try:
            if change.what == "added":
                made = new_channel(change.name, change.whole, lambda path: _first_line(file.parent / path))
                kept.append((channels.add, made))
            else:
                kept.append((channels.replace, edited_channel(channels.get(change.name), change.whole)))
        except UsageError as error:
            raise _refused(file, change, error.subject, error.what) from error
    return kept


def _first_line(file: Path) -> str:
    return _read(file).partition("\n")[0].strip()


def _refused(file: Path, change: "Change", key: str, why: str) -> UsageError:
    return UsageError(f"[{change.table}] {key}: {why}", str(file))


def _after(change: "Change") -> dict[str, Any]:
    return {key: after for key, _, after in change.fields}


def _task_commands(changes: "Iterable[Change]", file: Path) -> "ChangeTasks":
    from tuiback.engine.commands import ChangeTasks, EditTask, PutTask
    from tuiback.engine.configuration import TASK_FIELDS

    added: list[PutTask] = []
    edited: list[EditTask] = []
    removed: list[str] = []
    for change in changes:
        after = _after(change).items()
        values: dict[str, Any] = {TASK_FIELDS[key][0]: tuple(v) if isinstance(v, list) else v for key, v in after}
        if change.what == "added":
            added.append(PutTask(name=change.name, **values))
        elif change.what == "removed":
            removed.append(change.name)
        else:
            for key in ("tenant", "service"):
                if key in values:
                    raise _refused(file, change, key, "can't be changed: remove the task, and add another one")
            edited.append(EditTask(task=change.name, **values))
    return ChangeTasks(add=tuple(added), edit=tuple(edited), remove=tuple(removed))


def _tenant_fields(change: "Change", file: Path) -> dict[str, Any]:
    from tuiback.cli.tenant_options import read_credential
    from tuiback.engine.clouds import choose_cloud

    values = _after(change)
    paths = {key: values.pop(key, None) for key in ("client_secret_file", "certificate")}
    if not any(paths.values()):
        raise _refused(file, change, "client_secret_file", "is missing: a new tenant needs this or a certificate")
    given = read_credential(*(str(file.parent / path) if path else None for path in paths.values()))
    cloud = choose_cloud(values["cloud"], values["tenant_id"], values["graph_url"], values["authority"])
    values |= {"graph_url": cloud.graph_url, "authority": cloud.authority, "credential_kind": given.kind}
    return values | {"credential": given.text, "credential_expires_on": given.expires_on}


def _tenant_edits(change: "Change", file: Path) -> dict[str, Any]:
    from tuiback.engine.clouds import choose_cloud

    if "repository" in _after(change):
        raise _refused(file, change, "repository", "can't be changed: a tenant's data stays where it is")
    whole = change.whole
    cloud = choose_cloud(whole["cloud"], whole["tenant_id"], whole["graph_url"], whole["authority"])
    return _after(change) | {"graph_url": cloud.graph_url, "authority": cloud.authority}


def fields_of(difference: "Difference") -> dict[str, Any]:
    """The document of `apply`; the lists hold tables as the file names them."""
    made = {
        what: [change.table for change in difference.changes if change.what == what]
        for what in ("added", "edited", "removed")
    }
    differences = [
        {"table": change.table, "key": key, "before": before, "after": after}
        for change in difference.changes
        if change.what == "edited"
        for key, before, after in change.fields
    ]
    unchanged = list(difference.unchanged)
    return {"changed": bool(difference.changes), **made, "unchanged": unchanged, "differences": differences}


def tell(output: Output, difference: "Difference") -> None:
    """Show the difference to people: a line for each table, and for each key that changes."""
    if output.as_json:
        return
    for change in difference.changes:
        output.text(f"{_SIGNS[change.what]} {change.table}")
        for key, before, after in change.fields:
            if change.what == "edited":
                output.text(f"    {key}: {_shown_change(before, after)}")


def _shown_change(before: object, after: object) -> str:
    if not (isinstance(before, list) and isinstance(after, list)):
        return f"{_shown(before)} -> {_shown(after)}"
    signs = [f"+{each}" for each in after if each not in set(before)]
    signs += [f"-{each}" for each in before if each not in set(after)]
    more = f" and {len(signs) - _ENTRIES_TOLD} more" if len(signs) > _ENTRIES_TOLD else ""
    return ", ".join(signs[:_ENTRIES_TOLD]) + more if signs else "in another order"


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"'{value}'" if isinstance(value, str) else str(value)

