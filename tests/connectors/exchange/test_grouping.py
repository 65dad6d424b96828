"""Which messages are asked for together, and what becomes of those that can't be."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from tests.connectors.tenant import IMMUTABLE, Tenant
from tuiback.connectors.base import Changed
from tuiback.connectors.exchange import ExchangeConnector
from tuiback.connectors.exchange.grouping import GROUP_BYTES, SMALL_BYTES, grouped
from tuiback.errors import GraphError, ItemGone
from tuiback.graph import GraphClient
from tuiback.model import Account, AccountKind, Container, Kind, RemoteItem


def message(number: int, size: int) -> RemoteItem:
    """A listed message."""
    return RemoteItem(f"m{number}", Kind.MESSAGE, "in", f"subject {number}", size, "", "key")


def sizes(*of: int) -> list[list[int]]:
    """How messages of these sizes are grouped."""
    return [[item.size for item in group] for group in grouped([message(n, size) for n, size in enumerate(of)])]


def test_large_and_unknown_ones_go_alone_and_first() -> None:
    """They are streamed, so nothing of them is held in memory."""
    assert sizes(10, SMALL_BYTES + 1, 20, 0) == [[SMALL_BYTES + 1], [0], [10], [20]]


def test_few_are_spread_over_four_requests() -> None:
    """Within a batch messages are read one after another: four side by side come sooner."""
    assert sizes(*range(1, 7)) == [[1, 2], [3, 4], [5, 6]]
    assert [len(group) for group in sizes(*[1] * 60)] == [15, 15, 15, 15]


def test_many_go_by_twenties() -> None:
    """More than a batch takes is never put into one."""
    assert [len(group) for group in sizes(*[1] * 100)] == [20, 20, 20, 20, 20]


def test_the_last_round_of_a_page_is_as_full_as_the_others() -> None:
    """25 batches of 20 would leave three of four places idle at the end of each page of 500."""
    groups = [len(group) for group in sizes(*[1] * 500)]
    assert len(groups) == 28
    assert max(groups) == 18


def test_a_group_fits_into_memory() -> None:
    """However many messages, only so many bytes."""
    groups = sizes(*[SMALL_BYTES] * 200)
    assert {sum(group) for group in groups} == {GROUP_BYTES}


Listed = tuple[ExchangeConnector, Account, list[RemoteItem]]


@pytest.fixture
async def listed(tenant: Tenant, graph: GraphClient) -> Listed:
    """The first mailbox with messages, and those."""
    user = tenant.listed("/users")[0]
    account = Account(f"mailbox:{user['id']}", AccountKind.MAILBOX, "t", "mail", user["id"], "Ada", "ada@x")
    connector = ExchangeConnector(graph)
    items: list[RemoteItem] = []
    for folder in tenant.listed(f"/users/{user['id']}/mailFolders"):
        container = Container(account.account_id, folder["id"], "messages", folder["displayName"])
        items += [each.item async for each in connector.changes(account, container) if isinstance(each, Changed)]
    return connector, account, items


async def contents_of(
    connector: ExchangeConnector, account: Account, group: Sequence[RemoteItem]
) -> list[Mapping[str, bytes] | GraphError]:
    """The content of each of the group, in its order, however it came."""
    found = {n: content async for round_ in connector.contents(account, group) for n, content in round_.items()}
    return [found[n] for n in range(len(group))]


async def test_a_group_brings_what_each_brings_alone(listed: Listed) -> None:
    """Byte for byte, with the sizes that the listing told before."""
    connector, account, items = listed
    group = connector.groups(items)[-1]
    assert len(group) > 1
    for item, content in zip(group, await contents_of(connector, account, group), strict=True):
        assert not isinstance(content, GraphError)
        alone = {part.name: b"".join([piece async for piece in part.data])
                 async for part in connector.content(account, item)}  # fmt: skip
        assert content == alone
        assert item.size == len(alone["mime"])
        assert b"singleValueExtendedProperties" not in alone["properties"]


async def test_what_was_deleted_fails_alone(tenant: Tenant, listed: Listed) -> None:
    """The others of the group come all the same."""
    connector, account, items = listed
    group = connector.groups(items)[-1]
    tenant.ask("POST", f"/users/{account.owner_id}/messages/{group[1].item_id}/permanentDelete", headers=IMMUTABLE)
    contents = await contents_of(connector, account, group)
    assert isinstance(contents[1], ItemGone)
    assert [n for n, content in enumerate(contents) if isinstance(content, GraphError)] == [1]


async def test_a_service_without_batches_is_asked_one_by_one(
    tenant: Tenant, listed: Listed, graph: GraphClient
) -> None:
    """One refusal is enough for as long as the client lives."""
    connector, account, items = listed
    tenant.control("fault", {"match": r"\$batch", "status": 501, "times": -1})
    with pytest.raises(GraphError):
        await contents_of(connector, account, connector.groups(items)[-1])
    assert not graph.takes_batches
    assert {len(group) for group in connector.groups(items)} == {1}


async def test_members_refused_throughout_end_the_batches(tenant: Tenant, listed: Listed, graph: GraphClient) -> None:
    """A service that takes batches but no MIME in them says so for each member."""
    connector, account, items = listed
    tenant.control("fault", {"match": r"value$", "status": 400, "times": -1})
    contents = await contents_of(connector, account, connector.groups(items)[-1])
    assert all(isinstance(content, GraphError) for content in contents)
    assert not graph.takes_batches


async def test_a_refused_size_is_not_asked_for_again(tenant: Tenant, listed: Listed) -> None:
    """A listing that can't tell sizes is still a listing: its messages go alone."""
    connector, account, items = listed
    tenant.control("fault", {"match": r"expand", "status": 400, "times": 1})
    folder = items[0].parent_id
    container = Container(account.account_id, folder, "messages", "x")
    found: list[Any] = [each async for each in connector.changes(account, container)]
    again = [each.item for each in found if isinstance(each, Changed)]
    assert [item.item_id for item in again] == [item.item_id for item in items if item.parent_id == folder]
    assert {item.size for item in again} == {0}
