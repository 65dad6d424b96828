"""A new machine in the place of the old one, with the commands that the README names."""

import json
import shlex
from pathlib import Path

from tests.acceptance.comparing import compare_exports, content_requests
from tests.acceptance.plain import Plain
from tests.acceptance.program import Installation, simulated
from tests.acceptance.test_unattended import serving

README = Path(__file__).parents[2] / "README.md"


def commands_of_the_readme() -> list[str]:
    """The commands that it names for a move, without what it says about them."""
    _, _, section = README.read_text().partition("Moving to another machine takes")
    block = section.split("```")[1]
    return [line.partition("  #")[0].strip() for line in block.strip().splitlines()]


def typed(command: str, repository: str, key: Path) -> list[str]:
    """The arguments of a tuiback command as its reader types it on this machine."""
    program, *arguments = shlex.split(command.partition(" >")[0])
    assert program == "tuiback"
    places = {"/volume1/tuiback": repository, "KEY": str(key)}
    return [places.get(argument, argument) for argument in arguments]


def test_moving_to_a_new_machine(tmp_path: Path) -> None:
    """The README's commands bring all back and back up what is new; the old engine refuses to write, and says why."""
    commands = commands_of_the_readme()
    assert len(commands) <= 5
    stop, take_over, run, make_unit, start = commands
    assert (stop, start) == ("systemctl disable --now tuiback", "systemctl enable --now tuiback")
    with simulated("--users", "1", "--messages", "20", "--files-per-user", "5") as tenant:
        old = Installation(tmp_path / "old nas")
        old.set_up(tenant)
        old.run("run", "--all")
        plain = Plain(tenant)
        fetched = content_requests(plain)
        new = Installation(tmp_path / "new nas", old.repository)
        new.folder.mkdir()
        key = new.folder / "tuiback.key"
        key.write_bytes((old.folder / "tuiback.key").read_bytes())
        with serving(old):
            adopted = new.ask(*typed(take_over, old.repository, key))
            assert (adopted["tenants"], adopted["tasks"], adopted["accounts"]) == (1, 2, 2)
            assert {each["outcome"] for each in new.ask(*typed(run, old.repository, key))["runs"]} == {"ok"}
            assert content_requests(plain) == fetched
            # Nobody has told the engine that still runs there: it finds out before it writes.
            refuses_to_write(old, ("run", "--all"))
        refuses_to_write(old, ("run", "--all"), ("prune",), ("task", "pause", "exchange"))
        assert compare_exports(new, plain) == 25
        assert f"TUIBACK_HOME={new.home}" in new.run(*typed(make_unit, old.repository, key)).replace("'", "")
        # Whoever changes their mind takes it back the same way.
        old.run("adopt", old.repository, "--take-over")
        assert {run["outcome"] for run in old.ask("run", "--all")["runs"]} == {"ok"}
        refuses_to_write(new, ("run", "--all"))


def refuses_to_write(installed: Installation, *verbs: tuple[str, ...]) -> None:
    """Nothing is written to the repository by these, and one line says why."""
    commits = sorted(Path(installed.repository, "commits").rglob("*"))
    for verb in verbs:
        process = installed.start("--json", *verb)
        out, err = process.communicate(timeout=60)
        assert process.returncode == 7, (verb, out, err)
        assert "has taken the repository over" in json.dumps(json.loads(out))
        assert b"Traceback" not in err
    assert installed.rows("account", "list")
    assert sorted(Path(installed.repository, "commits").rglob("*")) == commits
