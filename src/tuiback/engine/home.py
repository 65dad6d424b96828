"""The home: the folder that knows the repositories and holds catalogs, lock and socket."""

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from tuiback.errors import EnvironmentFault, FormatTooNew, NoSuchThing, UsageError

HOME_FILE = "home.json"
HOME_VERSION = 1
MAIN = "main"
CATALOG = "catalog.db"
STATE = "state.db"
ALERTS = "alerts.db"

# Locks, memory maps and the write-ahead log of SQLite are not to be trusted over these.
NETWORK_FILE_SYSTEMS = frozenset(
    {
        "9p", "afs", "beegfs", "ceph", "cifs", "coda", "davfs", "fuse.ceph-fuse", "fuse.davfs", "fuse.glusterfs",
        "fuse.rclone", "fuse.s3fs", "fuse.seaweedfs", "fuse.smbnetfs", "fuse.sshfs", "gfs2", "glusterfs", "lustre",
        "ncpfs", "nfs", "nfs4", "ocfs2", "smb", "smb2", "smb3", "smbfs",
    }
)  # fmt: skip
_IN_MEMORY = "in memory: a restart of the machine empties it"
_OF_A_CONTAINER = "in a container's own layer: it goes with the container"
_SHORT_LIVED = {"tmpfs": _IN_MEMORY, "ramfs": _IN_MEMORY, "overlay": _OF_A_CONTAINER, "aufs": _OF_A_CONTAINER}


class RepositoryRef(msgspec.Struct, frozen=True, kw_only=True):
    """Where a repository lies, which id it must show, and what opens it.

    `key_file` is None where a passphrase is asked for; `catalog` is the folder of catalog.db and state.db.
    """

    name: str
    url: str
    repository_id: str
    catalog: str
    key_file: str | None = None


class Access(msgspec.Struct, frozen=True, kw_only=True):
    """Which Unix group has which role at the engine's socket; "" lets nobody in by that role.

    Operators export below `export_folder` only: the engine writes there with its own rights.
    """

    viewer: str = "tuiback-viewer"
    operator: str = "tuiback-operator"
    admin: str = "tuiback-admin"
    export_folder: str = ""


class HomeFile(msgspec.Struct, frozen=True, kw_only=True):
    """The content of home.json."""

    version: int
    demo: bool = False
    access: Access = Access()
    repositories: tuple[RepositoryRef, ...] = ()
    # Made when the home takes a repository over.
    home_id: str = ""


def find_home_path(option: str | None, environ: Mapping[str, str]) -> Path:
    """--home, else $TUIBACK_HOME, else $XDG_DATA_HOME/tuiback, else ~/.local/share/tuiback."""
    if option or environ.get("TUIBACK_HOME"):
        return Path(option or environ["TUIBACK_HOME"]).expanduser().absolute()
    data = environ.get("XDG_DATA_HOME") or "~/.local/share"
    return Path(data).expanduser().absolute() / "tuiback"


def mounted_file_systems() -> list[tuple[str, str]]:
    """(mount point, file system type) of everything mounted, from /proc/mounts, in the order it was mounted.

    psutil could tell too, but loading it would delay the console's first frame.
    """
    lines = Path("/proc/mounts").read_bytes().splitlines()
    fields = [line.split(b" ") for line in lines]
    # Blanks and the like in a name are written as \040; see getmntent(3).
    return [(os.fsdecode(re.sub(rb"\\([0-7]{3})", _octal, f[1])), os.fsdecode(f[2])) for f in fields if len(f) > 2]


def _octal(match: re.Match[bytes]) -> bytes:
    return bytes([int(match[1], 8)])


def file_system_of(path: Path, mounts: Iterable[tuple[str, str]]) -> str:
    """The type of the file system that `path` lies on ("" when nothing fits), also for paths yet to be made."""
    place = Path(os.path.realpath(path))
    best, kind = -1, ""
    for point, fstype in mounts:
        # A later mount on the same point hides the earlier one.
        if place.is_relative_to(point) and len(point) >= best:
            best, kind = len(point), fstype
    return kind


def refuse_network_file_system(path: Path, mounts: Iterable[tuple[str, str]], what: str = "home") -> None:
    """Raise EnvironmentFault when the home, or the catalog, would lie on a network file system."""
    kind = file_system_of(path, mounts)
    if kind.lower() in NETWORK_FILE_SYSTEMS:
        raise EnvironmentFault(
            f"the {what} lies on a network file system ({kind}), where locks and databases are not safe",
            str(path),
            f"choose a local folder with --{what}; the repository itself may be remote",
        )


def make_local_folder(path: Path, what: str, mounts: Iterable[tuple[str, str]] | None = None) -> None:
    """Make the folder of the home, or of a catalog, for its owner alone, and prove that databases and locks work there.

    Raises EnvironmentFault where they don't.
    """
    from tuiback.catalog.volume_proof import prove_volume

    refuse_network_file_system(path, mounts if mounts is not None else mounted_file_systems(), what)
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as e:
        raise EnvironmentFault(f"the {what} can't be made ({e.strerror})", str(path), "check the folder") from e
    prove_volume(path)


def find_short_life(path: Path, mounts: Iterable[tuple[str, str]] | None = None) -> str:
    """Why what is kept in the folder may soon be gone, "" where nothing speaks for that."""
    kind = file_system_of(path, mounts if mounts is not None else mounted_file_systems())
    return _SHORT_LIVED.get(kind.lower(), "")


class Home:
    """An opened home. All changes go through save(), which replaces home.json atomically."""

    def __init__(self, path: Path, file: HomeFile) -> None:
        self.path = path
        self._file = file

    @classmethod
    def open(cls, path: Path, mounts: Iterable[tuple[str, str]] | None = None) -> "Home":
        """The home at `path`. Raises NoSuchThing when there is none, EnvironmentFault when it can't be used.

        FormatTooNew is one of these.
        """
        try:
            raw = (path / HOME_FILE).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            raise NoSuchThing("there is no home here", str(path), "make one with 'tuiback init'") from None
        except PermissionError:
            raise _closed(path) from None
        except OSError as e:
            raise EnvironmentFault(f"the home can't be read ({e.strerror})", str(path), "check its disk") from e
        try:
            file = msgspec.json.decode(raw, type=HomeFile)
        except msgspec.DecodeError as e:
            raise EnvironmentFault(f"home.json is damaged ({e})", str(path), "restore it from a copy") from e
        if file.version > HOME_VERSION:
            raise FormatTooNew("a newer tuiback made this home", str(path), "install the newer tuiback again")
        mounts = list(mounts if mounts is not None else mounted_file_systems())
        refuse_network_file_system(path, mounts)
        for ref in file.repositories:
            refuse_network_file_system(Path(ref.catalog), mounts, "catalog")
        return cls(path, file)

    @classmethod
    def create(cls, path: Path, *, demo: bool = False, mounts: Iterable[tuple[str, str]] | None = None) -> "Home":
        """A new, empty home, readable by its owner only."""
        if (path / HOME_FILE).exists():
            raise UsageError("a home is here already", str(path), "use it, or choose another folder with --home")
        make_local_folder(path, "home", mounts)
        home = cls(path, HomeFile(version=HOME_VERSION, demo=demo))
        home._save()
        return home

    def _save(self) -> None:
        temporary = self.path / f"{HOME_FILE}.new"
        temporary.touch(mode=0o600)
        with temporary.open("wb") as f:
            f.write(msgspec.json.format(msgspec.json.encode(self._file), indent=2) + b"\n")
            f.flush()
            os.fsync(f.fileno())
        temporary.replace(self.path / HOME_FILE)

    @property
    def demo(self) -> bool:
        """Whether this is a demonstration that may be thrown away."""
        return self._file.demo

    @property
    def access(self) -> Access:
        """Who may do what at the socket of the home's engine."""
        return self._file.access

    def allow(self, access: Access) -> None:
        """Let these groups have these roles, for engines that start from now on."""
        self._file = msgspec.structs.replace(self._file, access=access)
        self._save()

    @property
    def repositories(self) -> dict[str, RepositoryRef]:
        """All repositories that the home knows, by name."""
        return {r.name: r for r in self._file.repositories}

    def repository(self, name: str) -> RepositoryRef:
        """The repository of that name; NoSuchThing when the home has none such."""
        ref = self.repositories.get(name)
        if ref is None:
            raise NoSuchThing("no such repository in this home", name, "see 'tuiback repository list'")
        return ref

    def add_repository(self, ref: RepositoryRef) -> None:
        """Make the repository known under its name."""
        if ref.name in self.repositories:
            raise UsageError("a repository of this name is known already", ref.name, "choose another name")
        self._file = msgspec.structs.replace(self._file, repositories=(*self._file.repositories, ref))
        self._save()

    @property
    def home_id(self) -> str:
        """Which home this is to those it takes repositories over from; "" where it never did."""
        return self._file.home_id

    def make_home_id(self) -> str:
        """The same, made now where there is none."""
        if not self._file.home_id:
            self._file = msgspec.structs.replace(self._file, home_id=os.urandom(8).hex())
            self._save()
        return self._file.home_id

    def use_key_file(self, name: str, key_file: str | None) -> None:
        """Remember which key file opens the repository; None where a passphrase does."""
        changed = msgspec.structs.replace(self.repository(name), key_file=key_file)
        kept = tuple(changed if ref.name == name else ref for ref in self._file.repositories)
        self._file = msgspec.structs.replace(self._file, repositories=kept)
        self._save()

    def catalog_path(self, name: str) -> Path:
        """Where the catalog of this repository is kept."""
        return Path(self.repository(name).catalog) / CATALOG

    def state_path(self, name: str) -> Path:
        """Where the local state of this repository is kept."""
        return Path(self.repository(name).catalog) / STATE

    @property
    def default_repository_path(self) -> Path:
        """Where `init` puts the repository when no place is named."""
        return self.path / "repository"

    def default_catalog_folder(self, name: str) -> Path:
        """Where the catalog of a repository goes when no place is named."""
        return self.path / "catalogs" / name


class ClosedHome(Home):
    """A home whose files are for somebody else: its running engine can be asked, and nothing else."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, HomeFile(version=HOME_VERSION))

    @property
    def repositories(self) -> dict[str, RepositoryRef]:
        """Nobody may know; raises EnvironmentFault."""
        raise _closed(self.path)


def _closed(path: Path) -> EnvironmentFault:
    remedy = "its files are for its owner; others ask its engine, which must be running and let their Unix groups in"
    return EnvironmentFault("the home can't be read (Permission denied)", str(path), remedy)


def alerts_path(home: Home) -> Path:
    """Where the home keeps its alerts: not with a repository's catalog, whose volume may be the one that is missing."""
    return home.path / ALERTS
