"""Registers tuiback's own app with a tenant, on the word of an administrator who signs in by a code."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from tuiback.engine.clouds import choose_cloud
from tuiback.engine.commands import PutTenant
from tuiback.engine.tenancy.consent import REDIRECT_URI
from tuiback.engine.tenancy.permissions import Weight, permissions_of, wanted
from tuiback.errors import GraphError, MicrosoftRefuses
from tuiback.graph import AppIdentity, GivenToken, GraphClient
from tuiback.graph.app_registration import AppRegistrar, GraphRoles, Registration, signs_in
from tuiback.graph.certificates import KeyPair, make_key_pair
from tuiback.graph.claims import claims_of
from tuiback.graph.device_login import ANY_TENANT, COMMAND_LINE_APP_ID, DeviceCode, DeviceLogin
from tuiback.model import Clock, Consent, Tenant

_MAKE_APPS = "Application.ReadWrite.All"
_GRANT_ROLES = "AppRoleAssignment.ReadWrite.All"


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be registered: the tenant's `name` here, where it lives, and what its app may do.

    `tenant_id` "" is that of whoever signs in. Without `grants` the permissions are only asked for: somebody else
    consents later at consent_url().
    """

    name: str
    cloud: str
    tenant_id: str
    graph_url: str | None
    authority: str | None
    services: tuple[str, ...]
    restore: bool = False
    grants: bool = True
    repository: str = "main"


@dataclass(frozen=True, slots=True)
class Guide:
    """How whoever registers is kept informed: `show` the code to enter, `tell` what goes on, `warn` of what stays."""

    show: Callable[[DeviceCode], None]
    tell: Callable[[str], None]
    warn: Callable[[str], None]


@asynccontextmanager
async def registered(order: Order, guide: Guide, clock: Clock) -> AsyncIterator[PutTenant]:
    """The new app as a tenant to store within the context; when anything fails, there too, the app is removed again.

    Raises MicrosoftRefuses, GraphError and UsageError.
    """
    token = await _token(order, guide, clock)
    tenant_id = order.tenant_id or claims_of(token).tenant_id
    cloud = choose_cloud(order.cloud, tenant_id, order.graph_url, order.authority)
    person = AppIdentity(tenant_id, COMMAND_LINE_APP_ID, cloud.authority, cloud.graph_url, "", "")
    graph = GraphClient(person, clock=clock, tokens=GivenToken(token), lenient=True)
    try:
        registrar = AppRegistrar(graph, clock=clock, tell=guide.tell)
        offered = await registrar.graph_roles()
        role_ids = _offered(order, offered, guide.warn)
        guide.tell("making a key and its certificate")
        pair = await asyncio.to_thread(make_key_pair, f"tuiback-{order.name}", clock.now())
        creating = asyncio.ensure_future(
            registrar.create(f"tuiback-{order.name}", role_ids.values(), REDIRECT_URI, pair)
        )
        try:
            # Whoever is interrupted here must still learn what there is to take back.
            made = await asyncio.shield(creating)
            await _introduce(registrar, made, offered, role_ids if order.grants else {})
            app = replace(person, client_id=made.client_id, credential_kind="certificate", credential=pair.pem)
            await signs_in(app, frozenset(role_ids if order.grants else ()), clock=clock, tell=guide.tell)
            yield _tenant(order, app, cloud.name, made, pair)
        except BaseException:
            await _take_back(registrar, creating, guide.warn)
            raise
    finally:
        await graph.close()


async def administrator_token(tenant: Tenant, show: Callable[[DeviceCode], None], clock: Clock) -> str:
    """The token of somebody who may change the tenant's app. Raises MicrosoftRefuses and Unreachable."""
    login = DeviceLogin(tenant.authority, tenant.tenant_id, tenant.graph_url, [_MAKE_APPS], clock=clock)
    return await login.token(show)


def share_one_allowance(services: Iterable[str]) -> bool:
    """Whether several apps of one tenant gain nothing for these services, and break Microsoft's terms.

    See "how to avoid getting throttled" at https://learn.microsoft.com/sharepoint/dev/general-development
    """
    return not {"onedrive", "sharepoint", "teams"}.isdisjoint(services)


async def _token(order: Order, guide: Guide, clock: Clock) -> str:
    """The administrator's."""
    cloud = choose_cloud(order.cloud, order.tenant_id or ANY_TENANT, order.graph_url, order.authority)
    scopes = [_MAKE_APPS, _GRANT_ROLES] if order.grants else [_MAKE_APPS]
    login = DeviceLogin(cloud.authority, order.tenant_id, cloud.graph_url, scopes, clock=clock)
    return await login.token(guide.show)


def _offered(order: Order, graph: GraphRoles, warn: Callable[[str], None]) -> Mapping[str, str]:
    """The ids of the permissions to ask for, by name; those that this cloud does not have are left out and told."""
    names = wanted(order.services, restore=order.restore)
    needed = {
        each.name for service in order.services for each in permissions_of(service) if each.weight is Weight.BACKUP
    }
    missing = [name for name in names if name not in graph.ids]
    if lacking := needed.intersection(missing):
        what = f"this cloud does not offer {', '.join(sorted(lacking))}"
        raise MicrosoftRefuses(what, order.cloud, "leave the service out with --service")
    if missing:
        warn(f"not offered by this cloud: {', '.join(missing)}")
    return {name: graph.ids[name] for name in names if name in graph.ids}


async def _introduce(
    registrar: AppRegistrar, made: Registration, graph: GraphRoles, granted: Mapping[str, str]
) -> None:
    """Let the app act in the tenant, and grant it its permissions."""
    principal_id = await registrar.create_principal(made.client_id)
    for role_id in granted.values():
        await registrar.grant(principal_id, graph, role_id)


async def _take_back(
    registrar: AppRegistrar, creating: "asyncio.Task[Registration]", warn: Callable[[str], None]
) -> None:
    try:
        made = await creating
    except (GraphError, MicrosoftRefuses):
        return
    try:
        await registrar.delete(made.object_id)
    except (GraphError, MicrosoftRefuses) as error:
        warn(f"app {made.client_id} could not be removed from Entra ({error.what}): delete it there")


def _tenant(order: Order, app: AppIdentity, cloud: str, made: Registration, pair: KeyPair) -> PutTenant:
    return PutTenant(
        name=order.name,
        tenant_id=app.tenant_id,
        client_id=app.client_id,
        cloud=cloud,
        graph_url=app.graph_url,
        authority=app.authority,
        credential_kind=app.credential_kind,
        credential=app.credential,
        repository=order.repository,
        credential_expires_on=pair.expires_on,
        consent=Consent.GRANTED if order.grants else Consent.WAITING,
        app_object_id=made.object_id,
        key_id=str(made.keys[0]["keyId"]) if made.keys else "",
    )
