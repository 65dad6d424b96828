"""Channels are kept in a private file that several processes may change."""

import stat
from pathlib import Path

import pytest

from tuiback.engine.settings.channels import CHANNELS_FILE, Channels, PingChannel, SmtpChannel, WebhookChannel
from tuiback.errors import EnvironmentFault, FormatTooNew, NoSuchThing, UsageError

MAIL = SmtpChannel(
    name="ops", host="h", port=25, security="ssl", sender="a@x", to=("b@x",), user="u", password="p", digest="07:00"
)
HOOK = WebhookChannel(name="hook", url="https://x/y", authorization="Bearer z")


def test_what_one_process_adds_another_sees(tmp_path: Path) -> None:
    """With everything it says; nobody but the owner can read it."""
    mine, theirs = Channels(tmp_path), Channels(tmp_path)
    assert theirs.all() == ()
    mine.add(MAIL)
    mine.add(HOOK)
    assert theirs.all() == (HOOK, MAIL)
    assert theirs.of_kind(SmtpChannel) == (MAIL,)
    assert stat.S_IMODE((tmp_path / CHANNELS_FILE).stat().st_mode) == 0o600
    mine.remove("hook")
    assert theirs.all() == (MAIL,)
    with pytest.raises(NoSuchThing):
        theirs.get("hook")


def test_names_are_taken_once(tmp_path: Path) -> None:
    """Whatever kind the other is of."""
    Channels(tmp_path).add(HOOK)
    with pytest.raises(UsageError):
        Channels(tmp_path).add(PingChannel(name="hook", url="https://x"))


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    """It is not read as if there were no channel."""
    (tmp_path / CHANNELS_FILE).write_text("{")
    with pytest.raises(EnvironmentFault, match="channels"):
        Channels(tmp_path).all()


def test_a_newer_file_is_refused(tmp_path: Path) -> None:
    """What it says may not be what this tuiback reads in it."""
    (tmp_path / CHANNELS_FILE).write_text('{"version": 2, "channels": {"by": "name"}}')
    with pytest.raises(FormatTooNew, match="newer"):
        Channels(tmp_path).all()
