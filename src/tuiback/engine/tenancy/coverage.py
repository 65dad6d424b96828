"""Finds who in the tenants is protected by no task, and why others are not, by asking Microsoft who is there now."""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence

import msgspec
from msgspec.structs import asdict

from tuiback.catalog import AccountOverview
from tuiback.connectors import CONNECTORS
from tuiback.connectors.base import Connector, Discovered
from tuiback.engine.archives.archive import Archive
from tuiback.engine.commands import FindCoverage
from tuiback.engine.settings.decide import account_id_of, fits, scope_of
from tuiback.engine.settings.registry import Registry
from tuiback.errors import GraphError, MicrosoftRefuses, NoSuchThing
from tuiback.model import AccountState, Task

NEVER_BACKED_UP = "was never backed up: it has no mailbox or drive, or no run has reached it yet"


class Unprotected(msgspec.Struct, frozen=True):
    """An account that no task protects at this moment, or only by what it was; `account` is its address or name."""

    account: str
    account_id: str
    kind: str
    tenant: str
    reason: str


def find_unprotected(
    tenant: str,
    discovered: Sequence[Discovered],
    tasks: Iterable[tuple[Task, Collection[str]]],
    known: Iterable[AccountOverview],
) -> list[Unprotected]:
    """Those of one tenant and service.

    `tasks` are that service's, each with the owner ids in its groups; `known` are all accounts in the repository.
    """
    by_id = {overview.account.account_id: overview for overview in known}
    covered: set[str] = set()
    excluding: dict[str, str] = {}
    for task, members in tasks:
        covered |= {account_id_of(found) for found in scope_of(task, discovered, (), frozenset(), members).covered}
        for found in discovered:
            if any(fits(text, found) for text in task.exclude):
                excluding.setdefault(account_id_of(found), task.name)
    rows: list[Unprotected] = []
    present: set[str] = set()
    for found in discovered:
        account_id = account_id_of(found)
        present.add(account_id)
        reason = _reason(found, account_id in covered, by_id.get(account_id), excluding.get(account_id))
        if reason:
            rows.append(Unprotected(found.address or found.name, account_id, found.kind, tenant, reason))
    kinds = {found.kind for found in discovered}
    left = [o.account for o in by_id.values() if o.account.tenant == tenant and o.account.account_id not in present]
    rows += [
        Unprotected(a.address or a.name, a.account_id, a.kind, tenant, _left(a.gone_reason))
        for a in left
        if a.kind in kinds
    ]
    return sorted(rows, key=lambda row: (row.account.casefold(), row.account_id))


def _reason(found: Discovered, covered: bool, known: AccountOverview | None, excluding: str | None) -> str:
    """Why the account that is there now is not protected; "" where it is."""
    if found.reason or not found.object_id:
        return found.reason or "there is nothing to back up"
    if covered:
        if known is not None and known.account.state is AccountState.GONE:
            return _left(known.account.gone_reason)
        return "" if known is not None and known.points else NEVER_BACKED_UP
    return f"excluded from task {excluding}" if excluding else "no task covers it"


def _left(reason: str) -> str:
    return f"{reason or 'left the tenant'}; what was backed up is kept"


class Coverage:
    """Asks every tenant of an engine."""

    def __init__(self, archives: Mapping[str, Archive], registry: Registry) -> None:
        self._archives = archives
        self._registry = registry

    async def find(self, _: FindCoverage) -> dict[str, object]:
        """All unprotected accounts, and a line for each tenant that could not be asked."""
        rows: list[dict[str, object]] = []
        troubles: list[str] = []
        for archive in self._archives.values():
            known = await asyncio.to_thread(archive.reader.account_overview)
            for tenant in await asyncio.to_thread(archive.reader.tenants):
                for service in (made.service for made in CONNECTORS):
                    connector = self._registry.connector(tenant.name, service)
                    try:
                        discovered = await _discover(connector, tenant.name, known)
                        tasks = [(task, await self._members(task)) for task in self._tasks(tenant.name, service)]
                    except (GraphError, MicrosoftRefuses, NoSuchThing) as error:
                        troubles.append(f"{tenant.name}: {service}: {error}")
                        continue
                    rows += [asdict(row) for row in find_unprotected(tenant.name, discovered, tasks, known)]
        return {"rows": rows, "troubles": troubles}

    def _tasks(self, tenant: str, service: str) -> list[Task]:
        return [task for task in self._registry.tasks if (task.tenant, task.service) == (tenant, service)]

    async def _members(self, task: Task) -> frozenset[str]:
        groups = [await self._registry.members_of(task.tenant, group) for group in task.groups]
        return frozenset().union(*groups)


async def _discover(connector: Connector, tenant: str, known: Iterable[AccountOverview]) -> list[Discovered]:
    same = [o.account for o in known if o.account.kind == connector.kind and o.account.tenant == tenant]
    owners = {account.owner_id: account.account_id.partition(":")[2] for account in same}
    return [found async for found in connector.discover(owners)]
