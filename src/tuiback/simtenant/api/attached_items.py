"""Takes and shows events and contacts that are attached to a message, and links to files in place of the files.

https://learn.microsoft.com/graph/api/resources/itemattachment and .../resources/referenceattachment
"""

from datetime import datetime
from typing import Any

from tuiback.simtenant.api.call import Fault
from tuiback.simtenant.api.contact_json import CONTACT_PROPERTIES
from tuiback.simtenant.content.cards import calendar, vcard
from tuiback.simtenant.content.mail import Attachment
from tuiback.simtenant.state.clock import stamp

CONTACT_TYPE, EVENT_TYPE = "#microsoft.graph.contact", "#microsoft.graph.event"
REFERENCE_TYPE = "#microsoft.graph.referenceAttachment"
_EVENT_PROPERTIES = frozenset({
    "subject", "body", "start", "end", "location", "locations", "attendees", "organizer", "recurrence", "isAllDay",
    "importance", "sensitivity", "showAs", "categories",
})  # fmt: skip
# What beta tells of a link, and v1.0 does not.
LINK_PROPERTIES = ("sourceUrl", "providerType", "thumbnailUrl", "previewUrl", "permission", "isFolder")
_LINK_BYTES = 512


def attached_item(name: str, properties: dict[str, Any], now: datetime) -> Attachment:
    """A contact or an event as an attachment. Raises Fault 400."""
    kind = properties.get("@odata.type")
    if kind == CONTACT_TYPE:
        held = {key: value for key, value in properties.items() if key in CONTACT_PROPERTIES}
        content, content_type = vcard(held), "text/vcard"
        name = name or str(held.get("displayName") or "contact")
    elif kind == EVENT_TYPE:
        held = {key: value for key, value in properties.items() if key in _EVENT_PROPERTIES}
        content, content_type = calendar(held, f"{now:%Y%m%dT%H%M%S}"), "text/calendar"
        name = name or str(held.get("subject") or "event")
    else:
        raise Fault(400, "ErrorInvalidRequest", f"An item of the type '{kind}' can't be attached.")
    moments = {"createdDateTime": stamp(now), "lastModifiedDateTime": stamp(now)}
    thing = {"@odata.type": kind} | moments | held
    return Attachment(name, content_type, len(content), lambda: content, thing=thing)


def attached_link(given: dict[str, Any]) -> Attachment:
    """A link to a file as an attachment; the message holds no byte of the file. Raises Fault 400."""
    if not given.get("name") or not given.get("sourceUrl"):
        raise Fault(400, "ErrorInvalidRequest", "A reference attachment needs a name and a sourceUrl.")
    link = {name: given.get(name) for name in LINK_PROPERTIES}
    usual = {"providerType": "oneDriveBusiness", "permission": "view", "isFolder": False}
    link |= {name: value for name, value in usual.items() if link[name] is None}
    return Attachment(str(given["name"]), "", _LINK_BYTES, lambda: b"", bool(given.get("isInline")), link=link)
