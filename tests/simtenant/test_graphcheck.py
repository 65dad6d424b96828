"""Exchanges with the tenant agree with Microsoft's own entity model and URL templates."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.simtenant.caller import IMMUTABLE, Caller

CHECKER = Path(__file__).resolve().parents[3] / "shared" / "tools" / "graphcheck.py"


# What Microsoft documents though its model or templates, as the checker reads them, say otherwise.
DOCUMENTED = (
    # The model binds delta to users too, https://learn.microsoft.com/graph/api/user-delta; the checker takes the first.
    re.compile(r"\$select=\w+: not a property of microsoft\.graph\.directoryObject .*/users/delta\?"),
    # A cast list counts, https://learn.microsoft.com/graph/api/group-list-members; the checker takes it for one member.
    re.compile(r"query option \$count is not offered here .*/(transitiveM|m)embers/microsoft\.graph\.user\?"),
)


def complaints(output: str) -> list[str]:
    """What the checker complains of: each complaint with its example on one line."""
    *lines, summary = output.splitlines()
    assert "exchanges clean" in summary
    return [f"{complaint} {example}" for complaint, example in zip(lines[::2], lines[1::2], strict=True)]


def exercise(caller: Caller) -> None:
    """Call everything once that gives or takes JSON."""
    user = caller.users()[0]
    caller.get("/organization")
    caller.get(f"/users/{user}/mailboxSettings")
    caller.walk(f"/users/{user}/mailFolders?includeHiddenFolders=true")
    caller.walk(f"/users/{user}/mailFolders/delta")
    folder = caller.post(f"/users/{user}/mailFolders", {"displayName": "Checked"})["id"]
    link = caller.walk(f"/users/{user}/mailFolders/{folder}/messages/delta?$select=subject", headers=IMMUTABLE)[1]
    for each in list(caller.messages(user))[::5]:
        caller.get(f"/users/{user}/messages/{each['id']}?$expand=attachments")
    made = caller.post(f"/users/{user}/mailFolders/{folder}/messages", {"subject": "x"}, headers=IMMUTABLE)["id"]
    caller.post(f"/users/{user}/messages/{made}/attachments/createUploadSession",
                {"AttachmentItem": {"attachmentType": "file", "name": "x", "size": 9}})  # fmt: skip
    caller.post(f"/users/{user}/messages/{made}/move", {"destinationId": "archive"})
    caller.walk(link, headers=IMMUTABLE)
    drive = "/drives/" + caller.get(f"/users/{user}/drive")["id"]
    items, link = caller.walk(drive + "/root/delta?$top=9")
    file = next(each["id"] for each in items if "file" in each)
    caller.get(f"{drive}/items/{file}")
    caller.walk(f"{drive}/items/{items[0]['id']}/children")
    caller.post(f"{drive}/items/{items[0]['id']}/children", {"name": "New", "folder": {}})
    caller.post(f"{drive}/items/{items[0]['id']}:/a.bin:/createUploadSession", {"item": {}})
    caller.send("PUT", f"{drive}/items/{file}/content", content=b"x")
    caller.send("DELETE", f"{drive}/items/{file}")
    caller.walk(link)
    for path in (f"{drive}/items/{file}", "/users/nobody", f"/users/{user}/mailFolders/x"):
        assert caller.send("GET", path).status_code >= 400


def exercise_directory(caller: Caller) -> None:
    """Call everything once that tells of people, groups and the organization."""
    eventual = {"ConsistencyLevel": "eventual"}
    caller.control("/people", {"furnish": True})
    user, other = caller.users()[:2]
    _, link = caller.walk("/users/delta?$select=displayName,mail,assignedPlans")
    _, groups_link = caller.walk("/groups/delta")
    caller.control("/people", {"leave": other})
    caller.control("/people", {"rename": user, "family": "Checked"})
    caller.walk(link)
    caller.walk(groups_link)
    caller.walk("/groups?$select=id,displayName,groupTypes")
    group = caller.get("/groups?$top=1&$count=true&$filter=displayName eq 'All staff'", headers=eventual)["value"][0]
    for name in ("members", "transitiveMembers"):
        caller.walk(f"/groups/{group['id']}/{name}")
        caller.walk(f"/groups/{group['id']}/{name}/microsoft.graph.user?$count=true", headers=eventual)
    selected = "id,userPrincipalName,displayName,mail,userType,accountEnabled,assignedPlans,assignedLicenses"
    for path in (
        f"/groups/{group['id']}", "/directory/deletedItems/microsoft.graph.user", f"/directory/deletedItems/{other}",
        f"/users/{user}/memberOf", "/places/microsoft.graph.room", "/places/microsoft.graph.roomList",
        "/subscribedSkus", "/admin/reportSettings", "/organization?$select=id,displayName",
        f"/users/{user}/mailboxSettings?$select=userPurpose",
        f"/users?$select={selected},onPremisesSyncEnabled,createdDateTime,proxyAddresses,deletedDateTime",
    ):  # fmt: skip
        caller.get(path)
    rooms = caller.get("/places/microsoft.graph.roomList")["value"][0]["id"]
    caller.walk(f"/places/{rooms}/microsoft.graph.roomList/rooms")
    caller.send("GET", "/reports/getMailboxUsageDetail(period='D7')")


def exercise_sharing(caller: Caller) -> None:
    """Call everything once about versions and permissions of files."""
    user, other = caller.users()[:2]
    drive = "/drives/" + caller.get(f"/users/{user}/drive")["id"]
    prefer = {"Prefer": "deltashowremovedasdeleted,deltatraversepermissiongaps,deltashowsharingchanges"}
    items, link = caller.walk(drive + "/root/delta", headers=prefer)
    for each in items:
        caller.walk(f"{drive}/items/{each['id']}/permissions")
        if "file" in each:
            caller.walk(f"{drive}/items/{each['id']}/versions")
            caller.get(f"{drive}/items/{each['id']}/versions/1.0")
    item = f"{drive}/items/{items[-1]['id']}"
    caller.post(f"{item}/invite", {"roles": ["read"], "recipients": [{"objectId": other}]})
    caller.post(f"{item}/createLink", {"type": "edit", "scope": "users", "recipients": [{"objectId": other}]})
    caller.walk(link, headers=prefer)
    caller.control("/fault", {"id": "malware"})
    caller.send("GET", f"{item}/content")
    caller.get(item)


def exercise_mailboxes(caller: Caller) -> None:
    """Call everything once about mailboxes as import and export see them."""
    user = caller.users()[0]
    mailbox = f"/admin/exchange/mailboxes/{caller.get(f'/users/{user}/settings/exchange')['primaryMailboxId']}"
    for each in caller.walk(f"{mailbox}/folders?$select=displayName,type,totalItemCount")[0]:
        caller.get(f"{mailbox}/folders/{each['id']}")
        caller.walk(f"{mailbox}/folders/{each['id']}/childFolders")
    caller.walk(f"{mailbox}/folders/delta")
    expand = "$expand=singleValueExtendedProperties($filter=id eq 'String 0x0037')"
    items = caller.walk(f"{mailbox}/folders/inbox/items?{expand}&$count=true")[0]
    caller.walk(f"{mailbox}/folders/inbox/items/delta?$select=size,type")
    caller.post(f"{mailbox}/exportItems", {"ItemIds": [items[0]["id"], "nonsense"]})
    caller.post(f"{mailbox}/createImportSession", None)
    ids = {"InputIds": [each["id"] for each in caller.messages(user)][:2]}
    kinds = {"SourceIdType": "restImmutableEntryId", "TargetIdType": "restId"}
    caller.post(f"/users/{user}/translateExchangeIds", ids | kinds)


def exercise_teams(caller: Caller) -> None:
    """Call everything once about teams, channels and posts."""
    team = f"/teams/{caller.walk('/teams?$select=id,displayName')[0][0]['id']}"
    for path in ("", "/primaryChannel", "/channels", "/allChannels", "/members"):
        caller.get(team + path)
    channel = f"{team}/channels/{caller.get(f'{team}/primaryChannel')['id']}"
    posts = caller.walk(f"{channel}/messages?$top=50&$expand=replies")[0]
    caller.walk(f"{channel}/messages/delta?$top=50")
    caller.get(f"{channel}/messages/{posts[-1]['id']}")
    caller.get(f"{channel}/messages/{posts[-1]['id']}/replies?$top=5")
    caller.get(f"{team}/channels/getAllMessages?$top=100")
    caller.get(f"{channel}/members")
    caller.get(f"{channel}/filesFolder")
    caller.send("POST", f"{channel}/startMigration", json={})


def exercise_sites(caller: Caller) -> None:
    """Call everything once about sites, libraries and lists."""
    caller.get("/sites/getAllSites?$select=id,webUrl,isPersonalSite,siteCollection")
    caller.walk("/sites/delta")
    found = caller.walk("/sites")[0][0]
    site = f"/sites/{found['id']}"
    for path in ("", "/drive", "/drives", "/lists", "/lists?$expand=columns"):
        caller.get(site + path)
    caller.get("/sites/" + found["webUrl"].partition("://")[2].replace("/", ":/", 1))
    caller.get(f"{site}/lists/Projects/columns")
    caller.get(f"{site}/lists/Tasks/items?$top=5&$expand=fields")
    caller.get(f"{site}/lists/Tasks/items/1")
    caller.walk(f"{site}/lists/Projects/items/delta")


def exercise_calendars(caller: Caller) -> None:
    """Call everything once about calendars and events."""
    user = f"/users/{caller.users()[1]}"
    span = "startDateTime=2024-01-01T00:00:00Z&endDateTime=2027-01-01T00:00:00Z"
    for each in caller.walk(f"{user}/calendars")[0]:
        caller.get(f"{user}/calendars/{each['id']}")
    events = caller.walk(f"{user}/events?$top=50")[0]
    caller.get(f"{user}/events/{events[0]['id']}?$expand=exceptionOccurrences&$select=subject,cancelledOccurrences")
    caller.walk(f"{user}/events/{events[0]['id']}/instances?{span}")
    caller.walk(f"{user}/calendarView?{span}", headers={"Prefer": "odata.maxpagesize=50"})
    _, link = caller.walk(f"{user}/calendarView/delta?{span}", headers={"Prefer": "odata.maxpagesize=50"})
    caller.send("DELETE", f"{user}/events/{events[1]['id']}")
    caller.walk(link)


def test_structure_is_microsofts(caller: Caller, tmp_path: Path) -> None:
    """Paths, query options, property names, types and envelopes pass the checker without a complaint."""
    if not CHECKER.exists():
        pytest.skip(f"needs {CHECKER.parent.name}/{CHECKER.name} beside the project")
    exercise(caller)
    exercise_directory(caller)
    exercise_sharing(caller)
    exercise_mailboxes(caller)
    exercise_teams(caller)
    exercise_sites(caller)
    exercise_calendars(caller)
    capture = tmp_path / "capture.jsonl"
    capture.write_text("".join(json.dumps(each) + "\n" for each in caller.exchanges))
    checked = subprocess.run([sys.executable, CHECKER, capture, "--quiet"], capture_output=True, text=True, check=False)
    assert [each for each in complaints(checked.stdout) if not any(known.search(each) for known in DOCUMENTED)] == []
    assert len(caller.exchanges) > 40
