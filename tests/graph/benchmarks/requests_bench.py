"""Run by hand, never collected: python -m tests.graph.benchmarks.requests_bench [REQUESTS] [--profile].

Asks a simulated tenant in another process for so many small objects (2,000 unless given), four at a time as one
mailbox allows, and as many in batches of twenty, and prints the processor time that each takes on this side.
"""

import asyncio
import cProfile
import json
import pstats
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable

from tuiback.engine.clock import SystemClock
from tuiback.graph import AppIdentity, GraphClient, Lane, Member

AT_ONCE = 4
TOGETHER = 20
Work = Callable[[Lane, str, int], Awaitable[None]]


async def one_by_one(lane: Lane, path: str, requests: int) -> None:
    """Each by itself."""
    left = iter(range(requests))

    async def ask() -> None:
        for _ in left:
            await lane.get(path)

    await asyncio.gather(*(ask() for _ in range(AT_ONCE)))


async def together(lane: Lane, path: str, requests: int) -> None:
    """In batches."""
    left = iter(range(0, requests, TOGETHER))

    async def ask() -> None:
        for _ in left:
            await lane.batch([Member("GET", path)] * TOGETHER)

    await asyncio.gather(*(ask() for _ in range(AT_ONCE)))


async def measure(ends: dict[str, str], requests: int, *, profile: bool) -> None:
    """Print what a request takes."""
    app = AppIdentity(
        ends["tenant_id"], ends["client_id"], ends["authority"], ends["graph_url"], "secret", ends["client_secret"]
    )
    client = GraphClient(app, clock=SystemClock(), lenient=True)
    user = (await client.lane("directory").get("/users"))["value"][0]["id"]
    lane, path = client.lane("outlook", user), f"/users/{user}/mailFolders/inbox?$select=id"
    works: dict[str, Work] = {"one by one": one_by_one, "together": together}
    for name, work in works.items():
        await work(lane, path, requests // 10)
        profiler = cProfile.Profile()
        if profile:
            profiler.enable()
        begun, wall = time.process_time(), time.perf_counter()
        await work(lane, path, requests)
        spent, took = time.process_time() - begun, time.perf_counter() - wall
        profiler.disable()
        sys.stdout.write(f"{name}: {spent / requests * 1000:.3f} ms of CPU, {requests / took:,.0f} a second\n")
        if profile:
            pstats.Stats(profiler).sort_stats("tottime").print_stats(30)
    await client.close()


def main() -> None:
    """Start a tenant, measure, and end it."""
    numbers = [int(each) for each in sys.argv[1:] if each.isdigit()]
    command = [sys.executable, "-m", "tuiback", "simulate", "--users", "1", "--files-per-user", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as tenant:
        try:
            assert tenant.stdout is not None
            ends = json.loads(tenant.stdout.readline())
            asyncio.run(measure(ends, numbers[0] if numbers else 2_000, profile="--profile" in sys.argv))
        finally:
            tenant.terminate()


if __name__ == "__main__":
    main()
