"""`apply` and `export-config`: the whole configuration, without secrets, as one file under version control."""

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tuiback.cli.engaging import engine_link, open_home, open_view
from tuiback.cli.invocation import Invocation
from tuiback.cli.output import Output
from tuiback.errors import EnvironmentFault, HomeBusy, UsageError

if TYPE_CHECKING:
    from tuiback.engine.commands import ChangeTasks, Command
    from tuiback.engine.home import Home
    from tuiback.engine.settings.channels import Channel, Channels
    from tuiback.engine.settings.configuration import Change, Difference, Document

_SIGNS = {"added": "+", "edited": "~", "removed": "-"}
# Of a list so many entries are named.
_ENTRIES_TOLD = 5


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE.toml")
@click.option("--dry-run", is_flag=True, help="Only tell what would change.")
@click.option(
    "--remove-absent", is_flag=True, help="Remove tasks, tenants and channels that the file leaves out; data stays."
)
@click.pass_obj
def apply(call: Invocation, file: Path, dry_run: bool, remove_absent: bool) -> None:
    """Make the configuration what a file says; a second time nothing changes.

    A key that is left out has its default. Lists may hold @FILE, one entry a line, beside the file. A new tenant signs
    in with what client_secret_file or certificate names; a new channel reads its secrets from password_file, url_file
    and authorization_file. A new repository is made, opened by its key_file or a passphrase. Holds are in no file:
    they are somebody's decision about data that is there.
    """
    from tuiback.engine.home import Access
    from tuiback.engine.settings.configuration import ACCESS, NOTIFY, REPOSITORIES, find_difference, read_document

    wanted = read_document(_read(file), str(file), lambda values: _expanded(values, file.parent))
    difference = find_difference(_present(call), wanted, remove_absent=remove_absent)
    changes = _of_section(difference.changes)
    home, channels = open_home(call), _channels(call)
    commands = commands_for(difference.changes, file)
    kept_channels = channels_for(channels, changes[NOTIFY], file)
    if changes[REPOSITORIES]:
        refuse_running(home, changes[REPOSITORIES][0], file)
    tell(call.output, difference)
    if not dry_run:
        for change in changes[REPOSITORIES]:
            _make_repository(home, change, file)
        if changes[ACCESS]:
            home.allow(Access(**changes[ACCESS][0].whole))
            call.output.note("The roles of groups hold from the engine's next start on")
        _carry_out(home, commands)
        for keep, channel in kept_channels:
            keep(channel)
        for change in changes[NOTIFY]:
            if change.what == "removed":
                channels.remove(change.name)
    if call.output.as_json:
        call.output.document("apply", fields_of(difference) | {"dry_run": dry_run})
    verb = "would change" if dry_run else "changed"
    call.output.note(f"{len(difference.changes)} {verb}, {len(difference.unchanged)} as they were")


@click.command("export-config")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE.toml")
@click.pass_obj
def export_config(call: Invocation, file: Path) -> None:
    """Write the whole configuration, without secrets, for `apply` to read; - is stdout.

    It names the files beside it that another home would read the secrets from; these are not written.
    """
    import tomli_w

    from tuiback.engine.settings.configuration import file_tables

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
    from tuiback.engine.settings.allotment import load_limits
    from tuiback.engine.settings.configuration import present_document

    home = open_home(call)
    with open_view(call) as view:
        tasks = (task for _, task in view.tasks())
        return present_document(home, view.tenants(), tasks, load_limits(home.path), _channels(call).all())


def _of_section(changes: "Iterable[Change]") -> "dict[str, list[Change]]":
    from tuiback.engine.settings.configuration import SECTIONS

    sorted_out: dict[str, list[Change]] = {section: [] for section in SECTIONS}
    for change in changes:
        sorted_out[change.section].append(change)
    return sorted_out


def refuse_running(home: "Home", change: "Change", file: Path) -> None:
    """Raise HomeBusy where an engine runs: it opens the repositories that there are when it starts."""
    from tuiback.engine.hosting.link import attach

    link = attach(home.path)
    if link is not None:
        link.close()
        what = f"[{change.table}] can't be added while an engine runs"
        raise HomeBusy(what, str(file), "end the engine, apply the file, and start it again")


def _make_repository(home: "Home", change: "Change", file: Path) -> None:
    from tuiback.cli.secret import new_secrets, terminal_ask
    from tuiback.cli.setup import make_repository

    whole = change.whole
    key_file = file.parent / whole["key_file"] if whole.get("key_file") else None
    secrets = new_secrets(key_file, os.environ, terminal_ask())
    make_repository(home, change.name, whole["url"], whole.get("catalog"), secrets=secrets, key_file=key_file)


def _carry_out(home: "Home", commands: "Sequence[Command]") -> None:
    if commands:
        with engine_link(home) as link:
            for command in commands:
                link.submit(command).result()


def _channels(call: Invocation) -> "Channels":
    from tuiback.engine.settings.channels import Channels

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
    from tuiback.engine.settings.configuration import LIMITS, REPOSITORIES, TASKS, TENANTS

    by_section = _of_section(changes)
    for change in by_section[REPOSITORIES]:
        if change.what == "edited":
            raise _refused(file, change, "url", "a repository is moved by hand, with 'tuiback adopt'")
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
    from tuiback.engine.settings.channel_tables import edited_channel, new_channel

    kept: list[tuple[Callable[[Channel], None], Channel]] = []
    for change in changes:
        try:
            if change.what == "added":
                made = new_channel(change.name, change.whole, lambda path: _first_line(file.parent / path))
                kept.append((channels.add, made))
            elif change.what == "edited":
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
    from tuiback.engine.settings.configuration import TASK_FIELDS

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

