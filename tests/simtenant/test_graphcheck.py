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
    # $expand may cast, https://learn.microsoft.com/graph/api/attachment-get; the checker knows the base type only.
    re.compile(r"\$expand=microsoft\.graph\.itemAttachment/item: not on microsoft\.graph\.attachment "),
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
    weekly = {"pattern": {"type": "weekly", "interval": 1, "daysOfWeek": ["monday"]},
              "range": {"type": "noEnd", "startDate": "2026-01-05"}}  # fmt: skip
    when = {name: {"dateTime": f"2026-01-05T{hour}:00:00", "timeZone": "UTC"} for name, hour in (
        ("start", "09"), ("end", "10"))}  # fmt: skip
    made = caller.post(f"{user}/events", {"subject": "x", "recurrence": weekly, "isReminderOn": False, **when})["id"]
    file = {"@odata.type": "#microsoft.graph.fileAttachment", "name": "x", "contentBytes": "aGk="}
    caller.post(f"{user}/events/{made}/attachments", file)
    caller.get(f"{user}/events/{made}/attachments")


def exercise_contacts(caller: Caller) -> None:
    """Call everything once about contacts."""
    user = f"/users/{caller.users()[0]}"
    _, folders_link = caller.walk(f"{user}/contactFolders/delta")
    _, link = caller.walk(f"{user}/contacts/delta?$select=displayName", headers=IMMUTABLE)
    folder = caller.post(f"{user}/contactFolders", {"displayName": "Checked"})["id"]
    child = caller.post(f"{user}/contactFolders/{folder}/childFolders", {"displayName": "Below"})["id"]
    caller.get(f"{user}/contactFolders/{folder}/childFolders/{child}")
    caller.walk(f"{user}/contactFolders/{folder}/childFolders/delta")
    for each in caller.walk(f"{user}/contacts?$count=true&$orderby=displayName")[0]:
        caller.send("GET", f"{user}/contacts/{each['id']}/photo")
    made = caller.post(f"{user}/contacts", {"givenName": "New", "homeAddress": {"city": "Kiel"}})["id"]
    caller.send("PATCH", f"{user}/contacts/{made}", json={"birthday": "1990-01-01T11:59:00Z"})
    caller.walk(link, headers=IMMUTABLE)
    caller.send("DELETE", f"{user}/contactFolders/{folder}")
    caller.walk(folders_link)


def exercise_tasks(caller: Caller) -> None:
    """Call everything once about tasks."""
    user = f"/users/{caller.users()[1]}"
    caller.walk(f"{user}/todo/lists/delta")
    for each in caller.walk(f"{user}/todo/lists?$filter=displayName ne 'x'")[0]:
        tasks = f"{user}/todo/lists/{each['id']}/tasks"
        caller.walk(f"{tasks}?$expand=checklistItems,linkedResources,attachments")
        for task in caller.walk(f"{tasks}/delta")[0]:
            for name in ("checklistItems", "linkedResources", "attachments"):
                for part in caller.walk(f"{tasks}/{task['id']}/{name}")[0]:
                    caller.get(f"{tasks}/{task['id']}/{name}/{part['id']}")
    tasks = f"{user}/todo/lists/{caller.post(f'{user}/todo/lists', {'displayName': 'Checked'})['id']}/tasks"
    made = f"{tasks}/{caller.post(tasks, {'title': 'x', 'status': 'completed'})['id']}"
    caller.post(f"{made}/checklistItems", {"displayName": "step", "isChecked": True})
    caller.post(f"{made}/linkedResources", {"webUrl": "https://x.example", "applicationName": "x"})
    file = {"@odata.type": "#microsoft.graph.taskFileAttachment", "name": "x", "contentBytes": "aGk="}
    caller.post(f"{made}/attachments", file)
    info = {"attachmentInfo": {"attachmentType": "file", "name": "x", "size": 9}}
    caller.post(f"{made}/attachments/createUploadSession", info)


def exercise_outlook(caller: Caller) -> None:
    """Call everything once about how a mailbox is set up, about sending, and about what is attached."""
    ids = caller.users()[:2]
    user, address = f"/users/{ids[0]}", {"emailAddress": {"address": caller.get(f"/users/{ids[1]}")["mail"]}}
    caller.send("PATCH", f"{user}/mailboxSettings", json={"timeFormat": "hh:mm", "workingHours": {}})
    for path in ("mailFolders/inbox/messageRules", "outlook/masterCategories"):
        for each in caller.get(f"{user}/{path}")["value"]:
            caller.get(f"{user}/{path}/{each['id']}")
    rule = {"displayName": "x", "sequence": 9, "conditions": {"senderContains": ["x"]}, "actions": {"markAsRead": True}}
    caller.post(f"{user}/mailFolders/inbox/messageRules", rule)
    caller.post(f"{user}/outlook/masterCategories", {"displayName": "Checked", "color": "preset3"})
    caller.send("POST", f"{user}/sendMail", json={"message": {"subject": "x", "toRecipients": [address]}})
    caller.get(f"{user}/messages?$search=\"x\"&$top=5")
    message = f"{user}/messages/{caller.get(f'{user}/mailFolders/sentitems/messages?$top=1')['value'][0]['id']}"
    for name in ("createReply", "createReplyAll", "createForward"):
        caller.post(f"{message}/{name}", {"comment": "x"})
    for name in ("reply", "replyAll", "forward"):
        caller.send("POST", f"{message}/{name}", json={"toRecipients": [address]} if name == "forward" else {})
    url = f"{user}/mailFolders/inbox/messages/delta"
    caller.walk(f"{url}?changeType=created&$orderby=receivedDateTime desc&$select=subject")
    event = {"@odata.type": "#microsoft.graph.event", "subject": "x"}
    contact = {"@odata.type": "#microsoft.graph.contact", "displayName": "x"}
    for item in (event, contact, {"subject": "x"}):
        given = {"@odata.type": "#microsoft.graph.itemAttachment", "name": "x", "item": item}
        made = caller.post(f"{message}/attachments", given)["id"]
        caller.get(f"{message}/attachments/{made}?$expand=microsoft.graph.itemAttachment/item")
    file = {"@odata.type": "#microsoft.graph.referenceAttachment", "name": "x", "sourceUrl": "https://x.example"}
    caller.post(f"{message}/attachments", file)
    caller.get(f"{message}/attachments")
    search = {"@odata.type": "microsoft.graph.mailSearchFolder", "displayName": "Found", "includeNestedFolders": True,
              "sourceFolderIds": ["inbox"], "filterQuery": "contains(subject, 'x')"}  # fmt: skip
    search_id = caller.post(f"{user}/mailFolders/msgfolderroot/childFolders", search)["id"]
    caller.get(f"{user}/mailFolders/{search_id}/messages?$top=3")
    caller.walk(f"{user}/mailFolders?$select=displayName,totalItemCount")


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
    exercise_contacts(caller)
    exercise_tasks(caller)
    exercise_outlook(caller)
    capture = tmp_path / "capture.jsonl"
    capture.write_text("".join(json.dumps(each) + "\n" for each in caller.exchanges))
    checked = subprocess.run([sys.executable, CHECKER, capture, "--quiet"], capture_output=True, text=True, check=False)
    assert [each for each in complaints(checked.stdout) if not any(known.search(each) for known in DOCUMENTED)] == []
    assert len(caller.exchanges) > 40
