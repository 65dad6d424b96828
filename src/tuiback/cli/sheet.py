"""Writes the recovery sheet that is printed and kept apart from the backup, and reads its key lines again."""

import hashlib
import os
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from tuiback import __version__
from tuiback.errors import EnvironmentFault, UsageError

if TYPE_CHECKING:
    from tuiback.engine.home import RepositoryRef
    from tuiback.store import KeySlot

_LINE_BYTES = 8
_GROUP_DIGITS = 4
_KEY_LINE = re.compile(r"\s*([1-9])[.:]?\s+((?:[0-9a-f]+\s+)+[0-9a-f]+)\s*", re.IGNORECASE)

_SHEET = """\
TUIBACK RECOVERY SHEET

Print this sheet and keep it apart from the backup and from the machine that makes it.

  Repository id   {repository_id}
  Place           {url}
  Written         {written} by tuiback {version}

What brings everything back
  1. The repository, or any copy of it.
  2. One of the secrets that open it:
{slots}
  3. A machine with Python 3.11 or later and tuiback. Then:

{commands}

Tenants, tasks and all points in time come back with the repository. Try it before you need it.
"""
_KEY = """
The key file
  Whoever has these lines can read the whole backup. Type them into a file and name that as KEYFILE;
  a file with this whole sheet will do as well. The last group of a line is its checksum.

{lines}
"""


@dataclass(frozen=True, slots=True)
class PrintedKey:
    """The bytes of a key file, and which slot they open."""

    slot: int
    value: bytes = field(repr=False)


def sheet_text(
    ref: "RepositoryRef", slots: "Mapping[int, KeySlot]", key: PrintedKey | None, now: datetime
) -> str:
    """The sheet of one repository, with the key file where one is given. Never with a passphrase."""
    text = _SHEET.format(
        repository_id=ref.repository_id,
        url=ref.url,
        written=now.strftime("%Y-%m-%d %H:%M UTC"),
        version=__version__,
        slots="\n".join(_slot_line(number, slot, key) for number, slot in sorted(slots.items())),
        commands="\n".join(_commands({slot.kind for slot in slots.values()}, ref.url)),
    )
    return text + _KEY.format(lines="\n".join(f"    {line}" for line in key_lines(key.value))) if key else text


def key_lines(key: bytes) -> list[str]:
    """The key in lines of eight bytes: a number, four groups of hexadecimal digits, and a checksum."""
    pieces = [key[start : start + _LINE_BYTES] for start in range(0, len(key), _LINE_BYTES)]
    return [f"{number}  {_grouped(piece)}  {_checksum(number, piece)}" for number, piece in enumerate(pieces, start=1)]


def find_key(text: str, key_bytes: int) -> bytes | None:
    """The key that a typed sheet holds; None when there is no such line. Raises UsageError naming a wrong line."""
    found = {int(match[1]): match[2] for match in map(_KEY_LINE.fullmatch, text.splitlines()) if match}
    if not found:
        return None
    return b"".join(_piece(number, found.get(number, "")) for number in range(1, key_bytes // _LINE_BYTES + 1))


def write_sheet(path: Path, text: str) -> None:
    """Write the sheet for its owner's eyes only, never over another file. Raises EnvironmentFault."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise EnvironmentFault(
            f"the sheet can't be written ({error.strerror})", str(path), "write it with 'tuiback key sheet > FILE'"
        ) from error


def _slot_line(number: int, slot: "KeySlot", key: PrintedKey | None) -> str:
    made = slot.created_at.strftime("%Y-%m-%d")
    if slot.kind == "passphrase":
        return f"     slot {number}: the passphrase set on {made}. It is not on this sheet: it must be known."
    where = "It is below." if key and key.slot == number else "It is not on this sheet: a copy must be kept."
    return f"     slot {number}: the key file set on {made}. {where}"


def _commands(kinds: set[str], url: str) -> list[str]:
    place = shlex.quote(url)
    lines = [f"       tuiback adopt {place} --key-file KEYFILE"] if "key-file" in kinds else []
    return [*lines, f"       tuiback adopt {place}      (asks for the passphrase)"] if "passphrase" in kinds else lines


def _grouped(piece: bytes) -> str:
    return piece.hex(" ", _GROUP_DIGITS // 2)


def _checksum(number: int, piece: bytes) -> str:
    return hashlib.sha256(bytes([number]) + piece).hexdigest()[:_GROUP_DIGITS]


def _piece(number: int, typed: str) -> bytes:
    digits = "".join(typed.split()).lower()
    length = 2 * _LINE_BYTES
    piece = bytes.fromhex(digits[:length]) if len(digits) == length + _GROUP_DIGITS else b""
    if not piece or _checksum(number, piece) != digits[length:]:
        raise UsageError(f"line {number} of the key is missing or mistyped", remedy="compare it with the sheet")
    return piece
