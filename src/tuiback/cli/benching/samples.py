"""Makes the data that tools are measured with, and changes it: `python -m tuiback.cli.benching.samples`.

Arguments: make FOLDER LARGE_BYTES MAIL_BYTES, copy FOLDER DATA, or change FOLDER SEED. It runs as a process of its
own, because a process that has held much memory hands its own peak on to what it starts.
"""

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import BinaryIO

from tuiback.cli.benching.archives import make_archives
from tuiback.cli.benching.letters import make_letters
from tuiback.cli.benching.measuring import files_below

LARGE = "large"
MAIL = "mail"
_MAIL_SUFFIX = ".eml"
# Files from this size on change by insertions, smaller ones as wholes.
_LONG_BYTES = 1 << 20
_CHANGED_SHARE = 0.01
_INSERTED_BYTES = 64 * 1024


def make(folder: Path, large_bytes: int, mail_bytes: int) -> None:
    """Write about so many bytes of each kind of data below the folder."""
    make_archives(folder / LARGE, large_bytes)
    make_letters(folder / MAIL, mail_bytes)


def copy(folder: Path, data: Path) -> None:
    """Copy real data below the folder: messages (.eml) as mail, all other files as large."""
    for path in files_below(data):
        kind = MAIL if path.suffix.lower() == _MAIL_SUFFIX else LARGE
        target = folder / kind / path.relative_to(data)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)


def change(folder: Path, seed: str) -> None:
    """Change one per cent: of the small files each as a whole, of the long ones a few insertions in a third of them."""
    random = Random(seed)  # noqa: S311 - equal seeds must give equal changes
    paths = files_below(folder)
    small = [path for path in paths if path.stat().st_size < _LONG_BYTES]
    for path in random.sample(small, round(len(small) * _CHANGED_SHARE) or min(1, len(small))):
        content = path.read_bytes()
        middle = content.find(b"\n", len(content) // 2) + 1
        line = b"changed %032x\r\n" % random.getrandbits(128)
        path.write_bytes(content[:middle] + line + content[middle:])
    long = [path for path in paths if path not in set(small)]
    inserted_bytes = sum(path.stat().st_size for path in long) * _CHANGED_SHARE
    chosen = random.sample(long, min(len(long), len(long) // 3 + 1))
    for path in chosen:
        _insert(path, max(1, round(inserted_bytes / len(chosen) / _INSERTED_BYTES)), random)


def _insert(path: Path, times: int, random: Random) -> None:
    size = path.stat().st_size
    places = sorted(random.randrange(size) for _ in range(times))
    changed = path.with_name(f"{path.name}.changed")
    with path.open("rb") as before, changed.open("wb") as after:
        for place in places:
            _copy_until(before, after, place)
            after.write(random.randbytes(_INSERTED_BYTES))
        shutil.copyfileobj(before, after)
    changed.replace(path)


def _copy_until(before: BinaryIO, after: BinaryIO, place: int) -> None:
    while (left := place - before.tell()) > 0:
        after.write(before.read(min(left, _LONG_BYTES)))


def main(arguments: Sequence[str]) -> None:
    """Do what the arguments name."""
    verb, folder, *more = arguments
    if verb == "make":
        make(Path(folder), int(more[0]), int(more[1]))
    elif verb == "copy":
        copy(Path(folder), Path(more[0]))
    else:
        change(Path(folder), more[0])


if __name__ == "__main__":
    main(sys.argv[1:])
