"""Carries out SharePoint's ValidateUpdateListItem: who made a row and when, and who changed it last.

As others have found it: https://github.com/vgrem/Office365-REST-Python-Client/issues/330
"""

from datetime import UTC, datetime
from typing import Any

import msgspec

from tuiback.simtenant.api.cloud import Cloud
from tuiback.simtenant.state.lists import Item, SiteList

_PEOPLE = {"Author": "author", "Editor": "editor"}
_DATES = {"Created": "created", "Modified": "modified"}
# SharePoint takes dates as its language writes them.
_WRITTEN = "%m/%d/%Y %I:%M %p"


class WrongUpdate(Exception):
    """The update names something that can't be written so."""


def validated_update(cloud: Cloud, held: SiteList, item: Item, given: dict[str, Any]) -> list[dict[str, Any]]:
    """Write the values, as one more version unless bNewDocumentUpdate is set. Raises WrongUpdate.

    Gives one entry for each value: an author counts only beside an editor, else it has an error.
    """
    values = {str(each["FieldName"]): str(each["FieldValue"]) for each in given.get("formValues") or ()}
    names = {each["name"] for each in held.columns}
    unknown = values.keys() - _PEOPLE.keys() - _DATES.keys() - names
    if unknown:
        raise WrongUpdate(f"Column '{min(unknown)}' does not exist.")
    refused = {"Author"} if "Author" in values and "Editor" not in values else set[str]()
    people = {name: _person(cloud, values[name]) for name in _PEOPLE.keys() & values.keys() - refused}
    dates = {name: _moment(values[name]) for name in _DATES.keys() & values.keys()}
    fields = {name: value for name, value in values.items() if name in names}
    if given.get("bNewDocumentUpdate"):
        item.fields.update(fields)
        held.changes.add(0, item.number)
    else:
        held.change(item, fields, cloud.clock.now().replace(microsecond=0))
    for name, person in people.items():
        setattr(item, _PEOPLE[name], person)
    for name, moment in dates.items():
        setattr(item, _DATES[name], moment)
    return [_entry(item, name, value, is_refused=name in refused) for name, value in values.items()]


def _entry(item: Item, name: str, value: str, *, is_refused: bool) -> dict[str, Any]:
    text = "The author can't be written without the editor." if is_refused else None
    return {
        "FieldName": name, "FieldValue": value, "HasException": is_refused, "ErrorMessage": text,
        "ErrorCode": -2147024809 if is_refused else 0, "ItemId": item.number,
    }  # fmt: skip


def _person(cloud: Cloud, text: str) -> int:
    """The number of the person in `[{"Key":"i:0#.f|membership|address"}]`."""
    try:
        key = msgspec.json.decode(text.replace("'", '"'))[0]["Key"]
    except (msgspec.DecodeError, IndexError, KeyError, TypeError) as error:
        raise WrongUpdate(f"'{text}' names nobody.") from error
    account = cloud.tenant.directory.find(str(key).rpartition("|")[2])
    if account is None:
        raise WrongUpdate(f"'{key}' is not known.")
    return account.index


def _moment(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text) if "T" in text else datetime.strptime(text, _WRITTEN).replace(tzinfo=UTC)
    except ValueError as error:
        raise WrongUpdate(f"'{text}' is not a date.") from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)
