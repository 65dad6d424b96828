"""The tools that `bench` compares: how each makes a repository, backs a folder up, restores and checks it."""

import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from tuiback import __version__
from tuiback.cli.benching.measuring import Command

PASSPHRASE = "measured in the open"  # noqa: S105 - what it protects is thrown away
OWN = "tuiback"
OTHERS = ("restic", "borg")


class Tool(Protocol):
    """One tool with a repository of its own below `place`; commands are run by the caller."""

    name: str
    version: str

    def init(self) -> Command:
        """Make the repository."""
        ...

    def backup(self, data: Path, number: int) -> Command:
        """Back the folder up for the number-th time, encrypted and compressed."""
        ...

    def restore(self, number: int, target: Path) -> Command:
        """Write what that backup holds below `target`, which is there and empty."""
        ...

    def check(self) -> Command:
        """Read and verify everything."""
        ...

    @property
    def repository(self) -> Path:
        """The folder of the repository: all that a second machine would need."""
        ...

    @property
    def beside(self) -> Path:
        """The folder of what it keeps outside of its repository: catalog or cache."""
        ...


class Tuiback:
    """This program, run as a process of its own as any other tool, with a key file as unattended homes have it."""

    name = OWN
    version = __version__

    def __init__(self, place: Path) -> None:
        self.repository = place / "repository"
        self.beside = place / "home"
        self._place = place

    def init(self) -> Command:
        """See Tool.init."""
        return self._verb("init", "--repository", str(self.repository), "--key-file", str(self._place / "key"))

    def backup(self, data: Path, number: int) -> Command:
        """See Tool.backup. Which backup it is the catalog knows."""
        del number
        return self._run("tuiback.cli.benching.own", "backup", str(self.beside), str(data.absolute()))

    def restore(self, number: int, target: Path) -> Command:
        """See Tool.restore."""
        return self._run("tuiback.cli.benching.own_restore", str(self.beside), str(target.absolute()), str(number))

    def check(self) -> Command:
        """See Tool.check."""
        return self._verb("check", "--read-data")

    def _verb(self, *arguments: str) -> Command:
        return self._run("tuiback", "--home", str(self.beside), *arguments)

    def _run(self, module: str, *arguments: str) -> Command:
        # An installed program is compiled once, not at every start, whatever the shell of whoever measures it says.
        return Command([sys.executable, "-m", module, *arguments], self._place, {"PYTHONDONTWRITEBYTECODE": ""})


class Restic:
    """restic (https://restic.readthedocs.io) with its own compression and its cache kept warm.

    Its password file is a password like any other: opening the repository takes scrypt, as it does for its users.
    """

    name = "restic"

    def __init__(self, place: Path, version: str) -> None:
        self.version = version
        self.repository = place / "repository"
        self.beside = place / "cache"
        self._place = place
        password = place / "password"
        password.write_text(PASSPHRASE)
        self._environ = {
            "RESTIC_REPOSITORY": str(self.repository),
            "RESTIC_PASSWORD_FILE": str(password),
            "RESTIC_CACHE_DIR": str(self.beside),
        }

    def init(self) -> Command:
        """See Tool.init."""
        return self._restic("init")

    def backup(self, data: Path, number: int) -> Command:
        """See Tool.backup."""
        del number
        return Command(["restic", "backup", "--quiet", data.name], data.parent, self._environ)

    def restore(self, number: int, target: Path) -> Command:
        """See Tool.restore. The newest backup is the one that was asked for."""
        del number
        return self._restic("restore", "--quiet", "latest", "--target", str(target))

    def check(self) -> Command:
        """See Tool.check."""
        return self._restic("check", "--quiet", "--read-data")

    def _restic(self, *arguments: str) -> Command:
        return Command(["restic", *arguments], self._place, self._environ)


class Borg:
    """borg (https://borgbackup.readthedocs.io) with BLAKE2 and the compression that tuiback uses."""

    name = "borg"

    def __init__(self, place: Path, version: str) -> None:
        self.version = version
        self.repository = place / "repository"
        self.beside = place / "base"
        self._place = place
        self._environ = {"BORG_PASSPHRASE": PASSPHRASE, "BORG_BASE_DIR": str(self.beside)}

    def init(self) -> Command:
        """See Tool.init."""
        return self._borg("init", "--encryption", "repokey-blake2", str(self.repository))

    def backup(self, data: Path, number: int) -> Command:
        """See Tool.backup."""
        arguments = ["borg", "create", "--compression", "zstd,3", self._archive(number), data.name]
        return Command(arguments, data.parent, self._environ)

    def restore(self, number: int, target: Path) -> Command:
        """See Tool.restore."""
        return Command(["borg", "extract", self._archive(number)], target, self._environ)

    def check(self) -> Command:
        """See Tool.check."""
        return self._borg("check", "--verify-data", str(self.repository))

    def _archive(self, number: int) -> str:
        return f"{self.repository}::backup-{number}"

    def _borg(self, *arguments: str) -> Command:
        return Command(["borg", *arguments], self._place, self._environ)


def find_versions(names: Sequence[str]) -> dict[str, str]:
    """The version of each of the other tools that is installed here."""
    return {name: _version_of(name) for name in names if shutil.which(name)}


def make_tool(name: str, place: Path, versions: Mapping[str, str]) -> Tool:
    """The tool with a new folder of its own at `place`."""
    place.mkdir(parents=True)
    if name == OWN:
        return Tuiback(place)
    return Restic(place, versions[name]) if name == "restic" else Borg(place, versions[name])


def _version_of(name: str) -> str:
    arguments = [name, "version"] if name == "restic" else [name, "--version"]
    said = subprocess.run(arguments, capture_output=True, check=False, text=True)  # noqa: S603 - as measure() does
    words = said.stdout.split()
    return words[1] if len(words) > 1 else "unknown"
