"""Says what each person may ask of an engine: a role for each Unix group, and the least role for each command."""

import grp
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path

from tuiback.engine import commands
from tuiback.engine.asking import Asker, Role
from tuiback.engine.commands import Command
from tuiback.engine.home import Access
from tuiback.errors import NotAllowed

# Pictures need no command: who is let in at all sees them.
LEAST: Mapping[type[Command], Role] = {
    # What tells how things stand, and nothing of what is kept.
    commands.FindCoverage: Role.VIEWER,
    # What a day's work needs: nothing here changes what is protected, by whom, or for how long it is kept.
    commands.RunTasks: Role.OPERATOR,
    commands.StopTask: Role.OPERATOR,
    commands.PauseTask: Role.OPERATOR,
    commands.SetLimits: Role.OPERATOR,
    commands.Check: Role.OPERATOR,
    commands.CheckTenant: Role.OPERATOR,
    commands.MakeCheckpoint: Role.OPERATOR,
    commands.FindItems: Role.OPERATOR,
    commands.Restore: Role.OPERATOR,
    commands.Export: Role.OPERATOR,
    commands.CancelJob: Role.OPERATOR,
    commands.ResumeJob: Role.OPERATOR,
    commands.UndoJob: Role.OPERATOR,
    commands.AckOwed: Role.OPERATOR,
    commands.AckAlert: Role.OPERATOR,
    # The configuration, the credentials, what is kept and what is given up, and the engine itself.
    commands.PutTask: Role.ADMIN,
    commands.EditTask: Role.ADMIN,
    commands.RemoveTask: Role.ADMIN,
    commands.RenameTask: Role.ADMIN,
    commands.ChangeTasks: Role.ADMIN,
    commands.PutTenant: Role.ADMIN,
    commands.EditTenant: Role.ADMIN,
    commands.RemoveTenant: Role.ADMIN,
    commands.RenewTenant: Role.ADMIN,
    commands.Prune: Role.ADMIN,
    commands.AddHold: Role.ADMIN,
    commands.RemoveHold: Role.ADMIN,
    commands.TakeOver: Role.ADMIN,
    commands.Leave: Role.ADMIN,
}


def group_ids(access: Access) -> dict[Role, int]:
    """The groups of the roles, of those that this machine has."""
    found: dict[Role, int] = {}
    for role in Role:
        with suppress(KeyError):
            found[role] = grp.getgrnam(getattr(access, role)).gr_gid
    return found


def role_of(held: Collection[int], groups: Mapping[Role, int]) -> Role | None:
    """The highest role of somebody who is in these groups; None for a stranger."""
    return next((role for role in reversed(Role) if groups.get(role) in held), None)


def refusal_of(command: Command, asker: Asker, access: Access) -> NotAllowed | None:
    """Why this person may not ask for this; None where that is allowed."""
    # What nobody has thought of is for those who may do anything.
    least = LEAST.get(type(command), Role.ADMIN)
    if not asker.role.covers(least):
        tag = command.__struct_config__.tag
        remedy = f"ask for the Unix group {getattr(access, least)}" if getattr(access, least) else "ask its owner"
        return NotAllowed(f"{tag} needs the role {least}, and {asker.who} has {asker.role}", asker.who, remedy)
    if isinstance(command, commands.Export) and asker.role is not Role.ADMIN:
        return _export_refusal(command.to, asker, access.export_folder)
    return None


def _export_refusal(to: str, asker: Asker, folder: str) -> NotAllowed | None:
    if not folder:
        remedy = "name access.export_folder in home.json, a folder that only the engine's user can write to"
        return NotAllowed(f"there is no folder where an {asker.role} may export to", asker.who, remedy)
    # Links are followed: the engine would follow them too.
    if not Path(to).resolve().is_relative_to(Path(folder).resolve()):
        return NotAllowed(f"an {asker.role} may not export to {to}", asker.who, f"choose a place below {folder}")
    return None
