"""Holds what people have in Outlook beside their mail, each part as soon as somebody asks for it."""

from tuiback.simtenant.content.chance import Chance
from tuiback.simtenant.content.company import Company, Person
from tuiback.simtenant.state.cabinet import Cabinet
from tuiback.simtenant.state.calendars import Calendar, drawn_calendar
from tuiback.simtenant.state.contacts import drawn_contacts
from tuiback.simtenant.state.preferences import Preferences, drawn_preferences
from tuiback.simtenant.state.shelf import Shelf
from tuiback.simtenant.state.tasks import drawn_tasks


class Outlook:
    """Calendars, contacts, tasks and settings. The first `people` have some from the beginning."""

    def __init__(self, company: Company, chance: Chance, people: int) -> None:
        everybody = company.people
        self._calendars = Shelf(lambda owner: drawn_calendar(everybody[owner], company, chance, people))
        self._contacts = Shelf(lambda owner: drawn_contacts(everybody[owner], company, chance, people))
        self._tasks = Shelf(lambda owner: drawn_tasks(everybody[owner], chance, people))
        self._preferences = Shelf(lambda owner: drawn_preferences(everybody[owner], chance, people))

    def calendar(self, person: Person) -> Calendar:
        """The person's calendars."""
        return self._calendars.take(person.index)

    def contacts(self, person: Person) -> Cabinet:
        """The person's contacts."""
        return self._contacts.take(person.index)

    def tasks(self, person: Person) -> Cabinet:
        """The person's tasks."""
        return self._tasks.take(person.index)

    def preferences(self, person: Person) -> Preferences:
        """How the person has set up the mailbox."""
        return self._preferences.take(person.index)

    @property
    def held_count(self) -> int:
        """How many of them are in memory."""
        return sum(each.held_count for each in (self._calendars, self._contacts, self._tasks, self._preferences))
