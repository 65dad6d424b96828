"""Backs a simulated tenant up while everything goes wrong now and then, and compares what came of it.

`python -m tests.engine.chaos 20` tries so many seeds and tells what each took.
"""

import asyncio
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.connectors.tenant import IMMUTABLE, SwiftClock, Tenant
from tests.engine.rig import SECRET, TASK, make_home
from tuiback.connectors.exchange import ExchangeConnector
from tuiback.engine.activity import Activity
from tuiback.engine.archives.archive import Archive
from tuiback.engine.backups.runs import Crew, RunReport, TaskRun
from tuiback.engine.clock import SystemClock
from tuiback.engine.monitor import RunMonitor
from tuiback.engine.settings.limits import Gate
from tuiback.graph import AppIdentity, GraphClient
from tuiback.model import Kind
from tuiback.simtenant import Plan, Server

PLAN = Plan(users=3, messages=100, files_per_user=1, throttled=True)
RATE = 0.02


@dataclass(frozen=True)
class Outcome:
    """How one backup ended: report, message ids with their bytes, requests by the tenant's count, time slept, news."""

    report: RunReport
    kept: dict[str, bytes]
    carried_out: int
    slept_seconds: float
    told: tuple[str, ...]


async def backed_up(server: Server, folder: Path, seed: int | None) -> Outcome:
    """A first backup of the tenant's mail, with each fault at 2 % unless `seed` is None."""
    server.reset()
    tenant = Tenant(server)
    if seed is not None:
        tenant.control("chaos", {"rate": RATE, "seed": seed})
    before = tenant.carried_out()
    ends = server.endpoints
    app = AppIdentity(ends.tenant_id, ends.client_id, ends.authority, ends.graph_url, "secret", ends.client_secret)
    clock = SwiftClock()
    graph = GraphClient(app, clock=clock)
    home = make_home(folder)
    archive = await Archive.open(home, home.repository("main"), SECRET, SystemClock(), lambda *_: None)
    try:
        activity = Activity(SystemClock())
        report = await _run(archive, graph, activity)
        carried_out = tenant.carried_out() - before
        tenant.control("fault", {"clear": True})
        told = tuple(f"{entry.subject}: {entry.text}" for entry in activity.recent())
        return Outcome(report, _kept(archive), carried_out, clock.slept_seconds, told)
    finally:
        await archive.close()
        await graph.close()


async def _run(archive: Archive, graph: GraphClient, activity: Activity) -> RunReport:
    async def no_groups(_group: str) -> frozenset[str]:
        return frozenset()

    clock = SystemClock()
    monitor = RunMonitor(clock, lambda: (0, 0))
    crew = Crew(archive, ExchangeConnector(graph), Gate(10), Gate(20), activity, monitor, clock, no_groups)
    return await TaskRun(TASK, 1, "manual", crew).execute()


def _kept(archive: Archive) -> dict[str, bytes]:
    kept: dict[str, bytes] = {}
    for account in archive.reader.accounts():
        points = archive.reader.points(account.account_id)
        for _, entry in archive.reader.walk(account.account_id, points[0].seq) if points else ():
            if entry.kind is not Kind.FOLDER:
                parts = archive.reader.parts(account.account_id, entry.item_id, entry.from_seq)
                mime = next(part for part in parts if part.name == "mime")
                kept[entry.item_id] = archive.content.read_all(mime)
    return kept


def served(server: Server) -> dict[str, bytes]:
    """Message ids with their bytes, as the tenant has them now."""
    tenant = Tenant(server)
    found = {}
    for user in tenant.listed("/users"):
        for message in tenant.listed(f"/users/{user['id']}/messages?$select=id&$top=500"):
            path = f"/users/{user['id']}/messages/{message['id']}/$value"
            found[message["id"]] = tenant.raw("GET", path, headers=IMMUTABLE)
    return found


def _say(*lines: str) -> None:
    sys.stdout.write("\n  ".join(lines) + "\n")
    sys.stdout.flush()


async def _try_seeds(most: int) -> bool:
    good = True
    with Server(PLAN) as server, tempfile.TemporaryDirectory() as folder:
        plain = await backed_up(server, Path(folder) / "plain", None)
        _say(f"without faults: {plain.carried_out} requests")
        for seed in range(1, most + 1):
            outcome = await backed_up(server, Path(folder) / str(seed), seed)
            equal = outcome.kept == served(server)
            share = outcome.carried_out / plain.carried_out
            good = good and equal and share <= 2
            _say(
                f"seed {seed}: {outcome.report.outcome}, equal {equal}, {outcome.carried_out} requests ({share:.2f} x)"
                f", {outcome.slept_seconds:.1f} s slept"
            )
            if not equal:
                _say(*outcome.told)
    return good


if __name__ == "__main__":
    sys.exit(0 if asyncio.run(_try_seeds(int(sys.argv[1]))) else 1)
