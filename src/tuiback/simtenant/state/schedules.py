"""Holds the schedules of teams: who works when, in which group, and who is away for which reason."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tuiback.simtenant.content.chance import Chance
from tuiback.simtenant.content.company import COMPANY_ENDS, COMPANY_STARTS
from tuiback.simtenant.state.clock import stamp
from tuiback.simtenant.state.teams import Team

KINDS = ("schedulingGroups", "shifts", "timeOffReasons", "timesOff")
_SHIFTS = 6
_PREFIXES = {"schedulingGroups": "TAG", "shifts": "SHFT", "timeOffReasons": "TOR", "timesOff": "TOFF"}
_HOURS = timedelta(hours=8)


@dataclass(slots=True)
class Record:
    """One entry as it was written, and when that was."""

    given: dict[str, Any]
    created: datetime
    changed: datetime


@dataclass(slots=True, eq=False)
class Schedule:
    """The schedule of a team: its settings, and its entries by kind and id."""

    mark: str
    settings: dict[str, Any]
    records: dict[str, dict[str, Record]] = field(default_factory=lambda: {kind: {} for kind in KINDS})
    made: int = 0

    def add(self, kind: str, given: dict[str, Any], now: datetime) -> str:
        """The id of a new entry."""
        self.made += 1
        entry_id = f"{_PREFIXES[kind]}_{self.mark[:-4]}{self.made:04x}"
        self.records[kind][entry_id] = Record(given, now, now)
        return entry_id


class Schedules:
    """Those of all teams; every second team has one from the beginning."""

    def __init__(self, chance: Chance) -> None:
        self._chance = chance
        self._of: dict[int, Schedule] = {}

    def find(self, team: Team, people: list[str]) -> Schedule | None:
        """The schedule of a team whose people have these object ids."""
        serial = team.group.serial
        if serial not in self._of and serial % 2 == 0:
            self._of[serial] = self._drawn(serial, people)
        return self._of.get(serial)

    def make(self, team: Team, settings: dict[str, Any]) -> Schedule:
        """A schedule with nothing in it."""
        serial = team.group.serial
        return self._of.setdefault(serial, Schedule(self._mark(serial), settings))

    def _mark(self, serial: int) -> str:
        return str(self._chance.guid("schedule", serial))

    def _drawn(self, serial: int, people: list[str]) -> Schedule:
        made = Schedule(self._mark(serial), {"enabled": True, "timeZone": "Europe/Berlin"})
        desk = {"displayName": "Desk", "userIds": people, "isActive": True}
        group = made.add("schedulingGroups", desk, COMPANY_STARTS)
        reason = {"displayName": "Vacation", "iconType": "plane", "isActive": True}
        reason_id = made.add("timeOffReasons", reason, COMPANY_STARTS)
        for number, person in enumerate(people[:_SHIFTS]):
            start = COMPANY_ENDS - timedelta(days=7 * (number + 1))
            span: dict[str, Any] = {"startDateTime": stamp(start), "endDateTime": stamp(start + _HOURS)}
            shown = span | {"displayName": f"Shift {number + 1}", "notes": None, "theme": "blue", "activities": []}
            given = {"userId": person, "schedulingGroupId": group, "sharedShift": shown, "draftShift": None}
            made.add("shifts", given, COMPANY_STARTS)
            away = span | {"timeOffReasonId": reason_id, "theme": "gray"}
            made.add("timesOff", {"userId": person, "sharedTimeOff": away, "draftTimeOff": None}, COMPANY_STARTS)
        return made
