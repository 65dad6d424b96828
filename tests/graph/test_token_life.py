"""Tokens that end in the middle of a long piece of work, against the simulated tenant."""

import random
from collections.abc import AsyncIterator, Iterator

import pytest

from tests.administrator import Administrator
from tuiback.errors import MicrosoftRefuses
from tuiback.graph import AppIdentity, GraphClient
from tuiback.simtenant import Plan, Server

from .clocks import InstantClock

TOKEN_SECONDS = 60


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A tenant whose tokens live for a minute."""
    with Server(Plan(users=2, messages=40, files_per_user=1, message_page=5, token_seconds=TOKEN_SECONDS)) as served:
        yield served


@pytest.fixture
async def client(server: Server, clock: InstantClock) -> AsyncIterator[GraphClient]:
    """A client whose own clock stands still: it learns from the service alone that its token has ended."""
    at = server.endpoints
    app = AppIdentity(at.tenant_id, at.client_id, at.authority, at.graph_url, "secret", at.client_secret)
    made = GraphClient(app, clock=clock, chance=random.Random(3))
    yield made
    await made.close()


def sign_ins(admin: Administrator) -> int:
    """How many tokens were asked for."""
    routes = admin.control("/stats")["by_route"]
    return sum(count for route, count in routes.items() if "oauth2/v2.0/token" in route)


async def test_a_listing_outlives_its_tokens(admin: Administrator, client: GraphClient) -> None:
    """The token ends before every page: each is asked for again with a new one, and nothing is lost or doubled."""
    user = admin.graph("GET", "/users?$select=id").json()["value"][0]["id"]
    folder = (await client.lane("outlook", user).get(f"/users/{user}/mailFolders/inbox"))["totalItemCount"]
    before = sign_ins(admin)
    found: list[str] = []
    pages = 0
    path = f"/users/{user}/mailFolders/inbox/messages/delta"
    headers = {"Prefer": "odata.maxpagesize=5"}
    async for page in client.lane("outlook", user).pages(path, headers=headers):
        found += [message["id"] for message in page.items]
        pages += 1
        admin.control("/clock", {"seconds": TOKEN_SECONDS + 1})
    assert len(found) == len(set(found)) == folder
    assert pages > 2
    assert sign_ins(admin) - before == pages - 1


@pytest.mark.parametrize("code", ["Unauthorized", "InvalidAuthenticationToken"])
async def test_a_token_just_issued_is_renewed_once(admin: Administrator, client: GraphClient, code: str) -> None:
    """When the service rejects even a new token it is no matter of age: one renewal, then the refusal is told."""
    await client.sign_in()
    before = sign_ins(admin)
    body = {"error": {"code": code, "message": "no"}}
    admin.control("/fault", {"match": "GET .*/users", "status": 401, "times": -1, "body": body})
    with pytest.raises(MicrosoftRefuses, match="rejects the app's token"):
        await client.lane("directory").get("/users")
    assert sign_ins(admin) - before == 1
    admin.control("/fault", {"clear": True})
    assert (await client.lane("directory").get("/users"))["value"]


async def test_a_token_is_renewed_before_its_end(
    admin: Administrator, client: GraphClient, clock: InstantClock
) -> None:
    """Half a minute into a token of a minute a new one is taken, so that no request meets its end."""
    await client.sign_in()
    before = sign_ins(admin)
    clock.seconds += TOKEN_SECONDS / 2 + 1
    await client.lane("directory").get("/users")
    assert sign_ins(admin) - before == 1


async def test_fresh_claims_know_of_new_permissions(admin: Administrator, server: Server, clock: InstantClock) -> None:
    """A token from before the consent says what was true then; a fresh one what is true now."""
    at = server.endpoints
    client_id = admin.control("/applications", {"secret": "s", "roles": []})["client_id"]
    app = AppIdentity(at.tenant_id, client_id, at.authority, at.graph_url, "secret", "s")
    client = GraphClient(app, clock=clock)
    assert (await client.claims()).roles == frozenset()
    admin.control("/applications", {"client_id": client_id, "secret": "s", "roles": ["Mail.Read"]})
    assert (await client.claims()).roles == frozenset()
    fresh = await client.claims(fresh=True)
    assert (fresh.roles, fresh.tenant_id) == (frozenset({"Mail.Read"}), at.tenant_id)
    await client.close()
