"""Answers for the pages of SharePoint sites: lists, one with what it shows, new ones, changes, and publishing.

https://learn.microsoft.com/graph/api/resources/sitepage, .../sitepage-create, .../sitepage-publish
"""

from datetime import datetime
from typing import Any
from urllib.parse import quote
from uuid import uuid4

from tuiback.simtenant.api.call import Call, Fault, Reply, json_reply, no_content
from tuiback.simtenant.api.cloud import Cloud
from tuiback.simtenant.api.directory_lists import narrowed
from tuiback.simtenant.api.drive_json import identity
from tuiback.simtenant.api.drive_lookup import not_found
from tuiback.simtenant.api.filters import filter_of
from tuiback.simtenant.api.odata import collection, context_url, page, page_size, selected
from tuiback.simtenant.api.permissions import READ_SITES, WRITE_SITES
from tuiback.simtenant.api.router import Route
from tuiback.simtenant.api.sites import site_of
from tuiback.simtenant.content.company import Site
from tuiback.simtenant.content.page_content import CREATABLE, web_parts
from tuiback.simtenant.state.clock import stamp
from tuiback.simtenant.state.drive import NameTaken
from tuiback.simtenant.state.pages import Page

_PAGE, _MOST = 200, 999
_KIND = "#microsoft.graph.sitePage"
# What can be told of a page beside its content.
_TOLD = frozenset({
    "pageLayout", "promotionKind", "showComments", "showRecommendedPages", "description", "titleArea",
    "thumbnailWebUrl",
})  # fmt: skip
_USUAL: dict[str, Any] = {
    "pageLayout": "article", "promotionKind": "page", "showComments": True, "showRecommendedPages": False,
}  # fmt: skip


def _page_id(cloud: Cloud, site: Site, found: Page) -> str:
    """That of the page's file, as its eTag has it."""
    return str(cloud.tenant.ids.node_guid(cloud.tenant.sites.page_library(site).index, found.serial))


def _base_json(cloud: Cloud, site: Site, found: Page) -> dict[str, Any]:
    mark = _page_id(cloud, site, found)
    library = cloud.tenant.sites.page_library(site)
    tag = f'"{{{mark.upper()}}},{found.major + found.minor}"'
    author = identity(cloud.tenant.directory.accounts[found.author].person)
    document: dict[str, Any] = {
        "@odata.type": _KIND,
        "@odata.etag": tag,
        "createdDateTime": stamp(found.created),
        "eTag": tag,
        "id": mark,
        "lastModifiedDateTime": stamp(found.modified),
        "name": found.name,
        "webUrl": f"{site.host}{site.site_path}/SitePages/{quote(found.name)}",
        "title": found.title,
        "createdBy": author,
        "lastModifiedBy": author,
        "parentReference": {"id": str(library.drive_guids[2]), "siteId": site.site_id},
        "publishingState": {"level": found.level, "versionId": found.version},
        "reactions": {},
    }
    if found.level == "checkout":
        document["publishingState"]["checkedOutBy"] = author
    return document | _USUAL | found.told


def _shown(cloud: Cloud, call: Call, site: Site, found: Page, status: int = 200) -> Reply:
    document = narrowed(_base_json(cloud, site, found), selected(call))
    if "canvasLayout" in call.query.get("$expand", ""):
        document["canvasLayout"] = found.canvas
    return _reply(call, f"sites('{site.site_id}')/pages/$entity", document, status)


def _reply(call: Call, context: str, document: dict[str, Any], status: int = 200) -> Reply:
    """With OData's own properties, unless the client asks to be spared them."""
    if "odata.metadata=none" in call.headers.get("accept", ""):
        bare = _bare(document)
        return json_reply(bare, status)
    return json_reply({"@odata.context": context_url(call, context)} | document, status)


def _bare(value: Any) -> Any:  # noqa: ANN401 - whatever stands in a document
    if isinstance(value, dict):
        return {name: _bare(each) for name, each in value.items() if not name.startswith("@odata.")}
    return [_bare(each) for each in value] if isinstance(value, list) else value


def _page_of(cloud: Cloud, call: Call) -> tuple[Site, Page]:
    site = site_of(cloud, call)
    wanted = call.where["page"].lower()
    found = next((each for each in cloud.tenant.pages.of_site(site) if _page_id(cloud, site, each) == wanted), None)
    if found is None:
        raise not_found()
    return site, found


def _list(cloud: Cloud, call: Call) -> Reply:
    """Pages of any kind there is; what they show comes one by one only."""
    site, names = site_of(cloud, call), selected(call)
    test = filter_of(call, "invalidRequest")
    pages = [_base_json(cloud, site, each) for each in cloud.tenant.pages.of_site(site)]
    shown, next_link = page([each for each in pages if test(each)], call, page_size(call, _PAGE, _MOST))
    document = collection(f"sites('{site.site_id}')/pages", [narrowed(each, names) for each in shown], next_link, call)
    return json_reply(document)


def _get(cloud: Cloud, call: Call) -> Reply:
    site, found = _page_of(cloud, call)
    return _shown(cloud, call, site, found)


def _get_canvas(cloud: Cloud, call: Call) -> Reply:
    _, found = _page_of(cloud, call)
    return _reply(call, "canvasLayout/$entity", found.canvas)


def _get_sections(cloud: Cloud, call: Call) -> Reply:
    _, found = _page_of(cloud, call)
    return json_reply(collection("horizontalSections", found.canvas.get("horizontalSections") or [], None, call))


def _get_vertical(cloud: Cloud, call: Call) -> Reply:
    _, found = _page_of(cloud, call)
    if not found.canvas.get("verticalSection"):
        raise not_found()
    return _reply(call, "verticalSection/$entity", found.canvas["verticalSection"])


def _get_web_parts(cloud: Cloud, call: Call) -> Reply:
    _, found = _page_of(cloud, call)
    return json_reply(collection("webParts", list(web_parts(found.canvas)), None, call))


def _get_web_part(cloud: Cloud, call: Call) -> Reply:
    _, found = _page_of(cloud, call)
    part = next((each for each in web_parts(found.canvas) if each["id"] == call.where["part"]), None)
    if part is None:
        raise not_found()
    return _reply(call, "webParts/$entity", part)


def _create(cloud: Cloud, call: Call) -> Reply:
    """Checked out to who made it, until it is published."""
    site, given = site_of(cloud, call), call.json()
    if given.get("@odata.type") != _KIND:
        raise Fault(400, "invalidRequest", "The @odata.type of the page is required.")
    name = str(given.get("name") or f"{given.get('title', '')}.aspx")
    if not given.get("title") or not name.lower().endswith(".aspx"):
        raise Fault(400, "invalidRequest", "A title, and a name that ends with .aspx, are required.")
    now = _now(cloud)
    made = Page(0, name, str(given["title"]), now, now, 0, _canvas(given), "checkout", 0, 1, _told(given))
    try:
        return _shown(cloud, call, site, cloud.tenant.pages.add(site, made), 201)
    except NameTaken as taken:
        raise Fault(409, "nameAlreadyExists", "A page of this name exists already.") from taken


def _canvas(given: dict[str, Any]) -> dict[str, Any]:
    """What a page is to show. Raises Fault 400 for web parts that can't be made from outside."""
    canvas: dict[str, Any] = given.get("canvasLayout") or {}
    for part in web_parts(canvas):
        kind = part.get("webPartType")
        if kind is not None and kind not in CREATABLE:
            raise Fault(400, "invalidRequest", f"The web part type '{kind}' is not supported.")
        part["id"] = part.get("id") or str(uuid4())
        suffix = "textWebPart" if kind is None else "standardWebPart"
        part["@odata.type"] = f"#microsoft.graph.{suffix}"
    return canvas


def _told(given: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in given.items() if name in _TOLD}


def _change(cloud: Cloud, call: Call) -> Reply:
    site, found = _page_of(cloud, call)
    given = call.json()
    found.title = str(given.get("title") or found.title)
    found.told |= _told(given)
    if "canvasLayout" in given:
        found.canvas = _canvas(given)
    cloud.tenant.pages.change(site, found, _now(cloud))
    return _shown(cloud, call, site, found)


def _publish(cloud: Cloud, call: Call) -> Reply:
    site, found = _page_of(cloud, call)
    cloud.tenant.pages.publish(site, found, _now(cloud))
    return no_content()


def _delete(cloud: Cloud, call: Call) -> Reply:
    cloud.tenant.pages.delete(*_page_of(cloud, call))
    return no_content()


def _now(cloud: Cloud) -> datetime:
    return cloud.clock.now().replace(microsecond=0)


_PAGES = "/sites/{site}/pages"
_ONE = _PAGES + "/{page}"
_WHOLE = _ONE + "/sitePage"
ROUTES = (
    Route("GET", _PAGES, _list, READ_SITES, filtered=True),
    Route("POST", _PAGES, _create, WRITE_SITES),
    Route("GET", _PAGES + "/sitePage", _list, READ_SITES, filtered=True),
    Route("GET", _ONE, _get, READ_SITES),
    Route("DELETE", _ONE, _delete, WRITE_SITES),
    Route("GET", _WHOLE, _get, READ_SITES),
    Route("PATCH", _WHOLE, _change, WRITE_SITES),
    Route("POST", _WHOLE + "/publish", _publish, WRITE_SITES),
    Route("GET", _WHOLE + "/canvasLayout", _get_canvas, READ_SITES),
    Route("GET", _WHOLE + "/canvasLayout/horizontalSections", _get_sections, READ_SITES),
    Route("GET", _WHOLE + "/canvasLayout/verticalSection", _get_vertical, READ_SITES),
    Route("GET", _WHOLE + "/webParts", _get_web_parts, READ_SITES),
    Route("GET", _WHOLE + "/webParts/{part}", _get_web_part, READ_SITES),
)
