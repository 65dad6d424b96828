"""Finds the verb of a command line and carries it out, loading only that verb's module."""

from collections.abc import Mapping, Sequence
from importlib import import_module

import click

from tuiback.cli.invocation import COMMON_OPTIONS, Invocation
from tuiback.cli.reasons import AUDITED, accept_reason
from tuiback.errors import UsageError

# Each verb, and where its command lives: "module:name" below tuiback.cli.
VERBS: Mapping[str, str] = {
    "account": "accounts:account",
    "adopt": "adopting:adopt",
    "alerts": "alerts:alerts",
    "apply": "applying:apply",
    "audit": "auditing:audit",
    "bench": "bench:bench",
    "cat": "browsing:cat",
    "check": "maintenance:check",
    "completion": "about:completion",
    "coverage": "reporting:coverage",
    "demo": "demo:demo",
    "doctor": "doctor:doctor",
    "export": "recovery:export",
    "export-config": "applying:export_config",
    "hold": "holds:hold",
    "init": "setup:init",
    "job": "jobs:job",
    "key": "keys:key",
    "limits": "limits:limits",
    "logs": "logs:logs",
    "ls": "browsing:ls",
    "metrics": "metrics:metrics",
    "notify": "notifying:notify",
    "owed": "history:owed",
    "points": "browsing:points",
    "prune": "pruning:prune",
    "rebuild-catalog": "maintenance:rebuild_catalog",
    "report": "reporting:report",
    "repository": "setup:repository",
    "restore": "recovery:restore",
    "run": "running:run",
    "runs": "history:runs",
    "search": "searching:search",
    "serve": "serving:serve",
    "simulate": "simulate:simulate",
    "status": "status:status",
    "stop": "running:stop",
    "task": "tasks:task",
    "tenant": "tenants:tenant",
    "usage": "usage:usage",
    "version": "about:version",
}


class LazyGroup(click.Group):
    """A group whose verbs are imported when they are used, so that starting the console or `version` stays quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All verbs by name."""
        del ctx
        return sorted(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a verb, None for a word that is no verb."""
        del ctx
        place = VERBS.get(cmd_name)
        if place is None:
            return None
        module, name = place.split(":")
        command = getattr(import_module(f"tuiback.cli.{module}"), name)
        assert isinstance(command, click.Command)
        if cmd_name in AUDITED:
            accept_reason(command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Tell what each verb does without loading it."""
        from tuiback.cli.abouts import ABOUT

        with formatter.section("Commands"):
            formatter.write_dl([(name, ABOUT[name]) for name in self.list_commands(ctx)])


@click.group(
    cls=LazyGroup,
    epilog=f"\b\nAnywhere on the line:\n{COMMON_OPTIONS}",
    context_settings={"help_option_names": ["-h", "--help"]},
)
def tuiback() -> None:
    """Back Microsoft 365 up to a NAS. Without a verb the console opens."""


def run_verb(arguments: Sequence[str], call: Invocation) -> int:
    """Carry the line out; its exit code. Raises TuibackError, and KeyboardInterrupt where a prompt was left."""
    try:
        code = tuiback.main(list(arguments), prog_name="tuiback", standalone_mode=False, obj=call)
    except click.Abort:
        raise KeyboardInterrupt from None
    except click.ClickException as error:
        verb = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else "tuiback"
        what = error.format_message().strip().rstrip(".").replace("\n", " ")
        raise UsageError(what[:1].lower() + what[1:], remedy=f"see '{verb} --help'") from error
    return code if isinstance(code, int) else 0
