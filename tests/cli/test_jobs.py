"""Tests of the list of jobs on a home filled by hand."""

from datetime import UTC, datetime
from pathlib import Path

from tests.cli.conftest import Tuiback
from tests.cli.seed import DRIVE
from tuiback.catalog import State
from tuiback.engine.home import MAIN, Home


def test_jobs(tuiback: Tuiback, seeded: Path, tmp_path: Path) -> None:
    """The newest first, each with how it ended; one that never told its end was interrupted."""
    assert tuiback("--json", "--home", seeded, "job", "list").document["jobs"] == []
    assert tuiback("--home", seeded, "export", DRIVE, "--to", tmp_path / "o").code == 0
    assert tuiback("--home", seeded, "prune").code == 0
    state = State.open(Home.open(seeded).state_path(MAIN))
    state.new_job("restore", "eve", b"{}", datetime.now(UTC))
    state.close()
    document = tuiback("--json", "--home", seeded, "job", "list").document
    assert document["schema"] == "tuiback.job-list/1"
    assert [(row["job"], row["kind"], row["state"], row["outcome"]) for row in document["jobs"]] == [
        (3, "restore", "interrupted", None), (2, "prune", "ended", "ok"), (1, "export", "ended", "ok"),
    ]  # fmt: skip
    shown = tuiback("--json", "--home", seeded, "job", "show", "1").document
    assert (shown["schema"], shown["job"], shown["done"], shown["total"]) == ("tuiback.job/1", 1, 1, 1)
    assert b"export" in tuiback("--home", seeded, "job", "show", "1").out


def test_jobs_that_are_not_there(tuiback: Tuiback, seeded: Path) -> None:
    """Neither shown nor cancelled, resumed or undone: exit 6."""
    assert tuiback("--home", seeded, "job", "show", "7").code == 6
    assert tuiback("--home", seeded, "job", "cancel", "7").code == 6
    assert tuiback("--home", seeded, "job", "resume", "7").code == 6
    assert tuiback("--home", seeded, "job", "undo", "7").code == 6


def test_a_job_goes_on(tuiback: Tuiback, seeded: Path, tmp_path: Path) -> None:
    """An export that was cut off is brought to its end under its own number; what cannot go on is wrong usage."""
    assert tuiback("--home", seeded, "export", DRIVE, "--to", tmp_path / "o").code == 0
    state = State.open(Home.open(seeded).state_path(MAIN))
    state.reopen_job(1, datetime.now(UTC))
    state.close()
    resumed = tuiback("--json", "--home", seeded, "job", "resume", "1")
    assert resumed.code == 0
    document = resumed.document
    assert document["schema"] == "tuiback.job/1"
    assert [document[name] for name in ("job", "kind", "outcome", "state", "done")] == [1, "export", "ok", "ended", 1]
    assert tuiback("--home", seeded, "job", "resume", "1").code == 2
    assert tuiback("--home", seeded, "job", "undo", "1").code == 2
