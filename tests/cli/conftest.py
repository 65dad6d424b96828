"""Runs command lines in this process, on homes that exist only for one test."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.cli.seed import seed
from tuiback.cli.root import main


@dataclass(frozen=True)
class Ended:
    """How a command line ended and what it said."""

    code: int
    out: bytes
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """The one JSON document on stdout."""
        (line,) = self.out.splitlines()
        document = json.loads(line)
        assert isinstance(document, dict)
        return document

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The JSON objects on stdout, one a line."""
        return [json.loads(line) for line in self.out.splitlines()]


Tuiback = Callable[..., Ended]


@pytest.fixture
def tuiback(capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch) -> Tuiback:
    """Runs one command line in this process, without any settings of whoever runs the tests."""
    for name in ("TUIBACK_HOME", "TUIBACK_PASSPHRASE_FILE", "CREDENTIALS_DIRECTORY", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)

    def run(*arguments: str | Path) -> Ended:
        capfdbinary.readouterr()
        code = main([str(argument) for argument in arguments])
        out, err = capfdbinary.readouterr()
        return Ended(code, out, err.decode())

    return run


@pytest.fixture
def home(tuiback: Tuiback, tmp_path: Path) -> Path:
    """A home with an empty repository, opened by a key file."""
    path = tmp_path / "home"
    assert tuiback("init", "--home", path, "--key-file", tmp_path / "tuiback.key").code == 0
    return path


@pytest.fixture
def seeded(home: Path) -> Path:
    """A home that holds the backups of one person's mailbox and drive."""
    seed(home)
    return home
