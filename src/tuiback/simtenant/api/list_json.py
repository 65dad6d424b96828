"""Shows the lists of sites, their columns, content types and rows as Graph's resources.

https://learn.microsoft.com/graph/api/resources/list, .../listitem, .../fieldvalueset
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from tuiback.simtenant.api.call import Call, Fault
from tuiback.simtenant.api.cloud import Cloud
from tuiback.simtenant.api.drive_json import identity
from tuiback.simtenant.api.drive_lookup import not_found
from tuiback.simtenant.api.libraries import library_of, lists_of, with_rows
from tuiback.simtenant.api.sites import site_of
from tuiback.simtenant.content.company import Site
from tuiback.simtenant.content.list_columns import STANDARD_COLUMNS
from tuiback.simtenant.state.clock import stamp
from tuiback.simtenant.state.lists import FIRST_PERSON, Item, SiteList

_PARENTS = {
    "Item": "0x01", "Folder": "0x0120", "Document": "0x0101", "Site Page": "0x0101009D1CB255DA76424F860D91F20E6C4118",
}  # fmt: skip
_FIELDS = re.compile(r"fields(?:\(\$?(?:select|expand)=([^)]*)\))?")


@dataclass(frozen=True, slots=True)
class ListView:
    """One list as a request sees it."""

    cloud: Cloud
    call: Call
    site: Site
    held: SiteList

    @property
    def path(self) -> str:
        """Its path behind the version."""
        return f"sites('{self.site.site_id}')/lists('{self.held.list_id}')"

    @property
    def url(self) -> str:
        """Where people see it."""
        library = library_of(self.cloud, self.site, self.held) if self.held.is_library else None
        place = f"Lists/{quote(self.held.name)}" if library is None else quote(library.library)
        return f"{self.site.host}{self.site.site_path}/{place}"


def list_of(cloud: Cloud, call: Call) -> ListView:
    """The list that the URL names by its id or its name. Raises Fault 404."""
    site = site_of(cloud, call)
    wanted = call.where["list"].lower()
    held = next((each for each in lists_of(cloud, site) if wanted in (each.list_id, each.name.lower())), None)
    if held is None:
        raise not_found()
    return ListView(cloud, call, site, with_rows(cloud, site, held))


def list_json(view: ListView) -> dict[str, Any]:
    """A list without its columns and rows."""
    held = view.held
    changed = max((each.modified for each in held.items.values()), default=held.created)
    document: dict[str, Any] = {
        "id": held.list_id,
        "createdDateTime": stamp(held.created),
        "lastModifiedDateTime": stamp(changed),
        "name": held.name,
        "displayName": held.name,
        "description": held.description,
        "eTag": f'"{held.list_id},{held.changes.latest}"',
        "webUrl": view.url,
        "parentReference": {"siteId": view.site.site_id},
        "list": {"contentTypesEnabled": bool(held.kinds), "hidden": held.is_system, "template": held.template},
    }
    return document | ({"system": {}} if held.is_system else {})


def columns_json(held: SiteList) -> list[dict[str, Any]]:
    """The columns: those of the list, then those that SharePoint adds to each."""
    own = [{"id": f"{held.list_id[:-4]}{place:04x}", **each} for place, each in enumerate(held.columns)]
    return [*own, *STANDARD_COLUMNS]


def content_types_json(view: ListView) -> list[dict[str, Any]]:
    """What kinds of rows the list has: plain ones, its own, and folders."""
    return [
        {
            "id": kind_id(view.held, place),
            "name": name,
            "description": f"Create a new {name.lower()}.",
            "group": "Folder Content Types" if name == "Folder" else "List Content Types",
            "hidden": False,
            "readOnly": False,
            "sealed": False,
            "isBuiltIn": name not in view.held.kinds,
            "parentId": _PARENTS.get(name, _PARENTS["Item"]),
            "order": {"default": place == 0, "position": place},
        }
        for place, name in enumerate(view.held.kind_names)
    ]


def kind_id(held: SiteList, place: int) -> str:
    """The id of a content type in the list: that of its parent, 00, and the list's own mark."""
    parent = _PARENTS.get(held.kind_names[place], _PARENTS["Item"])
    mark = f"{int(held.list_id.replace('-', ''), 16) + place:032X}"[-32:]
    return f"{parent}00{mark}"


def row_json(view: ListView, item: Item) -> dict[str, Any]:
    """A row, with its fields where $expand asks for them."""
    held, tag = view.held, row_tag(view.held, item)
    document: dict[str, Any] = {
        "@odata.etag": tag,
        "id": str(item.number),
        "createdDateTime": stamp(item.created),
        "lastModifiedDateTime": stamp(item.modified),
        "createdBy": _by(view.cloud, item.author),
        "lastModifiedBy": _by(view.cloud, item.editor),
        "eTag": tag,
        "webUrl": f"{view.url}/{quote(item.place) or f'{item.number}_.000'}",
        "parentReference": {"id": held.list_id, "siteId": view.site.site_id},
        "contentType": {"id": kind_id(held, item.kind), "name": held.kind_names[item.kind]},
    }
    found = _FIELDS.search(view.call.query.get("$expand", ""))
    if found is not None:
        document["fields"] = _narrowed(fields_json(held, item), found.group(1))
    return document


def row_tag(held: SiteList, item: Item) -> str:
    """The row's eTag."""
    return f'"{held.list_id},{item.version}"'


def gone_json(view: ListView, number: int) -> dict[str, Any]:
    """What delta says of a row that was deleted."""
    return {
        "id": str(number),
        "contentType": {"id": kind_id(view.held, 0), "name": view.held.first_kind},
        "deleted": {"state": "deleted"},
        "parentReference": {"siteId": view.site.site_id},
    }


def fields_json(held: SiteList, item: Item) -> dict[str, Any]:
    """The fields of a row as it is now."""
    document = _values(item.number, item.fields, item, item.version, item.modified, item.editor)
    kind = {"ContentType": held.kind_names[item.kind]}
    return {"@odata.etag": row_tag(held, item)} | document | kind


def versions_json(view: ListView, item: Item) -> list[dict[str, Any]]:
    """The versions of a row, the newest first, each with its fields."""
    past = [(each.number, each.fields, each.modified, each.editor) for each in item.earlier]
    everything = [*past, (item.version, item.fields, item.modified, item.editor)]
    return [
        {
            "id": f"{number}.0",
            "lastModifiedDateTime": stamp(modified),
            "lastModifiedBy": _by(view.cloud, editor),
            "fields": _values(item.number, fields, item, number, modified, editor),
        }
        for number, fields, modified, editor in reversed(everything)
    ]


def _values(
    number: int, fields: Mapping[str, Any], item: Item, version: int, modified: datetime, editor: int
) -> dict[str, Any]:
    return {
        "id": str(number),
        **fields,
        "Modified": stamp(modified),
        "Created": stamp(item.created),
        "AuthorLookupId": str(FIRST_PERSON + item.author),
        "EditorLookupId": str(FIRST_PERSON + editor),
        "_UIVersionString": f"{version}.0",
        "Attachments": bool(item.attachments),
        "Edit": "",
        "LinkTitleNoMenu": fields.get("Title"),
        "LinkTitle": fields.get("Title"),
        "ItemChildCount": "0",
        "FolderChildCount": "0",
        "_ComplianceFlags": "",
    }


def _narrowed(fields: dict[str, Any], names: str | None) -> dict[str, Any]:
    if not names:
        return fields
    wanted = {each.strip() for each in names.split(",")}
    return {name: value for name, value in fields.items() if name in wanted or name.startswith("@")}


def _by(cloud: Cloud, person: int) -> dict[str, Any]:
    return identity(cloud.tenant.directory.accounts[person].person)


def row_of(view: ListView) -> Item:
    """The row that the URL names. Raises Fault 404."""
    text = view.call.where["item"]
    item = view.held.items.get(int(text)) if text.isdigit() else None
    if item is None:
        raise not_found()
    return item


def bad_request(text: str) -> Fault:
    """400 as SharePoint says it."""
    return Fault(400, "invalidRequest", text)
