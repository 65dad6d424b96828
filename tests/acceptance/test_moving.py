"""A new machine in the place of the old one, with the commands that the README names."""

import json
from pathlib import Path

from tests.acceptance.comparing import compare_exports, content_requests
from tests.acceptance.plain import Plain
from tests.acceptance.program import Installation, simulated
from tests.acceptance.test_unattended import serving


def test_moving_to_a_new_machine(tmp_path: Path) -> None:
    """Three commands bring all back and back up what is new; the old engine refuses to write, and says why."""
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
            adopted = new.ask("adopt", old.repository, "--key-file", str(key), "--take-over")
            assert (adopted["tenants"], adopted["tasks"], adopted["accounts"]) == (1, 2, 2)
            assert {run["outcome"] for run in new.ask("run", "--all")["runs"]} == {"ok"}
            assert content_requests(plain) == fetched
            # Nobody has told the engine that still runs there: it finds out before it writes.
            refuses_to_write(old, ("run", "--all"))
        refuses_to_write(old, ("run", "--all"), ("prune",), ("task", "pause", "exchange"))
        assert compare_exports(new, plain) == 25
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
