"""Answers that lead from the rows of libraries to their files and back, and from lists to their drives.

https://learn.microsoft.com/graph/api/resources/listitem, .../driveitem
"""

from tuiback.simtenant.api.call import Call, Reply, json_reply
from tuiback.simtenant.api.cloud import Cloud
from tuiback.simtenant.api.directory_lists import narrowed
from tuiback.simtenant.api.drive_json import DriveView, drive_json
from tuiback.simtenant.api.drive_lookup import drive_of, node_of, not_found
from tuiback.simtenant.api.drives import shown_item
from tuiback.simtenant.api.libraries import library_of, lists_of, with_rows
from tuiback.simtenant.api.list_json import ListView, fields_json, list_of, row_json, row_of
from tuiback.simtenant.api.odata import collection, context_url, selected
from tuiback.simtenant.api.permissions import READ_FILES, READ_SITES
from tuiback.simtenant.api.router import Route
from tuiback.simtenant.api.sites import site_of
from tuiback.simtenant.content.company import Site


def _drive_view(view: ListView) -> DriveView:
    library = library_of(view.cloud, view.site, view.held)
    if library is None:
        raise not_found()
    return DriveView(view.cloud, library, view.cloud.tenant.drive(library), view.call.root, view.call.app_id)


def _list_drives(cloud: Cloud, call: Call) -> Reply:
    """The libraries of a site; that of pages is one of them."""
    site = site_of(cloud, call)
    views = [
        DriveView(cloud, each, cloud.tenant.drive(each), call.root, call.app_id)
        for each in cloud.tenant.sites.libraries(site)
    ]
    rows = [narrowed(drive_json(each), selected(call)) for each in views]
    return json_reply(collection(f"sites('{site.site_id}')/drives", rows, None, call))


def _get_drive(cloud: Cloud, call: Call) -> Reply:
    view = _drive_view(list_of(cloud, call))
    context = {"@odata.context": context_url(call, "drives/$entity")}
    return json_reply(context | narrowed(drive_json(view), selected(call)))


def _get_drive_item(cloud: Cloud, call: Call) -> Reply:
    view = list_of(cloud, call)
    files = _drive_view(view)
    return shown_item(files, files.drive.nodes[row_of(view).number], call)


def _get_list_item(cloud: Cloud, call: Call) -> Reply:
    """The row of a file, with its fields."""
    files = drive_of(cloud, call)
    node = node_of(files, call)
    if not isinstance(files.person, Site) or node.parent is None:
        raise not_found()
    site = next(each for each in cloud.tenant.sites.all() if each.site_id == files.person.site_id)
    mark = str(files.person.drive_guids[2])
    held = next(each for each in lists_of(cloud, site) if each.list_id == mark)
    view = ListView(cloud, call, site, with_rows(cloud, site, held))
    item = view.held.items[node.serial]
    context = {"@odata.context": context_url(call, f"{view.path}/items/$entity")}
    return json_reply(context | {"fields": fields_json(view.held, item)} | row_json(view, item))


_LIST = "/sites/{site}/lists/{list}"
_ITEM = "/drives/{drive}/items/{item}"
ROUTES = (
    Route("GET", "/sites/{site}/drives", _list_drives, READ_FILES),
    Route("GET", _LIST + "/drive", _get_drive, READ_SITES),
    Route("GET", _LIST + "/items/{item}/driveItem", _get_drive_item, READ_SITES),
    Route("GET", _ITEM + "/listItem", _get_list_item, READ_FILES),
    Route("GET", "/drives/{drive}/root/:/{path}/listItem", _get_list_item, READ_FILES),
)
