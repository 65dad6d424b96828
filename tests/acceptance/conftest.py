"""Real content for the acceptance tests."""

import email
import random
import shutil
from pathlib import Path

import pytest

# 45 messages that were collected because mail readers stumble over them.
NASTY = Path(email.__file__).parent.parent / "test" / "test_email" / "data"


@pytest.fixture
def mail(tmp_path: Path) -> Path:
    """A folder of nasty messages and some plain ones."""
    folder = tmp_path / "mail"
    (folder / "nasty").mkdir(parents=True)
    for message in NASTY.glob("msg_*.txt"):
        shutil.copy(message, folder / "nasty")
    (folder / "escape").mkdir()
    for number in range(20):
        text = f"From: a@x.example\r\nTo: b@x.example\r\nSubject: \x1b[31m[red] {number}\r\n\r\nbody {number}\r\n"
        (folder / "escape" / f"{number}.eml").write_bytes(text.encode())
    return folder


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A tree of files of many sizes."""
    chance = random.Random(7)
    folder = tmp_path / "files"
    for number, size in enumerate([0, 1, 159, 160, 161, 100_000, 131_072, 131_073, 700_000, 5_000_000]):
        path = folder / f"dept {number % 3}" / f"datei #{number} ü%.bin"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(chance.randbytes(size))
    return folder
