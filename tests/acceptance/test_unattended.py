"""Left alone: several programs on one home, power cuts, copies, and volumes that are not there."""

import json
import random
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.acceptance.comparing import compare_exports, content_requests
from tests.acceptance.plain import Plain
from tests.acceptance.program import Installation, simulated
from tuiback.engine.hosting.link import Link, attach

PATIENCE_SECONDS = 60


def until(condition: Callable[[], bool]) -> None:
    """Wait for what must come."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@contextmanager
def serving(installed: Installation) -> Iterator["subprocess.Popen[bytes]"]:
    """The engine alone, until the end of the block; what it says goes to a file."""
    process = installed.start("--json", "serve")
    try:
        until(lambda: (installed.home / "engine.sock").exists() or process.poll() is not None)
        assert process.poll() is None, process.communicate()
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=60)
        assert b"locked" not in out + err
        assert b"Traceback" not in out + err


def test_one_engine_for_two_consoles_a_service_and_cron(tmp_path: Path) -> None:
    """All see the same engine live, the second run joins the first, and each ends with the run's own code."""
    with simulated("--users", "2", "--messages", "40", "--files-per-user", "10", "--latency", "30") as tenant:
        installed = Installation(tmp_path / "nas")
        installed.set_up(tenant)
        with serving(installed) as service:
            consoles = [link for _ in range(2) if (link := attach(installed.home)) is not None]
            assert len(consoles) == 2
            screens = [installed.start_on_a_line() for _ in range(2)]
            for screen in screens:
                screen.read_until(b"serve")
            first = installed.start("--json", "run", "--all")
            until(lambda: installed.ask("status")["engine"]["state"] == "running")
            second = installed.start("--json", "run", "--all")
            begun = [number_shown(console) for console in consoles]
            answers = [json.loads(process.communicate()[0])["runs"] for process in (first, second)]
            assert (first.returncode, second.returncode) == (0, 0)
            assert {run["outcome"] for runs in answers for run in runs} == {"ok"}
            joined = [run for run in answers[1] if run["joined"]]
            assert joined
            assert {run["run"] for run in joined} <= {run["run"] for run in answers[0]}
            until(lambda: all(number_shown(c) >= number + 2 for c, number in zip(consoles, begun, strict=True)))
            until(lambda: consoles[0].status() == consoles[1].status())
            assert installed.ask("status")["engine"]["pid"] == service.pid
            stopped = [installed.start("--json", "run", "exchange") for _ in range(2)]
            until(lambda: installed.ask("status")["engine"]["state"] == "running" or stopped[0].poll() is not None)
            for process in stopped:
                out, err = process.communicate(timeout=60)
                assert b"locked" not in err
                assert process.returncode == (0 if json.loads(out)["runs"][0]["outcome"] == "ok" else 3)
            for console in consoles:
                console.close()
            for screen in screens:
                # Each saw the runs live, in its activity.
                screen.read_until(b"ok: 2 accounts")
                screen.hang_up()
                assert screen.wait() == 0
                assert b"locked" not in screen.seen
                assert b"Traceback" not in screen.seen
        assert service.returncode == 0
        assert compare_exports(installed, Plain(tenant)) > 80


def number_shown(console: Link) -> int:
    """The number of the newest picture that a console has."""
    until(lambda: console.status() is not None)
    picture = console.status()
    assert picture is not None
    return picture.number


def test_a_service_that_was_killed_goes_on_by_itself(tmp_path: Path) -> None:
    """The next one says that the engine before did not end by itself, and finishes what that one had begun."""
    with simulated("--users", "2", "--messages", "60", "--files-per-user", "5", "--latency", "30") as tenant:
        installed = Installation(tmp_path / "nas")
        installed.set_up(tenant, services=())
        installed.run(
            "task", "add", "mail", "--tenant", "acme", "--service", "exchange", "--all", "--mode", "continuous"
        )
        plain = Plain(tenant)
        with serving(installed) as service:
            until(lambda: content_requests(plain) >= 30)
            service.kill()
            service.wait(30)
        with serving(installed):
            until(lambda: installed.ask("task", "list")["tasks"][0]["last_outcome"] == "ok")
            picture = said(installed)
        assert any("did not end by itself" in line for line in picture), picture
        assert installed.ask("check", "--read-data")["ok"]
        assert compare_exports(installed, plain) == 120


def said(installed: Installation) -> list[str]:
    """What the running engine has said."""
    link = attach(installed.home)
    assert link is not None
    until(lambda: link.status() is not None)
    picture = link.status()
    link.close()
    assert picture is not None
    return [f"{line.level} {line.subject}: {line.text}" for line in picture.activity]


def test_copies_taken_at_any_moment_are_homes(tmp_path: Path) -> None:
    """What a power cut leaves on the disk, or a file-system snapshot: each goes on by itself and is whole."""
    chance = random.Random(5)
    with simulated("--users", "2", "--messages", "40", "--files-per-user", "10", "--latency", "20") as tenant:
        installed = Installation(tmp_path / "nas")
        installed.set_up(tenant)
        plain = Plain(tenant)
        copies: list[Installation] = []
        with serving(installed):
            runs = installed.start("run", "--all")
            while runs.poll() is None and len(copies) < 3:
                time.sleep(chance.uniform(0.2, 0.9))
                copies.append(copy_of(installed, tmp_path / f"copy {len(copies)}"))
            runs.communicate(timeout=60)
            assert runs.returncode == 0
        assert copies
        for copy in copies:
            assert [run["outcome"] for run in copy.ask("run", "--all")["runs"]] == ["ok", "ok"]
            assert copy.ask("check", "--read-data")["ok"]
        assert compare_exports(copies[-1], plain) == 100


def copy_of(installed: Installation, folder: Path) -> Installation:
    """Home and repository copied file by file while they are written to, to be used in another place."""
    subprocess.run(["cp", "-a", str(installed.folder), str(folder)], check=False, capture_output=True)
    described = folder / "home" / "home.json"
    described.write_text(described.read_text().replace(str(installed.folder), str(folder)))
    return Installation(folder)


def test_an_empty_mount_point_is_left_empty(tmp_path: Path) -> None:
    """The volume is not mounted at boot, or goes away: nothing is written there, exit 7; once back all goes on."""
    with simulated("--users", "1", "--messages", "20", "--files-per-user", "5") as tenant:
        installed = Installation(tmp_path / "nas")
        installed.set_up(tenant)
        installed.run("run", "--all")
        volume, away = Path(installed.repository), tmp_path / "away"
        volume.rename(away)
        volume.mkdir()
        for verb in (("run", "--all"), ("serve",), ("prune",)):
            process = installed.start("--json", *verb)
            out, err = process.communicate(timeout=60)
            assert process.returncode == 7, (verb, out, err)
            failure = json.loads(out.splitlines()[-1])
            assert (failure["exit"], str(volume) in failure["subject"]) == (7, True)
            assert list(volume.iterdir()) == []
        volume.rmdir()
        away.rename(volume)
        with serving(installed):
            assert {run["outcome"] for run in installed.ask("run", "--all")["runs"]} == {"ok"}
            volume.rename(away)
            volume.mkdir()
            Plain(tenant).control("mutate", {"changes": 30, "seed": 1})
            installed.ask("run", "--all", code=7)
            assert list(volume.iterdir()) == []
            volume.rmdir()
            away.rename(volume)
            assert {run["outcome"] for run in installed.ask("run", "--all")["runs"]} == {"ok"}
        assert installed.ask("check", "--read-data")["ok"]
        assert compare_exports(installed, Plain(tenant)) > 20
