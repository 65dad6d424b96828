"""Looks for what keeps the folders and databases of a home from being used, or will after an upgrade."""

import os
from collections.abc import Iterator
from pathlib import Path

from tuiback.catalog.upgrading import FreeBytes, Versioned, copies_of, disk_free, refuse_without_room, unfinished_copies
from tuiback.engine.home import Home
from tuiback.engine.hosting.findings import ERROR, INFO, WARNING, Finding
from tuiback.engine.hosting.upgrading import databases_of
from tuiback.errors import StorageFull


def writable_findings(folder: Path, kind: str) -> Iterator[Finding]:
    """Judges whether files can be made in a folder that is there; none is made."""
    if os.statvfs(folder).f_flag & os.ST_RDONLY:
        remedy = "mount it for writing; a disk that failed may have made it so: see the system's log"
        yield Finding(f"{kind}-read-only", ERROR, "its volume is mounted read-only", str(folder), remedy)
    elif not os.access(folder, os.W_OK | os.X_OK):
        what = f"uid {os.getuid()} may not write here (mode {folder.stat().st_mode & 0o777:03o})"
        yield Finding(f"{kind}-not-writable", ERROR, what, str(folder), "run tuiback as its owner, or chown it")


def database_findings(home: Home, *, engine_runs: bool, free_bytes: FreeBytes = disk_free) -> Iterator[Finding]:
    """Judges versions, owners and what upgrades left. Raises Damage, EnvironmentFault."""
    databases = databases_of(home)
    for each in databases:
        yield from _version(each)
        yield from _owner(each.path, home.path.stat().st_uid)
        yield from _copies(each, engine_runs=engine_runs)
    try:
        refuse_without_room([each for each in databases if each.is_older()], free_bytes)
    except StorageFull as error:
        yield Finding("upgrade-space", ERROR, error.what, error.subject, error.remedy)


def is_current(home: Home, name: str) -> bool:
    """Whether this program can look into the databases of a repository: they are of its version, or missing."""
    mine = (home.catalog_path(name), home.state_path(name))
    return all(each.version() in (0, each.newest) for each in databases_of(home) if each.path in mine)


def _version(database: Versioned) -> Iterator[Finding]:
    version = database.version()
    told = f"has version {version}, this tuiback works with {database.newest}"
    if version > database.newest:
        yield Finding("database-newer", ERROR, told, str(database.path), "install the newer tuiback again")
    elif 0 < version < database.newest:
        remedy = "nothing to do: the next engine brings it up to date, behind a copy; then doctor sees more"
        yield Finding("database-older", INFO, told, str(database.path), remedy)


def _owner(path: Path, home_owner: int) -> Iterator[Finding]:
    owner = path.stat().st_uid
    if owner != home_owner:
        what = f"belongs to uid {owner}, the home to uid {home_owner}, whose engine can't write it"
        yield Finding("database-owner", ERROR, what, str(path), f"chown --reference={path.parent} {path}*")


def _copies(database: Versioned, *, engine_runs: bool) -> Iterator[Finding]:
    half = unfinished_copies(database.path)
    if half and not engine_runs:
        what = "an upgrade was cut off; what was before still holds"
        yield Finding("upgrade-cut-off", WARNING, what, str(half[0]), "start tuiback: it begins anew")
    for copy in (copy for copy in copies_of(database.path) if copy not in half):
        what = f"the copy of before an upgrade, {copy.stat().st_size / 1e6:,.1f} MB"
        yield Finding("upgrade-copy", INFO, what, str(copy), "remove it when all is well")
