"""Draws somebody's lists of tasks: the two that everybody has, one of the person's own and one of a colleague's."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tuiback.simtenant.content.chance import Chance
from tuiback.simtenant.content.company import COMPANY_ENDS, COMPANY_STARTS, Person
from tuiback.simtenant.content.documents import CONTENT_TYPES, Document
from tuiback.simtenant.content.mail import Attachment
from tuiback.simtenant.content.prose import paragraph, subject
from tuiback.simtenant.content.words import PROJECTS
from tuiback.simtenant.state.cabinet import Cabinet, Drawer, Record

TASKS, FLAGGED, _OWN, _SHARED = 1, 2, 3, 4
# What a list is: https://learn.microsoft.com/graph/api/resources/todotasklist (wellknownListName), or a colleague's.
DEFAULT_LIST, FLAGGED_LIST, NO_KNOWN_LIST, SHARED_LIST = "defaultList", "flaggedEmails", "none", "shared"
CHECKLIST, LINKS = "checklistItems", "linkedResources"
_COUNT = 20
_STATES = ("notStarted", "notStarted", "inProgress", "completed", "completed", "waitingOnOthers", "deferred")
_ONE_IN_HAS_STEPS, _ONE_IN_HAS_LINK, _ONE_IN_HAS_FILE, _ONE_IN_RECURS = 3, 6, 7, 10
_FIRST_FILE = 1


def drawn_tasks(person: Person, chance: Chance, people: int) -> Cabinet:
    """The tasks of somebody who is one of the first `people`, all drawn; of others the lists are empty."""
    lists = [Drawer(TASKS, None, "Tasks", DEFAULT_LIST), Drawer(FLAGGED, None, "Flagged Emails", FLAGGED_LIST)]
    if person.index >= people:
        return Cabinet(person.index, lists, [])
    lists.append(Drawer(_OWN, None, chance.pick(PROJECTS, "task list", person.index), NO_KNOWN_LIST))
    # Every second one works on a colleague's list, too.
    if person.index % 2:
        lists.append(Drawer(_SHARED, None, chance.pick(PROJECTS, "task list", person.index - 1), SHARED_LIST))
    drawers = [each.serial for each in lists]
    made = (_drawn(person, chance, number, drawers[number % len(drawers)]) for number in range(_COUNT))
    return Cabinet(person.index, lists, made)


def _drawn(person: Person, chance: Chance, number: int, drawer: int) -> Record:
    key = ("task", person.index, number)
    created = COMPANY_STARTS + (COMPANY_ENDS - COMPANY_STARTS) * chance.fraction(*key)
    created = created.replace(microsecond=0)
    due = created + timedelta(days=1 + chance.below(30, *key, "due"))
    properties: dict[str, Any] = {
        "title": subject(chance, person.language, *key),
        "status": chance.pick(_STATES, *key, "status"),
        "importance": ("normal", "normal", "high", "low")[chance.below(4, *key, "importance")],
    }
    if number % 2:
        properties["body"] = {"contentType": "text", "content": paragraph(chance, person.language, 200, *key)}
        properties["dueDateTime"] = zoned(due)
    if properties["status"] == "completed":
        properties["completedDateTime"] = zoned(due)
    if chance.below(_ONE_IN_RECURS, *key, "recurs") == 0:
        properties["dueDateTime"] = zoned(due)
        properties["recurrence"] = _weekly(due)
    record = Record(number, drawer, created, created, properties)
    _furnish(record, chance, person, key)
    return record


def _furnish(record: Record, chance: Chance, person: Person, key: tuple[str, int, int]) -> None:
    """Give some tasks steps, a link and a file. Flagged letters link to what was flagged."""
    if chance.below(_ONE_IN_HAS_STEPS, *key, "steps") == 0:
        record.parts[CHECKLIST] = {
            str(chance.guid(*key, "step", place)): {
                "displayName": subject(chance, person.language, *key, "step", place),
                "createdDateTime": record.created, "checkedDateTime": record.created if place else None,
            }
            for place in range(1 + chance.below(4, *key, "count"))
        }  # fmt: skip
    if record.drawer == FLAGGED or chance.below(_ONE_IN_HAS_LINK, *key, "link") == 0:
        external = chance.digest(12, *key, "external").hex()
        record.parts[LINKS] = {
            str(chance.guid(*key, "link")): {
                "displayName": record.properties["title"], "applicationName": "Outlook", "externalId": external,
                "webUrl": f"https://outlook.office365.com/owa/?ItemID={external}&exvsurl=1&viewmodel=ReadMessageItem",
            }
        }  # fmt: skip
    if record.drawer != FLAGGED and chance.below(_ONE_IN_HAS_FILE, *key, "file") == 0:
        document = Document(f"task {person.index} {record.serial}", 0, "pdf", 3_000 + chance.below(60_000, *key))
        name = f"{chance.pick(person.language.files, *key)}.pdf"
        record.files[_FIRST_FILE] = Attachment(
            name, CONTENT_TYPES["pdf"], document.size, lambda: document.read(chance)
        )


def zoned(moment: datetime) -> dict[str, str]:
    """A moment as a dateTimeTimeZone."""
    return {"dateTime": moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.0000000"), "timeZone": "UTC"}


def _weekly(start: datetime) -> dict[str, Any]:
    pattern = {"type": "weekly", "interval": 1, "daysOfWeek": [start.strftime("%A").lower()],
               "firstDayOfWeek": "sunday", "month": 0, "dayOfMonth": 0, "index": "first"}  # fmt: skip
    span = {"type": "noEnd", "startDate": start.date().isoformat(), "endDate": "0001-01-01",
            "recurrenceTimeZone": "UTC", "numberOfOccurrences": 0}  # fmt: skip
    return {"pattern": pattern, "range": span}
