"""Shows a contact as Graph's resource: https://learn.microsoft.com/graph/api/resources/contact."""

import re
from typing import Any

from tuiback.simtenant.api.message_json import change_key
from tuiback.simtenant.state.cabinet import Record
from tuiback.simtenant.state.clock import stamp

_EXTENDED = "singleValueExtendedProperties"
_EXTENDED_ID = re.compile(r"id eq '([^']+)'")
_TEXTS = (
    "birthday", "fileAs", "displayName", "givenName", "initials", "middleName", "nickName", "surname", "title",
    "yomiGivenName", "yomiSurname", "yomiCompanyName", "generation", "jobTitle", "companyName", "department",
    "officeLocation", "profession", "businessHomePage", "assistantName", "manager", "mobilePhone", "spouseName",
    "personalNotes",
)  # fmt: skip
_LISTS = ("categories", "emailAddresses", "imAddresses", "homePhones", "businessPhones", "children")
_PLACES = ("homeAddress", "businessAddress", "otherAddress")
_RANKS = ("primaryEmailAddress", "secondaryEmailAddress", "tertiaryEmailAddress")
# What may be written.
CONTACT_PROPERTIES = frozenset({*_TEXTS, *_LISTS, *_PLACES, _EXTENDED})


def contact_json(owner: int, record: Record, expand: str = "") -> dict[str, Any]:
    """A contact of `owner` without its own and its folder's id; of extended properties what `expand` asks for."""
    key = change_key(owner, record.serial, record.version)
    held = record.properties
    document: dict[str, Any] = {
        "@odata.etag": f'W/"{key}"',
        "id": "",
        "createdDateTime": stamp(record.created),
        "lastModifiedDateTime": stamp(record.modified),
        "changeKey": key,
        "parentFolderId": "",
    }
    document |= {name: held.get(name) for name in _TEXTS}
    document |= {name: held.get(name) or [] for name in _LISTS}
    document |= {name: held.get(name) or {} for name in _PLACES}
    if not held.get("displayName"):
        document["displayName"] = " ".join(held[each] for each in ("givenName", "surname") if held.get(each)) or None
    addresses = document["emailAddresses"]
    document |= {name: addresses[place] if place < len(addresses) else None for place, name in enumerate(_RANKS)}
    wanted = {each.lower() for each in _EXTENDED_ID.findall(expand)} if _EXTENDED in expand else set()
    found = [each for each in held.get(_EXTENDED) or [] if str(each.get("id")).lower() in wanted]
    return document | ({_EXTENDED: found} if found else {})
