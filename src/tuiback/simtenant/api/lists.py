"""Answers for the lists of sites: columns, rows page by page, what changed, new lists and new rows.

https://learn.microsoft.com/graph/api/resources/list, .../listitem-delta
"""

from typing import Any

from tuiback.simtenant.api.call import Call, Fault, Reply, json_reply, no_content
from tuiback.simtenant.api.cloud import Cloud
from tuiback.simtenant.api.directory_lists import narrowed
from tuiback.simtenant.api.drive_lookup import not_found
from tuiback.simtenant.api.odata import collection, context_url, find_token, page, page_size, sealed_token, selected
from tuiback.simtenant.api.permissions import MANAGE_LISTS, READ_SITES, WRITE_SITES
from tuiback.simtenant.api.router import Route
from tuiback.simtenant.api.sites import site_of
from tuiback.simtenant.content.company import Site
from tuiback.simtenant.state.clock import stamp
from tuiback.simtenant.state.sites import Item, SiteList

_PAGE, _MOST = 200, 5000
_TEMPLATE = "genericList"
_CONTENT_TYPE = {"id": "0x0100", "name": "Item"}


def _list_of(cloud: Cloud, call: Call) -> tuple[Site, SiteList]:
    """The list that the URL names by its id or its name. Raises Fault 404."""
    site = site_of(cloud, call)
    wanted = call.where["list"].lower()
    found = next((e for e in cloud.tenant.sites.lists(site) if wanted in (e.list_id, e.name.lower())), None)
    if found is None:
        raise not_found()
    return site, found


def _item_of(held: SiteList, call: Call) -> Item:
    text = call.where["item"]
    item = held.items.get(int(text)) if text.isdigit() else None
    if item is None:
        raise not_found()
    return item


def _list_json(site: Site, held: SiteList) -> dict[str, Any]:
    return {
        "id": held.list_id,
        "createdDateTime": stamp(held.created),
        "lastModifiedDateTime": stamp(held.created),
        "name": held.name,
        "displayName": held.name,
        "description": "",
        "eTag": f'"{held.list_id},{held.changes.latest}"',
        "webUrl": f"{site.host}{site.site_path}/Lists/{held.name}",
        "parentReference": {"siteId": site.site_id},
        "list": {"contentTypesEnabled": False, "hidden": False, "template": _TEMPLATE},
    }


def _item_json(site: Site, held: SiteList, item: Item, *, fields: bool) -> dict[str, Any]:
    tag = f'"{held.list_id}-{item.number},{item.version}"'
    document: dict[str, Any] = {
        "@odata.etag": tag,
        "id": str(item.number),
        "createdDateTime": stamp(item.created),
        "lastModifiedDateTime": stamp(item.created),
        "eTag": tag,
        "webUrl": f"{site.host}{site.site_path}/Lists/{held.name}/{item.number}_.000",
        "parentReference": {"siteId": site.site_id},
        "contentType": _CONTENT_TYPE,
    }
    if fields:
        document["fields"] = {"@odata.etag": tag, "id": str(item.number), **item.fields}
    return document


def _lists(cloud: Cloud, call: Call) -> Reply:
    site = site_of(cloud, call)
    rows = []
    for each in cloud.tenant.sites.lists(site):
        columns = {"columns": _columns(each)} if "columns" in call.query.get("$expand", "") else {}
        rows.append(narrowed(_list_json(site, each), selected(call)) | columns)
    return json_reply(collection(f"sites('{site.site_id}')/lists", rows, None, call))


def _columns(held: SiteList) -> list[dict[str, Any]]:
    return [{"id": f"{held.list_id[:-4]}{place:04x}", **each} for place, each in enumerate(held.columns)]


def _get_list(cloud: Cloud, call: Call) -> Reply:
    site, held = _list_of(cloud, call)
    return _shown(site, held, call)


def _shown(site: Site, held: SiteList, call: Call, status: int = 200) -> Reply:
    context = {"@odata.context": context_url(call, f"sites('{site.site_id}')/lists/$entity")}
    return json_reply(context | narrowed(_list_json(site, held), selected(call)), status)


def _get_columns(cloud: Cloud, call: Call) -> Reply:
    site, held = _list_of(cloud, call)
    context = f"sites('{site.site_id}')/lists('{held.list_id}')/columns"
    return json_reply(collection(context, _columns(held), None, call))


def _create_list(cloud: Cloud, call: Call) -> Reply:
    """A column may look up only a list that is there."""
    site, given = site_of(cloud, call), call.json()
    name, columns = given.get("displayName"), given.get("columns") or []
    lists = cloud.tenant.sites.lists(site)
    if not isinstance(name, str) or not name or not isinstance(columns, list):
        raise Fault(400, "invalidRequest", "A displayName is required.")
    if any(each.name.casefold() == name.casefold() for each in lists):
        raise Fault(409, "nameAlreadyExists", "The specified name is already in use.")
    for each in columns:
        looked_up = (each.get("lookup") or {}).get("listId")
        if looked_up is not None and looked_up not in {other.list_id for other in lists}:
            raise Fault(400, "invalidRequest", f"The list '{looked_up}' that a lookup column refers to does not exist.")
    held = cloud.tenant.sites.add_list(site, name, columns, cloud.clock.now().replace(microsecond=0))
    return _shown(site, held, call, 201)


def _items(cloud: Cloud, call: Call) -> Reply:
    site, held = _list_of(cloud, call)
    shown, next_link = page(list(held.items.values()), call, page_size(call, _PAGE, _MOST))
    fields = "fields" in call.query.get("$expand", "")
    rows = [_item_json(site, held, each, fields=fields) for each in shown]
    return json_reply(collection(_context(site, held), rows, next_link, call))


def _get_item(cloud: Cloud, call: Call) -> Reply:
    site, held = _list_of(cloud, call)
    return _shown_item(site, held, _item_of(held, call), call)


def _shown_item(site: Site, held: SiteList, item: Item, call: Call, status: int = 200) -> Reply:
    context = {"@odata.context": context_url(call, _context(site, held) + "/$entity")}
    return json_reply(context | _item_json(site, held, item, fields=True), status)


def _create_item(cloud: Cloud, call: Call) -> Reply:
    site, held = _list_of(cloud, call)
    fields = call.json().get("fields") or {}
    known = {each["name"] for each in held.columns} | {f"{each['name']}LookupId" for each in held.columns}
    for name in fields:
        if name.partition("@")[0] not in known:
            raise Fault(400, "invalidRequest", f"Field '{name}' is not recognized")
    item = held.add(dict(fields), cloud.clock.now().replace(microsecond=0))
    return _shown_item(site, held, item, call, 201)


def _change_item(cloud: Cloud, call: Call) -> Reply:
    _, held = _list_of(cloud, call)
    item = _item_of(held, call)
    item.fields |= call.json()
    item.version += 1
    held.changes.add(0, item.number)
    context = {"@odata.context": context_url(call, "fieldValueSet")}
    return json_reply(context | {"id": str(item.number), **item.fields})


def _delete_item(cloud: Cloud, call: Call) -> Reply:
    _, held = _list_of(cloud, call)
    held.delete(_item_of(held, call))
    return no_content()


def _delta(cloud: Cloud, call: Call) -> Reply:
    """Every row, and then those that came, changed or were deleted. Raises Fault 410."""
    site, held = _list_of(cloud, call)
    text = call.query.get("token", "")
    state: dict[str, Any] = {"of": held.list_id, "age": cloud.delta_generation, "until": held.changes.latest,
                             "since": held.changes.latest if text == "latest" else -1, "shown": 0}  # fmt: skip
    if text and text != "latest":
        state = find_token(cloud.token_key, text) or {}
        if (state.get("of"), state.get("age")) != (held.list_id, cloud.delta_generation):
            fault = Fault(410, "resyncRequired", "Resync required.")
            fault.headers["Location"] = f"{call.root}{call.path}?token="
            raise fault
        if not state["shown"]:
            state["until"] = held.changes.latest
    log = held.changes.between(state["since"], state["until"])
    numbers = list(held.items) if state["since"] < 0 else list(dict.fromkeys(change.serial for change in log))
    size = page_size(call, _PAGE, _MOST)
    fields = "fields" in call.query.get("$expand", "")
    rows = [_changed(site, held, each, fields=fields) for each in numbers[state["shown"] : state["shown"] + size]]
    more = state["shown"] + size < len(numbers)
    following = state | ({"shown": state["shown"] + size} if more else {"shown": 0, "since": state["until"]})
    expand = "&$expand=fields" if fields else ""
    link = f"{call.root}{call.path}?token={sealed_token(cloud.token_key, following)}{expand}"
    document = collection("Collection(listItem)", rows, None, call)
    return json_reply(document | {"@odata.nextLink" if more else "@odata.deltaLink": link})


def _changed(site: Site, held: SiteList, number: int, *, fields: bool) -> dict[str, Any]:
    item = held.items.get(number)
    if item is not None:
        return _item_json(site, held, item, fields=fields)
    gone = {"id": str(number), "contentType": _CONTENT_TYPE, "deleted": {"state": "deleted"}}
    return gone | {"parentReference": {"siteId": site.site_id}}


def _context(site: Site, held: SiteList) -> str:
    return f"sites('{site.site_id}')/lists('{held.list_id}')/items"


_LISTS = "/sites/{site}/lists"
_ONE = _LISTS + "/{list}"
_ITEMS = _ONE + "/items"
ROUTES = (
    Route("GET", _LISTS, _lists, READ_SITES),
    Route("POST", _LISTS, _create_list, MANAGE_LISTS),
    Route("GET", _ONE, _get_list, READ_SITES),
    Route("GET", _ONE + "/columns", _get_columns, READ_SITES),
    Route("GET", _ITEMS, _items, READ_SITES),
    Route("POST", _ITEMS, _create_item, WRITE_SITES),
    Route("GET", _ITEMS + "/delta", _delta, READ_SITES),
    Route("GET", _ITEMS + "/{item}", _get_item, READ_SITES),
    Route("DELETE", _ITEMS + "/{item}", _delete_item, WRITE_SITES),
    Route("PATCH", _ITEMS + "/{item}/fields", _change_item, WRITE_SITES),
)
