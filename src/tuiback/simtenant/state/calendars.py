"""Holds the calendars: everybody's own with its meetings, and for some one that somebody else has shared."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tuiback.simtenant.content.chance import Chance
from tuiback.simtenant.content.company import COMPANY_ENDS, COMPANY_STARTS, Company, Person
from tuiback.simtenant.content.prose import subject
from tuiback.simtenant.state.changes import ChangeLog
from tuiback.simtenant.state.mailbox import FIRST_WRITTEN

OWN, SHARED = 1, 2
_MEETINGS = 24
_WEEK = timedelta(days=7)
# One meeting in so many is held every week: one of its days was moved, and one was cancelled.
_ONE_IN_IS_WEEKLY = 8
_WEEKS, _MOVED, _CANCELLED = 12, 3, 5


@dataclass(slots=True, eq=False)
class Event:
    """One event, or a series of `weeks` weekly ones; `given` are properties that were written."""

    serial: int
    title: str
    start: datetime
    length: timedelta
    organizer: int
    created: datetime
    weeks: int = 0
    version: int = 0
    given: dict[str, Any] = field(default_factory=dict)

    @property
    def end(self) -> datetime:
        """When it, or its last occurrence, ends."""
        return self.start + _WEEK * max(self.weeks - 1, 0) + self.length

    def occurrences(self) -> Iterator[tuple[int, datetime]]:
        """The number and the beginning of each occurrence that takes place."""
        for number in range(max(self.weeks, 1)):
            if not self.weeks or number != _CANCELLED:
                yield number, self.start_of(number)

    def start_of(self, number: int) -> datetime:
        """When an occurrence begins; one was moved by two hours."""
        moved = timedelta(hours=2) if self.is_exception(number) else timedelta()
        return self.start + _WEEK * number + moved

    def is_exception(self, number: int) -> bool:
        """Whether an occurrence was changed by itself."""
        return bool(self.weeks) and number == _MOVED

    @property
    def moved(self) -> int | None:
        """The number of the occurrence that was changed by itself."""
        return _MOVED if self.weeks else None

    @property
    def cancelled(self) -> datetime | None:
        """The day that was cancelled."""
        return self.start + _WEEK * _CANCELLED if self.weeks else None


class Calendar:
    """The calendars of one person. What somebody else has shared is listed, but holds nothing that can be read."""

    def __init__(self, owner: Person, sharer: Person | None, events: list[Event]) -> None:
        self.owner = owner.index
        self.owners = {OWN: owner} | ({SHARED: sharer} if sharer is not None else {})
        self.events = {event.serial: event for event in events}
        self.changes = ChangeLog()
        self._next_serial = FIRST_WRITTEN

    @property
    def is_changed(self) -> bool:
        """Whether anything was written, so that it can't be made anew from the seed."""
        return bool(self.changes.latest)

    def add(self, title: str, start: datetime, length: timedelta, created: datetime, given: dict[str, Any]) -> Event:
        """A new event of the owner's."""
        event = Event(self._next_serial, title, start, length, self.owner, created, given=given)
        self._next_serial += 1
        self.events[event.serial] = event
        self.changes.add(OWN, event.serial)
        return event

    def touch(self, event: Event) -> None:
        """Note that an event was changed."""
        event.version += 1
        self.changes.add(OWN, event.serial)

    def delete(self, event: Event) -> None:
        """Remove an event."""
        del self.events[event.serial]
        self.changes.add(OWN, event.serial)


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
    weeks = _WEEKS if number % _ONE_IN_IS_WEEKLY == 0 else 0
    title = subject(chance, person.language, *key)
    return Event(number, title, start, length, person.index, start - timedelta(days=9), weeks)
