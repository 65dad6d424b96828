"""Tests of how command lines end."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import click
import pytest

from tests.cli.conftest import Tuiback
from tuiback.cli import root, verbs
from tuiback.cli.abouts import ABOUT
from tuiback.cli.engaging import secret_source
from tuiback.cli.invocation import CommonOptions, Invocation
from tuiback.cli.output import standard_output
from tuiback.engine.home import Home
from tuiback.engine.hosting.link import host


def loaded_by(*arguments: str) -> set[str]:
    """The modules in a fresh process after it ran a command line."""
    code = (
        "import sys\nfrom tuiback.cli.root import main\nimport tuiback.cli\n"
        f"main({list(arguments)!r})\nprint('MODULES', *sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(ran.stdout.rpartition("MODULES")[2].split())


def test_version_loads_little() -> None:
    """Neither the console nor what speaks to Microsoft or seals data is loaded to say the version."""
    heavy = {"textual", "rich", "httpx", "msal", "cryptography", "sqlite3", "tuiback.engine", "tuiback.store"}
    assert not heavy & loaded_by("version")


def test_run_never_loads_the_console(home: Path) -> None:
    """A backup in cron carries no screen, nor httpx's own command line, nor what only registers apps."""
    loaded = loaded_by("--home", str(home), "run", "--all")
    assert "tuiback.engine.hosting.core" in loaded
    assert not {"textual", "tuiback.console", "rich", "pygments", "jwt"} & loaded


def test_status_loads_little(home: Path) -> None:
    """Monitoring asks every minute: where an engine runs, all comes from it, and no catalog is opened."""
    heavy = {"sqlite3", "asyncio", "concurrent.futures", "httpx", "msal", "cryptography", "textual", "tuiback.store"}
    heavy |= {"tuiback.catalog.reader", "tuiback.engine.hosting.core"}
    assert "tuiback.catalog.reader" in loaded_by("--home", str(home), "status")
    engine = host(Home.open(home), "serve", secret_source())
    try:
        loaded = loaded_by("--home", str(home), "status")
        assert "tuiback.engine.hosting.glance" in loaded
        assert not heavy & loaded
    finally:
        engine.close()


def test_help_tells_what_each_verb_says_of_itself(tuiback: Tuiback) -> None:
    """In its own words, and without loading any."""
    context = click.Context(verbs.tuiback)
    said = {verb: verbs.tuiback.get_command(context, verb) for verb in verbs.VERBS}
    assert {verb: command.get_short_help_str(1_000) for verb, command in said.items() if command} == ABOUT
    assert b"  status " in tuiback("--help").out
    assert not {"tuiback.cli.status", "tuiback.model", "sqlite3"} & loaded_by("--help")


@pytest.mark.parametrize("verb", sorted(verbs.VERBS))
def test_every_verb_is_there(tuiback: Tuiback, verb: str) -> None:
    """Each verb in the table can be loaded and explains itself."""
    ended = tuiback(verb, "--help")
    assert ended.code == 0
    assert f"Usage: tuiback {verb}".encode() in ended.out
    cut = [line for line in ended.out.decode().splitlines() if line.endswith("...")]
    assert [line for line in cut if not line.startswith("Usage: ")] == []


@pytest.mark.parametrize(
    "line",
    [["frobnicate"], ["run", "--bogus"], ["portal"], ["run", "mail", "--all"], ["run"], ["simulate", "--port", "x"],
     ["completion", "tcsh"], ["--home"]],
)  # fmt: skip
def test_wrong_usage_is_2_and_one_line(tuiback: Tuiback, line: list[str]) -> None:
    """Unknown verbs and options, verbs of later versions among them, and words that don't fit."""
    ended = tuiback("--json", *line)
    assert ended.code == 2
    assert ended.err.startswith("tuiback: ")
    assert ended.err.count("\n") == 1
    assert ended.document["code"] == "usage"
    assert ended.document["exit"] == 2
    assert ended.document["remedy"]


def test_no_home_is_6(tuiback: Tuiback, tmp_path: Path) -> None:
    """A verb that needs a home says how to make one."""
    ended = tuiback("status", "--home", tmp_path / "none", "--json")
    assert ended.code == 6
    assert "tuiback init" in ended.document["remedy"]
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    ("raised", "code"),
    [(KeyboardInterrupt(), 130), (click.Abort(), 130), (root.Terminated(), 143), (BrokenPipeError(), 1)],
)
def test_interruptions(monkeypatch: pytest.MonkeyPatch, tuiback: Tuiback, raised: BaseException, code: int) -> None:
    """Ctrl-C, SIGTERM and a reader that left have their codes and no words."""

    @click.command()
    def interrupted() -> None:
        raise raised

    saved = os.dup(1)
    monkeypatch.setattr(verbs.LazyGroup, "get_command", lambda self, ctx, name: interrupted)
    ended = tuiback("version")
    os.dup2(saved, 1)
    os.close(saved)
    assert (ended.code, ended.err.strip()) == (code, "")


def test_sigterm_unwinds_the_verb(monkeypatch: pytest.MonkeyPatch, tuiback: Tuiback) -> None:
    """Whatever a verb holds open is closed before the process ends with 143."""
    closed: list[bool] = []

    @click.command()
    def terminated() -> None:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            signal.pause()
        finally:
            closed.append(True)

    monkeypatch.setattr(verbs.LazyGroup, "get_command", lambda self, ctx, name: terminated)
    before = signal.getsignal(signal.SIGTERM)
    assert tuiback("version").code == 143
    assert closed == [True]
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.parametrize("debug", [False, True])
def test_a_bug_is_one_line_too(monkeypatch: pytest.MonkeyPatch, tuiback: Tuiback, debug: bool) -> None:
    """Nobody is shown a traceback who didn't ask for one."""

    @click.command()
    def broken() -> None:
        raise ZeroDivisionError("a\nb")

    monkeypatch.setattr(verbs.LazyGroup, "get_command", lambda self, ctx, name: broken)
    ended = tuiback("version", *(["--debug"] if debug else []))
    assert ended.code == 1
    assert ("Traceback" in ended.err) == debug
    assert "unexpected ZeroDivisionError: a b" in ended.err.splitlines()[-1]


def test_completion(tuiback: Tuiback) -> None:
    """The shells' scripts are printed as they are, with --json too."""
    assert b"_TUIBACK_COMPLETE=bash_complete" in tuiback("completion", "bash", "--json").out


def test_how_to_begin(tuiback: Tuiback, tmp_path: Path) -> None:
    """Without a verb and a home, the three ways to begin are told."""
    ended = tuiback("--home", tmp_path / "none")
    assert ended.code == 0
    lines = ended.out.decode().splitlines()
    assert [line[:5] for line in lines if line[2:3].isdigit()] == ["  1  ", "  2  ", "  3  "]
    assert max(map(len, lines[1:])) <= 80


def test_the_console_needs_a_terminal(tuiback: Tuiback, home: Path) -> None:
    """A console in cron is wrong usage instead of a hanging process."""
    ended = tuiback("--home", home)
    assert ended.code == 2
    assert "terminal" in ended.err


def test_the_home_of_the_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """--home wins over the environment."""
    monkeypatch.setenv("TUIBACK_HOME", "/from/environment")
    output = standard_output(as_json=False, quiet=False)
    assert Invocation(CommonOptions("/named"), output).home_path == Path("/named")
    assert Invocation(CommonOptions(), output).home_path == Path("/from/environment")
