"""Tasks: lists that everybody has and others, tasks with steps, links and files, and what changed."""

from base64 import b64encode

import pytest

from tests.simtenant.caller import Caller, code_of


@pytest.fixture
def tasks(caller: Caller, user: str) -> str:
    """The path of the tasks of a new list."""
    made = caller.post(f"/users/{user}/todo/lists", {"displayName": "Errands"})
    assert (made["isOwner"], made["wellknownListName"]) == (True, "none")
    return f"/users/{user}/todo/lists/{made['id']}/tasks"


def test_everybody_has_two_lists(caller: Caller, user: str) -> None:
    """Neither can be renamed or deleted, and what is flagged can't be written; a colleague's list is nobody's own."""
    lists = {each["wellknownListName"]: each for each in caller.walk(f"/users/{user}/todo/lists")[0]}
    assert lists.keys() == {"defaultList", "flaggedEmails", "none"}
    flagged = f"/users/{user}/todo/lists/{lists['flaggedEmails']['id']}"
    assert caller.send("DELETE", flagged).status_code == 400
    assert caller.send("POST", f"{flagged}/tasks", json={"title": "x"}).status_code == 400
    found = caller.get(f"{flagged}/tasks?$expand=linkedResources")["value"]
    assert all(each["linkedResources"][0]["applicationName"] == "Outlook" for each in found)
    other = caller.users()[1]
    shared = [each for each in caller.walk(f"/users/{other}/todo/lists")[0] if not each["isOwner"]]
    assert [each["isShared"] for each in shared] == [True]


def test_lists_are_followed(caller: Caller, user: str) -> None:
    """New, renamed and deleted ones."""
    _, link = caller.walk(f"/users/{user}/todo/lists/delta")
    made = caller.post(f"/users/{user}/todo/lists", {"displayName": "Errands"})["id"]
    assert caller.send("PATCH", f"/users/{user}/todo/lists/{made}", json={"displayName": "Chores"}).is_success
    found, link = caller.walk(link)
    assert [(each["id"], each["displayName"]) for each in found] == [(made, "Chores")]
    assert caller.send("DELETE", f"/users/{user}/todo/lists/{made}").status_code == 204
    assert ["@removed" in each for each in caller.walk(link)[0]] == [True]


def test_tasks_are_followed_with_what_belongs_to_them(caller: Caller, tasks: str) -> None:
    """A step that is ticked off changes its task; deleted tasks are told."""
    task = caller.post(tasks, {"title": "Buy", "checklistItems": [{"displayName": "milk"}]})["id"]
    entries, link = caller.walk(f"{tasks}/delta")
    assert [each["id"] for each in entries] == [task]
    (step,) = caller.get(f"{tasks}/{task}/checklistItems")["value"]
    assert not step["isChecked"]
    done = caller.send("PATCH", f"{tasks}/{task}/checklistItems/{step['id']}", json={"isChecked": True}).json()
    assert done["isChecked"]
    assert done["checkedDateTime"]
    assert caller.get(f"{tasks}/{task}?$expand=checklistItems")["checklistItems"] == [
        {k: v for k, v in done.items() if k != "@odata.context"}
    ]
    found, link = caller.walk(link)
    assert [each["title"] for each in found] == ["Buy"]
    assert caller.send("DELETE", f"{tasks}/{task}").status_code == 204
    assert [each["@removed"]["reason"] for each in caller.walk(link)[0]] == ["deleted"]
    assert caller.send("GET", f"{tasks}/{task}").status_code == 404


def test_a_task_that_is_done_says_when(caller: Caller, tasks: str) -> None:
    """Completing sets the moment, opening again takes it away; other states don't exist; $filter looks at them."""
    task = caller.post(tasks, {"title": "Call", "importance": "high", "reminderDateTime": {
        "dateTime": "2026-12-01T08:00:00", "timeZone": "UTC"}})  # fmt: skip
    assert (task["status"], task["isReminderOn"], "completedDateTime" in task) == ("notStarted", True, False)
    url = f"{tasks}/{task['id']}"
    assert caller.send("PATCH", url, json={"status": "completed"}).json()["completedDateTime"]["timeZone"] == "UTC"
    assert caller.walk(f"{tasks}?$filter=status ne 'completed'")[0] == []
    assert len(caller.walk(f"{tasks}?$filter=status eq 'completed'")[0]) == 1
    assert "completedDateTime" not in caller.send("PATCH", url, json={"status": "inProgress"}).json()
    assert caller.send("PATCH", url, json={"status": "lost"}).status_code == 400
    assert caller.send("POST", tasks, json={}).status_code == 400


def test_links_are_written_and_removed(caller: Caller, tasks: str) -> None:
    """A link keeps what it was given."""
    url = f"{tasks}/{caller.post(tasks, {'title': 'Read'})['id']}/linkedResources"
    made = caller.post(url, {"webUrl": "https://x.example", "applicationName": "Notes", "displayName": "Page"})
    assert (made["applicationName"], made["externalId"]) == ("Notes", None)
    changed = caller.send("PATCH", f"{url}/{made['id']}", json={"displayName": "Pages"}).json()
    assert (changed["displayName"], changed["webUrl"]) == ("Pages", "https://x.example")
    assert caller.send("DELETE", f"{url}/{made['id']}").status_code == 204
    assert caller.get(url)["value"] == []


def test_files_come_whole_or_in_fragments(caller: Caller, tasks: str) -> None:
    """Small ones in one request; large ones to an address that asks for the token, unlike those of messages."""
    task = f"{tasks}/{caller.post(tasks, {'title': 'File'})['id']}"
    file = {"@odata.type": "#microsoft.graph.taskFileAttachment", "name": "a.txt", "contentType": "text/plain"}
    made = caller.post(f"{task}/attachments", file | {"contentBytes": b64encode(b"hello").decode()})
    assert "contentBytes" not in made
    assert caller.get(f"{task}/attachments/{made['id']}")["contentBytes"] == b64encode(b"hello").decode()
    info = {"attachmentInfo": {"attachmentType": "file", "name": "b.bin", "size": 9}}
    session = caller.send("POST", f"{task}/attachments/createUploadSession", json=info)
    assert session.status_code == 201
    url = f"{session.json()['uploadUrl']}/content"
    assert caller.plain.put(url, content=b"12345").status_code == 401
    reply = caller.send("PUT", url, content=b"12345", headers={"Content-Range": "bytes 0-4/9"})
    assert (reply.status_code, reply.json()["nextExpectedRanges"]) == (200, ["5"])
    reply = caller.send("PUT", url, content=b"6789", headers={"Content-Range": "bytes 5-8/9"})
    assert (reply.status_code, reply.content) == (201, b"")
    assert caller.send("GET", f"{reply.headers['location']}/$value").content == b"123456789"
    assert caller.get(task)["hasAttachments"]
    assert caller.send("DELETE", f"{task}/attachments/{made['id']}").status_code == 204
    assert [each["name"] for each in caller.get(f"{task}/attachments")["value"]] == ["b.bin"]
    large = {"attachmentInfo": info["attachmentInfo"] | {"size": 26 * 1024 * 1024}}
    assert caller.send("POST", f"{task}/attachments/createUploadSession", json=large).status_code == 413


def test_what_was_drawn_is_the_same_again(caller: Caller, user: str) -> None:
    """After a reset the same tasks with the same parts."""

    def everything() -> list[object]:
        lists = [each["id"] for each in caller.walk(f"/users/{user}/todo/lists")[0]]
        expand = "$expand=checklistItems,linkedResources"
        return [caller.walk(f"/users/{user}/todo/lists/{each}/tasks?{expand}")[0] for each in lists]

    before = everything()
    caller.post(f"/users/{user}/todo/lists/defaultList/tasks", {"title": "New"})
    assert everything() != before
    caller.control("/mutate", {"reset": True})
    assert everything() == before


def test_tasks_ask_for_their_permission(caller: Caller, user: str) -> None:
    """403 for writing with the permission to read."""
    made = caller.control("/applications", {"secret": "s", "roles": ["Tasks.Read.All"]})
    caller.sign_in(made["client_id"], "s")
    assert caller.send("GET", f"/users/{user}/todo/lists/delta").status_code == 200
    assert code_of(caller.send("POST", f"/users/{user}/todo/lists", json={})) == "ErrorAccessDenied"
