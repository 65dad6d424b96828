"""Runs command lines in this process, on homes that exist only for one test."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.cli.seed import seed
from tuiback.cli.root import main
from tuiback.engine.backups import fetch
from tuiback.graph import retry
from tuiback.simtenant import Plan, Server
from tuiback.store import keys


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


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """The smallest simulated tenant, one for all tests of a module."""
    with Server(Plan(users=1, messages=1, files_per_user=1)) as served:
        yield served


@pytest.fixture
def seeded(home: Path) -> Path:
    """A home that holds the backups of one person's mailbox and drive."""
    seed(home)
    return home


@pytest.fixture
def cheap_scrypt(monkeypatch: pytest.MonkeyPatch) -> None:
    """Slots ask for what nobody can try out, and get what takes no time, because nobody attacks a test."""
    wrap = keys.wrap

    def wrapped(*given: Any, scrypt_n: int, **named: Any) -> keys.KeySlot:
        assert scrypt_n == 1 << 17
        return wrap(*given, scrypt_n=2**4, **named)

    monkeypatch.setattr(keys, "wrap", wrapped)


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """What fails is tried again as often as ever, but at once."""
    monkeypatch.setattr(fetch, "PAUSE_SECONDS", 0)
    monkeypatch.setattr(retry, "backoff_seconds", lambda *_: 0.0)
