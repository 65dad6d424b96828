"""`doctor`: what is wrong with this machine and home, each with the remedy."""

import os
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tuiback import __version__
from tuiback.cli.invocation import Invocation
from tuiback.cli.output import Output, field
from tuiback.cli.secret import find_passphrase_file, secrets_at_hand
from tuiback.cli.wording import count_text
from tuiback.errors import EnvironmentFault, TuibackError

if TYPE_CHECKING:
    from tuiback.engine.hosting.findings import Finding

_PYTHON = (3, 11)
# The console's first layout that shows all of it.
_COLUMNS_NEEDED, _LINES_NEEDED = 80, 24
_REQUIREMENT = re.compile(r"[A-Za-z0-9._-]+")
_COLUMNS = (
    field("SEVERITY", "severity"),
    field("SUBJECT", "subject"),
    field("WHAT", "what"),
    field("REMEDY", "remedy"),
)
_EPILOG = "Ends with 0 where tuiback can work, warnings or not, and with 7 where something keeps it from that."


@click.command(epilog=_EPILOG)
@click.pass_obj
def doctor(call: Invocation) -> int:
    """Look for what is wrong with clock, disks, permissions, keys, terminal and dependencies, and for what was cut off.

    Nothing is changed. Without a home only the machine is looked at.
    """
    from tuiback.engine.hosting.findings import ERROR, INFO

    findings = [*_machine(), *_home(call)]
    ok = all(finding.severity != ERROR for finding in findings)
    if call.output.as_json:
        call.output.document("doctor", {"ok": ok, "findings": [asdict(finding) for finding in findings]})
    else:
        _show(call.output, [finding for finding in findings if finding.severity != INFO or call.output.watched])
    return 0 if ok else EnvironmentFault.exit_code


def _show(output: Output, findings: "list[Finding]") -> None:
    output.table([asdict(finding) for finding in findings], _COLUMNS)
    grave = sum(finding.severity == "error" for finding in findings)
    doubtful = sum(finding.severity == "warning" for finding in findings)
    output.note(f"{count_text(grave, 'error')}, {count_text(doubtful, 'warning')}")


def _machine() -> "Iterator[Finding]":
    from datetime import UTC, datetime

    from tuiback.engine.hosting.doctoring import clock_findings

    yield from _python()
    yield from clock_findings(datetime.now(UTC), None)
    size = os.get_terminal_size() if sys.stdout.isatty() else None
    yield from terminal_findings(os.environ, sys.stdout.encoding, size)
    yield from _passphrase_file()


def _python() -> "Iterator[Finding]":
    from importlib import metadata

    from tuiback.catalog.connection import find_sqlite_lack
    from tuiback.engine.hosting.findings import ERROR, INFO, Finding

    version = ".".join(map(str, sys.version_info[:3]))
    yield Finding("version", INFO, f"tuiback {__version__}, Python {version}")
    if sys.version_info < _PYTHON:
        yield Finding("python-old", ERROR, f"Python {version} is too old", remedy="use Python 3.11 or newer")
    if lack := find_sqlite_lack():
        remedy = "install a newer SQLite library, or use the container image"
        yield Finding("sqlite-old", ERROR, f"this Python's SQLite can't be used: {lack}", remedy=remedy)
    try:
        wanted = metadata.requires("tuiback") or []
    except metadata.PackageNotFoundError:
        return
    for requirement in wanted:
        name, _, condition = requirement.partition(";")
        match = _REQUIREMENT.match(name)
        if match is None or "extra" in condition:
            continue
        try:
            yield Finding("dependency", INFO, f"{match[0]} {metadata.version(match[0])}", match[0])
        except metadata.PackageNotFoundError:
            remedy = "install tuiback again"
            yield Finding("dependency-missing", ERROR, "a package that tuiback needs is missing", match[0], remedy)


def terminal_findings(
    environ: Mapping[str, str], encoding: str, size: os.terminal_size | None
) -> "Iterator[Finding]":
    """Judges the terminal; `size` is None where there is none."""
    from tuiback.engine.hosting.findings import WARNING, Finding

    if size is None:
        return
    term = environ.get("TERM", "")
    if size.columns < _COLUMNS_NEEDED or size.lines < _LINES_NEEDED:
        what = f"{size.columns} x {size.lines} cells are few for the console"
        remedy = f"make the window {_COLUMNS_NEEDED} x {_LINES_NEEDED} or larger"
        yield Finding("terminal-size", WARNING, what, term, remedy)
    if term in ("", "dumb"):
        remedy = "set TERM, as in TERM=xterm-256color"
        yield Finding("terminal-dumb", WARNING, "the terminal can't show the console", term or "TERM", remedy)
    elif not (environ.get("COLORTERM") or "256" in term or "direct" in term):
        what = "the terminal says that it has few colours"
        yield Finding("terminal-colours", WARNING, what, term, "set TERM=xterm-256color, if it can more")
    if encoding.replace("-", "").lower() != "utf8":
        what = f"text goes out as {encoding}: names in other scripts can't be shown"
        yield Finding("terminal-encoding", WARNING, what, term, "set LANG=C.UTF-8")


def _passphrase_file() -> "Iterator[Finding]":
    from tuiback.engine.hosting.doctoring import private_findings, told

    path = find_passphrase_file(os.environ)
    if path is not None and not str(path).startswith("/dev/"):
        yield from told(lambda: private_findings(path, "passphrase-file"), "passphrase-file", str(path))


def _home(call: Invocation) -> "Iterator[Finding]":
    from tuiback.engine.clock import SystemClock
    from tuiback.engine.home import HOME_FILE, Home
    from tuiback.engine.hosting.doctoring import examine_home
    from tuiback.engine.hosting.findings import ERROR, INFO, Finding

    path: Path = call.home_path
    if not (path / HOME_FILE).exists():
        yield Finding("no-home", INFO, "there is no home here", str(path), "make one with 'tuiback init'")
        return
    try:
        home = Home.open(path)
    except TuibackError as error:
        yield Finding(f"home-{error.code}", ERROR, error.what, error.subject, error.remedy)
        return
    yield from examine_home(home, lambda ref: secrets_at_hand(ref.key_file, os.environ), SystemClock())
