"""Draws the meters at the top of the main screen from one status: machine at the left, limits at the right."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tuiback import __version__
from tuiback.console import figures
from tuiback.console.services import short_service, throttle_sentence
from tuiback.console.widgets.gauge import bar, gauge
from tuiback.console.widgets.lines import Line, Span, fit_line, line, line_width, spread
from tuiback.model import AlertStatus, EngineStatus, Gauge, StorageStatus, ThrottleStatus

WIDE = 100
# Below, words give way to the names of the screens.
ROOMY = 80
# A service that asks for a minute fills the bar.
FULL_WAIT_SECONDS = 60.0
# An engine paints every second; one that is silent for so long has ended or hangs.
SILENT_SECONDS = 10.0

# The screens by their keys, and which of them are named first where not all fit.
TABS = (
    ("1", "Main"), ("2", "Accounts"), ("3", "Restore"), ("4", "Activity"), ("5", "Storage"), ("6", "Coverage"),
    ("7", "Jobs"), ("8", "Tenants"), ("A", "Alerts"),
)
TAB_RANK = "A1235748·6"


@dataclass(frozen=True, slots=True)
class HeaderFacts:
    """What the header shows beside the status: how this console stands to the engine, and the accounts' states."""

    hosted: bool = False
    demo: bool = False
    paused: bool = False
    silent_seconds: float = 0.0
    refresh_seconds: float = 1.0
    # What the engine lets the person here do; nothing is said of whoever may do everything.
    role: str = "admin"
    states: Mapping[str, int] | None = None
    # Who is covered by no task, as far as somebody has asked.
    unprotected: int = 0


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
    """The two services that matter most: the ones that ask for patience, then mail, then files.

    Of several tenants each service shows the one that it lets wait longest.
    """
    order = {"outlook": 0, "sharepoint": 1}
    hardest = {one.service: one for one in sorted(throttles, key=lambda one: (one.wait_seconds, one.in_flight))}
    ranked = sorted(hardest.values(), key=lambda one: (-one.wait_seconds, order.get(one.service, 2)))[:2]
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
    if facts.unprotected:
        spans += [Span(f"{facts.unprotected} unprotected", "warn"), Span("  ")]
    alerts = waiting_alerts(status)
    if alerts:
        spans.append(Span(f"! {len(alerts)} alert{'s' * (len(alerts) > 1)} (A)", "warn"))
    tenants = sorted({task.tenant for task in status.tasks}) if status else []
    right: list[Span] = [Span("DEMO", "match"), Span("  ")] if facts.demo else []
    right += [Span(" ".join(tenants[:3])), Span(f"  {facts.refresh_seconds:g}s ", "dim")]
    return spread(tuple(spans), tuple(right), width)


def _engine_spans(status: EngineStatus | None, facts: HeaderFacts, width: int) -> Line:
    if facts.paused:
        return line(("DISPLAY PAUSED", "match"), " Z goes on ")
    if status is None:
        return line(("engine: connecting ", "dim"))
    if facts.silent_seconds >= SILENT_SECONDS:
        return line((f"engine: no news for {figures.duration(facts.silent_seconds)} ", "err"))
    if facts.hosted:
        told = " - schedules stop when you leave" if width >= ROOMY else ""
        return line((f"engine: THIS TERMINAL{told}", "warn"))
    since = (status.time - status.engine.since).total_seconds()
    other = f"{status.engine.version}, not {__version__} " if status.engine.version != __version__ else ""
    you = f"you: {facts.role} " if facts.role != "admin" else ""
    # Seconds would send this line anew with every picture.
    up = figures.duration(since) if since >= figures.HOUR else f"{max(0, since) // figures.MINUTE:.0f}m"
    host = f"{status.engine.host} {up} "
    return line(("engine: ", "label"), host, (other, "warn"), (you, "match"))


def tab_line(current: str, status: EngineStatus | None, facts: HeaderFacts, width: int) -> Line:
    """The screens at the left, who hosts the engine at the right.

    Where not all names fit the ones that matter most stand, and of the others only the key.
    """
    engine = _engine_spans(status, facts, width)
    alerts = waiting_alerts(status)
    names = dict(TABS)
    here = next((key for key, name in TABS if name == current), "·")
    names[here] = current
    if alerts:
        names["A"] = f"Alerts {len(alerts)}!"
    ranked = sorted(names, key=lambda key: (key != here, TAB_RANK.find(key)))
    spare = width - line_width(engine) - 2 * len(names) - 1
    while spare <= len(names[here]) and len(names) > 1:
        # Where one is must be told, at the cost of a key or two.
        del names[ranked.pop()]
        spare += 2
    shown: set[str] = set()
    for key in ranked:
        if spare > len(names[key]):
            shown.add(key)
            spare -= len(names[key]) + 1
    spans: list[Span] = []
    for key, name in names.items():
        text = f"{key} {name}" if key in shown else key
        tone = "tab-on" if key == here else "warn" if key == "A" and alerts else "tab"
        spans += [Span(" "), Span(text, tone)]
    return spread(tuple(spans), engine, width)


def late_tasks(status: EngineStatus) -> set[str]:
    """The tasks that had no ok run within their objective, as the engine's alerts say."""
    return {alert.alert.removeprefix("late:") for alert in status.alerts if alert.alert.startswith("late:")}


def waiting_alerts(status: EngineStatus | None) -> list[AlertStatus]:
    """The alerts that nobody has acknowledged."""
    return [alert for alert in status.alerts if not alert.acked] if status else []
