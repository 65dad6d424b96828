"""Paints the engine's picture once a second: an immutable EngineStatus that consoles and `status` show."""

import asyncio
from collections.abc import Callable, Mapping

import msgspec
import psutil
from msgspec.structs import asdict, replace

from tuiback.engine.activity import Activity
from tuiback.engine.archives.archive import Archive
from tuiback.engine.backups.dispatch import Dispatcher
from tuiback.engine.backups.scheduler import Scheduler
from tuiback.engine.monitor import Rate, RunMonitor
from tuiback.engine.settings.limits import Gate
from tuiback.engine.settings.registry import Registry
from tuiback.engine.signalling.past import at_rest, shown_tenant
from tuiback.engine.signalling.remembered import Remembered
from tuiback.model import (
    AlertStatus,
    AllowanceStatus,
    Clock,
    EngineInfo,
    EngineStatus,
    Gauge,
    JobStatus,
    MachineStatus,
    Task,
    TaskState,
    TaskStatus,
    ThrottleStatus,
)

# Questions to the catalog and the disk change slowly and cost more than the rest.
SLOW_EVERY_SECONDS = 3.0
_NEVER = float("-inf")


class Machine:
    """Samples processor, memory and network of this machine."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._in, self._out = Rate(), Rate()
        psutil.cpu_percent(percpu=True)

    def sample(self) -> MachineStatus:
        """The figures since the last sample."""
        memory = psutil.virtual_memory()
        traffic = psutil.net_io_counters()
        now = self._clock.monotonic()
        return MachineStatus(
            cpu_percent=tuple(psutil.cpu_percent(percpu=True)),
            ram_used=memory.total - memory.available,
            ram_total=memory.total,
            net_in=self._in.sample(now, traffic.bytes_recv),
            net_out=self._out.sample(now, traffic.bytes_sent),
            load=psutil.getloadavg(),
        )


def eta_seconds(monitor: RunMonitor, items_per_second: float) -> float | None:
    """A guess at what is left: by items where the services said how many, else by accounts; None in the beginning."""
    left = monitor.items_expected - monitor.items_done
    if left > 0 and items_per_second > 0:
        return left / items_per_second
    if monitor.accounts_done and monitor.accounts_total:
        return monitor.seconds * (monitor.accounts_total - monitor.accounts_done) / monitor.accounts_done
    return None


class Work(msgspec.Struct, frozen=True):
    """What goes on in the engine: runs, what is due, and jobs; `is_low` tells a task whose disk is nearly full."""

    dispatcher: Dispatcher
    scheduler: Scheduler
    jobs: Callable[[], tuple[JobStatus, ...]]
    alerts: Callable[[], tuple[AlertStatus, ...]]
    is_low: Callable[[str], bool]


class Board:
    """Holds the newest picture; run() repaints it every second."""

    def __init__(
        self,
        info: Callable[[], EngineInfo],
        archives: Mapping[str, Archive],
        registry: Registry,
        work: Work,
        gates: tuple[Gate, Gate],
        activity: Activity,
        clock: Clock,
    ) -> None:
        self._info = info
        self._archives = archives
        self._registry = registry
        self._dispatcher = work.dispatcher
        self._scheduler = work.scheduler
        self._accounts, self._files = gates
        self._jobs = work.jobs
        self._alerts = work.alerts
        self._is_low = work.is_low
        self._activity = activity
        self._clock = clock
        self._machine = Machine(clock)
        self._remembered = Remembered(archives, registry, clock)
        self._painting = asyncio.Lock()
        self._slow_at = _NEVER
        self._running: frozenset[str] = frozenset()
        self._number = 0
        self._requests: dict[tuple[str, str], Rate] = {}
        self.picture: EngineStatus | None = None

    async def repaint(self) -> EngineStatus:
        """Make a new picture now."""
        async with self._painting:
            return await self._paint()

    async def fresh(self) -> EngineStatus | None:
        """The newest picture, which shows whatever has ended before this is called."""
        return await self.repaint() if self._slow_at == _NEVER else self.picture

    async def _paint(self) -> EngineStatus:
        running = frozenset(self._dispatcher.runs)
        if running != self._running:
            # A run that ended must not be shown for seconds as if it had never been.
            self.forget_slow()
            self._running = running
        if self._clock.monotonic() - self._slow_at >= SLOW_EVERY_SECONDS:
            # Noted before: what ends while the catalog is asked is asked about once more.
            self._slow_at = self._clock.monotonic()
            await asyncio.to_thread(self._remembered.ask)
        self._number += 1
        services = sorted({t.service for t in self._registry.tasks})
        throttles = self._throttles()
        self.picture = EngineStatus(
            number=self._number,
            time=self._clock.now(),
            engine=self._info(),
            tasks=tuple(self._task(task, throttles) for task in self._registry.tasks),
            throttles=throttles,
            accounts=tuple(Gauge(s, self._accounts.used(s), self._accounts.limit_for(s)) for s in services),
            files=tuple(Gauge(s, self._files.used(s), self._files.limit_for(s)) for s in services),
            machine=self._machine.sample(),
            storage=tuple(self._remembered.storage.values()),
            activity=self._activity.recent(),
            jobs=self._jobs(),
            alerts=self._alerts(),
            tenants=tuple(map(shown_tenant, self._registry.tenants)),
            standing=self._remembered.standing,
        )
        return self.picture

    def forget_slow(self) -> None:
        """Ask the catalog again at the next picture: something ended."""
        self._slow_at = _NEVER

    def _throttles(self) -> tuple[ThrottleStatus, ...]:
        now = self._clock.monotonic()
        rows = []
        for tenant, graph in self._registry.graphs.items():
            for f in graph.throttle_status():
                rate = self._requests.setdefault((tenant, f.service), Rate()).sample(now, f.requests)
                rows.append(
                    ThrottleStatus(
                        tenant=tenant,
                        service=f.service,
                        in_flight=f.in_flight,
                        limit=f.limit,
                        waiting=f.waiting,
                        wait_seconds=f.wait_seconds,
                        requests=f.requests,
                        throttled=f.throttled,
                        requests_per_second=rate,
                        ledger=tuple(AllowanceStatus(**asdict(entry)) for entry in f.ledger),
                    )
                )
        return tuple(rows)

    def _task(self, task: Task, throttles: tuple[ThrottleStatus, ...]) -> TaskStatus:
        past = self._remembered.past(task.name)
        run = self._dispatcher.runs.get(task.name)
        if run is None:
            resting = at_rest(task, past, self._scheduler.next_run_at(task))
            waits_for_room = self._is_low(task.name) and resting.state is not TaskState.PAUSED
            return replace(resting, state=TaskState.DISK) if waits_for_room else resting
        monitor = run.monitor
        counters = monitor.counters
        items_per_second, bytes_per_second = monitor.rates()
        throttled_as = self._registry.connector(task.tenant, task.service).throttled_as
        waits = any(t.wait_seconds > 0 and t.tenant == task.tenant and t.service == throttled_as for t in throttles)
        return TaskStatus(
            name=task.name,
            tenant=task.tenant,
            service=task.service,
            mode=task.mode,
            state=TaskState.THROTTLED if waits else TaskState.RUNNING,
            accounts=max(monitor.accounts_total, past.accounts),
            accounts_done=monitor.accounts_done,
            gone=past.gone,
            owed=max(counters.owed, past.owed),
            items_done=monitor.items_done,
            items_expected=monitor.items_expected,
            items_per_second=items_per_second,
            bytes_per_second=bytes_per_second,
            bytes_read=counters.bytes_read,
            bytes_stored=counters.bytes_stored,
            throttled=counters.throttled,
            failed=counters.accounts_failed,
            run=run.run,
            eta_seconds=eta_seconds(monitor, items_per_second),
            last_run_at=run.started_at,
            last_ok_at=past.last_ok_at,
            last_outcome=past.last_outcome,
            next_run_at=None,
            at_work=monitor.accounts_at_work,
        )
