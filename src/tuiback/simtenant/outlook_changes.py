"""Lets people keep contacts, do tasks, meet, and send each other cards and links, as the seed has it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from tuiback.simtenant.api.attached_items import CONTACT_TYPE, attached_item, attached_link
from tuiback.simtenant.api.delivery import arrive
from tuiback.simtenant.content.company import Person
from tuiback.simtenant.content.mail import Attachment
from tuiback.simtenant.content.prose import subject
from tuiback.simtenant.content.words import OUTSIDE
from tuiback.simtenant.content.written import WrittenMail
from tuiback.simtenant.day import Day
from tuiback.simtenant.state.cabinet import Cabinet, Record
from tuiback.simtenant.state.mailbox import SENT, Message
from tuiback.simtenant.state.tasks import CHECKLIST, FLAGGED, TASKS, zoned

# Meetings are made for one of the next so many days.
_DAYS_AHEAD = 60


def _add_contact(day: Day) -> bool:
    person = day.person()
    cabinet = day.cloud.tenant.outlook.contacts(person)
    given = day.luck.choice(person.language.given)[0]
    family = day.luck.choice(person.language.family)[0]
    company, address = day.luck.choice(OUTSIDE)
    local = day.luck.randbytes(3).hex()
    properties: dict[str, Any] = {
        "givenName": given, "surname": family, "displayName": f"{given} {family}", "companyName": company,
        "emailAddresses": [{"name": f"{given} {family}", "address": f"{local}@{address.partition('@')[2]}"}],
    }  # fmt: skip
    cabinet.add(day.luck.choice(list(cabinet.drawers)), day.now, properties)
    return True


def _edit_contact(day: Day) -> bool:
    cabinet = day.cloud.tenant.outlook.contacts(day.person())
    record = _some(day, cabinet)
    if record is None:
        return False
    record.properties["mobilePhone"] = f"+1 425 555 {day.luck.randrange(10_000):04}"
    cabinet.touch(record, day.now)
    return True


def _delete_contact(day: Day) -> bool:
    cabinet = day.cloud.tenant.outlook.contacts(day.person())
    record = _some(day, cabinet)
    if record is not None:
        cabinet.delete(record)
    return record is not None


def _some(day: Day, cabinet: Cabinet, *, but: int = 0) -> Record | None:
    """A record, but none of one drawer."""
    found = [each for each in cabinet.records.values() if each.drawer != but]
    return day.luck.choice(found) if found else None


def _add_task(day: Day) -> bool:
    person = day.person()
    properties = {
        "title": subject(day.cloud.tenant.chance, person.language, "mutation", day.luck.random().hex()),
        "dueDateTime": zoned(day.now + timedelta(days=day.luck.randrange(1, _DAYS_AHEAD))),
    }
    record = day.cloud.tenant.outlook.tasks(person).add(TASKS, day.now, properties)
    if day.luck.random() < 0.5:
        step = {"displayName": "1", "createdDateTime": day.now, "checkedDateTime": None}
        record.parts[CHECKLIST] = {str(day.cloud.tenant.chance.guid("step", day.luck.random().hex())): step}
    return True


def _finish_task(day: Day) -> bool:
    cabinet = day.cloud.tenant.outlook.tasks(day.person())
    record = _some(day, cabinet, but=FLAGGED)
    if record is None or record.properties.get("status") == "completed":
        return False
    record.properties |= {"status": "completed", "completedDateTime": zoned(day.now)}
    for part in record.parts.get(CHECKLIST, {}).values():
        part["checkedDateTime"] = part["checkedDateTime"] or day.now
    cabinet.touch(record, day.now)
    return True


def _delete_task(day: Day) -> bool:
    cabinet = day.cloud.tenant.outlook.tasks(day.person())
    record = _some(day, cabinet, but=FLAGGED)
    if record is not None:
        cabinet.delete(record)
    return record is not None


def _meet(day: Day) -> bool:
    """A meeting in the calendar of whoever invites, and in that of whoever comes."""
    host, guest = day.person(), day.person()
    if host is guest:
        return False
    tenant = day.cloud.tenant
    title = subject(tenant.chance, host.language, "mutation", day.luck.random().hex())
    start = day.now.replace(minute=0, second=0) + timedelta(days=day.luck.randrange(1, _DAYS_AHEAD))
    length = timedelta(minutes=day.luck.choice((30, 60, 90)))
    attendee = {"type": "required", "status": {"response": "accepted", "time": "0001-01-01T00:00:00Z"}, **_named(guest)}
    for each in (host, guest):
        given = {"attendees": [attendee]}
        tenant.outlook.calendar(each).add(title, start, length, day.now, given, organizer=host.index)
    return True


def _move_meeting(day: Day) -> bool:
    calendar = day.cloud.tenant.outlook.calendar(day.person())
    singles = [event for event in calendar.events.values() if event.recurrence is None]
    if not singles:
        return False
    event = day.luck.choice(singles)
    event.start += timedelta(hours=day.luck.choice((-1, 1, 24)))
    calendar.touch(event, day.now)
    return True


def _cancel_meeting(day: Day) -> bool:
    calendar = day.cloud.tenant.outlook.calendar(day.person())
    if calendar.events:
        calendar.delete(day.luck.choice(list(calendar.events.values())))
        return True
    return False


def _send_card(day: Day) -> bool:
    """Somebody's contact, attached to a letter."""
    author = day.person()
    record = _some(day, day.cloud.tenant.outlook.contacts(author))
    if record is None:
        return False
    card = attached_item("", {"@odata.type": CONTACT_TYPE, **record.properties}, day.now)
    return _send_with(day, author, card)


def _send_link(day: Day) -> bool:
    """A link to a file, in place of the file."""
    author = day.person()
    node = day.file(author)
    if node is None:
        return False
    path = "/".join(day.cloud.tenant.drive(author).path(node))
    url = f"{author.host}{author.site_path}/Documents/{path}"
    return _send_with(day, author, attached_link({"name": node.name, "sourceUrl": url}))


def _send_with(day: Day, author: Person, attachment: Attachment) -> bool:
    reader, now = day.person(), day.now
    mark = day.luck.randbytes(12).hex()
    properties: dict[str, Any] = {
        "subject": attachment.name, "from": _named(author), "toRecipients": [_named(reader)],
        "internetMessageId": f"<{mark}@northwind.example>",
        "body": {"contentType": "text", "content": attachment.name},
    }  # fmt: skip
    mail = WrittenMail(properties, now, now, [attachment])
    day.cloud.tenant.mailbox(author).add(
        lambda serial: Message(serial, SENT, mail, now, now, is_draft=False, is_read=True)
    )
    arrive(day.cloud, reader, mail, now)
    return True


def _named(person: Person) -> dict[str, dict[str, str]]:
    return {"emailAddress": {"name": person.name, "address": person.address}}


OUTLOOK_KINDS: tuple[tuple[str, Callable[[Day], bool]], ...] = (
    ("add_contact", _add_contact), ("edit_contact", _edit_contact), ("delete_contact", _delete_contact),
    ("add_task", _add_task), ("finish_task", _finish_task), ("delete_task", _delete_task),
    ("meet", _meet), ("move_meeting", _move_meeting), ("cancel_meeting", _cancel_meeting),
    ("send_card", _send_card), ("send_link", _send_link),
)  # fmt: skip
