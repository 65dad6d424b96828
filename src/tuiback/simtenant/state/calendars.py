"""Holds the calendars: everybody's own with its meetings, and for some one that somebody else has shared."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tuiback.simtenant.content.chance import Chance
from tuiback.simtenant.content.company import COMPANY_ENDS, COMPANY_STARTS, Company, Person
from tuiback.simtenant.content.mail import Attachment
from tuiback.simtenant.content.prose import subject
from tuiback.simtenant.state.changes import ChangeLog
from tuiback.simtenant.state.mailbox import FIRST_WRITTEN
from tuiback.simtenant.state.recurrence import DAYS, beginnings

OWN, SHARED = 1, 2
_MEETINGS = 24
# One meeting in so many is held every week: one of its days was moved, and one was cancelled.
_ONE_IN_IS_WEEKLY = 8
_WEEKS, _MOVED, _CANCELLED = 12, 3, 5


@dataclass(slots=True, eq=False)
class Deviation:
    """What is different about one occurrence of a series."""

    start: datetime
    length: timedelta
    title: str
    given: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Event:
    """One event, or with a `recurrence` a series of them, of which some may deviate or be `cancelled`, by number.

    `given` are properties that were written, `files` are attached; it was made in the time zone of this name, and
    its days follow the clock there. It lies in the `calendar` of that number.
    """

    serial: int
    title: str
    start: datetime
    length: timedelta
    organizer: int
    created: datetime
    recurrence: dict[str, Any] | None = None
    version: int = 0
    given: dict[str, Any] = field(default_factory=dict)
    modified: datetime | None = None
    deviations: dict[int, Deviation] = field(default_factory=dict)
    cancelled: set[int] = field(default_factory=set)
    files: dict[int, Attachment] = field(default_factory=dict)
    zone_name: str = "UTC"
    calendar: int = OWN
    # What was worked out, and for which beginning and rule.
    _worked_out: tuple[datetime, dict[str, Any] | None, list[datetime]] | None = None

    def planned(self) -> list[datetime]:
        """When each occurrence begins as the rule has it. Nobody may change it."""
        held = self._worked_out
        if held is None or held[0] != self.start or held[1] is not self.recurrence:
            found = beginnings(self.start, self.recurrence) if self.recurrence is not None else [self.start]
            held = self._worked_out = (self.start, self.recurrence, found)
        return held[2]

    def occurrences(self) -> Iterator[tuple[int, datetime]]:
        """The number and the beginning of each occurrence that takes place."""
        for number, start in enumerate(self.planned()):
            if number not in self.cancelled:
                yield number, self.deviations[number].start if number in self.deviations else start

    def deviation(self, number: int) -> Deviation:
        """How an occurrence is, and from now on by itself."""
        if number not in self.deviations:
            self.deviations[number] = Deviation(self.planned()[number], self.length, self.title)
        return self.deviations[number]


class Calendar:
    """The calendars of one person. What somebody else has shared is listed, but holds nothing that can be read."""

    def __init__(self, owner: Person, sharer: Person | None, events: list[Event]) -> None:
        self.owner = owner.index
        self.owners = {OWN: owner} | ({SHARED: sharer} if sharer is not None else {})
        # The names and colours of one's own calendars, of which the first can't be removed.
        self.names = {OWN: "Calendar"}
        self.colors: dict[int, str] = {}
        self.events = {event.serial: event for event in events}
        # What was deleted, since changes tell of each occurrence.
        self.gone: dict[int, Event] = {}
        self.changes = ChangeLog()
        self._next_serial = FIRST_WRITTEN

    @property
    def is_changed(self) -> bool:
        """Whether anything was written, so that it can't be made anew from the seed."""
        return bool(self.changes.latest) or len(self.names) > 1

    def add(
        self, title: str, start: datetime, length: timedelta, created: datetime, given: dict[str, Any], *,
        organizer: int | None = None, calendar: int = OWN,
    ) -> Event:  # fmt: skip
        """A new event, the owner's unless somebody else invites."""
        host = self.owner if organizer is None else organizer
        event = Event(self.new_serial(), title, start, length, host, created, given=given, calendar=calendar)
        self.events[event.serial] = event
        self.changes.add(calendar, event.serial)
        return event

    def add_calendar(self, name: str) -> int:
        """The number of a new calendar of one's own, with nothing in it."""
        serial = self.new_serial()
        self.names[serial] = name
        self.owners[serial] = self.owners[OWN]
        return serial

    def remove_calendar(self, serial: int) -> None:
        """Remove a calendar with all that lies in it."""
        for event in [each for each in self.events.values() if each.calendar == serial]:
            self.delete(event)
        self.names.pop(serial, None)
        del self.owners[serial]

    def new_serial(self) -> int:
        """A number that nothing here has had."""
        self._next_serial += 1
        return self._next_serial - 1

    def touch(self, event: Event, now: datetime) -> None:
        """Note that an event was changed."""
        event.version += 1
        event.modified = now
        self.changes.add(event.calendar, event.serial)

    def delete(self, event: Event) -> None:
        """Remove an event."""
        self.gone[event.serial] = self.events.pop(event.serial)
        self.changes.add(event.calendar, event.serial)


def drawn_calendar(person: Person, company: Company, chance: Chance, people: int) -> Calendar:
    """The calendar of somebody who is one of the first `people`, all meetings drawn; of others it is empty."""
    if person.index >= people:
        return Calendar(person, None, [])
    # Every second one has been given a colleague's to look at.
    sharer = company.people[person.index - 1] if person.index % 2 else None
    return Calendar(person, sharer, [_drawn(person, chance, number) for number in range(_MEETINGS)])


def _drawn(person: Person, chance: Chance, number: int) -> Event:
    key = ("meeting", person.index, number)
    part = (number + chance.fraction(*key)) / _MEETINGS
    moment = COMPANY_STARTS + (COMPANY_ENDS - COMPANY_STARTS) * part
    start = moment.replace(minute=30 * chance.below(2, *key, "half"), second=0, microsecond=0)
    length = timedelta(minutes=30 * (1 + chance.below(4, *key, "length")))
    title = subject(chance, person.language, *key)
    event = Event(number, title, start, length, person.index, start - timedelta(days=9))
    if number % _ONE_IN_IS_WEEKLY == 0:
        event.recurrence = _weekly(start)
        event.cancelled = {_CANCELLED}
        event.deviation(_MOVED).start += timedelta(hours=2)
    return event


def _weekly(start: datetime) -> dict[str, Any]:
    last = start + timedelta(weeks=_WEEKS - 1)
    dates = {"startDate": start.date().isoformat(), "endDate": last.date().isoformat()}
    pattern = {"type": "weekly", "interval": 1, "daysOfWeek": [DAYS[start.weekday()]], "firstDayOfWeek": "monday"}
    return {"pattern": pattern, "range": {"type": "endDate", "recurrenceTimeZone": "UTC", **dates}}
