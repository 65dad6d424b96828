"""Carries out what is asked about tenants: add, change, remove, check, renew their credential."""

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

from msgspec.structs import replace

from tuiback.connectors import CONNECTORS
from tuiback.engine.activity import Activity
from tuiback.engine.archives.archive import Archive
from tuiback.engine.commands import CheckTenant, EditTenant, PutTenant, RemoveTenant, RenewTenant
from tuiback.engine.settings.registry import CREDENTIAL_PURPOSE, Registry
from tuiback.engine.tenancy.tenant_checks import check_fields, refusal_of_waiting, try_graph
from tuiback.errors import MicrosoftRefuses, NoSuchThing, Unreachable, UsageError
from tuiback.graph import AppIdentity, GivenToken, GraphClient
from tuiback.model import Clock, Consent, Tenant

if TYPE_CHECKING:
    from tuiback.engine.tenancy.renewal import Renewal

_EDITABLE = ("tenant_id", "client_id", "cloud", "graph_url", "authority", "credential_kind")


class Tenants:
    """The tenants of all repositories of a home, as commands see them. Credentials are sealed before they are kept."""

    def __init__(self, registry: Registry, archives: Mapping[str, Archive], activity: Activity, clock: Clock) -> None:
        self._registry = registry
        self._archives = archives
        self._activity = activity
        self._clock = clock

    async def put(self, command: PutTenant) -> dict[str, object]:
        """Add or replace a tenant. Raises NoSuchThing and UsageError."""
        archive = self._archives.get(command.repository)
        if archive is None:
            raise NoSuchThing("no such repository in this home", command.repository, "see 'tuiback repository list'")
        known = {tenant.name for tenant in self._registry.tenants}
        if command.name in known and self._registry.tenant(command.name)[0] is not archive:
            raise UsageError("the tenant belongs to another repository", command.name, "choose another name")
        tenant = Tenant(
            name=command.name,
            tenant_id=command.tenant_id,
            client_id=command.client_id,
            cloud=command.cloud,
            graph_url=command.graph_url,
            authority=command.authority,
            credential_kind=command.credential_kind,
            credential=_sealed(archive, command.credential),
            credential_expires_on=command.credential_expires_on,
            consent=command.consent,
            app_object_id=command.app_object_id,
            key_id=command.key_id,
        )
        await self._registry.save_tenant(archive, tenant)
        return {"name": tenant.name}

    async def edit(self, command: EditTenant) -> dict[str, object]:
        """Change a tenant. Raises NoSuchThing."""
        archive, before = self._registry.tenant(command.tenant)
        given = {name: value for name in _EDITABLE if (value := getattr(command, name)) is not None}
        tenant = replace(before, **given)
        if command.credential is not None:
            # Which of the app's credentials it is, only whoever made it knows.
            tenant = replace(tenant, credential=_sealed(archive, command.credential), credential_expires_on=None)
            tenant = replace(tenant, key_id="", retired_key_id="")
        if command.credential_expires_on is not None:
            tenant = replace(tenant, credential_expires_on=command.credential_expires_on)
        if tenant.client_id != before.client_id or tenant.tenant_id != before.tenant_id:
            tenant = replace(tenant, consent=Consent.UNKNOWN, app_object_id="", key_id="", retired_key_id="")
        if tenant != before:
            await self._registry.save_tenant(archive, tenant)
        return {"name": tenant.name}

    async def remove(self, command: RemoveTenant) -> dict[str, object]:
        """Forget a tenant. Raises NoSuchThing, and UsageError while tasks use it."""
        _, tenant = self._registry.tenant(command.tenant)
        if using := [task.name for task in self._registry.tasks if task.tenant == tenant.name]:
            raise UsageError(f"tasks use the tenant: {', '.join(using)}", tenant.name, "remove these first")
        await self._registry.remove_tenant(tenant.name)
        return {"name": tenant.name}

    async def check(self, command: CheckTenant) -> dict[str, object]:
        """Sign in and see what the app may do. Raises MicrosoftRefuses, Unreachable, NoSuchThing."""
        _, tenant = self._registry.tenant(command.tenant)
        graph = self._registry.graph(tenant.name)
        roles = (await graph.claims(fresh=True)).roles
        await try_graph(graph, roles)
        tenant = await self._note_consent(tenant.name, roles)
        services = [task.service for task in self._registry.tasks if task.tenant == tenant.name]
        known = [connector.service for connector in CONNECTORS]
        return check_fields(tenant, roles, tuple(dict.fromkeys(services)), known, graph.skew_seconds)

    async def refusal(self, name: str) -> MicrosoftRefuses | None:
        """Why nothing of the tenant can be backed up yet: an app that waits for consent is asked whether it has it."""
        _, tenant = self._registry.tenant(name)
        if tenant.consent != Consent.WAITING:
            return None
        try:
            roles = (await self._registry.graph(name).claims(fresh=True)).roles
        except Unreachable:
            # Whoever runs the task says it better.
            return None
        except MicrosoftRefuses:
            roles = frozenset()
        tenant = await self._note_consent(name, roles)
        return refusal_of_waiting(tenant) if tenant.consent == Consent.WAITING else None

    async def renew(self, command: RenewTenant) -> dict[str, object]:
        """Give the app a new credential. Raises MicrosoftRefuses where the app, or the administrator, may not."""
        archive, tenant = self._registry.tenant(command.tenant)
        app = self._registry.app(tenant.name)
        graph, is_own = self._registry.graph(tenant.name), not command.token
        if not is_own:
            graph = GraphClient(app, clock=self._clock, tokens=GivenToken(command.token), lenient=True)
        # Certificates are made and signed rarely, and what that needs takes a tenth of a second to load.
        from tuiback.engine.tenancy.renewal import Renewal

        renewal = Renewal(graph, partial(self._activity.add, "info", tenant.name), self._clock)
        try:
            return await self._renew(archive, tenant, app, renewal, command)
        finally:
            if not is_own:
                await graph.close()

    async def _renew(
        self, archive: Archive, before: Tenant, app: AppIdentity, renewal: "Renewal", command: RenewTenant
    ) -> dict[str, object]:
        removed = await renewal.remove_retired(before, app)
        tenant, credential = await renewal.renewed(before, app)
        tenant = replace(tenant, credential=_sealed(archive, credential))
        await self._registry.save_tenant(archive, tenant)
        if command.remove_old and tenant.retired_key_id:
            removed += await renewal.remove_retired(tenant, self._registry.app(tenant.name))
            tenant = replace(tenant, retired_key_id="")
            await self._registry.save_tenant(archive, tenant)
        shown = {"kind": tenant.credential_kind, "expires_on": tenant.credential_expires_on}
        return {"name": tenant.name, "credential": shown, "removed": removed}

    async def _note_consent(self, name: str, roles: frozenset[str]) -> Tenant:
        archive, tenant = self._registry.tenant(name)
        consent = Consent.GRANTED if roles else tenant.consent
        if consent != tenant.consent:
            tenant = replace(tenant, consent=consent)
            await self._registry.save_tenant(archive, tenant)
            self._activity.add("ok", name, "consent is granted")
        return tenant


def _sealed(archive: Archive, credential: str) -> bytes:
    return archive.repository.seal(credential.encode(), CREDENTIAL_PURPOSE)
