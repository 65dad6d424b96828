"""Answers for one column of a list: as it is, changed, and removed with all that it held.

https://learn.microsoft.com/graph/api/columndefinition-get, .../columndefinition-update, .../columndefinition-delete
"""

from typing import Any

from tuiback.simtenant.api.call import Call, Fault, Reply, json_reply, no_content
from tuiback.simtenant.api.cloud import Cloud
from tuiback.simtenant.api.drive_lookup import not_found
from tuiback.simtenant.api.list_json import ListView, columns_json, list_of
from tuiback.simtenant.api.odata import context_url
from tuiback.simtenant.api.permissions import MANAGE_LISTS, READ_SITES
from tuiback.simtenant.api.router import Route

_CHANGED = frozenset({"description", "displayName", "required", "indexed", "hidden", "enforceUniqueValues"})


def _place_of(view: ListView) -> int:
    """The place of the column that the URL names by its id or name. Raises Fault 404."""
    wanted = view.call.where["column"].lower()
    found = (place for place, each in enumerate(columns_json(view.held)) if wanted in _names(each))
    place = next(found, None)
    if place is None:
        raise not_found()
    return place


def _names(column: dict[str, Any]) -> tuple[str, str]:
    return column["id"].lower(), column["name"].lower()


def _own_place(view: ListView) -> int:
    """The same, of a column that somebody made. Raises Fault 403 and 404."""
    place = _place_of(view)
    if place >= len(view.held.columns):
        raise Fault(403, "accessDenied", "The column belongs to SharePoint.")
    return place


def _get(cloud: Cloud, call: Call) -> Reply:
    view = list_of(cloud, call)
    return _shown(view, _place_of(view))


def _change(cloud: Cloud, call: Call) -> Reply:
    view, given = list_of(cloud, call), call.json()
    place = _own_place(view)
    column = view.held.columns[place]
    column.update({name: value for name, value in given.items() if name in _CHANGED or name in column.keys() - {"id"}})
    return _shown(view, place)


def _delete(cloud: Cloud, call: Call) -> Reply:
    view = list_of(cloud, call)
    place = _own_place(view)
    if view.held.columns[place]["name"] in ("Title", "FileLeafRef"):
        raise Fault(403, "accessDenied", "The column can't be deleted.")
    # An id follows from the place: those behind this one keep theirs.
    for known, each in zip(columns_json(view.held), view.held.columns, strict=False):
        each.setdefault("id", known["id"])
    gone = view.held.columns.pop(place)["name"]
    for item in view.held.items.values():
        item.fields.pop(gone, None)
    return no_content()


def _shown(view: ListView, place: int) -> Reply:
    context = {"@odata.context": context_url(view.call, f"{view.path}/columns/$entity")}
    return json_reply(context | columns_json(view.held)[place])


_ONE = "/sites/{site}/lists/{list}/columns/{column}"
ROUTES = (
    Route("GET", _ONE, _get, READ_SITES),
    Route("PATCH", _ONE, _change, MANAGE_LISTS),
    Route("DELETE", _ONE, _delete, MANAGE_LISTS),
)
