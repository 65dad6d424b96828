"""Finds the mail and the files of a customer's folders, dealing them out without opening any."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

_MAIL_ENDINGS = {"", ".eml", ".txt"}


@dataclass(slots=True)
class Share:
    """What one person got: for each source folder (a tuple of names) the paths of the files."""

    folders: dict[tuple[str, ...], list[Path]] = field(default_factory=dict)


def deal_mail(root: Path, people: int) -> tuple[list[Share], int]:
    """Each message to one mailbox in turn, under its source folder; also the count of files that are not mail."""
    shares = [Share() for _ in range(people)]
    dealt = strangers = 0
    for folder, path in walk(root):
        if path.suffix.lower() in _MAIL_ENDINGS:
            shares[dealt % people].folders.setdefault(folder, []).append(path)
            dealt += 1
        else:
            strangers += 1
    return shares, strangers


def deal_files(root: Path, people: int) -> list[Share]:
    """Each file to one drive in turn, under its source folder."""
    shares = [Share() for _ in range(people)]
    for dealt, (folder, path) in enumerate(walk(root)):
        shares[dealt % people].folders.setdefault(folder, []).append(path)
    return shares


def walk(root: Path) -> Iterator[tuple[tuple[str, ...], Path]]:
    """Every regular file below `root` in a stable order, with the names of the folders above it."""
    for where, folders, names in os.walk(root):
        folders.sort()
        folder = Path(where)
        place = folder.relative_to(root).parts
        for name in sorted(names):
            if (folder / name).is_file():
                yield place, folder / name
