"""What people share, in teams, chats and sites, agrees with Microsoft's own entity model and URL templates too."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.simtenant.caller import Caller
from tests.simtenant.test_graphcheck import CHECKER, complaints

# What Microsoft documents though its model or templates, as the checker reads them, say otherwise.
DOCUMENTED = (
    # Any JSON, https://learn.microsoft.com/graph/api/resources/webpartdata; the model has a type without properties.
    re.compile(r"not a property of microsoft\.graph\.Json"),
    # The id of every entity, https://learn.microsoft.com/graph/api/resources/termstore-store: the base type lies in
    # another namespace of the model, into which the checker does not follow.
    re.compile(r"\.id: not a property of microsoft\.graph\.termStore\."),
)


def exercise_posts(caller: Caller) -> None:
    """Call everything once that is about teams, posts, tabs and apps."""
    team = f"/teams/{caller.walk('/teams?$select=id')[0][1]['id']}"
    for path in (
        "", "/members", "/allChannels", "/incomingChannels", "/installedApps?$expand=teamsApp,teamsAppDefinition",
        "?$select=id,summary,isArchived",
    ):  # fmt: skip
        caller.get(team + path)
    member = caller.walk(f"{team}/members")[0][0]
    caller.get(f"/users/{member['userId']}/joinedTeams")
    caller.get(f"{team}/members/{member['id']}")
    caller.get("/appCatalogs/teamsApps")
    for channel in caller.walk(f"{team}/channels")[0]:
        one = f"{team}/channels/{channel['id']}"
        for path in ("/tabs?$expand=teamsApp", "/allMembers", "/members", "?$select=id,summary,layoutType"):
            caller.get(one + path)
        caller.walk(f"{one}/messages?$top=50&$expand=replies")
    posts = caller.walk(f"{team}/channels/getAllMessages?$top=250&model=A")[0]
    caller.get(f"{team}/channels/getAllRetainedMessages?$top=5")
    post = next(each for each in posts if "<img" in each["body"]["content"] and each["replyToId"] is None)
    place = post["channelIdentity"]
    hosted = f"/teams/{place['teamId']}/channels/{place['channelId']}/messages/{post['id']}/hostedContents"
    caller.get(f"{hosted}/{caller.get(hosted)['value'][0]['id']}")
    shared = caller.walk(f"{team}/channels?$filter=membershipType eq 'shared'",
                         headers={"Prefer": "include-unknown-enum-members"})[0][0]  # fmt: skip
    caller.get(f"{team}/channels/{shared['id']}/sharedWithTeams")
    caller.send("PATCH", team, json={"funSettings": {"allowGiphy": False}})
    made = caller.post(f"{team}/channels", {"displayName": "Checked"})["id"]
    tab = {"displayName": "x", "configuration": {"entityId": "1"},
           "teamsApp@odata.bind": "appCatalogs/teamsApps/com.microsoft.teamspace.tab.web"}  # fmt: skip
    caller.post(f"{team}/channels/{made}/tabs", tab)
    caller.send("DELETE", team.replace("/teams", "/groups"))
    for deleted in caller.walk("/teamwork/deletedTeams")[0]:
        caller.get(f"/teamwork/deletedTeams/{deleted['id']}/channels")
        caller.get(f"/teamwork/deletedTeams/{deleted['id']}/channels/getAllMessages?$top=20&model=A")


def exercise_chats(caller: Caller) -> None:
    """Call everything once that is about chats."""
    user = caller.users()[0]
    for chat in caller.walk(f"/users/{user}/chats?$expand=members,lastMessagePreview")[0]:
        caller.get(f"/chats/{chat['id']}")
        caller.get(f"/chats/{chat['id']}/members")
        caller.walk(f"/chats/{chat['id']}/messages?$orderby=createdDateTime desc")
        caller.walk(f"/chats/{chat['id']}/messages/delta")
        caller.get(f"/chats/{chat['id']}/installedApps?$expand=teamsApp")
    caller.walk(f"/users/{user}/chats/getAllMessages?$top=100&model=B")
    caller.walk(f"/users/{user}/chats/getAllMessages/delta")


def exercise_lists(caller: Caller) -> None:
    """Call everything once that is about lists, libraries and pages."""
    site = f"/sites/{caller.walk('/sites?$select=id')[0][-1]['id']}"
    for held in caller.walk(f"{site}/lists?$expand=columns,contentTypes,items(expand=fields)")[0]:
        one = f"{site}/lists/{held['id']}"
        for path in ("", "/columns", "/contentTypes", "/items?$expand=fields&$top=20", "/items/delta?$expand=fields"):
            caller.get(one + path)
        for kind in held["contentTypes"]:
            caller.get(f"{one}/contentTypes/{kind['id']}/columns")
            caller.get(f"{one}/contentTypes/{kind['id']}/columnLinks")
        item = f"{one}/items/{held['items'][0]['id']}"
        for path in ("", "/fields", "/versions?$expand=fields", "/versions/1.0/fields"):
            caller.send("GET", item + path)
    drive = caller.walk(f"{site}/drives")[0][-1]["id"]
    file = caller.walk(f"/drives/{drive}/root/children")[0][0]["id"]
    caller.get(f"/drives/{drive}/items/{file}/listItem")
    for each in caller.walk(f"{site}/pages?$select=id")[0]:
        one = f"{site}/pages/{each['id']}/microsoft.graph.sitePage"
        caller.get(f"{one}?$expand=canvasLayout")
        caller.get(f"{one}/webParts")
        caller.get(f"{one}/canvasLayout/horizontalSections")
    page: dict[str, Any] = {"@odata.type": "#microsoft.graph.sitePage", "title": "Checked"}
    made = caller.post(f"{site}/pages", page)["id"]
    caller.send("POST", f"{site}/pages/{made}/microsoft.graph.sitePage/publish")
    for path in ("/sites/root", f"{site}/sites", f"{site}/columns", f"{site}/contentTypes"):
        caller.get(path)
    caller.get("/sites?$filter=siteCollection/root ne null&$select=webUrl,siteCollection")


def exercise_views(caller: Caller) -> None:
    """Call everything once that leads to files or mail by another way."""
    user = caller.users()[0]
    for path in ("recent", "sharedWithMe", "special/documents", "special/documents/children"):
        caller.get(f"/users/{user}/drive/{path}")
    drive = f"/drives/{caller.get(f'/users/{user}/drive')['id']}"
    picture = caller.send("PUT", f"{drive}/root:/p.png:/content", content=b"x").json()["id"]
    caller.get(f"{drive}/items/{picture}/thumbnails")
    group = f"/groups/{caller.walk('/teams?$select=id')[0][0]['id']}"
    for conversation in caller.walk(f"{group}/conversations?$select=topic,preview")[0]:
        caller.get(f"{group}/conversations/{conversation['id']}/threads")
    for thread in caller.walk(f"{group}/threads")[0]:
        for post in caller.walk(f"{group}/threads/{thread['id']}/posts?$expand=attachments")[0]:
            caller.get(f"{group}/threads/{thread['id']}/posts/{post['id']}")
            caller.get(f"{group}/threads/{thread['id']}/posts/{post['id']}/attachments")

def exercise_settings(caller: Caller) -> None:
    """Call everything once that is about words, rights, schedules, tags and calendars."""
    person = caller.users()[1]
    site = f"/sites/{caller.walk('/sites?$select=id')[0][-1]['id']}"
    application = {"application": {"id": caller.endpoints.client_id, "displayName": "tuiback"}}
    granted = caller.post(f"{site}/permissions", {"roles": ["write"], "grantedToIdentities": [application]})
    caller.get(f"{site}/permissions/{granted['id']}")
    caller.get(f"{site}/termStore")
    for group in caller.walk(f"{site}/termStore/groups")[0]:
        for held in caller.walk(f"{site}/termStore/groups/{group['id']}/sets")[0]:
            one = f"{site}/termStore/sets/{held['id']}"
            term = caller.walk(f"{one}/terms")[0][0]["id"]
            for path in ("", "/children", f"/terms/{term}", f"/terms/{term}/children"):
                caller.get(one + path)
    acting: dict[str, Any] = {"headers": {"MS-APP-ACTS-AS": person}}
    team = f"/teams/{caller.walk('/teams?$select=id')[0][0]['id']}"
    for path in ("", "/shifts", "/schedulingGroups", "/timesOff", "/timeOffReasons"):
        caller.get(f"{team}/schedule{path}", **acting)
    tag = caller.walk(f"{team}/tags")[0][0]["id"]
    caller.get(f"{team}/tags/{tag}/members")
    caller.get(f"/users/{person}/teamwork/associatedTeams")
    caller.get(f"/users/{person}/teamwork/installedApps?$expand=teamsApp")
    for group in caller.walk(f"/users/{person}/calendarGroups")[0]:
        caller.get(f"/users/{person}/calendarGroups/{group['id']}/calendars")
    caller.post(f"/users/{person}/calendars", {"name": "Second"})
    for path in ("owners", "members"):
        caller.get(f"/groups/{team.rpartition('/')[2]}/{path}")
    for path in ("manager", "directReports", "licenseDetails", "transitiveMemberOf"):
        caller.send("GET", f"/users/{person}/{path}")
    caller.get("/servicePrincipals?$expand=appRoleAssignments")
    search = {"entityTypes": ["driveItem"], "query": {"queryString": "plan"}, "region": "EUR"}
    caller.post("/search/query", {"requests": [search]})



def test_structure_is_microsofts(caller: Caller, tmp_path: Path) -> None:
    """Paths, query options, property names, types and envelopes pass the checker without a complaint."""
    if not CHECKER.exists():
        pytest.skip(f"needs {CHECKER.parent.name}/{CHECKER.name} beside the project")
    for exercise in (exercise_posts, exercise_chats, exercise_lists, exercise_settings, exercise_views):
        exercise(caller)
    capture = tmp_path / "capture.jsonl"
    capture.write_text("".join(json.dumps(each) + "\n" for each in caller.exchanges))
    checked = subprocess.run([sys.executable, CHECKER, capture, "--quiet"], capture_output=True, text=True, check=False)
    assert [each for each in complaints(checked.stdout) if not any(known.search(each) for known in DOCUMENTED)] == []
    assert len(caller.exchanges) > 100
