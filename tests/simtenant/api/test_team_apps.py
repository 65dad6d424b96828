"""Tabs of channels, and the apps behind them."""

from urllib.parse import quote

import pytest

from tests.simtenant.caller import Caller


@pytest.fixture
def team(caller: Caller) -> str:
    """The path of the first team."""
    return f"/teams/{caller.walk('/teams?$select=id')[0][0]['id']}"


def test_tabs_show_apps(caller: Caller, team: str) -> None:
    """Some tell how they are set up; one can be looked for by its app, renamed and deleted."""
    tabs = f"{team}/channels/{caller.get(f'{team}/primaryChannel')['id']}/tabs"
    found = caller.walk(f"{tabs}?$expand=teamsApp")[0]
    assert [each["configuration"] is None for each in found] == [True, False, False, False]
    drive = caller.get(f"{team.replace('/teams', '/groups')}/drive")["id"]
    files = {each["webUrl"]: each["eTag"] for each in caller.walk(f"/drives/{drive}/root/delta")[0]}
    shown = found[-1]["configuration"]
    assert files[quote(shown["contentUrl"], safe=":/%")].startswith(f'"{{{shown["entityId"]}')
    assert all("teamsApp" not in each for each in caller.walk(tabs)[0])
    website = caller.walk(f"{tabs}?$filter=teamsApp/id eq 'com.microsoft.teamspace.tab.web'")[0]
    assert [each["displayName"] for each in website] == ["Intranet"]
    one = f"{tabs}/{website[0]['id']}"
    assert caller.send("PATCH", one, json={"displayName": "Web"}).json()["displayName"] == "Web"
    assert caller.get(f"{one}?$expand=teamsApp")["teamsApp"]["distributionMethod"] == "store"
    assert caller.send("DELETE", one).status_code == 204
    assert caller.send("GET", one).status_code == 404


def test_an_app_is_installed_before_its_tab_is_made(caller: Caller, team: str) -> None:
    """403 before, 201 after; some apps can't be set up from outside."""
    tabs = f"{team}/channels/{caller.get(f'{team}/primaryChannel')['id']}/tabs"
    installed = {each["teamsApp"]["id"] for each in caller.walk(f"{team}/installedApps?$expand=teamsApp")[0]}
    catalogue = {each["id"] for each in caller.walk("/appCatalogs/teamsApps")[0]}
    missing = "0d820ecd-def2-4297-adad-78056cde7c78"
    assert missing in catalogue - installed
    bound = {"teamsApp@odata.bind": f"https://graph.microsoft.com/v1.0/appCatalogs/teamsApps/{missing}"}
    assert caller.send("POST", tabs, json=bound | {"displayName": "New"}).status_code == 403
    made = caller.send("POST", f"{team}/installedApps", json=bound)
    assert made.status_code == 201
    assert caller.send("POST", f"{team}/installedApps", json=bound).status_code == 409
    setting = {"displayName": "New", "configuration": {"entityId": "1", "contentUrl": "https://x.example/"}}
    assert caller.post(tabs, bound | setting)["configuration"]["contentUrl"] == "https://x.example/"
    wiki = {"teamsApp@odata.bind": "appCatalogs/teamsApps/com.microsoft.teamspace.tab.wiki"}
    assert caller.send("POST", tabs, json=wiki | setting).status_code == 400
    assert caller.get(f"{made.headers['location']}?$expand=teamsAppDefinition")["teamsAppDefinition"]["version"]
    assert caller.send("DELETE", made.headers["location"]).status_code == 204
    assert caller.send("POST", f"{team}/installedApps", json={"teamsApp@odata.bind": "x"}).status_code == 400
