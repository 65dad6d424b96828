"""Fixtures of the store's tests."""

from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor

import pytest

from tests.store.doubles import MemoryBackend, new_repository
from tuiback.store import Repository


@pytest.fixture
def backend() -> MemoryBackend:
    """An empty backend in memory."""
    return MemoryBackend()


@pytest.fixture
def repository(backend: MemoryBackend) -> Repository:
    """A new repository in that backend."""
    return new_repository(backend)


@pytest.fixture(scope="session")
def executor() -> Iterator[Executor]:
    """The engine's worker threads."""
    with ThreadPoolExecutor(2) as pool:
        yield pool
