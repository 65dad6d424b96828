"""Tests of how the doctor judges clocks, space, credentials, and what was cut off."""

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.engine.hosting.test_upgrading import make_old
from tests.engine.rig import SECRET, Rig, make_home
from tests.engine.upkeep.test_pruning import keep
from tuiback.catalog import State, connection
from tuiback.engine.clock import SystemClock
from tuiback.engine.home import Home
from tuiback.engine.hosting.doctoring import (
    _credential,
    clock_findings,
    examine_home,
    private_findings,
    space_findings,
    told,
)
from tuiback.engine.hosting.home_findings import database_findings, writable_findings
from tuiback.engine.hosting.host import HomeLock
from tuiback.engine.hosting.upgrading import bring_up_to_date, databases_of
from tuiback.engine.settings.channels import CHANNELS_FILE, Channels, PingChannel
from tuiback.errors import Damage
from tuiback.model import Owner, RunRow

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def severities(home: Home) -> dict[str, str]:
    """What was found, by its id."""
    return {one.id: one.severity for one in examine_home(home, lambda _: [SECRET], SystemClock())}


@pytest.mark.parametrize(
    ("seconds", "severity"), [(0, None), (119, None), (-119, None), (121, "warning"), (-299, "warning"), (301, "error")]
)
def test_a_clock_is_judged_by_microsofts(seconds: int, severity: str | None) -> None:
    """Sign-ins fail at five minutes; either way."""
    found = list(clock_findings(NOW + timedelta(seconds=seconds), NOW, "acme"))
    assert [one.severity for one in found] == ([severity] if severity else [])


def test_a_clock_that_was_never_set() -> None:
    """Known without anybody to ask."""
    (found,) = clock_findings(datetime(1970, 1, 1, tzinfo=UTC), None)
    assert (found.id, found.severity) == ("clock-unset", "error")
    assert list(clock_findings(NOW, None)) == []


@pytest.mark.parametrize(
    ("free", "total", "severity"), [(50, 1000, None), (49, 1000, "warning"), (4, 1000, "error"), (0, 0, None)]
)
def test_space(free: int, total: int, severity: str | None) -> None:
    """Below the mark, far below it; a store that does not tell its size is left alone."""
    assert [one.severity for one in space_findings(free, total, 50, "home", "/")] == ([severity] if severity else [])


@pytest.mark.parametrize(
    ("expires_on", "severity"),
    [(None, None), ("2027-06-01", None), ("2026-12-20", "warning"), ("2026-11-22T10:00:00Z", "error"), ("soon", None)],
)
def test_credentials(expires_on: str | None, severity: str | None) -> None:
    """Soon, too late, or nothing to say."""
    assert [one.severity for one in _credential("acme", expires_on, NOW)] == ([severity] if severity else [])


def test_who_may_use_a_file(tmp_path: Path) -> None:
    """Nobody but its owner."""
    file = tmp_path / "key"
    file.touch(0o600)
    assert list(private_findings(file, "key-file")) == []
    file.chmod(0o604)
    assert [one.id for one in private_findings(file, "key-file")] == ["key-file-permissions"]


def test_what_stops_the_looking_is_a_finding() -> None:
    """What was found by then stands before it."""

    def looking() -> Iterator[None]:
        raise Damage("is not what was written", "pack 1", "check")
        yield

    (found,) = told(looking, "catalog", "here")  # type: ignore[arg-type]
    assert (found.id, found.what, found.subject, found.remedy) == (
        "catalog-damage", "is not what was written", "pack 1", "check",
    )  # fmt: skip


async def test_what_was_cut_off(rig: Rig, tmp_path: Path) -> None:
    """A run, a job, a rebuild; while an engine works on them they are none of the doctor's business."""
    clock = SystemClock()
    await rig.archive.with_state(State.new_job, "export", "anna", b"", clock.now())
    await keep(rig, "all")
    rig.archive.committer.stage_run(RunRow(7, "mail", "manual", clock.now()))
    await rig.archive.committer.commit()
    rig.archive.catalog_path.with_suffix(".rebuilding").touch()
    found = severities(rig.home)
    assert {"job-cut-off", "run-cut-off", "rebuild-cut-off"} <= found.keys()
    lock = HomeLock(rig.home.path)
    found = severities(rig.home)
    lock.release()
    assert found["engine-stuck"] == "error"
    assert not {"job-cut-off", "run-cut-off", "rebuild-cut-off"} & found.keys()


async def test_a_catalog_behind_or_ahead(tmp_path: Path) -> None:
    """Behind is caught up with at the next start; ahead means that the repository was rolled back."""
    home = make_home(tmp_path)
    rig = await Rig.open(home)
    before = rig.archive.catalog_path.read_bytes()
    await rig.run()
    await rig.run()
    await rig.archive.close()
    assert not {"catalog-behind", "repository-rolled-back"} & severities(home).keys()
    commits = sorted((tmp_path / "repository" / "commits").rglob("*-*"))
    newest = commits[-1].read_bytes()
    commits[-1].unlink()
    assert severities(home)["repository-rolled-back"] == "error"
    commits[-1].write_bytes(newest)
    for file in home.catalog_path("main").parent.glob("catalog.db-*"):
        file.unlink()
    home.catalog_path("main").write_bytes(before)
    assert severities(home)["catalog-behind"] == "info"


def test_what_an_upgrade_left_or_will_do(tmp_path: Path) -> None:
    """Older databases are none of the doctor's to change; without room for them it says so before an engine does."""
    home = make_home(tmp_path)
    make_old(home)
    half = home.state_path("main").with_name("state.db.version-1.new")
    half.touch()
    found = severities(home)
    assert (found["database-older"], found["upgrade-cut-off"]) == ("info", "warning")
    assert {each.version() for each in databases_of(home)} == {1}
    assert "catalog-environment" not in found
    (shortage,) = [
        one for one in database_findings(home, engine_runs=False, free_bytes=lambda _: 1_000_000)
        if one.id == "upgrade-space"
    ]
    assert (shortage.severity, "1 MB are free" in shortage.what) == ("error", True)
    bring_up_to_date(home)
    found = severities(home)
    assert found["upgrade-copy"] == "info"
    assert not {"database-older", "upgrade-cut-off", "upgrade-space"} & found.keys()
    with contextlib.closing(sqlite3.connect(home.state_path("main"))) as opened:
        opened.execute("PRAGMA user_version = 99")
    assert severities(home)["database-newer"] == "error"


def test_folders_that_can_not_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another's, or on a volume that is mounted read-only; nothing is made to find out."""
    assert list(writable_findings(tmp_path, "home")) == []
    monkeypatch.setattr(os, "access", lambda *_: False)
    (found,) = writable_findings(tmp_path, "repository")
    assert (found.id, found.severity) == ("repository-not-writable", "error")
    monkeypatch.setattr(os, "statvfs", lambda _: SimpleNamespace(f_flag=os.ST_RDONLY))
    (found,) = writable_findings(tmp_path, "home")
    assert (found.id, "mount it for writing" in found.remedy) == ("home-read-only", True)


@pytest.mark.skipif(os.getuid() != 0, reason="only root may give files away")
def test_databases_that_another_user_made(tmp_path: Path) -> None:
    """As when root once ran a command on the home of a service."""
    home = make_home(tmp_path)
    make_old(home)
    assert "database-owner" not in severities(home)
    os.chown(home.state_path("main"), 12345, -1)
    assert severities(home)["database-owner"] == "error"


async def test_a_repository_that_another_home_has_taken_over(rig: Rig) -> None:
    """Known before an engine tries to write."""
    await rig.archive.take_over(Owner("another", "nas2", NOW))
    assert severities(rig.home)["repository-taken-over"] == "error"


def test_who_may_read_the_channels(tmp_path: Path) -> None:
    """They hold passwords and addresses that are secrets."""
    home = make_home(tmp_path)
    Channels(home.path).add(PingChannel(name="alive", url="https://ping.example/secret"))
    assert "channels-permissions" not in severities(home)
    (home.path / CHANNELS_FILE).chmod(0o644)
    assert severities(home)["channels-permissions"] == "warning"


def test_a_library_that_is_too_old(monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite comes with Python, and a NAS may have an old one."""
    assert connection.find_sqlite_lack() == ""
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 34, 1))
    assert "3.35.0 is needed" in connection.find_sqlite_lack()
