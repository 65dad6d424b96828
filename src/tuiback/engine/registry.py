"""The tenants and tasks of all repositories of a home, and the connectors that speak for them."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace

import msgspec

from tuiback.connectors import CONNECTORS
from tuiback.connectors.base import Connector
from tuiback.engine.activity import Activity
from tuiback.engine.archive import Archive
from tuiback.engine.commands import EditTask, PutTask, PutTenant
from tuiback.engine.decide import account_id_of
from tuiback.engine.task_plan import edited, planned
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

    def graph(self, name: str) -> GraphClient:
        """The tenant's client: one for all its tasks, so that they share one allowance."""
        if name not in self._graphs:
            archive, tenant = self.tenant(name)
            app = AppIdentity(
                tenant_id=tenant.tenant_id,
                client_id=tenant.client_id,
                authority=tenant.authority,
                graph_url=tenant.graph_url,
                credential_kind=tenant.credential_kind,
                credential=archive.repository.unseal(tenant.credential, CREDENTIAL_PURPOSE).decode(),
            )
            # Plain http is for a simulated tenant on loopback, which may have no limits at all.
            lenient = tenant.graph_url.startswith("http://")
            self._graphs[name] = GraphClient(app, clock=self._clock, notice=self._throttled, lenient=lenient)
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

    def _throttled(self, service: str, seconds: float, status: int) -> None:
        self._activity.add("throttle", service, f"{status}: Microsoft asks us to wait {seconds:.0f} s")

    async def put_tenant(self, command: PutTenant) -> dict[str, object]:
        """Add or replace a tenant; its credential is sealed before it is written anywhere."""
        archive = self._archives.get(command.repository)
        if archive is None:
            raise NoSuchThing("no such repository in this home", command.repository, "see 'tuiback repository list'")
        before = self._tenants.get(command.name)
        if before is not None and before[0] is not archive:
            raise UsageError("the tenant belongs to another repository", command.name, "choose another name")
        tenant = Tenant(
            name=command.name,
            tenant_id=command.tenant_id,
            client_id=command.client_id,
            cloud=command.cloud,
            graph_url=command.graph_url,
            authority=command.authority,
            credential_kind=command.credential_kind,
            credential=archive.repository.seal(command.credential.encode(), CREDENTIAL_PURPOSE),
        )
        await self._put(archive, ControlRow("tenant", tenant.name, msgspec.json.encode(tenant)))
        stale = self._graphs.pop(tenant.name, None)
        if stale is not None:
            await stale.close()
        return {"name": tenant.name}

    async def put_task(self, command: PutTask) -> dict[str, object]:
        """Add a task. A fixed scope over everything is today's list of accounts. Raises UsageError, NoSuchThing."""
        archive, _ = self.tenant(command.tenant)
        if command.name in self._tasks:
            raise UsageError("a task of this name exists already", command.name, "choose another name")
        task = planned(command, self._clock.now())
        if task.everything and task.fixed:
            task = replace(task, accounts=await self._accounts_now(task))
        await self.save_task(archive, task)
        return {"name": task.name}

    async def edit_task(self, command: EditTask) -> dict[str, object]:
        """Change a task. A scope that becomes fixed is today's list of accounts. Raises UsageError, NoSuchThing."""
        archive, before = self.task(command.task)
        task = edited(before, command)
        if task.everything and task.fixed and not before.fixed:
            task = replace(task, accounts=await self._accounts_now(task))
        if task != before:
            await self.save_task(archive, task)
        return {"name": task.name}

    async def remove_task(self, name: str) -> None:
        """Forget a task; what becomes of its accounts is for the caller."""
        archive, _ = self.task(name)
        await self._put(archive, ControlRow("task", name, None))

    def allowance_used(self, tenant: str) -> float:
        """The part of the tenant's scarcest allowance that is used up now, 0 to 1."""
        if tenant not in self._graphs:
            return 0.0
        ledger = [entry for figures in self._graphs[tenant].throttle_status() for entry in figures.ledger]
        return max((entry.used / entry.units for entry in ledger), default=0.0)

    async def _accounts_now(self, task: Task) -> tuple[str, ...]:
        connector = self.connector(task.tenant, task.service)
        return tuple([account_id_of(found) async for found in connector.discover({})])

    async def save_task(self, archive: Archive, task: Task) -> None:
        """Write a task as it is now."""
        await self._put(archive, ControlRow("task", task.name, msgspec.json.encode(task)))

    async def _put(self, archive: Archive, row: ControlRow) -> None:
        await archive.mend()
        archive.committer.stage_control(row)
        await archive.committer.commit()
        await self.load()
