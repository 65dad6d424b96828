"""Answers for SharePoint sites: lists of all, one by id or path, what changed, and the site of a group.

https://learn.microsoft.com/graph/api/site-getallsites, .../site-delta
"""

from typing import Any

from tuiback.simtenant.api.call import Call, Fault, Reply, json_reply
from tuiback.simtenant.api.cloud import Cloud
from tuiback.simtenant.api.directory_lists import narrowed
from tuiback.simtenant.api.drive_lookup import not_found
from tuiback.simtenant.api.odata import collection, context_url, find_token, page, page_size, sealed_token, selected
from tuiback.simtenant.api.permissions import READ_SITES
from tuiback.simtenant.api.router import Route
from tuiback.simtenant.content.company import Person, Site
from tuiback.simtenant.state.clock import stamp

_PAGE, _MOST = 200, 999


def site_of(cloud: Cloud, call: Call) -> Site:
    """The company's site that the URL names. Raises Fault 404."""
    site = cloud.tenant.sites.find(call.where["site"])
    if site is None:
        raise not_found()
    return site


def site_json(site: Person) -> dict[str, Any]:
    """A site, also somebody's personal one."""
    return {
        "id": site.site_id,
        "createdDateTime": stamp(site.created),
        "lastModifiedDateTime": stamp(site.created),
        "name": site.site_path.rpartition("/")[2] or "root",
        "displayName": site.name,
        "webUrl": site.host + site.site_path,
        "isPersonalSite": not isinstance(site, Site),
        "root": {},
        "siteCollection": {"hostname": site.host.partition("://")[2]},
    }


def _list(cloud: Cloud, call: Call) -> Reply:
    """Every site; a search looks at names, and a filter may leave the roots of all regions, of which there is one."""
    wanted = call.query.get("$search", "").strip('*"').casefold()
    found = [each for each in cloud.tenant.sites.all() if wanted in each.name.casefold()]
    condition = call.query.get("$filter", "").strip()
    if condition == "siteCollection/root ne null":
        return _listed(call, [_root_json(each) for each in found if not each.leaf])
    if condition:
        raise Fault(400, "invalidRequest", "The filter is not supported.")
    return _listed(call, [site_json(each) for each in found])


def _root_json(site: Site) -> dict[str, Any]:
    document = site_json(site)
    return document | {"siteCollection": document["siteCollection"] | {"dataLocationCode": "EUR", "root": {}}}


def _list_below(cloud: Cloud, call: Call) -> Reply:
    """The sites inside a site: there are none."""
    site_of(cloud, call)
    return _listed(call, [])


def _list_all(cloud: Cloud, call: Call) -> Reply:
    """Every site, those of people too."""
    people = [each.person for each in cloud.tenant.directory.users() if each.has_drive]
    return _listed(call, [site_json(each) for each in (*cloud.tenant.sites.all(), *people)])


def _listed(call: Call, rows: list[dict[str, Any]]) -> Reply:
    shown, next_link = page(rows, call, page_size(call, _PAGE, _MOST))
    names = selected(call)
    return json_reply(collection("sites", [narrowed(each, names) for each in shown], next_link, call))


def _get(cloud: Cloud, call: Call) -> Reply:
    """By its id, or by host and path."""
    name = call.where["site"] + (f":/{call.where['path']}" if "path" in call.where else "")
    site = cloud.tenant.find_site(name)
    if site is None:
        raise not_found()
    return _shown(site, call)


def _get_of_group(cloud: Cloud, call: Call) -> Reply:
    team = cloud.tenant.teams.find(call.where["group"])
    if team is None:
        raise not_found()
    return _shown(cloud.tenant.sites.of_team(team), call)


def _shown(site: Person, call: Call) -> Reply:
    context = {"@odata.context": context_url(call, "sites/$entity")}
    return json_reply(context | narrowed(site_json(site), selected(call)))


def _delta(cloud: Cloud, call: Call) -> Reply:
    """Every site, and then those that came.

    A token that is no longer known makes the service fail instead of asking for a new walk:
    https://github.com/microsoftgraph/msgraph-sdk-dotnet/issues/2810
    """
    text = call.query.get("token", "")
    sites = [site_json(each) for each in cloud.tenant.sites.all()]
    state = {"age": cloud.delta_generation, "sites": len(sites) if text == "latest" else 0}
    if text and text != "latest":
        state = find_token(cloud.token_key, text) or {}
        if state.get("age") != cloud.delta_generation or "sites" not in state:
            raise Fault(500, "generalException", "General exception while processing")
    size = page_size(call, _PAGE, _MOST)
    shown = sites[state["sites"] : state["sites"] + size]
    following = {"age": cloud.delta_generation, "sites": state["sites"] + len(shown)}
    name = "@odata.nextLink" if following["sites"] < len(sites) else "@odata.deltaLink"
    link = f"{call.root}{call.path}?token={sealed_token(cloud.token_key, following)}"
    return json_reply(collection("sites", shown, None, call) | {name: link})


ROUTES = (
    Route("GET", "/sites", _list, READ_SITES, filtered=True, searched=True),
    Route("GET", "/sites/getAllSites", _list_all, READ_SITES),
    Route("GET", "/sites/delta", _delta, READ_SITES),
    Route("GET", "/sites/{site}", _get, READ_SITES),
    Route("GET", "/sites/{site}/:/{path}", _get, READ_SITES),
    Route("GET", "/sites/{site}/sites", _list_below, READ_SITES),
    Route("GET", "/groups/{group}/sites/root", _get_of_group, READ_SITES),
)
