"""Answers for the rows of lists: page by page, one, what changed, their past, and new ones.

https://learn.microsoft.com/graph/api/listitem-list, .../listitem-delta, .../listitem-list-versions
"""

from typing import Any

from tuiback.simtenant.api.call import Call, Fault, Reply, json_reply, no_content
from tuiback.simtenant.api.cloud import Cloud
from tuiback.simtenant.api.drive_lookup import not_found
from tuiback.simtenant.api.library_fields import written_file
from tuiback.simtenant.api.list_fields import written_fields
from tuiback.simtenant.api.list_json import (
    ListView,
    bad_request,
    fields_json,
    gone_json,
    list_of,
    row_json,
    row_of,
    row_tag,
    versions_json,
)
from tuiback.simtenant.api.odata import collection, context_url, find_token, page, page_size, sealed_token
from tuiback.simtenant.api.permissions import READ_SITES, WRITE_SITES
from tuiback.simtenant.api.router import Route
from tuiback.simtenant.api.row_filters import chosen_rows
from tuiback.simtenant.state.lists import Item

_PAGE, _MOST = 200, 5000


def _items(cloud: Cloud, call: Call) -> Reply:
    view = list_of(cloud, call)
    shown, next_link = page(chosen_rows(view), call, page_size(call, _PAGE, _MOST))
    rows = [row_json(view, each) for each in shown]
    return json_reply(collection(f"{view.path}/items", rows, next_link, call))


def _get_item(cloud: Cloud, call: Call) -> Reply:
    """One row comes with its fields, whether or not they are asked for."""
    view = list_of(cloud, call)
    return _shown(view, row_of(view))


def _shown(view: ListView, item: Item, status: int = 200) -> Reply:
    context = {"@odata.context": context_url(view.call, f"{view.path}/items/$entity")}
    return json_reply(context | {"fields": fields_json(view.held, item)} | row_json(view, item), status)


def _create_item(cloud: Cloud, call: Call) -> Reply:
    view, given = list_of(cloud, call), call.json()
    _check_rows(view)
    fields = written_fields(view, given.get("fields") or {})
    names = view.held.kind_names[:-1]
    wanted = (given.get("contentType") or {}).get("name") or (given.get("fields") or {}).get("ContentType") or "Item"
    if wanted not in names:
        raise bad_request(f"The content type '{wanted}' is not in the list.")
    item = view.held.add(fields, cloud.clock.now().replace(microsecond=0), kind=names.index(wanted))
    return _shown(view, item, 201)


def _check_rows(view: ListView) -> None:
    """Files are written through their drive, and people come by themselves. Raises Fault 501."""
    if view.held.is_library or view.held.is_system:
        raise Fault(501, "NotImplemented", "The simulated tenant writes files through their drive only.")


def _get_fields(cloud: Cloud, call: Call) -> Reply:
    view = list_of(cloud, call)
    context = {"@odata.context": context_url(call, f"{view.path}/items/fields/$entity")}
    return json_reply(context | fields_json(view.held, row_of(view)))


def _change_item(cloud: Cloud, call: Call) -> Reply:
    view = list_of(cloud, call)
    item = _written(view, call.json())
    context = {"@odata.context": context_url(call, f"{view.path}/items/fields/$entity")}
    return json_reply(context | fields_json(view.held, item))


def _change_whole(cloud: Cloud, call: Call) -> Reply:
    """The same by way of the row, whose fields are in its body."""
    view = list_of(cloud, call)
    return _shown(view, _written(view, call.json().get("fields") or {}))


def _written(view: ListView, given: dict[str, Any]) -> Item:
    """The row with these fields; 412 for one who has seen another state of it."""
    item = row_of(view)
    tag = row_tag(view.held, item)
    if view.call.headers.get("if-match", tag) not in (tag, "*"):
        raise Fault(412, "resourceModified", "The resource has changed since the caller last read it.")
    if view.held.is_library:
        return written_file(view, item, given)
    _check_rows(view)
    view.held.change(item, written_fields(view, given), view.cloud.clock.now().replace(microsecond=0))
    return item


def _delete_item(cloud: Cloud, call: Call) -> Reply:
    view = list_of(cloud, call)
    _check_rows(view)
    view.held.delete(row_of(view))
    return no_content()


def _list_versions(cloud: Cloud, call: Call) -> Reply:
    """The fields of each come only with $expand."""
    view = list_of(cloud, call)
    rows = versions_json(view, row_of(view))
    if "fields" not in call.query.get("$expand", ""):
        rows = [{name: value for name, value in each.items() if name != "fields"} for each in rows]
    return json_reply(collection(f"{view.path}/items/versions", rows, None, call))


def _get_version(cloud: Cloud, call: Call) -> Reply:
    view = list_of(cloud, call)
    context = {"@odata.context": context_url(call, f"{view.path}/items/versions/$entity")}
    return json_reply(context | _version_of(view, row_of(view)))


def _get_version_fields(cloud: Cloud, call: Call) -> Reply:
    view = list_of(cloud, call)
    fields: dict[str, Any] = _version_of(view, row_of(view))["fields"]
    return json_reply({"@odata.context": context_url(call, f"{view.path}/items/versions/fields/$entity")} | fields)


def _version_of(view: ListView, item: Item) -> dict[str, Any]:
    found = next((each for each in versions_json(view, item) if each["id"] == view.call.where["version"]), None)
    if found is None:
        raise not_found()
    return found


def _restore_version(cloud: Cloud, call: Call) -> Reply:
    """What the row held then becomes its newest version."""
    view = list_of(cloud, call)
    _check_rows(view)
    item = row_of(view)
    number = _version_of(view, item)["id"]
    past = next((each for each in item.earlier if f"{each.number}.0" == number), None)
    if past is None:
        raise bad_request("The current version can't be restored.")
    view.held.change(item, past.fields, cloud.clock.now().replace(microsecond=0))
    return no_content()


def _delta(cloud: Cloud, call: Call) -> Reply:
    """Every row, and then those that came, changed or were deleted. Raises Fault 410."""
    view = list_of(cloud, call)
    state = _opened(view)
    log = view.held.changes.between(state["since"], state["until"])
    numbers = list(view.held.items) if state["since"] < 0 else list(dict.fromkeys(change.serial for change in log))
    size = page_size(call, _PAGE, _MOST)
    rows = [_changed(view, each) for each in numbers[state["shown"] : state["shown"] + size]]
    more = state["shown"] + size < len(numbers)
    following = state | ({"shown": state["shown"] + size} if more else {"shown": 0, "since": state["until"]})
    kept = "".join(f"&{name}={call.query[name]}" for name in ("$expand", "$top") if name in call.query)
    link = f"{call.root}{call.path}?token={sealed_token(cloud.token_key, following)}{kept}"
    document = collection("Collection(listItem)", rows, None, call)
    return json_reply(document | {"@odata.nextLink" if more else "@odata.deltaLink": link})


def _opened(view: ListView) -> dict[str, Any]:
    cloud, call, held = view.cloud, view.call, view.held
    text = call.query.get("token") or call.where.get("token") or ""
    if not text or text == "latest":
        since = held.changes.latest if text else -1
        return {"of": held.list_id, "age": cloud.delta_generation, "until": held.changes.latest,
                "since": since, "shown": 0}  # fmt: skip
    state = find_token(cloud.token_key, text) or {}
    if (state.get("of"), state.get("age")) != (held.list_id, cloud.delta_generation):
        fault = Fault(410, "resyncRequired", "Resync required.")
        fault.headers["Location"] = f"{call.root}{call.path}?token="
        raise fault
    return state if state["shown"] else state | {"until": held.changes.latest}


def _changed(view: ListView, number: int) -> dict[str, Any]:
    item = view.held.items.get(number)
    return row_json(view, item) if item is not None else gone_json(view, number)


_ITEMS = "/sites/{site}/lists/{list}/items"
_ONE = _ITEMS + "/{item}"
_VERSION = _ONE + "/versions/{version}"
ROUTES = (
    Route("GET", _ITEMS, _items, READ_SITES, filtered=True),
    Route("POST", _ITEMS, _create_item, WRITE_SITES),
    Route("GET", _ITEMS + "/delta", _delta, READ_SITES),
    Route("GET", _ITEMS + "/delta/{token}", _delta, READ_SITES),
    Route("GET", _ONE, _get_item, READ_SITES),
    Route("PATCH", _ONE, _change_whole, WRITE_SITES),
    Route("DELETE", _ONE, _delete_item, WRITE_SITES),
    Route("GET", _ONE + "/fields", _get_fields, READ_SITES),
    Route("PATCH", _ONE + "/fields", _change_item, WRITE_SITES),
    Route("GET", _ONE + "/versions", _list_versions, READ_SITES),
    Route("GET", _VERSION, _get_version, READ_SITES),
    Route("GET", _VERSION + "/fields", _get_version_fields, READ_SITES),
    Route("POST", _VERSION + "/restoreVersion", _restore_version, WRITE_SITES),
)
