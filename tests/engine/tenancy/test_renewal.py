"""Credentials are rolled without a moment in which none of them counts."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.administrator import Administrator, TenantClock
from tuiback.engine.tenancy.renewal import Renewal
from tuiback.errors import MicrosoftRefuses
from tuiback.graph import AppIdentity, GraphClient
from tuiback.graph.certificates import KeyPair, make_key_pair
from tuiback.model import Tenant
from tuiback.simtenant import Plan, Server

pytestmark = pytest.mark.usefixtures("ready_keys")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """One simulated tenant for all tests of this module."""
    with Server(Plan(users=1, messages=1, files_per_user=1)) as served:
        yield served


@pytest.fixture
async def graph(server: Server, admin: Administrator) -> AsyncIterator[GraphClient]:
    """A client that may change every app."""
    at = server.endpoints
    app = AppIdentity(at.tenant_id, at.client_id, at.authority, at.graph_url, "secret", at.client_secret)
    client = GraphClient(app, clock=TenantClock(admin), lenient=True)
    await client.sign_in()
    yield client
    await client.close()


def tenant_of(server: Server, admin: Administrator, pair: KeyPair) -> tuple[Tenant, AppIdentity]:
    """A tenant whose app has this certificate, as somebody added it by hand."""
    client_id = admin.control("/applications", {"certificate": pair.certificate})["client_id"]
    at = server.endpoints
    app = AppIdentity(at.tenant_id, client_id, at.authority, at.graph_url, "certificate", pair.pem)
    return Tenant("acme", at.tenant_id, client_id, "custom", at.graph_url, at.authority, "certificate", b""), app


def keys(admin: Administrator, tenant: Tenant) -> list[str]:
    """The ids of the app's certificates."""
    found = admin.graph("GET", f"/applications(appId='{tenant.client_id}')").json()
    return [key["keyId"] for key in found["keyCredentials"]]


async def test_an_expired_certificate_is_replaced(server: Server, admin: Administrator, graph: GraphClient) -> None:
    """It can't vouch for another any more: who may write applications puts the new one in its place."""
    long_ago = datetime.now(UTC) - timedelta(days=30)
    tenant, app = tenant_of(server, admin, make_key_pair("old", long_ago, days=10, bits=2048))
    renewed, _ = await Renewal(graph, lambda _: None, TenantClock(admin)).renewed(tenant, app)
    assert (renewed.retired_key_id, len(keys(admin, tenant))) == ("", 1)
    assert renewed.app_object_id


async def test_a_new_one_that_does_not_work_goes_again(
    server: Server, admin: Administrator, graph: GraphClient
) -> None:
    """When nobody can sign in with it, it is taken out of Entra and the old one stays in use."""
    tenant, app = tenant_of(server, admin, make_key_pair("old", datetime.now(UTC), bits=2048))
    before = keys(admin, tenant)
    body = {"error": "invalid_client", "error_description": "AADSTS700027: no", "error_codes": [700027]}
    admin.control("/fault", {"match": "POST .*/token", "status": 401, "times": -1, "body": body})
    told: list[str] = []
    with pytest.raises(MicrosoftRefuses, match="AADSTS700027"):
        await Renewal(graph, told.append, TenantClock(admin)).renewed(tenant, app)
    admin.control("/fault", {"clear": True})
    assert keys(admin, tenant) == before
    assert told[-1] == "removing a credential from Entra"


async def test_a_credential_that_is_gone_already(server: Server, admin: Administrator, graph: GraphClient) -> None:
    """Somebody removed the retired one by hand: that is as good."""
    tenant, app = tenant_of(server, admin, make_key_pair("old", datetime.now(UTC), bits=2048))
    renewal = Renewal(graph, lambda _: None, TenantClock(admin))
    renewed, credential = await renewal.renewed(tenant, app)
    app = replace(app, credential=credential)
    assert await renewal.remove_retired(renewed, app) == 1
    assert await renewal.remove_retired(renewed, app) == 1
    assert keys(admin, tenant) == [renewed.key_id]
