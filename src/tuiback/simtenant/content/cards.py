"""Writes contacts as vCards and events as iCalendar, which is what a client gets for the bytes of an attached one.

https://learn.microsoft.com/graph/api/attachment-get (get the raw contents of an attachment)
"""

from typing import Any

_CALENDAR_STAMP = 15


def vcard(contact: dict[str, Any]) -> bytes:
    """A contact's properties as a vCard 3.0 (RFC 2426)."""
    name = contact.get("displayName") or " ".join(contact.get(each) or "" for each in ("givenName", "surname")).strip()
    lines = [
        "BEGIN:VCARD", "VERSION:3.0", f"FN:{_escaped(name)}",
        f"N:{_escaped(contact.get('surname'))};{_escaped(contact.get('givenName'))};;;",
    ]  # fmt: skip
    for key, label in (("companyName", "ORG"), ("jobTitle", "TITLE"), ("personalNotes", "NOTE")):
        lines += [f"{label}:{_escaped(contact[key])}"] if contact.get(key) else []
    lines += [f"EMAIL;TYPE=INTERNET:{_escaped(each.get('address'))}" for each in contact.get("emailAddresses") or []]
    lines += [f"TEL;TYPE=WORK:{_escaped(each)}" for each in contact.get("businessPhones") or []]
    lines += [f"TEL;TYPE=CELL:{_escaped(contact['mobilePhone'])}"] if contact.get("mobilePhone") else []
    return _written([*lines, "END:VCARD"])


def calendar(event: dict[str, Any], made: str) -> bytes:
    """An event's properties as an iCalendar object (RFC 5545); `made` is when, as 20261101T090000."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Northwind//Simulated//EN", "BEGIN:VEVENT", f"DTSTAMP:{made}Z"]
    for key, label in (("start", "DTSTART"), ("end", "DTEND")):
        moment = (event.get(key) or {}).get("dateTime", "")
        compact = moment.replace("-", "").replace(":", "")[:_CALENDAR_STAMP]
        lines += [f"{label}:{compact}Z"] if compact else []
    lines.append(f"SUMMARY:{_escaped(event.get('subject'))}")
    place = (event.get("location") or {}).get("displayName")
    lines += [f"LOCATION:{_escaped(place)}"] if place else []
    content = (event.get("body") or {}).get("content")
    lines += [f"DESCRIPTION:{_escaped(content)}"] if content else []
    return _written([*lines, "END:VEVENT", "END:VCALENDAR"])


def _escaped(value: object) -> str:
    text = str(value or "").replace("\\", "\\\\").replace(",", "\\,").replace(";", "\\;")
    return text.replace("\r\n", "\\n").replace("\n", "\\n")


def _written(lines: list[str]) -> bytes:
    return ("\r\n".join(lines) + "\r\n").encode("utf-8", "replace")
