"""Reads the fields of a row as they are written, and checks them: they are not written as they are read.

https://learn.microsoft.com/graph/api/resources/fieldvalueset, https://learn.microsoft.com/graph/api/listitem-create
"""

from collections.abc import Mapping, Sequence
from typing import Any

from tuiback.simtenant.api.list_json import ListView, bad_request
from tuiback.simtenant.content.list_columns import STANDARD_COLUMNS, UNWRITABLE, holds_many, is_looked_up
from tuiback.simtenant.state.lists import FIRST_PERSON

_LOOKUP, _TYPE = "LookupId", "@odata.type"
_STANDARD = frozenset(each["name"] for each in STANDARD_COLUMNS)


def written_fields(view: ListView, given: Mapping[str, Any]) -> dict[str, Any]:
    """The fields as they are read afterwards.

    Rows and people are written by number, as `<column>LookupId`; several values of one column have their type beside
    them. Raises Fault 400.
    """
    columns = {each["name"]: each for each in view.held.columns}
    found: dict[str, Any] = {}
    for name, value in given.items():
        if name.endswith(_TYPE) or name in ("id", "@odata.etag"):
            continue
        base = name.removesuffix(_LOOKUP) if name.removesuffix(_LOOKUP) in columns else name
        column = columns.get(base)
        if column is None:
            _check_standard(name)
            continue
        _check_writable(column)
        is_many = holds_many(column)
        if is_many and value is not None and not str(given.get(name + _TYPE, "")).startswith("Collection("):
            raise bad_request(f"Field '{name}' takes several values, whose type must be given.")
        if name.endswith(_LOOKUP) and is_looked_up(column):
            found |= _looked_up(view, column, value, is_many=is_many)
        elif is_looked_up(column):
            raise bad_request(f"Field '{name}' is written as '{base}{_LOOKUP}'.")
        else:
            found[name] = value
    return found


def _check_standard(name: str) -> None:
    """A content type may be named by a row; all else of SharePoint's own can't be written."""
    if name in _STANDARD and name != "ContentType":
        raise bad_request(f"Field '{name}' is read-only")
    if name not in _STANDARD:
        raise bad_request(f"Field '{name}' is not recognized")


def _check_writable(column: Mapping[str, Any]) -> None:
    if column.get("readOnly") or "calculated" in column:
        raise bad_request(f"Field '{column['name']}' is read-only")
    if any(kind in column for kind in UNWRITABLE):
        raise bad_request("Invalid request")


def _looked_up(view: ListView, column: Mapping[str, Any], value: object, *, is_many: bool) -> dict[str, Any]:
    name = str(column["name"])
    if not is_many:
        return {f"{name}{_LOOKUP}": str(value) if value is not None else None}
    numbers = value if isinstance(value, Sequence) and not isinstance(value, str) else ()
    return {name: [_named(view, column, int(each)) for each in numbers]}


def _named(view: ListView, column: Mapping[str, Any], number: int) -> dict[str, Any]:
    """A row or a person by number, with the name that is shown."""
    if "personOrGroup" in column:
        accounts = view.cloud.tenant.directory.accounts
        if not 0 <= number - FIRST_PERSON < len(accounts):
            raise bad_request(f"There is no person {number}.")
        person = accounts[number - FIRST_PERSON].person
        return {"LookupId": number, "LookupValue": person.name, "Email": person.address}
    list_id = (column.get("lookup") or {}).get("listId")
    lists = view.cloud.tenant.sites.lists(view.site)
    target = next((each for each in lists if each.list_id == list_id), None)
    item = target.items.get(number) if target is not None else None
    shown = item.fields.get(column["lookup"].get("columnName") or "Title") if item is not None else None
    return {"LookupId": number, "LookupValue": shown}
