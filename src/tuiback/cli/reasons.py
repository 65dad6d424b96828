"""Lets every verb that the audit tells of say why, with --reason."""

import click

# Groups and verbs of which something is audited.
AUDITED = frozenset({"apply", "cat", "export", "hold", "key", "prune", "restore", "task", "tenant"})


def accept_reason(command: click.Command) -> None:
    """Give the verb, or all verbs of the group, an option --reason, where it has none of its own."""
    if isinstance(command, click.Group):
        for inner in command.commands.values():
            accept_reason(inner)
    elif all(param.name != "reason" for param in command.params):
        command.params.append(
            click.Option(["--reason"], default="", expose_value=False, callback=_keep, help="Why; kept in the audit.")
        )


def _keep(ctx: click.Context, param: click.Parameter, value: str) -> None:
    from tuiback.engine.asking import give_reason

    del ctx, param
    give_reason(value)
