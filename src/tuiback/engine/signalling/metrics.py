"""Tells Prometheus how everything stands, by its naming rules: base units, and _total for what only grows.

https://prometheus.io/docs/practices/naming/
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from tuiback import __version__
from tuiback.model import EngineStatus, StorageStatus, TaskStatus

_SEVERITIES = ("info", "warning", "critical")
Labelled = Iterable[tuple[Sequence[str], float | None]]


def registry_of(picture: Callable[[], EngineStatus | None]) -> CollectorRegistry:
    """A registry that looks at the picture anew whenever it is asked; None stands for an engine not ready yet."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Pictured(picture))
    return registry


class _Pictured(Collector):
    def __init__(self, picture: Callable[[], EngineStatus | None]) -> None:
        self._picture = picture

    def describe(self) -> Iterable[Metric]:
        return ()

    def collect(self) -> Iterator[Metric]:
        yield _gauge("tuiback_build_info", "The program that answers.", ("version",), [((__version__,), 1)])
        picture = self._picture()
        if picture is not None:
            yield from _of_engine(picture)
            yield from _of_tasks(picture.tasks)
            yield from _of_services(picture)
            yield from _of_storage(picture.storage)


def _of_engine(picture: EngineStatus) -> Iterator[Metric]:
    alive = picture.engine.pid != 0
    yield _gauge("tuiback_engine_up", "Whether an engine runs.", (), [((), alive)])
    if alive:
        started = picture.engine.since.timestamp()
        yield _gauge("tuiback_engine_start_time_seconds", "When the engine started.", (), [((), started)])
    fresh = Counter(alert.severity for alert in picture.alerts if not alert.acked)
    counts = [((severity,), fresh[severity]) for severity in _SEVERITIES]
    yield _gauge("tuiback_alerts", "Open alerts that nobody has acknowledged.", ("severity",), counts)


def _of_tasks(tasks: Sequence[TaskStatus]) -> Iterator[Metric]:
    def by_task(name: str, text: str, value: Callable[[TaskStatus], float | None]) -> Metric:
        rows = [((task.name, task.tenant, task.service), value(task)) for task in tasks]
        return _gauge(f"tuiback_task_{name}", text, ("task", "tenant", "service"), rows)

    yield by_task("running", "Whether the task runs now.", lambda task: task.run is not None)
    yield by_task(
        "last_run_timestamp_seconds", "When its newest run started.", lambda task: _seconds(task.last_run_at)
    )
    yield by_task(
        "last_success_timestamp_seconds", "When its newest run that was ok ended.", lambda t: _seconds(t.last_ok_at)
    )
    yield by_task("next_run_timestamp_seconds", "When it runs next.", lambda task: _seconds(task.next_run_at))
    outcomes = [((task.name, task.last_outcome), 1.0) for task in tasks if task.last_outcome]
    yield _gauge("tuiback_task_last_outcome", "How its newest run ended.", ("task", "outcome"), outcomes)
    yield by_task("accounts", "Accounts that it protects.", lambda task: task.accounts)
    yield by_task("accounts_gone", "Accounts of it that left.", lambda task: task.gone)
    yield by_task("owed_items", "Items that failed and nobody has acknowledged.", lambda task: task.owed)
    yield by_task("run_read_bytes", "Bytes that its newest run has read.", lambda task: task.bytes_read)
    yield by_task("run_stored_bytes", "Bytes that its newest run has stored.", lambda task: task.bytes_stored)


def _of_services(picture: EngineStatus) -> Iterator[Metric]:
    labels = ("tenant", "service")
    throttles = picture.throttles
    requests = CounterMetricFamily("tuiback_requests", "Requests sent since the engine started.", labels=labels)
    throttled = CounterMetricFamily("tuiback_requests_throttled", "Those that were refused.", labels=labels)
    for row in throttles:
        requests.add_metric((row.tenant, row.service), row.requests)
        throttled.add_metric((row.tenant, row.service), row.throttled)
    yield requests
    yield throttled
    waits = [((row.tenant, row.service), row.wait_seconds) for row in throttles]
    yield _gauge("tuiback_throttle_wait_seconds", "How long the next request must wait.", labels, waits)
    in_flight = [((row.tenant, row.service), row.in_flight) for row in throttles]
    yield _gauge("tuiback_requests_in_flight", "Requests under way.", labels, in_flight)
    for what, gauges in (("accounts", picture.accounts), ("files", picture.files)):
        used = [((gauge.service,), gauge.used) for gauge in gauges]
        yield _gauge(f"tuiback_{what}_in_work", f"How many {what} are in work.", ("service",), used)
        allowed = [((gauge.service,), gauge.limit) for gauge in gauges]
        yield _gauge(f"tuiback_{what}_in_work_limit", f"How many {what} may be.", ("service",), allowed)


def _of_storage(storage: Sequence[StorageStatus]) -> Iterator[Metric]:
    def by_repository(name: str, text: str, value: Callable[[StorageStatus], float | None]) -> Metric:
        return _gauge(f"tuiback_{name}", text, ("repository",), [((row.name,), value(row)) for row in storage])

    yield by_repository("repository_logical_bytes", "All versions, each as a whole.", lambda row: row.logical_bytes)
    yield by_repository("repository_stored_bytes", "What they take.", lambda row: row.stored_bytes)
    yield by_repository("catalog_bytes", "Size of the catalog.", lambda row: row.catalog_bytes)
    yield by_repository("search_lag_items", "Versions that search does not know.", lambda row: row.search_lag)
    yield by_repository("volume_size_bytes", "The volume it lies on.", lambda row: row.disk_total or None)
    yield by_repository(
        "volume_free_bytes", "What is free there.", lambda r: r.disk_total - r.disk_used if r.disk_total else None
    )
    yield by_repository(
        "volume_full_timestamp_seconds", "When it will be full if it goes on.", lambda row: _seconds(row.full_on)
    )


def _gauge(name: str, text: str, labels: Sequence[str], rows: Labelled) -> Metric:
    """A gauge; rows without a value are left out."""
    gauge = GaugeMetricFamily(name, text, labels=labels)
    for values, number in rows:
        if number is not None:
            gauge.add_metric(values, float(number))
    return gauge


def _seconds(moment: datetime | None) -> float | None:
    return None if moment is None else moment.timestamp()
