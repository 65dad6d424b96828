"""`version` and `completion`: what this program is, and the shell's help in typing it."""

import platform

import click

from tuiback import __version__
from tuiback.cli.invocation import Invocation
from tuiback.errors import TuibackError

SHELLS = ("bash", "zsh", "fish")


@click.command()
@click.pass_obj
def version(call: Invocation) -> None:
    """Say which tuiback this is."""
    if call.output.as_json:
        call.output.document("version", {"version": __version__, "python": platform.python_version()})
    else:
        call.output.text(f"tuiback {__version__} (Python {platform.python_version()})")


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the completion script of a shell, to be sourced by it."""
    from click.shell_completion import get_completion_class

    maker = get_completion_class(shell)
    if maker is None:
        raise TuibackError("there is no completion", shell)
    script = maker(ctx.find_root().command, {}, "tuiback", "_TUIBACK_COMPLETE").source()
    call: Invocation = ctx.obj
    call.output.text(script)
