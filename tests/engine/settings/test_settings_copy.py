"""The repository has a sealed copy of the home's settings, written only when they change."""

from pathlib import Path

from tests.engine.rig import Rig
from tuiback.engine.clock import SystemClock
from tuiback.engine.settings.allotment import LimitSettings, save_limits
from tuiback.engine.settings.channels import CHANNELS_FILE, Channels, PingChannel
from tuiback.engine.settings.settings_copy import HomeSettings, SettingsCopy, bring_back, find_copy
from tuiback.errors import Damage
from tuiback.model import ControlRow

PING = PingChannel(name="alive", url="https://ping.example/s3cret")


def copy_of(rig: Rig) -> SettingsCopy:
    """The copy as an engine of the home keeps it."""
    return SettingsCopy(rig.home.path, {"main": rig.archive}, SystemClock())


async def committed(rig: Rig, copy: SettingsCopy) -> HomeSettings | None:
    """What the repository has once the copy has looked, and everything staged is committed."""
    await copy.stage()
    await rig.archive.committer.commit()
    return find_copy(rig.archive.reader, rig.archive.repository)


def number_of_commits(rig: Rig) -> int:
    """How often this home has written."""
    return sum(head.number for head in rig.archive.reader.heads())


async def test_a_change_is_one_commit(rig: Rig) -> None:
    """A home without settings writes none; what did not change is not written again, by the next engine either."""
    copy = copy_of(rig)
    assert await committed(rig, copy) is None
    save_limits(rig.home.path, LimitSettings(accounts=7))
    assert await committed(rig, copy) == HomeSettings(limits=LimitSettings(accounts=7))
    Channels(rig.home.path).add(PING)
    both = HomeSettings(limits=LimitSettings(accounts=7), channels=(PING,))
    assert await committed(rig, copy) == both
    before = number_of_commits(rig)
    assert await committed(rig, copy) == await committed(rig, copy_of(rig)) == both
    assert number_of_commits(rig) == before
    # What another home says later is not fought over.
    other = rig.archive.repository.seal(b'{"limits":{"accounts":3}}', "home settings")
    rig.archive.committer.stage_control(ControlRow("settings", "home", other))
    assert await committed(rig, copy) == HomeSettings(limits=LimitSettings(accounts=3))


async def test_what_a_failed_commit_took_along_is_staged_again(rig: Rig) -> None:
    """Nothing is staged while the repository can't be written to."""
    copy = copy_of(rig)
    save_limits(rig.home.path, LimitSettings(files=9))
    await copy.stage()
    rig.archive.committer.refuse(Damage("broken"))
    await copy.stage()
    await rig.archive.mend()
    assert await committed(rig, copy) == HomeSettings(limits=LimitSettings(files=9))


async def test_a_file_that_can_not_be_read_is_no_change(rig: Rig) -> None:
    """The copy stays as it is, for whoever repairs the file."""
    copy = copy_of(rig)
    Channels(rig.home.path).add(PING)
    known = await committed(rig, copy)
    (rig.home.path / CHANNELS_FILE).write_text("{")
    assert await committed(rig, copy) == known


async def test_a_home_keeps_what_it_has(rig: Rig, tmp_path: Path) -> None:
    """Only what it has no file for comes from the repository."""
    Channels(rig.home.path).add(PING)
    save_limits(rig.home.path, LimitSettings(files=9))
    await committed(rig, copy_of(rig))
    bare = tmp_path / "bare"
    bare.mkdir()
    save_limits(bare, LimitSettings(files=4))
    bring_back(bare, rig.archive.reader, rig.archive.repository)
    assert Channels(bare).all() == (PING,)
    assert '"files":4' in (bare / "limits.json").read_text()
