"""Draws the meters at the top of the main screen from one status: machine at the left, limits at the right."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tuiback.console import figures
from tuiback.console.services import short_service, throttle_sentence
from tuiback.console.widgets.gauge import bar, gauge
from tuiback.console.widgets.lines import Line, Span, fit_line, line, spread
from tuiback.model import EngineStatus, Gauge, StorageStatus, ThrottleStatus

WIDE = 100
# A service that asks for a minute fills the bar.
FULL_WAIT_SECONDS = 60.0
# An engine paints every second; one that is silent for so long has ended or hangs.
SILENT_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class HeaderFacts:
    """What the header shows beside the status: how this console stands to the engine, and the accounts' states."""

    hosted: bool = False
    demo: bool = False
    paused: bool = False
    silent_seconds: float = 0.0
    refresh_seconds: float = 1.0
    states: Mapping[str, int] | None = None


def meter_lines(status: EngineStatus | None, facts: HeaderFacts, width: int) -> list[Line]:
    """Three lines of meters and a summary; from 100 columns on more cores, the network and the repository."""
    wide = width >= WIDE
    left_width = width // 2 - 1
    right_width = width - left_width - 2
    left = _machine_lines(status, left_width, wide=wide)
    right = _limit_lines(status, right_width, wide=wide)
    lines = [
        (*fit_line(one, left_width), Span("  "), *fit_line(other, right_width))
        for one, other in zip(left, right, strict=True)
    ]
    return [*lines, summary_line(status, facts, width)]


def _machine_lines(status: EngineStatus | None, width: int, *, wide: bool) -> list[Line]:
    machine = status.machine if status else None
    cores = machine.cpu_percent if machine else ()
    average = sum(cores) / len(cores) if cores else 0.0
    used, total = (machine.ram_used, machine.ram_total) if machine else (0, 0)
    ram = gauge("RAM ", used / total if total else 0, width, f"{figures.size(used)}/{figures.size(total)}")
    disk = _disk_gauge(status.storage if status else (), width)
    if not wide:
        return [gauge("CPU ", average / 100, width, f"{average:.1f}%"), ram, disk]
    traffic = ""
    if machine:
        received, sent = figures.megabytes_rate(machine.net_in), figures.megabytes_rate(machine.net_out)
        load = " ".join(f"{one:.2f}" for one in machine.load)
        traffic = f" in {received:>5} MB/s   out {sent:>5} MB/s   load {load}"
    return [*_core_lines(cores, average, width), ram, disk, line(("Net ", "label"), traffic)]



def _core_lines(cores: Sequence[float], average: float, width: int) -> list[Line]:
    """Two lines: a bar a core up to eight cores, the average and the busiest of more."""
    if not cores or len(cores) > 8:
        top = max(cores, default=0.0)
        return [
            gauge("CPU ", average / 100, width, f"{average:.1f}%"),
            gauge("Top ", top / 100, width, f"{top:.1f}%"),
        ]
    if len(cores) == 1:
        return [gauge("CPU ", average / 100, width, f"{average:.1f}%"), line(("Core ", "label"), "1")]
    half = (len(cores) + 1) // 2
    return [_core_row(cores[:half], 0, width), _core_row(cores[half:], half, width)]


def _core_row(cores: Sequence[float], first: int, width: int) -> Line:
    each = width // max(1, len(cores))
    spans: list[Span] = []
    for index, percent in enumerate(cores):
        room = width - each * (len(cores) - 1) if index == len(cores) - 1 else each
        spans += gauge(f"{' ' if index else 'CPU'}{first + index}", percent / 100, room, f"{percent:.1f}%")
    return tuple(spans)


def _disk_gauge(storage: Sequence[StorageStatus], width: int) -> Line:
    """The fullest volume that a repository lies on; a bucket has no end, so it is no volume."""
    volumes = [one for one in storage if one.disk_total]
    fullest = max(volumes, key=lambda one: one.disk_used / one.disk_total, default=None)
    if fullest is None:
        return gauge("Disk", 0, width, "-")
    text = f"{figures.size(fullest.disk_used)}/{figures.size(fullest.disk_total)}"
    if fullest.full_on:
        text += f"  full {figures.local(fullest.full_on):%Y-%m-%d}"
    return gauge("Disk", fullest.disk_used / fullest.disk_total, width, text)


def _limit_lines(status: EngineStatus | None, width: int, *, wide: bool) -> list[Line]:
    accounts, files = (status.accounts, status.files) if status else ((), ())
    throttles = status.throttles if status else ()
    lines = [
        _gauge_row("Accounts " if wide else "Acct ", accounts, width),
        _gauge_row("Files    " if wide else "File ", files, width),
        _throttle_row("Throttle " if wide else "Thr  ", throttles, width),
    ]
    if wide:
        lines += [_requests_line(throttles), _repository_line(status.storage if status else ())]
    return lines


def _gauge_row(title: str, gauges: Sequence[Gauge], width: int) -> Line:
    shown = gauges[:2]
    if not shown:
        return (Span(title, "label"), *bar(0, width - len(title), "-"))
    room = (width - len(title)) // len(shown)
    spans = [Span(title, "label")]
    for index, one in enumerate(shown):
        last = index == len(shown) - 1
        each = width - len(title) - room * (len(shown) - 1) if last else room
        label = f"{short_service(one.service):<3}"
        spans += [*gauge(label, one.used / max(1, one.limit), each - (not last), f"{one.used}/{one.limit}", "low")]
        spans += [] if last else [Span(" ")]
    return tuple(spans)


def _throttle_row(title: str, throttles: Sequence[ThrottleStatus], width: int) -> Line:
    """The two services that matter most: the ones that ask for patience, then mail, then files."""
    order = {"outlook": 0, "sharepoint": 1}
    ranked = sorted(throttles, key=lambda one: (-one.wait_seconds, order.get(one.service, 2)))[:2]
    shown = sorted(ranked, key=lambda one: order.get(one.service, 2))
    if not shown:
        return (Span(title, "label"), *bar(0, width - len(title), "-"))
    room = (width - len(title)) // len(shown)
    spans = [Span(title, "label")]
    for index, one in enumerate(shown):
        last = index == len(shown) - 1
        each = (width - len(title) - room * (len(shown) - 1) if last else room) - (not last)
        spans += [*_throttle_gauge(one, each), *([] if last else [Span(" ")])]
    return tuple(spans)


def _throttle_gauge(throttle: ThrottleStatus, width: int) -> Line:
    label = f"{short_service(throttle.service):<3}"
    if throttle.wait_seconds >= 1:
        sentence = throttle_sentence(throttle)
        text = sentence if len(sentence) <= width - 6 else f"wait {throttle.wait_seconds:.0f}s !"
        return gauge(label, throttle.wait_seconds / FULL_WAIT_SECONDS, width, text, "high")
    share = throttle.in_flight / max(1, throttle.limit)
    return gauge(label, share, width, f"ok {figures.rate(throttle.requests_per_second)}/s".replace("-/s", ""), "low")


def _requests_line(throttles: Sequence[ThrottleStatus]) -> Line:
    requests, refused = sum(one.requests for one in throttles), sum(one.throttled for one in throttles)
    waiting = sum(one.waiting for one in throttles)
    told = f"{figures.number(requests)} sent   {figures.number(refused)} throttled   {waiting} waiting"
    return line(("Requests ", "label"), told)


def _repository_line(storage: Sequence[StorageStatus]) -> Line:
    logical, stored = sum(one.logical_bytes for one in storage), sum(one.stored_bytes for one in storage)
    told = f"{figures.size_text(stored)} for {figures.size_text(logical)}" if stored else "-"
    ratio = f"{logical / stored:.1f}x" if stored else "-"
    return line(("Stored   ", "label"), told, ("   dedup ", "label"), ratio)


def summary_line(status: EngineStatus | None, facts: HeaderFacts, width: int) -> Line:
    """Counts of accounts by state, alerts and tenants: what an administrator looks for first."""
    spans: list[Span] = [Span(" ")]
    states = Counter(facts.states or {})
    if facts.states is not None:
        for state, tone in (("ok", "ok"), ("late", "warn"), ("failed", "err"), ("never", "info"), ("gone", "gone")):
            if states[state] or state in {"ok", "late", "failed"}:
                quiet = not states[state] and state != "ok"
                spans += [Span(f"{states[state]} {state}", "dim" if quiet else tone), Span("  ")]
    alerts = [alert for alert in status.alerts if not alert.acked] if status else []
    if alerts:
        spans.append(Span(f"! {len(alerts)} alert{'s' * (len(alerts) > 1)}", "warn"))
    tenants = sorted({task.tenant for task in status.tasks}) if status else []
    right: list[Span] = [Span("DEMO", "match"), Span("  ")] if facts.demo else []
    right += [Span(" ".join(tenants[:3])), Span(f"  {facts.refresh_seconds:g}s ", "dim")]
    return spread(tuple(spans), tuple(right), width)


def _engine_spans(status: EngineStatus | None, facts: HeaderFacts) -> Line:
    if facts.paused:
        return line(("DISPLAY PAUSED", "match"), " Z goes on ")
    if status is None:
        return line(("engine: connecting ", "dim"))
    if facts.silent_seconds >= SILENT_SECONDS:
        return line((f"engine: no news for {figures.duration(facts.silent_seconds)} ", "err"))
    if facts.hosted:
        return line(("engine: THIS TERMINAL - schedules stop when you leave ", "warn"))
    since = (status.time - status.engine.since).total_seconds()
    return line(("engine: ", "label"), f"{status.engine.host} {figures.duration(since)} ")


def tab_line(current: str, status: EngineStatus | None, facts: HeaderFacts, width: int) -> Line:
    """The screens at the left, who hosts the engine at the right."""
    spans: list[Span] = [Span(" ")]
    for key, name in (("1", "Main"), ("3", "Restore")):
        spans += [Span(f" {key} {name} ", "tab-on" if name == current else "tab"), Span(" ")]
    return spread(tuple(spans), _engine_spans(status, facts), width)
