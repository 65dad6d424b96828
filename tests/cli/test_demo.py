"""Tests of the demo from end to end, as a new user runs it."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Tuiback
from tests.warm import Warm

LIMIT_SECONDS = 90
SIZE = ("--users", "2", "--messages", "8", "--files-per-user", "5")


def demo(*arguments: str | Path) -> "subprocess.CompletedProcess[bytes]":
    """One `tuiback demo`, without a terminal."""
    with Warm("demo", *map(str, arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            out, err = process.communicate(timeout=LIMIT_SECONDS)
        finally:
            process.kill()
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


@pytest.fixture(scope="module")
def twice(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any], dict[str, Any]]:
    """A demo home, and what two runs on it told."""
    home = tmp_path_factory.mktemp("demo") / "home"
    told = [demo("--once", "--json", "--home", home, *SIZE) for _ in range(2)]
    assert [(one.returncode, one.stderr) for one in told] == [(0, b"")] * 2
    first, second = (json.loads(one.stdout) for one in told)
    return home, first, second


def test_the_first_run(twice: tuple[Path, dict[str, Any], dict[str, Any]]) -> None:
    """Every service has a task, every task is ok, and the figures add up."""
    home, first, _ = twice
    assert first["schema"] == "tuiback.demo/1"
    assert first["home"] == str(home)
    tasks = {task["name"]: task for task in first["tasks"]}
    assert set(tasks) == {"exchange", "onedrive"}
    assert all(task["service"] == name for name, task in tasks.items())
    assert all((task["outcome"], task["accounts"], task["owed"]) == ("ok", 2, 0) for task in tasks.values())
    assert tasks["exchange"]["items"] == 16
    assert tasks["exchange"]["bytes"] > 0
    assert first["repository"]["stored_bytes"] > 0


def test_the_second_run_fetches_nothing(twice: tuple[Path, dict[str, Any], dict[str, Any]]) -> None:
    """The same home is taken up again: the same tenant, nothing new, nothing read."""
    _, first, second = twice
    for before, after in zip(first["tasks"], second["tasks"], strict=True):
        assert (after["outcome"], after["items"], after["bytes"]) == ("ok", before["items"], before["bytes"])
        assert (after["items_new"], after["items_changed"], after["items_removed"], after["bytes_read"]) == (0, 0, 0, 0)
        assert 0 < after["requests"] < before["requests"]


def test_the_home_is_an_ordinary_one(
    twice: tuple[Path, dict[str, Any], dict[str, Any]], tuiback: Tuiback, tmp_path: Path
) -> None:
    """Every verb works on a demo home, and no verb shows or keeps its client secret in clear."""
    home = twice[0]
    assert tuiback("--home", home, "check", "--read-data").code == 0
    rows = tuiback("--json", "--home", home, "account", "list", "exchange").rows
    for row in rows:
        out = tmp_path / row["address"]
        exported = tuiback("--json", "--home", home, "export", row["account_id"], "--to", out).document
        assert (exported["outcome"], exported["files"]) == ("ok", row["items"])
    assert b"sim~" not in b"".join(path.read_bytes() for path in home.rglob("*") if path.is_file())


def test_a_real_home_is_left_alone(home: Path) -> None:
    """The demo refuses a home that holds real backups."""
    ended = demo("--once", "--json", "--home", home)
    assert ended.returncode == 2
    assert json.loads(ended.stdout)["what"] == "holds real backups"


def test_a_temporary_home_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without --home nothing stays behind; for people the outcome is a table."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    ended = demo("--users", "1", "--messages", "2", "--files-per-user", "2")
    assert ended.returncode == 0
    assert ended.stdout.decode().splitlines()[0].split()[:3] == ["TASK", "OUTCOME", "ACCOUNTS"]
    assert list(tmp_path.iterdir()) == []


def test_real_content_replaces_the_generated(tmp_path: Path) -> None:
    """Every given message and file is backed up, each once; nothing generated is mixed in."""
    (tmp_path / "mail" / "sub").mkdir(parents=True)
    (tmp_path / "files").mkdir()
    for number in range(5):
        (tmp_path / "mail" / "sub" / f"{number}.eml").write_bytes(b"Subject: %d\n\nhello\n" % number)
    for number in range(3):
        (tmp_path / "files" / f"{number}.bin").write_bytes(bytes([number]) * 1000)
    ended = demo("--once", "--json", "--users", "2", "--mail", tmp_path / "mail", "--files", tmp_path / "files")
    assert ended.returncode == 0, ended.stderr
    tasks = {task["name"]: task for task in json.loads(ended.stdout)["tasks"]}
    assert (tasks["exchange"]["items"], tasks["exchange"]["bytes"]) == (5, 5 * 18)
    assert (tasks["onedrive"]["items"], tasks["onedrive"]["bytes"]) == (3, 3000)
