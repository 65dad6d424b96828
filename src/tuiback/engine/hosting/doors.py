"""Lets the members of Unix groups reach the engine's socket, and nothing else in the home.

The mode bits have room for one group only, so this is done by access control lists: https://man7.org/linux/man-pages/man5/acl.5.html
"""

import os
import struct
from collections.abc import Collection, Iterable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

_ACCESS = "system.posix_acl_access"
_DEFAULT = "system.posix_acl_default"
# include/uapi/linux/posix_acl_xattr.h: a version, then tag, permissions and id of each entry.
_VERSION = struct.pack("<I", 2)
_ENTRY = struct.Struct("<HHI")
_USER_OBJ, _GROUP_OBJ, _GROUP, _MASK, _OTHER = 0x01, 0x04, 0x08, 0x10, 0x20
_NO_ID = 0xFFFFFFFF
_PASS, _READ_WRITE, _ALL = 1, 6, 7


class _Entry(NamedTuple):
    tag: int
    permissions: int
    id: int = _NO_ID


def let_in(home: Path, socket_name: str, group_ids: Collection[int]) -> None:
    """Let these groups through the home's folder to its socket; all else in the home is for its owner from now on.

    Raises OSError where the file system keeps no access control lists, or the home is somebody else's.
    """
    _close_the_rest(home, socket_name)
    # What is made later is for the owner only too, whatever umask its maker has.
    if not _read(home, _DEFAULT):
        _write(home, _DEFAULT, [_Entry(_USER_OBJ, _ALL), _Entry(_GROUP_OBJ, 0), _Entry(_OTHER, 0)])
    ours = [_Entry(_GROUP, _PASS, group_id) for group_id in group_ids]
    others = [
        entry for entry in _read(home, _ACCESS)
        if entry.id != _NO_ID and not (entry.tag == _GROUP and entry.id in group_ids)
    ]  # fmt: skip
    _write(home, _ACCESS, [_Entry(_USER_OBJ, _ALL), _Entry(_GROUP_OBJ, 0), _Entry(_OTHER, 0), *others, *ours])
    entries = [_Entry(_GROUP, _READ_WRITE, group_id) for group_id in group_ids]
    plain = [_Entry(_USER_OBJ, _READ_WRITE), _Entry(_GROUP_OBJ, 0), _Entry(_OTHER, 0)]
    _write(home / socket_name, _ACCESS, [*plain, *entries])


def _close_the_rest(home: Path, socket_name: str) -> None:
    with os.scandir(home) as entries:
        for entry in entries:
            if entry.name == socket_name or entry.is_symlink():
                continue
            # Journals of databases come and go.
            with suppress(FileNotFoundError):
                mode = entry.stat().st_mode & 0o777
                if mode & 0o077:
                    Path(entry.path).chmod(mode & 0o700)


def _read(path: Path, name: str) -> list[_Entry]:
    if name not in os.listxattr(path):
        return []
    raw = os.getxattr(path, name)
    return [_Entry(*fields) for fields in _ENTRY.iter_unpack(raw[len(_VERSION) :])]


def _write(path: Path, name: str, entries: Iterable[_Entry]) -> None:
    """Set the list, with the mask that lets every entry have what it says."""
    named = [entry for entry in entries if entry.id != _NO_ID or entry.tag == _GROUP_OBJ]
    given = [*entries]
    if any(entry.id != _NO_ID for entry in named):
        mask = 0
        for entry in named:
            mask |= entry.permissions
        given.append(_Entry(_MASK, mask))
    # The kernel takes them in the order of tag and id.
    ordered = sorted(given, key=lambda entry: (entry.tag, entry.id))
    os.setxattr(path, name, _VERSION + b"".join(_ENTRY.pack(*entry) for entry in ordered))
