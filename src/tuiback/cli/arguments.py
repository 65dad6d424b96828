"""Reads the arguments that many verbs share: names, and lists that may come from files."""

import re
from collections.abc import Iterable
from datetime import timedelta

import click

from tuiback.errors import UsageError

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


def read_duration(ctx: click.Context, param: click.Parameter, value: str | None) -> timedelta | None:
    """A callback for a span of time: 90s, 30m, 4h, 2d, or several of them in a row: 1h30m."""
    if value is None:
        return None
    from tuiback.engine.duration import parse_duration

    try:
        return parse_duration(value)
    except UsageError as error:
        raise click.BadParameter(f"{value!r} {error.what}: {error.remedy}", ctx, param) from error


def check_name(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """A callback for the name of a task, tenant or repository: lower-case letters, digits and hyphens."""
    if value is not None and not NAME.fullmatch(value):
        raise click.BadParameter(
            f"{value!r} is no name: 1 to 63 of a-z, 0-9 and '-', beginning with a letter or digit", ctx, param
        )
    return value


def expand_lists(ctx: click.Context, param: click.Parameter, values: Iterable[str]) -> tuple[str, ...]:
    """A callback: @FILE and @- stand for the lines of a file or of stdin, blank ones left out."""
    expanded: list[str] = []
    for value in values:
        if not value.startswith("@") or value == "@":
            expanded.append(value)
            continue
        try:
            with click.open_file(value[1:], encoding="utf-8-sig") as lines:
                expanded += [line.strip() for line in lines if line.strip()]
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
            raise click.BadParameter(f"the list {value[1:]!r} can't be read: {reason}", ctx, param) from error
    return tuple(expanded)
