"""Answers for the apps of Teams: the catalogue, what is installed in teams and chats, and the tabs of channels.

https://learn.microsoft.com/graph/api/resources/teamstab, .../teamsappinstallation
"""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote
from uuid import uuid4

from tuiback.simtenant.api.call import Call, Fault, Reply, json_reply, no_content
from tuiback.simtenant.api.chats import chat_of
from tuiback.simtenant.api.cloud import Cloud
from tuiback.simtenant.api.directory_lists import narrowed
from tuiback.simtenant.api.filters import filter_of
from tuiback.simtenant.api.odata import collection, context_url, selected
from tuiback.simtenant.api.permissions import (
    CREATE_TABS,
    READ_APP_CATALOGUE,
    READ_CHAT_APPS,
    READ_TABS,
    READ_TEAM_APPS,
    READ_USER_APPS,
    WRITE_TABS,
    WRITE_TEAM_APPS,
)
from tuiback.simtenant.api.router import Route
from tuiback.simtenant.api.teams import channel_of, team_of
from tuiback.simtenant.api.user_lookup import account_of
from tuiback.simtenant.state.team_apps import CATALOGUE, FIRST_APPS, UNCONFIGURED, VIEWERS, App, Tab

_BIND = "teamsApp@odata.bind"
_SETTINGS = ("entityId", "contentUrl", "removeUrl", "websiteUrl")


def _app_json(app: App) -> dict[str, Any]:
    return {"id": app.app_id, "externalId": None, "displayName": app.name, "distributionMethod": app.reach}


def _definition_json(cloud: Cloud, app: App) -> dict[str, Any]:
    mark = b64encode(f"1##{app.version}##Published".encode()).decode()
    return {
        "id": mark,
        "teamsAppId": app.app_id,
        "displayName": app.name,
        "version": app.version,
        "publishingState": "published",
        "shortDescription": app.name,
        "description": app.name,
        "lastModifiedDateTime": None,
        "createdBy": {"application": None, "device": None, "user": {"id": cloud.plan.tenant_id, "displayName": None}},
    }


def _listed(call: Call, context: str, rows: Sequence[dict[str, Any]]) -> Reply:
    names = selected(call)
    expanded = _expanded(call)
    shown = [narrowed(each, names | expanded if names is not None else None) for each in rows]
    return json_reply(collection(context, shown, None, call) | {"@odata.count": len(shown)})


def _expanded(call: Call) -> frozenset[str]:
    """What $expand names, without what stands in parentheses behind a name."""
    return frozenset(each.partition("(")[0].strip() for each in call.query.get("$expand", "").split(",")) - {""}


def _catalogue(_cloud: Cloud, call: Call) -> Reply:
    test = filter_of(call, "BadRequest")
    rows = [_app_json(each) for each in CATALOGUE.values()]
    return _listed(call, "appCatalogs/teamsApps", [each for each in rows if test(each)])


def _list_installed(cloud: Cloud, call: Call) -> Reply:
    team = team_of(cloud, call)
    return _installations(cloud, call, "teams", team.group.object_id, team.apps)


def _list_chat_apps(cloud: Cloud, call: Call) -> Reply:
    return _installations(cloud, call, "chats", chat_of(cloud, call).chat_id, FIRST_APPS)


def _list_own_apps(cloud: Cloud, call: Call) -> Reply:
    """What somebody has for themselves."""
    return _installations(cloud, call, "users", account_of(cloud, call).person.object_id, FIRST_APPS)


def _installations(cloud: Cloud, call: Call, kind: str, owner: str, apps: Sequence[str]) -> Reply:
    rows = [_installation_json(cloud, call, owner, CATALOGUE[each]) for each in apps]
    context = f"{kind}('{owner}')/installedApps"
    if "$filter" not in call.query:
        return _listed(call, context, rows)
    test = filter_of(call, "BadRequest")
    known = [{"teamsApp": _app_json(CATALOGUE[each])} for each in apps]
    return _listed(call, context, [row for row, names in zip(rows, known, strict=True) if test(names)])


def _installation_json(cloud: Cloud, call: Call, owner: str, app: App) -> dict[str, Any]:
    document: dict[str, Any] = {"id": _installation_id(owner, app.app_id), "consentedPermissionSet": None}
    expanded = _expanded(call)
    if "teamsApp" in expanded:
        document["teamsApp"] = _app_json(app)
    if "teamsAppDefinition" in expanded:
        document["teamsAppDefinition"] = _definition_json(cloud, app)
    return document


def _installation_id(owner: str, app_id: str) -> str:
    return b64encode(f"{owner}##{app_id}".encode()).decode()


def _get_installed(cloud: Cloud, call: Call) -> Reply:
    team = team_of(cloud, call)
    app = CATALOGUE[_installed(team.group.object_id, team.apps, call)]
    context = {"@odata.context": context_url(call, "teams/installedApps/$entity")}
    return json_reply(context | _installation_json(cloud, call, team.group.object_id, app))


def _installed(owner: str, apps: Sequence[str], call: Call) -> str:
    found = next((each for each in apps if _installation_id(owner, each) == call.where["installation"]), None)
    if found is None:
        raise Fault(404, "NotFound", "The app installation was not found.")
    return found


def _install(cloud: Cloud, call: Call) -> Reply:
    team, app = team_of(cloud, call), _bound(call)
    if app.app_id in team.apps:
        raise Fault(409, "Conflict", "The app is already installed in the team.")
    team.apps.append(app.app_id)
    mark = _installation_id(team.group.object_id, app.app_id)
    return Reply(201, headers={"Location": f"/teams('{team.group.object_id}')/installedApps('{mark}')"})


def _uninstall(cloud: Cloud, call: Call) -> Reply:
    team = team_of(cloud, call)
    team.apps.remove(_installed(team.group.object_id, team.apps, call))
    return no_content()


def _bound(call: Call) -> App:
    """The app that the body is bound to. Raises Fault 400."""
    app_id = str(call.json().get(_BIND, "")).rpartition("teamsApps/")[2].strip("'()")
    if app_id not in CATALOGUE:
        raise Fault(400, "BadRequest", f"The app '{app_id}' was not found in the catalog.")
    return CATALOGUE[app_id]


def _tab_json(cloud: Cloud, call: Call, tab: Tab) -> dict[str, Any]:
    place = f"{quote(call.where['channel'], safe='')}/tab%3a%3a{tab.tab_id}"
    if tab.shows_file:
        tab = _with_file(cloud, call, tab)
    document: dict[str, Any] = {
        "id": tab.tab_id,
        "displayName": tab.name,
        "webUrl": f"https://teams.microsoft.com/l/channel/{place}?label={quote(tab.name)}",
        "configuration": dict(tab.configuration) if tab.configuration is not None else None,
    }
    return document | ({"teamsApp": _app_json(CATALOGUE[tab.app_id])} if "teamsApp" in _expanded(call) else {})


def _with_file(cloud: Cloud, call: Call, tab: Tab) -> Tab:
    """A tab that shows a file names it by its unique id and its address; the app is the viewer of its kind."""
    site = cloud.tenant.sites.of_channel(team_of(cloud, call), channel_of(cloud, call))
    files = [each for each in cloud.tenant.first_files.of(site) if each[1][-1].rpartition(".")[2] in VIEWERS]
    if not files:
        return replace(tab, shows_file=False)
    serial, path = files[0]
    url = f"{site.host}{site.site_path}/{quote(site.library)}/{'/'.join(path)}"
    guid = str(cloud.tenant.ids.node_guid(site.index, serial)).upper()
    configuration = {"entityId": guid, "contentUrl": url, "removeUrl": None, "websiteUrl": None}
    app_id = VIEWERS[path[-1].rpartition(".")[2]]
    return Tab(tab.tab_id, tab.name, app_id, configuration)


def _list_tabs(cloud: Cloud, call: Call) -> Reply:
    test = filter_of(call, "BadRequest")
    channel = channel_of(cloud, call)
    found = [_with_file(cloud, call, each) if each.shows_file else each for each in channel.tabs]
    tabs = [each for each in found if test({"teamsApp": {"id": each.app_id}, "displayName": each.name})]
    context = f"teams('{call.where['team']}')/channels('{channel.thread_id}')/tabs"
    return _listed(call, context, [_tab_json(cloud, call, each) for each in tabs])


def _tab_of(cloud: Cloud, call: Call) -> Tab:
    tab = next((each for each in channel_of(cloud, call).tabs if each.tab_id == call.where["tab"]), None)
    if tab is None:
        raise Fault(404, "NotFound", "The tab was not found.")
    return tab


def _get_tab(cloud: Cloud, call: Call) -> Reply:
    return _shown_tab(cloud, call, _tab_of(cloud, call))


def _shown_tab(cloud: Cloud, call: Call, tab: Tab, status: int = 200) -> Reply:
    context = {"@odata.context": context_url(call, "tabs/$entity")}
    return json_reply(context | _tab_json(cloud, call, tab), status)


def _create_tab(cloud: Cloud, call: Call) -> Reply:
    """An app shows only where it is installed; some can't be set up from outside."""
    channel, app, given = channel_of(cloud, call), _bound(call), call.json()
    if app.app_id not in team_of(cloud, call).apps:
        raise Fault(403, "Forbidden", "The app must be installed in the team before a tab can be added.")
    if not given.get("displayName"):
        raise Fault(400, "BadRequest", "A displayName is required.")
    tab = Tab(str(uuid4()), str(given["displayName"]), app.app_id, _configuration(app, given.get("configuration")))
    channel.tabs.append(tab)
    return _shown_tab(cloud, call, tab, 201)


def _configuration(app: App, given: object) -> dict[str, str | None] | None:
    if given is None:
        return None
    if app.app_id in UNCONFIGURED or not isinstance(given, dict):
        raise Fault(400, "BadRequest", f"Configuration is not supported for the app '{app.app_id}'.")
    return {name: given.get(name) for name in _SETTINGS}


def _change_tab(cloud: Cloud, call: Call) -> Reply:
    tab, given = _tab_of(cloud, call), call.json()
    tab.name = str(given.get("displayName") or tab.name)
    if "configuration" in given:
        tab.shows_file = False
        tab.configuration = _configuration(CATALOGUE[tab.app_id], given["configuration"])
    return _shown_tab(cloud, call, tab)


def _delete_tab(cloud: Cloud, call: Call) -> Reply:
    channel_of(cloud, call).tabs.remove(_tab_of(cloud, call))
    return no_content()


_APPS = "/teams/{team}/installedApps"
_TABS = "/teams/{team}/channels/{channel}/tabs"
ROUTES = (
    Route("GET", "/appCatalogs/teamsApps", _catalogue, READ_APP_CATALOGUE, filtered=True),
    Route("GET", _APPS, _list_installed, READ_TEAM_APPS, filtered=True),
    Route("POST", _APPS, _install, WRITE_TEAM_APPS),
    Route("GET", _APPS + "/{installation}", _get_installed, READ_TEAM_APPS),
    Route("DELETE", _APPS + "/{installation}", _uninstall, WRITE_TEAM_APPS),
    Route("GET", "/users/{user}/teamwork/installedApps", _list_own_apps, READ_USER_APPS, filtered=True),
    Route("GET", "/chats/{chat}/installedApps", _list_chat_apps, READ_CHAT_APPS, filtered=True),
    Route("GET", _TABS, _list_tabs, READ_TABS, filtered=True),
    Route("POST", _TABS, _create_tab, CREATE_TABS),
    Route("GET", _TABS + "/{tab}", _get_tab, READ_TABS),
    Route("PATCH", _TABS + "/{tab}", _change_tab, WRITE_TABS),
    Route("DELETE", _TABS + "/{tab}", _delete_tab, WRITE_TABS),
)
