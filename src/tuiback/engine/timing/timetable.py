"""Says when a task is due next: by its cron expression, its allowed hours, or its own pace."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from cronsim import CronSim, CronSimError

from tuiback.engine.timing.hours import Hours, parse_hours
from tuiback.errors import UsageError

# A cron expression whose next day lies further away than any other is taken for one that never comes.
_FAR = timedelta(days=366 * 8)


class Timetable(msgspec.Struct, frozen=True):
    """When a scheduled task runs: cron's ticks in `zone`, each put off to the next allowed hour."""

    cron: str
    hours: Hours

    @property
    def zone(self) -> ZoneInfo:
        """The zone whose wall clock counts."""
        return self.hours.zone

    def next_tick(self, after: datetime) -> datetime | None:
        """Cron's first tick after that moment, in UTC; None when there is none."""
        try:
            tick = next(CronSim(self.cron, after.astimezone(self.zone)))
        except StopIteration:
            return None
        return tick.astimezone(UTC) if tick - after < _FAR else None

    def due_at(self, last_tick_done: datetime) -> datetime | None:
        """When it must run next, if everything up to `last_tick_done` is done.

        In the past when ticks were missed: they are made good by one run.
        """
        tick = self.next_tick(last_tick_done)
        return None if tick is None else self.hours.next_open(tick)

    def last_tick(self, now: datetime) -> datetime | None:
        """Cron's newest tick up to `now`: what a run that begins now makes good."""
        try:
            before = next(CronSim(self.cron, (now + timedelta(seconds=1)).astimezone(self.zone), reverse=True))
        except StopIteration:
            return None
        return before.astimezone(UTC)


def parse_zone(name: str) -> ZoneInfo:
    """A time zone by its name; "" is UTC. Raises UsageError."""
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise UsageError("there is no such time zone", name, "write it like Europe/Berlin") from error


def parse_timetable(cron: str, zone: str, window: str) -> Timetable:
    """Raises UsageError for an expression that cron would refuse, or one that never comes."""
    parsed_zone = parse_zone(zone)
    if len(cron.split()) != 5:
        raise UsageError("a cron expression has five fields", cron, "write it like '0 22 * * *'")
    try:
        CronSim(cron, datetime(2026, 1, 1, tzinfo=parsed_zone))
    except CronSimError as error:
        raise UsageError(f"cron does not understand it: {error}", cron, "write it like '0 22 * * *'") from error
    timetable = Timetable(cron, parse_hours(window, parsed_zone))
    if timetable.next_tick(datetime(2026, 1, 1, tzinfo=UTC)) is None:
        raise UsageError("it names a day that never comes", cron)
    return timetable
