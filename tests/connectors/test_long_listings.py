"""Listings of many pages, and services that falter on the way, over real sockets."""

from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from tests.connectors.backed_up import accounts_of, listed, stored, told
from tests.connectors.hands import FileHands
from tests.connectors.tenant import Tenant
from tuiback.connectors import CONNECTORS, ConnectorType
from tuiback.connectors.base import Change, Changed, Checkpoint, Connector
from tuiback.connectors.exchange import ExchangeConnector
from tuiback.connectors.onedrive import OneDriveConnector
from tuiback.graph import GraphClient
from tuiback.model import Account, Container
from tuiback.simtenant import Plan, Server


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """One person with much mail and many files."""
    with Server(Plan(users=1, messages=1300, files_per_user=700)) as running:
        yield running


async def longest(connector: Connector) -> tuple[Account, Container]:
    """The container that holds most, without a cursor."""
    (account,) = await accounts_of(connector)
    listing = await listed(connector, account)
    places = list(listing.places.values())
    container_id = max(set(places), key=places.count)
    return account, replace(listing.containers[container_id], cursor="")


def ids(changes: list[Change]) -> list[str]:
    """The ids of the items told."""
    return [change.item.item_id for change in changes if isinstance(change, Changed)]


@pytest.mark.parametrize("connector_type", CONNECTORS, ids=lambda c: c.service)
async def test_a_listing_can_go_on_after_any_page(
    connector_type: ConnectorType, graph: GraphClient, tenant: Tenant
) -> None:
    """Each page costs one request and ends with a checkpoint, from which another process tells exactly the rest."""
    connector = connector_type(graph)
    account, container = await longest(connector)
    before = tenant.requests()
    changes = await told(connector, account, container)
    requests = tenant.requests() - before
    places = [i for i, change in enumerate(changes) if isinstance(change, Checkpoint)]
    # A drive's listing begins with the question for its root.
    assert len(places) == requests - (connector.service == "onedrive")
    assert len(places) >= 2
    assert len(set(ids(changes))) == len(ids(changes)) > 500
    for place in places[:-1]:
        checkpoint = changes[place]
        assert isinstance(checkpoint, Checkpoint)
        assert not checkpoint.complete
        rest = await told(connector, account, replace(container, cursor=checkpoint.cursor))
        assert ids(rest) == ids(changes[place:])
        assert rest[-1] == changes[-1]


async def test_a_page_that_cannot_be_served_whole(graph: GraphClient, tenant: Tenant) -> None:
    """When the service fails over large pages for good, the folder is listed in smaller ones, and nothing is missed."""
    connector = ExchangeConnector(graph)
    account, container = await longest(connector)
    whole = await told(connector, account, container)
    # As many failures as one request is tried: the next one asks for a smaller page.
    tenant.control("fault", {"match": "messages/delta", "status": 500, "times": 8})
    smaller = await told(connector, account, container)
    assert sorted(ids(smaller)) == sorted(ids(whole))
    assert len([c for c in smaller if isinstance(c, Checkpoint)]) > len([c for c in whole if isinstance(c, Checkpoint)])


async def test_a_download_that_breaks_off(graph: GraphClient, tenant: Tenant) -> None:
    """A file whose connection breaks in the middle is whole all the same, and so is a throttled one."""
    connector = OneDriveConnector(graph)
    (account,) = await accounts_of(connector)
    listing = await listed(connector, account)
    item = replace(max(listing.contents(), key=lambda item: item.size), link="")
    assert item.size > 100_000
    tenant.control("fault", {"match": r"GET .*download\.aspx", "drop_after_bytes": 50_000, "times": 2})
    tenant.control("fault", {"match": "/content$", "status": 429, "retry_after": 30, "times": 2})
    before = tenant.requests()
    backup = await stored(connector, account, item)
    # Two refusals, a redirect, and three goes at the bytes.
    assert tenant.requests() - before >= 6
    assert backup.parts["file"] == FileHands().content(tenant, account, item.item_id)


async def test_a_listed_link_saves_a_request(graph: GraphClient, tenant: Tenant) -> None:
    """The listing tells where the bytes lie; when they lie there no more, the file's own address is asked."""
    connector = OneDriveConnector(graph)
    (account,) = await accounts_of(connector)
    listing = await listed(connector, account)
    item = max(listing.contents(), key=lambda item: item.size)
    before = tenant.requests()
    backup = await stored(connector, account, item)
    assert tenant.requests() - before == 1
    assert backup.parts["file"] == FileHands().content(tenant, account, item.item_id)
    tenant.control("fault", {"match": r"GET .*download\.aspx", "status": 401, "times": 1})
    before = tenant.requests()
    assert (await stored(connector, account, item)).parts == backup.parts
    # The link that ended, another one, and the bytes.
    assert tenant.requests() - before == 3
