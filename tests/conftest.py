"""Fixtures that several parts' tests share."""

from collections.abc import Iterator

import pytest

from tests.seaweed import SeaweedFS, weed_program


@pytest.fixture(scope="session")
def seaweed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SeaweedFS]:
    """One real object store for all tests of a process; each test takes a new place in it."""
    server = SeaweedFS(weed_program(), tmp_path_factory.mktemp("seaweed"))
    try:
        server.start()
        yield server
    finally:
        server.kill()
