"""What the engine may expect of every connector, proven against the simulated tenant by plain urllib."""

from datetime import UTC, datetime

import pytest

from tests.connectors.backed_up import Listed, Stored, accounts_of, known, listed, stored, told
from tests.connectors.hands import ALL_HANDS, Hands
from tests.connectors.tenant import Tenant
from tuiback.connectors import CONNECTORS
from tuiback.connectors.base import Changed, Checkpoint, Connector, Relisting, Removed
from tuiback.errors import ItemGone
from tuiback.graph import GraphClient
from tuiback.model import Account, Owed


def test_every_connector_is_tested() -> None:
    """A new service gets hands here, and with them all of these tests."""
    assert {hands.connector for hands in ALL_HANDS} == set(CONNECTORS)


@pytest.fixture(params=ALL_HANDS, ids=lambda hands: hands.connector.service)
def hands(request: pytest.FixtureRequest) -> Hands:
    """The service's owner at work."""
    given: Hands = request.param
    return given


@pytest.fixture
def connector(hands: Hands, graph: GraphClient) -> Connector:
    """The connector under test."""
    return hands.connector(graph)


@pytest.fixture
async def account(connector: Connector) -> Account:
    """The first account of the service."""
    return (await accounts_of(connector))[0]


@pytest.fixture
async def listing(connector: Connector, account: Account) -> Listed:
    """The account as it was listed at first."""
    return await listed(connector, account)


def owed_for(account: Account, listing: Listed, item_id: str) -> Owed:
    """The debt of an item whose fetch failed."""
    item = listing.items[item_id]
    now = datetime(2026, 11, 23, tzinfo=UTC)
    return Owed(account.account_id, listing.places[item_id], item_id, item.kind, item.name, now, 1, "failed")


async def test_discovery_finds_every_user(connector: Connector, tenant: Tenant) -> None:
    """Accounts come in the directory's order, under the users' ids and addresses."""
    users = tenant.listed("/users?$select=id,displayName,mail,userPrincipalName")
    found = [found async for found in connector.discover({})]
    assert [f.owner_id for f in found] == [user["id"] for user in users]
    assert [f.address for f in found] == [user["mail"] or user["userPrincipalName"] for user in users]
    assert all(f.kind is connector.kind and f.object_id and not f.reason for f in found)


async def test_discovery_asks_nothing_twice(connector: Connector, tenant: Tenant) -> None:
    """With all owners known, discovery costs the list of users and nothing else."""
    first = [found async for found in connector.discover({})]
    before = tenant.requests()
    again = [found async for found in connector.discover({f.owner_id: f.object_id for f in first})]
    assert again == first
    assert tenant.requests() - before == 1


async def test_a_full_listing(connector: Connector, account: Account, listing: Listed) -> None:
    """Every item hangs in a tree whose folders are items too, and every container's feed came to its end."""
    assert len(listing.contents()) > 20
    for item in listing.items.values():
        assert item.parent_id == "" or not listing.items[item.parent_id].has_content
        assert item.etag
        assert item.name
    for container in connector.root_containers(account):
        last = (await told(connector, account, container))[-1]
        assert isinstance(last, Checkpoint)
        assert last.complete


async def test_nothing_new_is_one_request(
    connector: Connector, account: Account, listing: Listed, tenant: Tenant
) -> None:
    """A run over an unchanged account asks each container once and is told where to go on, nothing else."""
    for container in listing.containers.values():
        before = tenant.requests()
        changes = await told(connector, account, container)
        (change,) = changes
        assert isinstance(change, Checkpoint)
        assert change.complete
        assert tenant.requests() - before == 1


async def test_an_edit_is_told(
    connector: Connector, account: Account, listing: Listed, tenant: Tenant, hands: Hands
) -> None:
    """An edited item comes again with another etag, and its content is no longer taken for the same."""
    item = listing.contents()[0]
    hands.edit(tenant, account, item.item_id)
    place = listing.places[item.item_id]
    changes = await told(connector, account, listing.containers[place])
    (now,) = [c.item for c in changes if isinstance(c, Changed) and c.item.item_id == item.item_id]
    assert now.etag != item.etag
    assert not connector.same_content(known(item, place), now)
    assert isinstance(changes[-1], Checkpoint)
    assert changes[-1].complete


async def test_a_move_is_told_and_costs_no_content(
    connector: Connector, account: Account, listing: Listed, tenant: Tenant, hands: Hands
) -> None:
    """A moved item keeps its id, lies in its new folder, and is known to be what it was."""
    item = listing.contents()[0]
    folder_id = hands.folder_for(listing, item.item_id)
    hands.move(tenant, account, item.item_id, folder_id)
    old, *new = hands.containers_touched(listing, item.item_id, folder_id)
    changes = await told(connector, account, listing.containers[new[0] if new else old])
    (now,) = [c.item for c in changes if isinstance(c, Changed) and c.item.item_id == item.item_id]
    assert now.parent_id == folder_id
    assert connector.same_content(known(item, old), now)
    if new:
        assert Removed(item.item_id) in await told(connector, account, listing.containers[old])


async def test_a_removal_is_told(
    connector: Connector, account: Account, listing: Listed, tenant: Tenant, hands: Hands
) -> None:
    """A deleted item is told as removed from its container, and can't be read any more."""
    item = listing.contents()[0]
    hands.remove(tenant, account, item.item_id)
    assert Removed(item.item_id) in await told(connector, account, listing.containers[listing.places[item.item_id]])
    with pytest.raises(ItemGone):
        await stored(connector, account, item)


async def test_an_expired_cursor(connector: Connector, account: Account, listing: Listed, tenant: Tenant) -> None:
    """When the tokens are forgotten the container is listed whole again, after saying so."""
    tenant.control("expire-deltas", {})
    for container in listing.containers.values():
        changes = await told(connector, account, container)
        assert changes[0] == Relisting()
        found = {c.item.item_id: c.item.etag for c in changes if isinstance(c, Changed)}
        here = [i for i, place in listing.places.items() if place == container.container_id]
        assert found == {item_id: listing.items[item_id].etag for item_id in here}
        assert isinstance(changes[-1], Checkpoint)
        assert changes[-1].complete


async def test_content_is_what_the_service_serves(
    connector: Connector, account: Account, listing: Listed, tenant: Tenant, hands: Hands
) -> None:
    """The native part of every item is byte for byte what urllib gets, and the properties come along."""
    for item in listing.contents():
        parts = (await stored(connector, account, item)).parts
        assert parts[connector.native_part] == hands.content(tenant, account, item.item_id)
        assert parts["properties"] == item.properties


async def test_an_owed_item(
    connector: Connector, account: Account, listing: Listed, tenant: Tenant, hands: Hands
) -> None:
    """An owed item is read as a listing would show it, and forgotten when it no longer exists."""
    first, second = listing.contents()[:2]
    refreshed = await connector.refresh(account, owed_for(account, listing, first.item_id))
    assert refreshed is not None
    assert (refreshed.etag, refreshed.parent_id, refreshed.content_tag) == (
        first.etag, first.parent_id, first.content_tag,
    )
    assert (await stored(connector, account, refreshed)).parts[connector.native_part]
    hands.remove(tenant, account, second.item_id)
    assert await connector.refresh(account, owed_for(account, listing, second.item_id)) is None


async def test_counts(connector: Connector, account: Account, listing: Listed) -> None:
    """Where the service states how many items a container holds, the listing showed so many."""
    for container_id, container in listing.containers.items():
        expected = await connector.expected_items(account, container)
        assert expected in {None, list(listing.places.values()).count(container_id)}


async def test_restore_into_another_account(connector: Connector, account: Account, listing: Listed) -> None:
    """Items restored to a new folder of somebody else say what the originals say, and are recognised as the same."""
    other = (await accounts_of(connector))[1]
    root = await connector.restore_root(other, "tuiback restore")
    assert await connector.restore_root(other, "tuiback restore") == root
    folder = Stored(next(i for i in listing.items.values() if i.kind == "folder"), {})
    assert await connector.restore_folder(other, root, folder, make=False) is None
    folder_id = await connector.restore_folder(other, root, folder)
    assert folder_id is not None
    assert await connector.restore_folder(other, root, folder) == folder_id
    assert await connector.restore_folder(other, root, folder, make=False) == folder_id
    # A mailbox may hold two copies of one message, and folders may hold files of one name.
    distinct = {dict(item.attrs).get("message_id", item.name): item for item in listing.contents()}
    for item in list(distinct.values())[:10]:
        source = await stored(connector, account, item)
        assert await connector.existing(other, folder_id, source) is None
        written = await connector.restore_item(other, folder_id, source, on_conflict="skip", replaces=None)
        found = await connector.existing(other, folder_id, source)
        assert found is not None
        assert (found.item_id, found.identical) == (written.item_id, True)
        # Taken back it is gone, unless somebody has made something else of it.
        if item is listing.contents()[0]:
            source.content_tag = "what it was before somebody changed it"
            assert not await connector.take_back(other, written.item_id, source)
            source.content_tag = item.content_tag
        assert await connector.take_back(other, written.item_id, source)
        assert await connector.existing(other, folder_id, source) is None
