"""Search folders show what lies elsewhere, in both views of a mailbox."""

from collections.abc import Iterator

import pytest

from tests.simtenant.caller import Caller
from tuiback.simtenant import Plan, Server

KIND = "#microsoft.graph.mailSearchFolder"


@pytest.fixture(scope="module")
def company() -> Iterator[Server]:
    """As few people as are needed for one with a search folder."""
    with Server(Plan(users=6, messages=40, files_per_user=1)) as running:
        yield running


@pytest.fixture
def searcher(company: Server) -> Iterator[tuple[Caller, str]]:
    """A client, and the path of who has one."""
    company.reset()
    with Caller(company.endpoints) as made:
        yield made, f"/users/{made.users()[5]}"


def test_some_have_one_for_unread_mail(searcher: tuple[Caller, str]) -> None:
    """It is listed as what it is, and shows messages of other folders, which each lie in one folder only."""
    caller, user = searcher
    (search,) = (each for each in caller.walk(f"{user}/mailFolders")[0] if each.get("@odata.type") == KIND)
    assert search["filterQuery"] == "isRead eq false"
    shown = caller.walk(f"{user}/mailFolders/{search['id']}/messages?$select=isRead,parentFolderId")[0]
    assert len(shown) == search["totalItemCount"] == search["unreadItemCount"] > 0
    assert not any(each["isRead"] for each in shown)
    assert search["id"] not in {each["parentFolderId"] for each in shown}
    assert caller.get(f"{user}/mailFolders/{search['id']}/messages/{shown[0]['id']}")["isRead"] is False
    everything = [each["id"] for each in caller.walk(f"{user}/messages?$select=id&$top=100")[0]]
    assert len(everything) == len(set(everything))
    caller.send("PATCH", f"{user}/messages/{shown[0]['id']}", json={"isRead": True})
    assert caller.get(f"{user}/mailFolders/{search['id']}")["totalItemCount"] == len(shown) - 1


def test_they_are_among_the_folders_of_import_and_export(searcher: tuple[Caller, str]) -> None:
    """There nothing tells them from others; their items are those of the folders that are searched."""
    caller, user = searcher
    mailbox = f"/admin/exchange/mailboxes/{caller.get(f'{user}/settings/exchange')['primaryMailboxId']}"
    (search,) = (each for each in caller.walk(f"{mailbox}/folders")[0] if each["displayName"] == "Unread Mail")
    items = caller.walk(f"{mailbox}/folders/{search['id']}/items?$select=id")[0]
    assert len(items) == search["totalItemCount"] > 0
    inbox = {each["id"] for each in caller.walk(f"{mailbox}/folders/inbox/items?$select=id")[0]}
    assert inbox & {each["id"] for each in items}
    assert caller.get(f"{mailbox}/folders/{search['id']}/items/{items[0]['id']}")["id"] == items[0]["id"]
    assert caller.send("GET", f"{mailbox}/folders/{search['id']}/items/delta").status_code == 400


def test_they_are_made_changed_and_deleted(caller: Caller, user: str) -> None:
    """Folder delta tells of it; nothing can be put in, no changes be followed; what they showed stays."""
    _, link = caller.walk(f"/users/{user}/mailFolders/delta")
    message = caller.post(f"/users/{user}/mailFolders/junkemail/messages", {"subject": "Weekly digest"})["id"]
    given = {"@odata.type": "microsoft.graph.mailSearchFolder", "displayName": "Digests", "sourceFolderIds": ["inbox"],
             "includeNestedFolders": True, "filterQuery": "contains(subject, 'weekly digest')"}  # fmt: skip
    made = caller.post(f"/users/{user}/mailFolders/inbox/childFolders", given)
    url = f"/users/{user}/mailFolders/{made['id']}"
    assert (made["@odata.type"], made["totalItemCount"]) == (KIND, 0)
    assert [(each["id"], each["@odata.type"]) for each in caller.walk(link)[0]] == [(made["id"], KIND)]
    caller.send("PATCH", url, json={"sourceFolderIds": ["junkemail"], "displayName": "All digests"})
    assert [each["id"] for each in caller.walk(f"{url}/messages")[0]] == [message]
    assert caller.send("POST", f"/users/{user}/messages/{message}/move",
                       json={"destinationId": made["id"]}).status_code == 400  # fmt: skip
    assert "Change tracking" in caller.send("GET", f"{url}/messages/delta").text
    assert caller.send("POST", f"/users/{user}/mailFolders/inbox/childFolders", json=given | {
        "filterQuery": "", "displayName": "x"}).status_code == 400  # fmt: skip
    assert caller.send("DELETE", url).status_code == 204
    assert caller.send("GET", url).status_code == 404
    assert caller.get(f"/users/{user}/messages/{message}")["subject"] == "Weekly digest"
    assert "@removed" in caller.walk(link)[0][0]
