"""Shows the libraries of a site, and the people that its lists name, as lists: that is what they are in SharePoint."""

from dataclasses import replace
from typing import Any

from tuiback.simtenant.api.cloud import Cloud
from tuiback.simtenant.content.company import COMPANY_STARTS, SITE_PAGES, Site
from tuiback.simtenant.content.list_columns import column, title_column
from tuiback.simtenant.state.drive import Drive, Node
from tuiback.simtenant.state.lists import FIRST_PERSON, Item, ItemVersion, SiteList

PEOPLE_LIST = "User Information List"


def lists_of(cloud: Cloud, site: Site) -> list[SiteList]:
    """Every list of a site: those that people made, its libraries without their files, and the hidden one of people."""
    libraries = [_library(cloud, each) for each in cloud.tenant.sites.libraries(site)]
    return [*cloud.tenant.sites.lists(site), *libraries, _people(cloud, site)]


def with_rows(cloud: Cloud, site: Site, held: SiteList) -> SiteList:
    """The same list with its rows, where they are files or people."""
    if held.name == PEOPLE_LIST:
        rows = {FIRST_PERSON + each.index: _person_row(each.index, each.person.name, each.person.address)
                for each in cloud.tenant.directory.users()}  # fmt: skip
        return replace(held, items=rows)
    library = library_of(cloud, site, held)
    if library is None:
        return held
    drive = cloud.tenant.drive(library)
    rows = {serial: _file_row(drive, node) for serial, node in drive.nodes.items() if node.parent is not None}
    return replace(held, items=rows, changes=drive.changes)


def library_of(cloud: Cloud, site: Site, held: SiteList) -> Site | None:
    """The library that a list is, or None for a list of rows."""
    libraries = cloud.tenant.sites.libraries(site)
    return next((each for each in libraries if str(each.drive_guids[2]) == held.list_id), None)


def _first_columns() -> list[dict[str, Any]]:
    return [title_column(), column("FileLeafRef", text={"allowMultipleLines": False})]


def _library(cloud: Cloud, library: Site) -> SiteList:
    is_pages = library.shelf == SITE_PAGES
    mark = str(library.drive_guids[2])
    columns = cloud.tenant.sites.library_columns.setdefault(mark, _first_columns())
    made = SiteList(mark, library.drive_name, columns, library.created)
    made.template = "webPageLibrary" if is_pages else "documentLibrary"
    made.first_kind = "Site Page" if is_pages else "Document"
    return made


def _file_row(drive: Drive, node: Node) -> Item:
    fields: dict[str, Any] = {"FileLeafRef": node.name, "Title": None}
    if node.source is not None:
        fields |= {"FileSizeDisplay": str(node.source.size), "DocIcon": node.name.rpartition(".")[2]}
    fields |= node.fields or {}
    item = Item(node.serial, fields, node.created, node.modified, version=node.version_number)
    item.kind = int(node.is_folder)
    item.earlier = [
        ItemVersion(number, fields, each.modified, 0)
        for number, each in enumerate(node.earlier, 1)
        if number not in node.forgotten
    ]
    item.place = "/".join(drive.path(node))
    return item


def _people(cloud: Cloud, site: Site) -> SiteList:
    mark = str(cloud.tenant.chance.guid("people list", site.index))
    return SiteList(mark, PEOPLE_LIST, [title_column(), column("EMail", text={})], COMPANY_STARTS, is_system=True)


def _person_row(index: int, name: str, address: str) -> Item:
    fields = {"Title": name, "Name": f"i:0#.f|membership|{address}", "EMail": address, "UserName": address}
    return Item(FIRST_PERSON + index, fields, COMPANY_STARTS, COMPANY_STARTS)
