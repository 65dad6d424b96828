"""What stands on the line for every verb: the options accepted anywhere, and where the answer goes."""

import os
from collections.abc import Sequence
from pathlib import Path

import msgspec

from tuiback.cli.output import Output
from tuiback.errors import UsageError

_FLAGS = ("--json", "--quiet", "--debug")
COMMON_OPTIONS = (
    "--home DIR  the folder with the configuration (else $TUIBACK_HOME, else ~/.local/share/tuiback)\n"
    "--json      one JSON document on stdout, or one object a line for long lists\n"
    "--quiet     no progress and no notes\n"
    "--debug     with an unexpected error, where it happened"
)


class CommonOptions(msgspec.Struct, frozen=True):
    """The options accepted anywhere on the line; `home` is None where none was named."""

    home: str | None = None
    flags: frozenset[str] = msgspec.field(default_factory=frozenset)

    @property
    def as_json(self) -> bool:
        """Whether the answer is JSON."""
        return "--json" in self.flags

    @property
    def quiet(self) -> bool:
        """Whether people are told only what went wrong."""
        return "--quiet" in self.flags

    @property
    def debug(self) -> bool:
        """Whether an unexpected error shows where it happened."""
        return "--debug" in self.flags


class Invocation(msgspec.Struct, frozen=True):
    """One use of the command line, handed to every verb."""

    options: CommonOptions
    output: Output

    @property
    def home_path(self) -> Path:
        """The folder of the home, whether it exists or not."""
        from tuiback.engine.home import find_home_path

        return find_home_path(self.options.home, os.environ)


def take_common_options(arguments: Sequence[str]) -> tuple[CommonOptions, list[str]]:
    """Split a line into the common options, wherever they stand before "--", and the rest.

    Raises UsageError when --home names no folder.
    """
    home: str | None = None
    flags: set[str] = set()
    rest: list[str] = []
    remaining = iter(arguments)
    for argument in remaining:
        if argument == "--":
            rest += [argument, *remaining]
        elif argument in _FLAGS:
            flags.add(argument)
        elif argument == "--home" or argument.startswith("--home="):
            home = argument[len("--home=") :] if "=" in argument else next(remaining, "")
            if not home or home.startswith("--"):
                raise UsageError("--home names no folder", remedy="give --home DIR")
        else:
            rest.append(argument)
    return CommonOptions(home, frozenset(flags)), rest
