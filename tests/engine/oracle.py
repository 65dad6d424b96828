"""A second opinion on which recovery points must exist: cron, windows, scopes and retention told anew.

It imports nothing of tuiback. Times are aware; a state is whatever equals itself as long as an account is unchanged.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Timing:
    """When a task runs by itself: at `minute` of `hour` (each hour without one), or at its own pace within bounds.

    `open_hours` maps the weekday (Monday 0) to the local hours in which it may run; no entry closes a day.
    """

    zone: str = "UTC"
    minute: int | None = None
    hour: int | None = None
    pause_minutes: tuple[float, float] | None = None
    open_hours: Mapping[int, frozenset[int]] | None = None

    def is_open(self, moment: datetime) -> bool:
        """Whether it may run then."""
        local = moment.astimezone(ZoneInfo(self.zone))
        return self.open_hours is None or local.hour in self.open_hours.get(local.weekday(), frozenset())

    def due(self, after: datetime, until: datetime) -> datetime | None:
        """The first minute in (after, until] at which it must start; None when there is none."""
        ticked = False
        moment = after.replace(second=0, microsecond=0) + MINUTE
        while moment <= until:
            ticked = ticked or self._ticks(moment)
            if ticked and self.is_open(moment):
                return moment
            moment += MINUTE
        return None

    def _ticks(self, moment: datetime) -> bool:
        if self.minute is None:
            return False
        local = moment.astimezone(ZoneInfo(self.zone))
        return local.minute == self.minute and self.hour in (None, local.hour)


@dataclass
class ExpectedPoint:
    """A recovery point: when it was taken, until when nothing changed, and what it shows."""

    taken_at: datetime
    verified_until: datetime
    state: Any
    content: Mapping[str, str]


@dataclass
class Oracle:
    """Told of every run and every prune, it says what must be there."""

    points: dict[str, list[ExpectedPoint]] = field(default_factory=dict)
    held: set[str] = field(default_factory=set)

    def ran(self, account: str, moment: datetime, state: Any, content: Mapping[str, str]) -> None:
        """A run saw the account in this state: a changed one is a new point, else the newest one still holds."""
        known = self.points.setdefault(account, [])
        if known and known[-1].state == state:
            known[-1].verified_until = moment
        else:
            known.append(ExpectedPoint(moment, moment, state, content))

    def pruned(self, rules: Mapping[str, str], now: datetime) -> None:
        """Retention was applied to the accounts, each with its rule."""
        for account, rule in rules.items():
            known = self.points.get(account, [])
            if known and account not in self.held:
                stay = {id(known[-1])} | {id(point) for point in _kept(rule, known, now)}
                self.points[account] = [point for point in known if id(point) in stay]


def _kept(rule: str, known: list[ExpectedPoint], now: datetime) -> Iterable[ExpectedPoint]:
    """The points that the rule names; "3d" is everything of three days, with a comma it counts calendar periods."""
    if rule == "all":
        return known
    by_time = sorted(known, key=lambda point: point.taken_at)
    if "," not in rule:
        begin = now - int(rule[:-1]) * DAY
        return [*[p for p in by_time if p.taken_at >= begin], *[p for p in by_time if p.taken_at < begin][-1:]]
    kept = []
    for piece in rule.split(","):
        for end in _ends(int(piece[:-1]), piece[-1], now):
            kept += [p for p in by_time if p.taken_at < end][-1:]
    return kept


def _ends(count: int, unit: str, now: datetime) -> Iterable[datetime]:
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    length = {"d": DAY, "w": 7 * DAY}[unit]
    begin = midnight if unit == "d" else midnight - midnight.weekday() * DAY
    return [begin + length - number * length for number in range(count)]
