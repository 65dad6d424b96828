"""Answers for the lists of sites: all, one, their columns and content types, and new ones.

https://learn.microsoft.com/graph/api/resources/list, .../columndefinition, .../contenttype
"""

from typing import Any

from tuiback.simtenant.api.call import Call, Fault, Reply, json_reply, no_content
from tuiback.simtenant.api.cloud import Cloud
from tuiback.simtenant.api.directory_lists import narrowed
from tuiback.simtenant.api.drive_lookup import not_found
from tuiback.simtenant.api.filters import filter_of
from tuiback.simtenant.api.libraries import lists_of, with_rows
from tuiback.simtenant.api.list_json import (
    ListView,
    bad_request,
    columns_json,
    content_types_json,
    list_json,
    list_of,
    row_json,
)
from tuiback.simtenant.api.odata import collection, context_url, selected
from tuiback.simtenant.api.permissions import MANAGE_LISTS, READ_SITES
from tuiback.simtenant.api.router import Route
from tuiback.simtenant.api.sites import site_of
from tuiback.simtenant.content.list_columns import STANDARD_COLUMNS, column

# What a list shows of its rows where they are expanded.
_EXPANDED_ROWS = 200


def _lists(cloud: Cloud, call: Call) -> Reply:
    """Those that the system keeps for itself come only for who selects the facet that tells them."""
    site, names, test = site_of(cloud, call), selected(call), filter_of(call, "invalidRequest")
    shows_system = names is not None and "system" in names
    rows = [
        _list_with(ListView(cloud, call, site, each))
        for each in lists_of(cloud, site)
        if (shows_system or not each.is_system) and test(list_json(ListView(cloud, call, site, each)))
    ]
    return json_reply(collection(f"sites('{site.site_id}')/lists", rows, None, call))


def _list_with(view: ListView) -> dict[str, Any]:
    """A list with what $expand asks for."""
    document = narrowed(list_json(view), selected(view.call))
    expand = view.call.query.get("$expand", "")
    if "columns" in expand:
        document["columns"] = columns_json(view.held)
    if "contentTypes" in expand:
        document["contentTypes"] = content_types_json(view)
    if "items" in expand:
        held = with_rows(view.cloud, view.site, view.held)
        document["items"] = [row_json(view, each) for each in list(held.items.values())[:_EXPANDED_ROWS]]
    return document


def _get_list(cloud: Cloud, call: Call) -> Reply:
    return _shown(list_of(cloud, call))


def _shown(view: ListView, status: int = 200) -> Reply:
    context = {"@odata.context": context_url(view.call, f"sites('{view.site.site_id}')/lists/$entity")}
    return json_reply(context | _list_with(view), status)


def _get_columns(cloud: Cloud, call: Call) -> Reply:
    view = list_of(cloud, call)
    return json_reply(collection(f"{view.path}/columns", columns_json(view.held), None, call))


def _get_content_types(cloud: Cloud, call: Call) -> Reply:
    view = list_of(cloud, call)
    return json_reply(collection(f"{view.path}/contentTypes", content_types_json(view), None, call))


def _get_site_content_types(cloud: Cloud, call: Call) -> Reply:
    """Those of all lists of the site, under the ids that lists derive theirs from."""
    site = site_of(cloud, call)
    found: dict[str, dict[str, Any]] = {}
    for held in lists_of(cloud, site):
        for each in content_types_json(ListView(cloud, call, site, held)):
            found.setdefault(each["name"], each | {"id": each["parentId"]} if each["isBuiltIn"] else each)
    rows = list(found.values())
    return json_reply(collection(f"sites('{site.site_id}')/contentTypes", rows, None, call))


def _get_site_columns(cloud: Cloud, call: Call) -> Reply:
    """Those that SharePoint adds to every list."""
    site = site_of(cloud, call)
    return json_reply(collection(f"sites('{site.site_id}')/columns", list(STANDARD_COLUMNS), None, call))


def _get_content_type(cloud: Cloud, call: Call) -> Reply:
    view = list_of(cloud, call)
    context = {"@odata.context": context_url(call, f"{view.path}/contentTypes/$entity")}
    return json_reply(context | _content_type_of(view))


def _content_type_of(view: ListView) -> dict[str, Any]:
    wanted = view.call.where["kind"].lower()
    found = next((each for each in content_types_json(view) if each["id"].lower() == wanted), None)
    if found is None:
        raise not_found()
    return found


def _get_kind_columns(cloud: Cloud, call: Call) -> Reply:
    """What a row of that kind may hold: of a plain one its title, of the list's own kinds every column of the list."""
    view = list_of(cloud, call)
    kind = _content_type_of(view)
    own = columns_json(view.held)[: len(view.held.columns)]
    shown = own[:1] if kind["isBuiltIn"] and view.held.kinds else own
    if call.path.lower().endswith("/columnlinks"):
        shown = [{"id": each["id"], "name": each["name"]} for each in shown]
    return json_reply(collection(f"{view.path}/contentTypes/columns", shown, None, call))


def _create_list(cloud: Cloud, call: Call) -> Reply:
    """A column may look up only a list that is there."""
    site, given = site_of(cloud, call), call.json()
    name, columns = given.get("displayName"), given.get("columns") or []
    lists = lists_of(cloud, site)
    if not isinstance(name, str) or not name or not isinstance(columns, list) or "createdByUser" in given:
        raise bad_request("Invalid request")
    if any(each.name.casefold() == name.casefold() for each in lists):
        raise Fault(409, "nameAlreadyExists", "The specified name is already in use.")
    for each in columns:
        _check_column(each, {other.list_id for other in lists})
    template = str((given.get("list") or {}).get("template") or "genericList")
    if template == "documentLibrary":
        mark = str(cloud.tenant.sites.add_library(site, name).drive_guids[2])
        return _shown(ListView(cloud, call, site, next(e for e in lists_of(cloud, site) if e.list_id == mark)), 201)
    made = [column(str(each["name"])) | each for each in columns]
    held = cloud.tenant.sites.add_list(site, name, made, cloud.clock.now().replace(microsecond=0))
    held.description, held.template = str(given.get("description") or ""), template
    return _shown(ListView(cloud, call, site, held), 201)


def _check_column(given: dict[str, Any], list_ids: set[str]) -> None:
    """Raises Fault 400, and 500 for what is there but empty: https://github.com/alcionai/corso (m365/api/lists.go)."""
    if given.get("defaultValue", 0) is None or given.get("validation", 0) is None:
        raise Fault(500, "generalException", "General exception while processing")
    if not given.get("name"):
        raise bad_request("A column must have a name.")
    looked_up = (given.get("lookup") or {}).get("listId")
    if looked_up is not None and looked_up not in list_ids:
        raise bad_request(f"The list '{looked_up}' that a lookup column refers to does not exist.")


def _create_column(cloud: Cloud, call: Call) -> Reply:
    view, given = list_of(cloud, call), call.json()
    _check_column(given, {each.list_id for each in cloud.tenant.sites.lists(view.site)})
    if given["name"] in {each["name"] for each in view.held.columns}:
        raise Fault(409, "nameAlreadyExists", "A column of this name exists already.")
    view.held.columns.append(column(str(given["name"])) | given)
    made = columns_json(view.held)[len(view.held.columns) - 1]
    return json_reply({"@odata.context": context_url(call, f"{view.path}/columns/$entity")} | made, 201)


def _change_list(cloud: Cloud, call: Call) -> Reply:
    view, given = list_of(cloud, call), call.json()
    view.held.name = str(given.get("displayName") or view.held.name)
    view.held.description = str(given.get("description", view.held.description))
    return _shown(view)


def _delete_list(cloud: Cloud, call: Call) -> Reply:
    view = list_of(cloud, call)
    if view.held.is_library or view.held.is_system:
        raise Fault(403, "accessDenied", "This list can't be deleted.")
    cloud.tenant.sites.lists(view.site).remove(view.held)
    return no_content()


_LISTS = "/sites/{site}/lists"
_ONE = _LISTS + "/{list}"
_KINDS = _ONE + "/contentTypes"
ROUTES = (
    Route("GET", _LISTS, _lists, READ_SITES, filtered=True),
    Route("POST", _LISTS, _create_list, MANAGE_LISTS),
    Route("GET", _ONE, _get_list, READ_SITES),
    Route("PATCH", _ONE, _change_list, MANAGE_LISTS),
    Route("DELETE", _ONE, _delete_list, MANAGE_LISTS),
    Route("GET", _ONE + "/columns", _get_columns, READ_SITES),
    Route("POST", _ONE + "/columns", _create_column, MANAGE_LISTS),
    Route("GET", "/sites/{site}/columns", _get_site_columns, READ_SITES),
    Route("GET", "/sites/{site}/contentTypes", _get_site_content_types, READ_SITES),
    Route("GET", _KINDS, _get_content_types, READ_SITES),
    Route("GET", _KINDS + "/{kind}", _get_content_type, READ_SITES),
    Route("GET", _KINDS + "/{kind}/columns", _get_kind_columns, READ_SITES),
    Route("GET", _KINDS + "/{kind}/columnLinks", _get_kind_columns, READ_SITES),
)
