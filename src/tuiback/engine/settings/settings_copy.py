"""Keeps a sealed copy of the home's limits and channels in its first repository: `adopt` brings them back with it.

Who may use the engine by which Unix group is not in it: groups are a matter of the machine.
"""

import asyncio
import contextlib
from collections.abc import Mapping
from pathlib import Path

import msgspec

from tuiback.catalog import CatalogReader
from tuiback.engine.archives.archive import Archive
from tuiback.engine.archives.committer import Committer
from tuiback.engine.settings.allotment import LIMITS_FILE, LimitSettings, load_limits, save_limits
from tuiback.engine.settings.channels import CHANNELS_FILE, Channel, Channels
from tuiback.errors import TuibackError
from tuiback.model import Clock, ControlRow
from tuiback.store import Repository

PURPOSE = "home settings"
# What other processes change beside a running engine waits this long for the repository.
LOOK_SECONDS = 30.0


class HomeSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What a home knows beside its repositories; channels have secrets."""

    limits: LimitSettings = LimitSettings()
    channels: tuple[Channel, ...] = ()


def read_settings(home: Path) -> HomeSettings:
    """As they are now. Raises EnvironmentFault."""
    return HomeSettings(limits=load_limits(home), channels=Channels(home).all())


def find_copy(reader: CatalogReader, repository: Repository) -> HomeSettings | None:
    """The settings as a repository has them, None where it has none. Raises Damage."""
    sealed = reader.find_settings()
    return msgspec.json.decode(repository.unseal(sealed, PURPOSE), type=HomeSettings) if sealed is not None else None


def bring_back(home: Path, reader: CatalogReader, repository: Repository) -> None:
    """Give a home that has no settings those of the repository. Raises EnvironmentFault, Damage."""
    found = find_copy(reader, repository)
    if found is None:
        return
    if not (home / LIMITS_FILE).exists() and found.limits != LimitSettings():
        save_limits(home, found.limits)
    if not (home / CHANNELS_FILE).exists():
        channels = Channels(home)
        for channel in found.channels:
            channels.add(channel)


class SettingsCopy:
    """The copy of a running engine's home. What two homes of one repository say is that of the one that began last."""

    def __init__(self, home: Path, archives: Mapping[str, Archive], clock: Clock) -> None:
        self._home = home
        self._archives = archives
        self._clock = clock
        self._seen: tuple[Committer, HomeSettings] | None = None

    async def run(self) -> None:
        """Look for changes, until cancelled."""
        while True:
            await self._clock.sleep(LOOK_SECONDS)
            await self.stage()

    async def stage(self) -> None:
        """Stage the settings for the repository's next commit, where they are not what it has."""
        archive = next(iter(self._archives.values()), None)
        if archive is None or archive.committer.fault is not None:
            return
        # Files that can't be read are told by whoever needs them.
        with contextlib.suppress(TuibackError):
            now = await asyncio.to_thread(read_settings, self._home)
            committer, known = self._seen or (None, None)
            if committer is not archive.committer:
                # What a failed commit took along is staged again.
                known = await asyncio.to_thread(find_copy, archive.reader, archive.repository) or HomeSettings()
            if now != known:
                sealed = archive.repository.seal(msgspec.json.encode(now), PURPOSE)
                archive.committer.stage_control(ControlRow("settings", "home", sealed))
            self._seen = (archive.committer, now)
