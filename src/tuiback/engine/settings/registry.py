"""The tenants and tasks of all repositories of a home, and the connectors that speak for them."""

import asyncio
from collections.abc import Callable, Iterable, Mapping

import msgspec

from tuiback.connectors import CONNECTORS
from tuiback.connectors.base import Connector
from tuiback.connectors.groups import members_of
from tuiback.engine.activity import Activity
from tuiback.engine.archives.archive import Archive
from tuiback.engine.settings.decide import account_id_of
from tuiback.errors import NoSuchThing, UsageError
from tuiback.graph import AppIdentity, GraphClient
from tuiback.model import Clock, ControlRow, Task, Tenant

CREDENTIAL_PURPOSE = "tenant credential"


class Registry:
    """What is configured, as committed; changes go through the group commit of the repository they belong to."""

    def __init__(self, archives: Mapping[str, Archive], activity: Activity, clock: Clock) -> None:
        self._archives = archives
        self._activity = activity
        self._clock = clock
        self._tenants: dict[str, tuple[Archive, Tenant]] = {}
        self._tasks: dict[str, tuple[Archive, Task]] = {}
        self._graphs: dict[str, GraphClient] = {}
        # Called whenever the configuration has changed.
        self.on_change: Callable[[], None] = lambda: None

    async def load(self) -> None:
        """Read the configuration of all repositories."""
        tenants: dict[str, tuple[Archive, Tenant]] = {}
        tasks: dict[str, tuple[Archive, Task]] = {}
        for archive in self._archives.values():
            for tenant in await asyncio.to_thread(archive.reader.tenants):
                tenants[tenant.name] = (archive, tenant)
            for task in await asyncio.to_thread(archive.reader.tasks):
                tasks[task.name] = (archive, task)
        self._tenants, self._tasks = tenants, tasks
        self.on_change()

    async def close(self) -> None:
        """Close all connections to Microsoft."""
        for graph in self._graphs.values():
            await graph.close()
        self._graphs.clear()

    @property
    def tasks(self) -> tuple[Task, ...]:
        """All tasks, by name."""
        return tuple(task for _, (_, task) in sorted(self._tasks.items()))

    @property
    def tenants(self) -> tuple[Tenant, ...]:
        """All tenants, by name."""
        return tuple(tenant for _, (_, tenant) in sorted(self._tenants.items()))

    @property
    def graphs(self) -> Mapping[str, GraphClient]:
        """The clients in use, by tenant."""
        return self._graphs

    def task(self, name: str) -> tuple[Archive, Task]:
        """The task and where its data goes."""
        if name not in self._tasks:
            raise NoSuchThing("no such task", name, "see 'tuiback task list'")
        return self._tasks[name]

    def tenant(self, name: str) -> tuple[Archive, Tenant]:
        """The tenant and the repository it belongs to."""
        if name not in self._tenants:
            raise NoSuchThing("no such tenant", name, "see 'tuiback tenant list'")
        return self._tenants[name]

    def app(self, name: str) -> AppIdentity:
        """The app that the tenant is signed in to with, its credential unsealed."""
        archive, tenant = self.tenant(name)
        return AppIdentity(
            tenant_id=tenant.tenant_id,
            client_id=tenant.client_id,
            authority=tenant.authority,
            graph_url=tenant.graph_url,
            credential_kind=tenant.credential_kind,
            credential=archive.repository.unseal(tenant.credential, CREDENTIAL_PURPOSE).decode(),
        )

    def graph(self, name: str) -> GraphClient:
        """The tenant's client: one for all its tasks, so that they share one allowance."""
        if name not in self._graphs:
            _, tenant = self.tenant(name)
            # Plain http is for a simulated tenant on loopback, which may have no limits at all.
            lenient = tenant.graph_url.startswith("http://")
            self._graphs[name] = GraphClient(
                self.app(name), clock=self._clock, notice=self._throttled, lenient=lenient
            )
        return self._graphs[name]

    def connector(self, tenant: str, service: str) -> Connector:
        """The connector of a service, signed in as the tenant's app."""
        for made in CONNECTORS:
            if made.service == service:
                return made(self.graph(tenant))
        known = ", ".join(c.service for c in CONNECTORS)
        raise UsageError("this version does not back this service up", service, f"choose one of: {known}")

    def connector_for_kind(self, tenant: str, kind: str) -> Connector:
        """The connector that restores accounts of this kind: its requests go before those of backups."""
        for made in CONNECTORS:
            if made.kind == kind:
                return made(self.graph(tenant).urgent())
        raise UsageError("this version does not restore this kind of account", kind)

    async def members_of(self, tenant: str, group: str) -> frozenset[str]:
        """The object ids of everybody in a group of the tenant, those of groups inside it too."""
        return await members_of(self.graph(tenant), group)

    def _throttled(self, service: str, seconds: float, status: int) -> None:
        self._activity.add("throttle", service, f"{status}: Microsoft asks us to wait {seconds:.0f} s")

    async def save_tenant(self, archive: Archive, tenant: Tenant) -> None:
        """Write a tenant as it is now. Runs go on: with its new credential, or with the addresses they began with."""
        before = self._tenants.get(tenant.name)
        await self.save(archive, [ControlRow("tenant", tenant.name, msgspec.json.encode(tenant))])
        graph = self._graphs.get(tenant.name)
        if graph is None or before is None:
            return
        if _place(before[1]) == _place(tenant):
            graph.change_credential(self.app(tenant.name))
        else:
            del self._graphs[tenant.name]
            await graph.close()

    async def remove_tenant(self, name: str) -> None:
        """Forget a tenant."""
        archive, _ = self.tenant(name)
        await self.save(archive, [ControlRow("tenant", name, None)])
        graph = self._graphs.pop(name, None)
        if graph is not None:
            await graph.close()

    def allowance_used(self, tenant: str) -> float:
        """The part of the tenant's scarcest allowance that is used up now, 0 to 1."""
        if tenant not in self._graphs:
            return 0.0
        ledger = [entry for figures in self._graphs[tenant].throttle_status() for entry in figures.ledger]
        return max((entry.used / entry.units for entry in ledger), default=0.0)

    async def accounts_now(self, task: Task) -> tuple[str, ...]:
        """The ids of all accounts of the task's service that there are today."""
        connector = self.connector(task.tenant, task.service)
        return tuple([account_id_of(found) async for found in connector.discover({})])

    async def save_task(self, archive: Archive, task: Task) -> None:
        """Write a task as it is now."""
        await self.save(archive, [ControlRow("task", task.name, msgspec.json.encode(task))])

    async def save(self, archive: Archive, rows: Iterable[ControlRow]) -> None:
        """Commit these rows with everything staged, and read the configuration anew."""
        await archive.mend()
        for row in rows:
            archive.committer.stage_control(row)
        await archive.committer.commit()
        await self.load()


def _place(tenant: Tenant) -> tuple[str, ...]:
    """What a client can't change while it is in use."""
    return tenant.tenant_id, tenant.client_id, tenant.graph_url, tenant.authority
