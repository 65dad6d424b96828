"""Mail folders are listed level by level, tell their changes, and can be written."""

from typing import Any

from tests.simtenant.caller import Caller, code_of


def tree(caller: Caller, user: str) -> list[dict[str, Any]]:
    """All folders, by walking down."""
    waiting = [f"/users/{user}/mailFolders"]
    found = []
    while waiting:
        entries, _ = caller.walk(waiting.pop() + "?includeHiddenFolders=true&$top=3")
        found += entries
        waiting += [f"/users/{user}/mailFolders/{each['id']}/childFolders" for each in entries]
    return found


def test_levels_and_delta_show_the_same_folders(caller: Caller, user: str) -> None:
    """Walking down and the first round of delta agree, and hidden folders need to be asked for."""
    walked = {each["id"]: each for each in tree(caller, user)}
    flat, _ = caller.walk(f"/users/{user}/mailFolders/delta")
    assert {each["id"] for each in flat} == walked.keys()
    shown, _ = caller.walk(f"/users/{user}/mailFolders")
    assert not any(each["isHidden"] for each in shown)
    assert any(each["isHidden"] for each in walked.values())
    assert sum(each["totalItemCount"] for each in walked.values()) == 40


def test_well_known_names_lead_to_folders(caller: Caller, user: str) -> None:
    """inbox, drafts and the root can be used in place of an id, in any case."""
    inbox = caller.get(f"/users/{user}/mailFolders/INBOX")
    assert inbox["parentFolderId"] == caller.get(f"/users/{user}/mailFolders/msgfolderroot")["id"]
    assert caller.get(f"/users/{user}/mailFolders/{inbox['id']}") == inbox


def test_creating_twice_is_a_conflict(caller: Caller, user: str) -> None:
    """A second folder of the same name, in whatever case, is refused with ErrorFolderExists."""
    made = caller.post(f"/users/{user}/mailFolders/inbox/childFolders", {"displayName": "New"})
    assert made["parentFolderId"] == caller.folder(user, "inbox")
    reply = caller.send("POST", f"/users/{user}/mailFolders/inbox/childFolders", json={"displayName": "NEW"})
    assert (reply.status_code, code_of(reply)) == (409, "ErrorFolderExists")


def test_delta_tells_new_renamed_moved_and_deleted_folders(caller: Caller, user: str) -> None:
    """One later round shows each folder once, in its last state."""
    _, link = caller.walk(f"/users/{user}/mailFolders/delta")
    first = caller.post(f"/users/{user}/mailFolders", {"displayName": "First"})["id"]
    second = caller.post(f"/users/{user}/mailFolders", {"displayName": "Second"})["id"]
    caller.send("PATCH", f"/users/{user}/mailFolders/{first}", json={"displayName": "Renamed"})
    caller.post(f"/users/{user}/mailFolders/{first}/move", {"destinationId": "inbox"})
    caller.send("POST", f"/users/{user}/mailFolders/{second}/permanentDelete")
    entries, link = caller.walk(link)
    (moved,) = [each for each in entries if each["id"] == first]
    assert (moved["displayName"], moved["parentFolderId"]) == ("Renamed", caller.folder(user, "inbox"))
    assert [each["@removed"]["reason"] for each in entries if each["id"] == second] == ["deleted"]
    assert caller.walk(link)[0] == []


def test_deleting_goes_by_way_of_deleted_items(caller: Caller, user: str) -> None:
    """The first DELETE puts a folder into Deleted Items, the second removes it."""
    made = caller.post(f"/users/{user}/mailFolders", {"displayName": "Old"})["id"]
    assert caller.send("DELETE", f"/users/{user}/mailFolders/{made}").status_code == 204
    assert caller.get(f"/users/{user}/mailFolders/{made}")["parentFolderId"] == caller.folder(user, "deleteditems")
    caller.send("DELETE", f"/users/{user}/mailFolders/{made}")
    assert caller.send("GET", f"/users/{user}/mailFolders/{made}").status_code == 404
    assert caller.send("DELETE", f"/users/{user}/mailFolders/inbox").status_code == 403


def test_another_mailboxs_folder_is_not_found(caller: Caller) -> None:
    """Ids hold in their own mailbox only, and nonsense is malformed."""
    first, second, *_ = caller.users()
    inbox = caller.folder(first, "inbox")
    assert code_of(caller.send("GET", f"/users/{second}/mailFolders/{inbox}")) == "ErrorItemNotFound"
    assert code_of(caller.send("GET", f"/users/{second}/mailFolders/nonsense")) == "ErrorInvalidIdMalformed"


def test_folders_can_be_filtered_by_name(caller: Caller, user: str) -> None:
    """$filter=displayName eq finds one folder; any other property is refused."""
    name = caller.get(f"/users/{user}/mailFolders/inbox")["displayName"]
    found, _ = caller.walk(f"/users/{user}/mailFolders?$filter=displayName eq '{name}'")
    assert [each["displayName"] for each in found] == [name]
    assert caller.send("GET", f"/users/{user}/mailFolders?$filter=totalItemCount gt 3").status_code == 400


def test_unread_messages_are_counted(caller: Caller, user: str) -> None:
    """The count is that of the messages themselves, and follows what is read."""
    folder = f"/users/{user}/mailFolders/inbox"
    unread = caller.walk(f"{folder}/messages?$select=id&$filter=isRead eq false")[0]
    assert caller.get(folder)["unreadItemCount"] == len(unread) > 0
    caller.send("PATCH", f"/users/{user}/messages/{unread[0]['id']}", json={"isRead": True})
    assert caller.get(f"{folder}?$select=unreadItemCount")["unreadItemCount"] == len(unread) - 1


def test_folders_are_reached_through_those_above(caller: Caller, user: str) -> None:
    """A path of childFolders leads to the same folder and messages; messages are counted with and without a filter."""
    outer = caller.post(f"/users/{user}/mailFolders", {"displayName": "Outer"})["id"]
    inner = caller.post(f"/users/{user}/mailFolders/{outer}/childFolders", {"displayName": "Inner"})["id"]
    nested = f"/users/{user}/mailFolders/{outer}/childFolders/{inner}"
    message = caller.post(f"{nested}/messages", {"subject": "deep", "isRead": False})["id"]
    caller.post(f"{nested}/messages", {"subject": "read"})
    assert caller.get(nested)["displayName"] == "Inner"
    assert caller.get(f"{nested}/messages/{message}")["subject"] == "deep"
    assert len(caller.walk(f"{nested}/messages/delta")[0]) == 2
    assert caller.send("GET", f"{nested}/messages/$count").text == "2"
    assert caller.send("GET", f"{nested}/messages/$count?$filter=isRead eq false").text == "1"
    below = caller.post(f"{nested}/childFolders", {"displayName": "Below"})["id"]
    assert [each["id"] for each in caller.walk(f"{nested}/childFolders")[0]] == [below]
