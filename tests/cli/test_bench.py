"""`bench` from its command line to its JSON, with this program as the only tool."""

from pathlib import Path

import pytest

from tests.cli.conftest import Tuiback
from tuiback import __version__
from tuiback.cli.benching.comparing import PHASES


def test_our_own_figures(tuiback: Tuiback, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Backed up, changed, restored and checked as real runs do it, measured, and nothing is left behind."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    data = tmp_path / "data"
    (data / "deep" / "er").mkdir(parents=True)
    (data / "deep" / "er" / "a.eml").write_bytes(b"Subject: a\r\n\r\nhello\r\n")
    (data / "long.bin").write_bytes(b"".join(b"%08d" % number for number in range(300_000)))
    ended = tuiback("bench", "--quick", "--data", data, "--json")
    assert (ended.code, ended.err) == (0, "")
    assert ended.document["schema"] == "tuiback.bench/1"
    results = ended.document["results"]
    assert [(row["data"], row["phase"]) for row in results] == [
        (kind, phase) for kind in ("large", "mail") for phase in PHASES
    ]
    assert {(row["tool"], row["version"]) for row in results} == {("tuiback", __version__)}
    names = ("seconds", "cpu_seconds", "stored_bytes", "beside_bytes", "rss")
    assert all(row[name] > 0 for row in results for name in names)
    assert list(scratch.iterdir()) == []


def test_an_unknown_tool(tuiback: Tuiback) -> None:
    """What can't be measured against is wrong usage."""
    ended = tuiback("bench", "--against", "restic,tar")
    assert ended.code == 2
    assert "tar" in ended.err


def test_a_tool_that_is_not_installed(tuiback: Tuiback, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told and left out; here nothing is left to measure with either."""
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "data").mkdir()
    ended = tuiback("bench", "--quick", "--data", tmp_path / "data", "--against", "restic, borg")
    assert ended.code == 7
    assert "restic is not installed here, so it is left out\nborg is not" in ended.err
