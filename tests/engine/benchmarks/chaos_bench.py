"""Run by hand: python -m tests.engine.benchmarks.chaos_bench [SEEDS] [USERS] [ITEMS] [LATENCY_MS] [SERVICE].

Backs a simulated tenant's mail (exchange) or files (onedrive) up, with Microsoft's limits: once as it is, then from
each seed with every fault that a backup can get over at 2 %. Prints how long each took, and whether the backup then
held the messages or files that the tenant has: by their ids, as tests.engine.chaos compares the bytes of messages.
"""

import json
import sys
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic

from tests.acceptance.program import Installation
from tests.catalog.benchmarks.measuring import say
from tests.connectors.tenant import Tenant
from tests.engine.chaos import RATE
from tuiback.catalog import CatalogReader
from tuiback.engine.home import MAIN, Home
from tuiback.model import FOLDER_KINDS
from tuiback.simtenant import Plan, Server

_LONGEST_SECONDS = 1800


def measured(server: Server, service: str, folder: Path, seed: int | None) -> float:
    """How many seconds a first backup took, from the start of its process to its end; what came of it is told."""
    server.reset()
    tenant = Tenant(server)
    installation = Installation(folder, cold=True)
    installation.set_up(asdict(server.endpoints), [service])
    if seed is not None:
        tenant.control("chaos", {"rate": RATE, "seed": seed})
    begun = monotonic()
    out, err = installation.start("--json", "run", service).communicate(timeout=_LONGEST_SECONDS)
    seconds = monotonic() - begun
    tenant.control("fault", {"clear": True})
    (run,) = json.loads(out)["runs"]
    equal = kept(installation.home) == _SERVED[service](tenant)
    name = "without faults" if seed is None else f"seed {seed}"
    counts = f"{run['requests']} requests, {run['throttled']} refused"
    say(f"{name}: {run['outcome']}, equal {equal}, {counts}, {seconds:.1f} s")
    if not equal:
        say(err.decode())
    return seconds


def kept(home: Path) -> set[str]:
    """The ids of the messages or files in the newest snapshots."""
    reader = CatalogReader(Home.open(home).catalog_path(MAIN))
    try:
        newest = {each.account_id: reader.points(each.account_id)[:1] for each in reader.accounts()}
        walks = (reader.walk(of, point.seq) for of, points in newest.items() for point in points)
        entries = (entry for walk in walks for _, entry in walk)
        return {entry.item_id for entry in entries if entry.kind not in FOLDER_KINDS}
    finally:
        reader.close()


def messages_of(tenant: Tenant) -> set[str]:
    """The ids of the messages that the tenant has now."""
    users = tenant.listed("/users?$select=id")
    return {each["id"] for user in users for each in tenant.listed(f"/users/{user['id']}/messages?$select=id&$top=500")}


def files_of(tenant: Tenant) -> set[str]:
    """The ids of the files that the tenant's people have now."""
    users = tenant.listed("/users?$select=id")
    entries = (each for user in users for each in tenant.listed(f"/users/{user['id']}/drive/root/delta"))
    return {each["id"] for each in entries if "file" in each}


_SERVED = {"exchange": messages_of, "onedrive": files_of}


def main() -> None:
    """Measure and compare."""
    given = sys.argv[1:]
    *counts, service = (*given, *("3", "20", "1000", "50", "exchange")[len(given) :])
    seeds, users, items, latency_ms = map(int, counts)
    messages, files = (items, 0) if service == "exchange" else (0, items)
    plan = Plan(users, messages, files, latency_seconds=latency_ms / 1000, throttled=True)
    with Server(plan) as server, TemporaryDirectory() as folder:
        plain = measured(server, service, Path(folder) / "plain", None)
        for seed in range(1, seeds + 1):
            seconds = measured(server, service, Path(folder) / str(seed), seed)
            say(f"  {seconds / plain:.2f} x as long")


if __name__ == "__main__":
    main()
