"""One simulated tenant for all tests here, put back to its first state before each."""

import threading
from collections.abc import Iterator

import pytest

from tests.simtenant.caller import Caller
from tests.simtenant.receiver import Receiver
from tuiback.simtenant import Plan, Server

PLAN = Plan(users=4, messages=40, files_per_user=14)


@pytest.fixture(scope="package")
def server() -> Iterator[Server]:
    """A small company on loopback."""
    with Server(PLAN) as running:
        yield running


@pytest.fixture
def caller(server: Server) -> Iterator[Caller]:
    """A signed-in client; nothing of an earlier test is left."""
    server.reset()
    with Caller(server.endpoints) as made:
        yield made


@pytest.fixture
def user(caller: Caller) -> str:
    """The id of one user."""
    return caller.users()[0]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """One on this machine that hears of changes."""
    with Receiver() as made:
        thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield made
        made.shutdown()
        thread.join()
