"""Channels on the command line: secrets come by files and never come back."""

from pathlib import Path

import pytest

from tests.cli.conftest import Tuiback

MAIL = ["smtp", "ops", "--host", "h", "--from", "a@x", "--to", "b@x"]


def test_channels_come_and_go(tuiback: Tuiback, home: Path, tmp_path: Path) -> None:
    """The list shows where they lead, without passwords and without the secret part of an address."""
    (tmp_path / "secret").write_text("hunter2\n")
    (tmp_path / "url").write_text("https://hc-ping.example/my-own-uuid\n")

    def call(*arguments: str | Path) -> int:
        return tuiback("--home", home, "notify", *arguments).code

    assert call("add", *MAIL, "--user", "nas", "--password-file", tmp_path / "secret", "--digest", "7:00") == 0
    assert call("add", "ping", "hc", "--url-file", tmp_path / "url", "--every", "60") == 0
    listed = tuiback("--json", "--home", home, "notify", "list")
    assert b"hunter2" not in listed.out
    assert b"my-own-uuid" not in listed.out
    assert listed.document["channels"] == [
        {"name": "hc", "kind": "ping", "where": "hc-ping.example", "digest": None, "every_seconds": 60.0},
        {"name": "ops", "kind": "smtp", "where": "b@x by h:587", "digest": "07:00"},
    ]
    assert call("add", *MAIL) == 2
    assert call("remove", "ops") == 0
    assert call("remove", "ops") == 6
    assert [row["name"] for row in tuiback("--json", "--home", home, "notify", "list").document["channels"]] == ["hc"]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ([*MAIL, "--user", "nas"], 2),
        ([*MAIL, "--digest", "25:00"], 2),
        ([*MAIL, "--user", "nas", "--password-file", "/nowhere"], 7),
        ([*MAIL, "--user", "nas", "--password-file", "/dev/null"], 2),
        ([*MAIL, "--user", "nas", "--password-file", "/dev/null", "--security", "none"], 2),
        (["webhook", "hook"], 2),
        (["webhook", "hook", "--url", "ftp://x"], 2),
        (["ping", "hc", "--url", "https://x", "--url-file", "/dev/null"], 2),
        (["ping", "HC", "--url", "https://x"], 2),
    ],
)
def test_what_is_refused(tuiback: Tuiback, home: Path, arguments: list[str], code: int) -> None:
    """Each in one line, and nothing is added."""
    ended = tuiback("--home", home, "notify", "add", *arguments)
    assert (ended.code, ended.err.count("\n")) == (code, 1)
    assert tuiback("--home", home, "notify", "list").out == b""


def test_a_test_needs_a_channel(tuiback: Tuiback, home: Path) -> None:
    """Without one there is nothing to try; one that does not answer is named."""
    assert tuiback("--home", home, "notify", "test").code == 6
    assert tuiback("--home", home, "notify", "add", "webhook", "hook", "--url", "http://127.0.0.1:1/x").code == 0
    ended = tuiback("--json", "--home", home, "notify", "test")
    assert ended.code == 1
    ((row,),) = [ended.document["channels"]]
    assert (row["name"], row["ok"]) == ("hook", False)
    assert tuiback("--home", home, "notify", "test", "other").code == 6
