"""Fixtures that several parts' tests share, and where all tests keep their files."""

import os
import shutil
import tempfile
import threading
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.administrator import Administrator
from tests.seaweed import SeaweedFS, weed_program
from tuiback.simtenant import Server

# Syncing to a disk is most of what the suite would wait for, and no test takes the power from one.
_MEMORY = Path("/dev/shm")
_ROOM_BYTES = 2 << 30
if os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free > _ROOM_BYTES:
    os.environ.setdefault("TMPDIR", str(_MEMORY))
    # It has been asked for already, and is remembered.
    tempfile.tempdir = None

# A file with so few tests has long ones: it is begun early, so that no worker is left alone with it at the end.
_FEW = 4


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with few tests come first, the others after them by folder."""
    tests = Counter(item.path for item in items)
    items.sort(key=lambda item: tests[item.path] > _FEW)


@pytest.fixture(scope="session")
def seaweed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SeaweedFS]:
    """One real object store for all tests of a process; each test takes a new place in it."""
    server = SeaweedFS(weed_program(), tmp_path_factory.mktemp("seaweed"))
    try:
        server.start()
        yield server
    finally:
        server.kill()


@pytest.fixture
def admin(server: Server) -> Iterator[Administrator]:
    """The Global Administrator of the simulated tenant that a module's `server` is, as new as it was once."""
    server.reset()
    with Administrator(server.endpoints) as administrator:
        yield administrator


@pytest.fixture(scope="session")
def made_keys() -> defaultdict[int, list[rsa.RSAPrivateKey]]:
    """The RSA keys that tests were given, by their bits."""
    return defaultdict(list)


@pytest.fixture
def ready_keys(made_keys: defaultdict[int, list[rsa.RSAPrivateKey]], monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever makes RSA keys gets those that an earlier test was given, each once, for one takes up to a second."""
    make, given, turn = rsa.generate_private_key, Counter[int](), threading.Lock()

    def ready(public_exponent: int, key_size: int) -> rsa.RSAPrivateKey:
        with turn:
            made = made_keys[key_size]
            if given[key_size] == len(made):
                made.append(make(public_exponent, key_size))
            given[key_size] += 1
            return made[given[key_size] - 1]

    monkeypatch.setattr(rsa, "generate_private_key", ready)
