"""A simulated tenant on a real socket, and the real client of it, for each test."""

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.connectors.tenant import SwiftClock, Tenant
from tuiback.graph import AppIdentity, GraphClient
from tuiback.simtenant import Plan, Server


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A small company; one for all tests of a module."""
    with Server(Plan(users=3, messages=40, files_per_user=30)) as running:
        yield running


@pytest.fixture
def tenant(server: Server) -> Tenant:
    """The company as it was founded."""
    server.reset()
    return Tenant(server)


@pytest.fixture
async def graph(server: Server, tenant: Tenant) -> AsyncIterator[GraphClient]:
    """The client that the connectors work through."""
    ends = server.endpoints
    app = AppIdentity(ends.tenant_id, ends.client_id, ends.authority, ends.graph_url, "secret", ends.client_secret)
    client = GraphClient(app, clock=SwiftClock(), lenient=True)
    yield client
    await client.close()
