"""Tests of doctor: what is wrong is found by its id, with a remedy, and nothing is changed."""

import os
from pathlib import Path

import pytest

from tests.cli.conftest import Ended, Tuiback
from tuiback.cli.doctor import terminal_findings


def found(ended: Ended, *severities: str) -> set[str]:
    """The ids of what was found."""
    return {one["id"] for one in ended.document["findings"] if one["severity"] in (severities or ("error", "warning"))}


def test_without_a_home(tuiback: Tuiback, tmp_path: Path) -> None:
    """The machine is looked at, and nothing is made."""
    ended = tuiback("--json", "--home", tmp_path / "none", "doctor")
    assert (ended.code, ended.document["ok"]) == (0, True)
    assert {"version", "dependency", "no-home"} <= found(ended, "info")
    assert list(tmp_path.iterdir()) == []


def test_findings_have_all_their_fields(tuiback: Tuiback, seeded: Path) -> None:
    """Every error and warning says what to do."""
    ended = tuiback("--json", "--home", seeded, "doctor")
    assert (ended.code, ended.document["schema"], ended.document["ok"]) == (0, "tuiback.doctor/1", True)
    for finding in ended.document["findings"]:
        assert set(finding) == {"id", "severity", "what", "subject", "remedy"}
        assert finding["severity"] == "info" or finding["remedy"]
    # Home, key and repository of a test lie on one volume, and nobody has tried the key yet.
    assert found(ended) == {"key-file-volume", "key-unconfirmed"}


def test_a_repository_that_is_not_mounted(tuiback: Tuiback, seeded: Path) -> None:
    """An empty mount point is an error, told with the code of the environment."""
    (seeded / "repository").rename(seeded.parent / "away")
    (seeded / "repository").mkdir()
    ended = tuiback("--json", "--home", seeded, "doctor")
    assert (ended.code, ended.document["ok"]) == (7, False)
    assert found(ended, "error") == {"repository-repository_missing"}
    assert list((seeded / "repository").iterdir()) == []


def test_what_others_may_read(tuiback: Tuiback, seeded: Path) -> None:
    """Home and key file."""
    seeded.chmod(0o755)
    (seeded.parent / "tuiback.key").chmod(0o640)
    assert found(tuiback("--json", "--home", seeded, "doctor")) >= {"home-permissions", "key-file-permissions"}


def test_a_key_file_that_is_lost_or_wrong(tuiback: Tuiback, seeded: Path) -> None:
    """Both keep tuiback from working."""
    key = seeded.parent / "tuiback.key"
    key.write_text("00" * 32)
    assert "key-wrong" in found(tuiback("--json", "--home", seeded, "doctor"), "error")
    key.unlink()
    ended = tuiback("--json", "--home", seeded, "doctor")
    assert ended.code == 7
    assert "key-file-unreadable" in found(ended, "error")


def test_a_key_file_beside_the_data(tuiback: Tuiback, tmp_path: Path) -> None:
    """Whoever takes the home has both."""
    home = tmp_path / "home"
    assert tuiback("init", "--home", home, "--key-file", home / "tuiback.key").code == 0
    assert "key-file-inside" in found(tuiback("--json", "--home", home, "doctor"))


def test_a_lost_catalog(tuiback: Tuiback, seeded: Path) -> None:
    """The remedy is its rebuild."""
    for file in (seeded / "catalogs" / "main").glob("catalog.db*"):
        file.unlink()
    ended = tuiback("--json", "--home", seeded, "doctor")
    assert ended.code == 7
    (remedy,) = {one["remedy"] for one in ended.document["findings"] if one["severity"] == "error"}
    assert "rebuild-catalog" in remedy


def test_what_was_cut_off(tuiback: Tuiback, seeded: Path) -> None:
    """A home half made, a home half written, a socket left behind."""
    (seeded / "home.json.new").touch()
    (seeded / "engine.sock").touch()
    ended = tuiback("--json", "--home", seeded, "doctor")
    assert "home-half-written" in found(ended)
    assert "engine-stale" in found(ended, "info")
    (seeded / "home.json").write_text('{"version":1}')
    ended = tuiback("--json", "--home", seeded, "doctor")
    assert (ended.code, "init-unfinished" in found(ended, "error")) == (7, True)


def test_a_home_that_can_not_be_opened(tuiback: Tuiback, seeded: Path) -> None:
    """A newer tuiback made it."""
    (seeded / "home.json").write_text('{"version":99}')
    assert found(tuiback("--json", "--home", seeded, "doctor"), "error") == {"home-format_too_new"}


@pytest.mark.parametrize(
    ("environ", "encoding", "size", "ids"),
    [
        ({"TERM": "xterm-256color"}, "utf-8", (120, 40), set()),
        ({"TERM": "xterm"}, "UTF8", (80, 24), {"terminal-colours"}),
        ({"TERM": "linux", "COLORTERM": "truecolor"}, "utf-8", (79, 24), {"terminal-size"}),
        ({"TERM": "dumb"}, "ascii", (200, 20), {"terminal-size", "terminal-dumb", "terminal-encoding"}),
        ({}, "utf-8", (200, 50), {"terminal-dumb"}),
    ],
)
def test_terminals(environ: dict[str, str], encoding: str, size: tuple[int, int], ids: set[str]) -> None:
    """Size, colours and encoding."""
    assert {one.id for one in terminal_findings(environ, encoding, os.terminal_size(size))} == ids


def test_no_terminal_is_no_trouble() -> None:
    """As in cron."""
    assert list(terminal_findings({}, "ascii", None)) == []
