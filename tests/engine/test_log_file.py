"""The log is complete, bounded, private, and keeps no secret."""

import json
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tuiback.engine.log_file import OLDER_FILES, LogFile, log_path
from tuiback.model import ActivityLine

NOW = datetime(2026, 11, 23, 8, 0, 0, 123_000, tzinfo=UTC)


def line(text: str, number: int = 1) -> ActivityLine:
    """Something happened."""
    return ActivityLine(number, NOW, "warn", "mail", text)


def test_a_line_has_its_request_apart(tmp_path: Path) -> None:
    """Microsoft's support asks for it; only the owner can read the file."""
    LogFile(tmp_path)(line("GET /v1.0/users: 500 no [request 1f9c-22]; retry later"))
    (written,) = [json.loads(each) for each in log_path(tmp_path).read_text().splitlines()]
    assert written.pop("pid") > 0
    assert written == {
        "time": "2026-11-23T08:00:00.123Z", "level": "warn", "subject": "mail", "request_id": "1f9c-22",
        "text": "GET /v1.0/users: 500 no; retry later",
    }  # fmt: skip
    assert stat.S_IMODE(log_path(tmp_path).stat().st_mode) == 0o600
    assert stat.S_IMODE(log_path(tmp_path).parent.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    "text",
    [
        "https://x.example/file?tempauth=SECRET-SECRET-SECRET broke",
        "https://eve:SECRET@proxy.example:3128 refuses",
        "Authorization: Bearer SECRET",
        "token eyJhbGciOiJSUzI1NiJ9.SECRETSECRET.SECRET was refused",
    ],
)
def test_secrets_are_cut_out(tmp_path: Path, text: str) -> None:
    """Whatever brought them there."""
    LogFile(tmp_path)(line(text))
    assert "SECRET" not in log_path(tmp_path).read_text()
    assert "[...]" in log_path(tmp_path).read_text()


def test_the_files_are_turned_over(tmp_path: Path) -> None:
    """The newest lines are in the file, those before in its forerunners; the oldest go."""
    log = LogFile(tmp_path, most_bytes=2000)
    for number in range(200):
        log(line(f"line {number}"))
    files = sorted(log_path(tmp_path).parent.iterdir())
    assert 3 <= len(files) <= OLDER_FILES + 1
    assert all(file.stat().st_size < 2200 for file in files)
    newest = log_path(tmp_path).with_name("engine.jsonl.1").read_text().splitlines()
    if log_path(tmp_path).exists():
        newest += log_path(tmp_path).read_text().splitlines()
    assert json.loads(newest[-1])["text"] == "line 199"


def test_a_log_that_cannot_be_written_disturbs_nobody(tmp_path: Path) -> None:
    """It goes on when it can be written again."""
    (tmp_path / "log").write_text("in the way")
    log = LogFile(tmp_path)
    log(line("lost"))
    assert log.failed
    (tmp_path / "log").unlink()
    log(line("kept"))
    assert not log.failed
    assert "kept" in log_path(tmp_path).read_text()
