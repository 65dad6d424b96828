"""An administrator's code becomes an app that can back up, or nothing at all."""

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.administrator import Administrator, TenantClock
from tuiback.engine.commands import PutTenant
from tuiback.engine.tenancy.consent import consent_url
from tuiback.engine.tenancy.permissions import wanted
from tuiback.engine.tenancy.registration import Guide, Order, registered
from tuiback.errors import GraphError, MicrosoftRefuses
from tuiback.graph import AppIdentity, GraphClient
from tuiback.graph.certificates import read_key_pair
from tuiback.graph.device_login import DeviceCode
from tuiback.model import Consent
from tuiback.simtenant import Plan, Server

pytestmark = pytest.mark.usefixtures("ready_keys")
SERVICES = ("exchange", "onedrive")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A tenant that takes its time."""
    with Server(Plan(users=2, messages=1, files_per_user=1, replication_seconds=20)) as served:
        yield served


@pytest.fixture
def order(server: Server) -> Order:
    """An app for mail and files."""
    at = server.endpoints
    return Order("acme", "custom", at.tenant_id, at.graph_url, at.authority, SERVICES)


def guide_of(admin: Administrator, told: list[str]) -> Guide:
    """Enters the code at once."""

    def show(code: DeviceCode) -> None:
        assert admin.enter(code.url, code.user_code).status_code == 200

    return Guide(show, told.append, told.append)


async def made(order: Order, admin: Administrator, told: list[str]) -> PutTenant:
    """The tenant that was registered and kept."""
    async with registered(order, guide_of(admin, told), TenantClock(admin)) as tenant:
        return tenant


async def roles_of(tenant: PutTenant, admin: Administrator) -> frozenset[str]:
    """What the app may do once it signs in."""
    app = AppIdentity(
        tenant.tenant_id, tenant.client_id, tenant.authority, tenant.graph_url, tenant.credential_kind,
        tenant.credential,
    )  # fmt: skip
    client = GraphClient(app, clock=TenantClock(admin), lenient=True)
    try:
        return (await client.claims()).roles
    finally:
        await client.close()


async def test_an_app_with_the_least_permissions(admin: Administrator, order: Order) -> None:
    """The app signs in with a certificate of two years, holds what backups need, and nothing that writes."""
    told: list[str] = []
    tenant = await made(order, admin, told)
    assert await roles_of(tenant, admin) == frozenset(wanted(SERVICES, restore=False))
    assert (tenant.credential_kind, tenant.consent) == ("certificate", Consent.GRANTED)
    app = admin.apps()["tuiback-acme"]
    assert (app["id"], app["appId"]) == (tenant.app_object_id, tenant.client_id)
    assert [key["keyId"] for key in app["keyCredentials"]] == [tenant.key_id]
    assert read_key_pair(tenant.credential, "").expires_on == tenant.credential_expires_on
    assert [line for line in told if line.startswith("waiting for Entra to know the new application")]
    assert [line for line in told if line.startswith("waiting for the sign-in")]


async def test_restore_is_asked_for(admin: Administrator, order: Order) -> None:
    """With the restore set the app may write back."""
    tenant = await made(replace(order, services=("onedrive",), restore=True), admin, [])
    assert "Files.ReadWrite.All" in await roles_of(tenant, admin)


async def test_the_tenant_is_the_administrators(admin: Administrator, order: Order) -> None:
    """Without a tenant id the token says which one it is."""
    tenant = await made(replace(order, tenant_id=""), admin, [])
    assert tenant.tenant_id == order.tenant_id


async def test_consent_comes_later(admin: Administrator, order: Order) -> None:
    """Without grants the app signs in and may do nothing, until an administrator opens the address."""
    tenant = await made(replace(order, grants=False), admin, [])
    assert tenant.consent is Consent.WAITING
    assert await roles_of(tenant, admin) == frozenset()
    led = admin.consent(consent_url(tenant.authority, tenant.graph_url, tenant.client_id))
    assert led.headers["location"].startswith("http://localhost?admin_consent=True")
    admin.control("/clock", {"seconds": 30})
    assert await roles_of(tenant, admin) == frozenset(wanted(SERVICES, restore=False))


@pytest.mark.parametrize(
    ("match", "status"),
    [(r"POST .*/servicePrincipals$", 400), (r"POST .*/appRoleAssignments$", 400), (r"POST .*/token$", 400)],
)
async def test_a_step_that_fails_takes_all_back(admin: Administrator, order: Order, match: str, status: int) -> None:
    """No half-made app stays behind."""

    def show(code: DeviceCode) -> None:
        admin.enter(code.url, code.user_code)

    def tell(line: str) -> None:
        # The administrator's own sign-in is over by now.
        if line.startswith("making a key"):
            body: dict[str, Any] = {"error": {"code": "Request_BadRequest", "message": "no"}}
            admin.control("/fault", {"match": match, "status": status, "times": -1, "body": body})

    with pytest.raises((GraphError, MicrosoftRefuses)):
        async with registered(order, Guide(show, tell, tell), TenantClock(admin)):
            pass
    admin.control("/fault", {"clear": True})
    assert "tuiback-acme" not in admin.apps()


async def test_what_fails_within_takes_it_back_too(admin: Administrator, order: Order) -> None:
    """An app whose credential could not be stored is of no use."""
    with contextlib.suppress(ZeroDivisionError):
        async with registered(order, guide_of(admin, []), TenantClock(admin)):
            assert "tuiback-acme" in admin.apps()
            raise ZeroDivisionError
    assert "tuiback-acme" not in admin.apps()


async def test_what_can_not_be_taken_back_is_told(admin: Administrator, order: Order) -> None:
    """An app that has to stay is named, so that somebody removes it."""
    told: list[str] = []
    body = {"error": {"code": "Authorization_RequestDenied", "message": "no"}}
    with contextlib.suppress(ZeroDivisionError):
        async with registered(order, guide_of(admin, told), TenantClock(admin)) as tenant:
            admin.control("/fault", {"match": "DELETE .*", "status": 403, "times": -1, "body": body})
            raise ZeroDivisionError
    assert f"app {tenant.client_id} could not be removed" in told[-1]


async def test_a_service_that_the_cloud_does_not_offer(admin: Administrator, order: Order) -> None:
    """Nothing is made where the least of a service can't be granted; what is only useful is left out and told."""
    told: list[str] = []
    roles = [{"id": f"id-{name}", "value": name} for name in ("User.Read.All", "Mail.Read")]
    body = {"id": "graph", "appRoles": roles}
    match = "GET .*/servicePrincipals.*00000003"
    admin.control("/fault", {"match": match, "status": 200, "times": -1, "body": body})
    with pytest.raises(MicrosoftRefuses, match=r"does not offer Files\.Read\.All"):
        async with registered(order, guide_of(admin, told), TenantClock(admin)):
            pass
    with pytest.raises(GraphError):
        async with registered(replace(order, services=("exchange",)), guide_of(admin, told), TenantClock(admin)):
            pass
    (line,) = [line for line in told if line.startswith("not offered by this cloud: ")]
    assert "MailboxItem.Export.All" in line
    admin.control("/fault", {"clear": True})
    assert "tuiback-acme" not in admin.apps()


async def test_a_declined_sign_in(admin: Administrator, order: Order) -> None:
    """Who declines ends it before anything is made."""
    guide = Guide(lambda code: admin.decline(code.url, code.user_code), print, print)
    with pytest.raises(MicrosoftRefuses, match="declined"):
        async with registered(order, guide, TenantClock(admin)):
            pass
    assert "tuiback-acme" not in admin.apps()


async def test_a_code_that_nobody_enters(admin: Administrator, order: Order) -> None:
    """After a quarter of an hour it is over."""
    with pytest.raises(MicrosoftRefuses, match="expired"):
        async with registered(order, Guide(lambda _: None, print, print), TenantClock(admin)):
            pass
