"""Mailboxes as import and export see them: ids, folders, items, streams, sessions, and archives that grow."""

from base64 import b64decode, b64encode
from typing import Any

import pytest

from tests.simtenant.caller import IMMUTABLE, Caller, code_of


@pytest.fixture
def mailbox(caller: Caller, user: str) -> str:
    """The path of a user's own mailbox."""
    return f"/admin/exchange/mailboxes/{caller.get(f'/users/{user}/settings/exchange')['primaryMailboxId']}"


@pytest.fixture
def archive(caller: Caller, user: str) -> str:
    """The URL of a user's In-Place Archive, which only beta knows."""
    caller.control("/people", {"archive": user})
    ids = caller.get(f"{caller.endpoints.graph_url}/beta/users/{user}/settings/exchange")
    return f"{caller.endpoints.graph_url}/beta/admin/exchange/mailboxes/{ids['inPlaceArchiveMailboxId']}"


def filled(caller: Caller, store: str) -> dict[str, Any]:
    """A folder that holds something."""
    return next(each for each in caller.walk(f"{store}/folders")[0] if each["totalItemCount"])


def imported(caller: Caller, store: str, document: object) -> Any:
    """The answer to one item sent to a new session, without a token."""
    session = caller.post(f"{store}/createImportSession", None)
    return caller.plain.post(session["importUrl"], json=document)


def test_folders_and_items_are_those_of_the_mailbox(caller: Caller, user: str, mailbox: str) -> None:
    """The same folders with the same counts, ten to a page; items tell their class and size, not their subject."""
    folders = {each["id"]: each for each in caller.walk(f"{mailbox}/folders")[0]}
    for each in caller.walk(f"/users/{user}/mailFolders")[0]:
        assert folders[each["id"]]["totalItemCount"] == each["totalItemCount"]
    inbox = caller.get(f"{mailbox}/folders/inbox")
    assert inbox["type"] == "IPF.Note"
    expand = "$expand=singleValueExtendedProperties($filter=id eq 'String 0x0037')"
    items = caller.walk(f"{mailbox}/folders/{inbox['id']}/items?{expand}")[0]
    subjects = {each["subject"] for each in caller.walk(f"/users/{user}/mailFolders/inbox/messages")[0]}
    assert {each["singleValueExtendedProperties"][0]["value"] for each in items} == subjects
    assert len(items) == inbox["totalItemCount"]
    assert all(each["type"] == "IPM.Note" and each["size"] > 0 and "subject" not in each for each in items)
    new = caller.post(f"{mailbox}/folders/{inbox['id']}/childFolders", {"displayName": "X", "type": "IPF.Note"})
    assert caller.send("POST", f"{mailbox}/folders", json={"displayName": "X"}).status_code == 400
    assert [each["id"] for each in caller.walk(f"{mailbox}/folders/inbox/childFolders")[0]] == [new["id"]]
    assert caller.send("DELETE", f"{mailbox}/folders/{new['id']}").status_code == 204


def test_delta_tells_of_items_and_folders(caller: Caller, user: str, mailbox: str) -> None:
    """What left a folder is removed by its old id, and comes under a new one where it is now."""
    _, items_link = caller.walk(f"{mailbox}/folders/inbox/items/delta?$select=changeKey")
    everything, folders_link = caller.walk(f"{mailbox}/folders/delta")
    assert len(everything) > 7
    item = caller.get(f"{mailbox}/folders/inbox/items?$top=1")["value"][0]
    subject = "$expand=singleValueExtendedProperties($filter=id eq 'String 0x1035')"
    mark = caller.get(f"{mailbox}/folders/inbox/items/{item['id']}?{subject}")["singleValueExtendedProperties"][0]
    messages = caller.walk(f"/users/{user}/messages?$filter=internetMessageId eq '{mark['value']}'", headers=IMMUTABLE)
    caller.post(f"/users/{user}/messages/{messages[0][0]['id']}/move", {"destinationId": "archive"})
    changed, _ = caller.walk(items_link)
    assert [(each["id"], each["@removed"]) for each in changed] == [(item["id"], {"reason": "deleted"})]
    caller.post(f"{mailbox}/folders", {"displayName": "New", "type": "IPF.Note"})
    assert [each["displayName"] for each in caller.walk(folders_link)[0]] == ["New"]


def test_an_export_comes_back_whole(caller: Caller, user: str, mailbox: str) -> None:
    """The same item gives the same stream; imported it is another item with the same content, read state and times."""
    inbox = caller.get(f"{mailbox}/folders/inbox")["id"]
    items = [each["id"] for each in caller.walk(f"{mailbox}/folders/{inbox}/items?$select=id")[0]][:3]
    exports = caller.post(f"{mailbox}/exportItems", {"itemIds": [*items, "nonsense"]})["value"]
    assert exports[:3] == caller.post(f"{mailbox}/exportItems", {"ItemIds": items})["value"]
    assert exports[3]["error"]["code"] == "ErrorInvalidIdMalformed"
    before = {each["sha256"] for each in caller.control(f"/manifest?account=mailbox:{user}")["items"]}
    target = caller.post(f"/users/{user}/mailFolders", {"displayName": "Imported"})["id"]
    for each in exports[:3]:
        reply = imported(caller, mailbox, {"FolderId": target, "Mode": "create", "Data": each["data"]})
        assert reply.status_code == 200
        assert reply.json()["itemId"] not in items
    held = caller.control(f"/manifest?account=mailbox:{user}")["items"]
    assert len(held) == len(before) + 3
    assert {each["sha256"] for each in held} == before
    shown = "subject,body,from,toRecipients,receivedDateTime,isRead,isDraft,hasAttachments,internetMessageId"
    again = {each.pop("internetMessageId"): each for each in caller.walk(
        f"/users/{user}/mailFolders/{target}/messages?$select={shown}")[0]}  # fmt: skip
    first = {each.pop("internetMessageId"): each for each in caller.walk(
        f"/users/{user}/mailFolders/inbox/messages?$select={shown}")[0]}  # fmt: skip
    for message_id, message in again.items():
        other = first[message_id]
        assert {k: v for k, v in message.items() if k[0] != "@" and k != "id"} == {
            k: v for k, v in other.items() if k[0] != "@" and k != "id"
        }


def test_an_export_carries_what_no_mime_does(caller: Caller, user: str, mailbox: str) -> None:
    """A link to a file and an attached contact are the same after an import."""
    link = {"@odata.type": "#microsoft.graph.referenceAttachment", "name": "Plan.docx", "sourceUrl": "https://x"}
    card = {"@odata.type": "#microsoft.graph.contact", "displayName": "Ada"}
    item = {"@odata.type": "#microsoft.graph.itemAttachment", "name": "Ada", "item": card}
    made = caller.post(f"/users/{user}/mailFolders/junkemail/messages", {"subject": "x", "attachments": [link, item]})
    folder = caller.get(f"{mailbox}/folders/junkemail")["id"]
    held = caller.walk(f"{mailbox}/folders/{folder}/items")[0][0]["id"]
    data = caller.post(f"{mailbox}/exportItems", {"itemIds": [held]})["value"][0]["data"]
    assert imported(caller, mailbox, {"FolderId": folder, "Mode": "create", "Data": data}).status_code == 200
    expand = "$expand=microsoft.graph.itemAttachment/item"
    junk = f"/users/{user}/mailFolders/junkemail/messages"
    copies = [
        [{k: v for k, v in each.items() if k not in ("id", "lastModifiedDateTime")} for each in caller.get(
            f"{junk}/{message['id']}/attachments?{expand}")["value"]]
        for message in caller.walk(f"{junk}?$filter=subject eq 'x'")[0]
    ]  # fmt: skip
    assert len(copies) == 2
    assert copies[0] == copies[1]
    assert copies[0][1]["item"]["displayName"] == "Ada"
    assert made["hasAttachments"]


def test_an_import_may_replace_an_item(caller: Caller, mailbox: str) -> None:
    """An update needs the present changeKey; afterwards the item is the other one's twin."""
    one, two = caller.get(f"{mailbox}/folders/inbox/items?$top=2")["value"]
    export = caller.post(f"{mailbox}/exportItems", {"itemIds": [two["id"]]})["value"][0]
    update = {"Mode": "update", "ItemId": one["id"], "ChangeKey": "wrong", "Data": export["data"]}
    assert code_of(imported(caller, mailbox, update)) == "ErrorIrresolvableConflict"
    reply = imported(caller, mailbox, update | {"ChangeKey": one["changeKey"]})
    assert reply.json()["itemId"] == one["id"]
    assert reply.json()["changeKey"] != one["changeKey"]
    again = caller.post(f"{mailbox}/exportItems", {"itemIds": [one["id"]]})["value"][0]
    assert caller.get(f"{mailbox}/folders/inbox/items/{one['id']}")["size"] == two["size"]
    assert len(again["data"]) == len(export["data"])


def test_what_imports_refuse(caller: Caller, mailbox: str) -> None:
    """Altered streams, ids where something is created, other modes, no more than twenty at once, and old sessions."""
    inbox = caller.get(f"{mailbox}/folders/inbox")["id"]
    items = [each["id"] for each in caller.walk(f"{mailbox}/folders/{inbox}/items?$select=id")[0]]
    data = caller.post(f"{mailbox}/exportItems", {"itemIds": items[:1]})["value"][0]["data"]
    altered = bytearray(b64decode(data))
    altered[-1] ^= 1
    good = {"FolderId": inbox, "Mode": "create", "Data": data}
    for wrong, code in (
        ({"Data": b64encode(altered).decode()}, "ErrorCorruptData"),
        ({"ItemId": items[0]}, "ErrorInvalidRequest"),
        ({"Mode": "merge"}, "ErrorInvalidRequest"),
        ({"FolderId": "nonsense"}, "ErrorInvalidIdMalformed"),
    ):
        reply = imported(caller, mailbox, good | wrong)
        assert (reply.status_code, code_of(reply)) == (400, code)
    assert caller.send("POST", f"{mailbox}/exportItems", json={"itemIds": items[:1] * 21}).status_code == 400
    url = caller.post(f"{mailbox}/createImportSession", None)["importUrl"]
    assert caller.plain.post(url, json=good).status_code == 200
    caller.control("/clock", {"seconds": 9 * 3600})
    assert caller.plain.post(url, json=good).status_code == 401
    assert caller.plain.post(url.partition("?")[0], json=good).status_code == 401


def test_item_ids_may_be_those_of_messages(caller: Caller, user: str, mailbox: str) -> None:
    """Nobody has documented it, so it is a switch; without it the one is refused as the other."""
    message = caller.get(f"/users/{user}/mailFolders/inbox/messages?$top=1&$select=id")["value"][0]["id"]
    export = caller.post(f"{mailbox}/exportItems", {"itemIds": [message]})["value"][0]
    assert export["error"]["code"] == "ErrorInvalidIdMalformed"
    caller.control("/behaviour", {"shared_item_ids": True})
    assert caller.post(f"{mailbox}/exportItems", {"itemIds": [message]})["value"][0]["data"]


def test_archives_are_beta(caller: Caller, user: str, archive: str) -> None:
    """The archive has an id, folders and letters of its own, known by ids only; v1.0 does not know it."""
    assert "inPlaceArchiveMailboxId" not in caller.get(f"/users/{user}/settings/exchange")
    folder = filled(caller, archive)
    items = caller.walk(f"{archive}/folders/{folder['id']}/items")[0]
    export = caller.post(f"{archive}/exportItems", {"itemIds": [items[0]["id"]]})["value"][0]
    reply = imported(caller, archive, {"FolderId": folder["id"], "Mode": "create", "Data": export["data"]})
    assert reply.status_code == 200
    assert len(caller.walk(f"{archive}/folders/{folder['id']}/items")[0]) == len(items) + 1
    assert code_of(caller.send("GET", f"{archive}/folders/inbox")) == "ErrorInvalidIdMalformed"
    assert caller.send("GET", archive.replace("/beta/", "/v1.0/") + "/folders").status_code == 404


def test_an_archive_grows_into_another_mailbox(caller: Caller, archive: str) -> None:
    """Its folder is redirected, its items name another export URL, and imports ask for another session."""
    folder = filled(caller, archive)
    items = [each["id"] for each in caller.walk(f"{archive}/folders/{folder['id']}/items?$select=id")[0]]
    data = caller.post(f"{archive}/exportItems", {"itemIds": items[:1]})["value"][0]["data"]
    caller.control("/fault", {"id": "archive-grows"})
    moved = caller.send("GET", f"{archive}/folders/{folder['id']}?$select=displayName")
    assert moved.status_code == 308
    assert caller.get(moved.headers["location"])["displayName"] == folder["displayName"]
    there = moved.headers["location"].partition("/folders")[0]
    assert caller.send("GET", f"{archive}/folders/{folder['id']}/items").status_code == 308
    told = caller.post(f"{archive}/exportItems", {"itemIds": items[:1]})["value"][0]["Error"]
    assert told == {"code": "ErrorArchiveFolderMovedPermanently", "message": f"{there}/exportItems"}
    assert caller.post(told["message"], {"itemIds": items[:1]})["value"][0]["data"] == data
    item = {"FolderId": folder["id"], "Mode": "create", "Data": data}
    reply = imported(caller, archive, item)
    assert reply.status_code == 409
    assert reply.json()["Message"].endswith(there.rpartition("/")[2])
    assert imported(caller, there, item).status_code == 200


def test_an_exported_item_may_be_gone(caller: Caller, mailbox: str) -> None:
    """200 with an error in one item's place; the item is really gone, the others come."""
    items = [each["id"] for each in caller.walk(f"{mailbox}/folders/inbox/items?$select=id")[0]][:4]
    caller.control("/fault", {"id": "export-item-vanishes"})
    exports = caller.post(f"{mailbox}/exportItems", {"itemIds": items})["value"]
    gone = [each["itemId"] for each in exports if each.get("error", {}).get("code") == "ErrorItemNotFound"]
    assert len(gone) == 1
    assert caller.send("GET", f"{mailbox}/folders/inbox/items/{gone[0]}").status_code == 404
    caller.control("/fault", {"id": "import-session-expired"})
    assert imported(caller, mailbox, {}).status_code == 401


def test_each_part_asks_for_its_own_permission(caller: Caller, mailbox: str) -> None:
    """403 for export without the right to export, and for folders without theirs."""
    item = caller.get(f"{mailbox}/folders/inbox/items?$top=1")["value"][0]["id"]
    made = caller.control("/applications", {"secret": "s", "roles": ["MailboxItem.Read.All"]})
    caller.sign_in(made["client_id"], "s")
    assert caller.send("GET", f"{mailbox}/folders/inbox/items").status_code == 200
    for method, path, body in (
        ("POST", "/exportItems", {"itemIds": [item]}), ("GET", "/folders", None),
        ("POST", "/createImportSession", None), ("DELETE", f"/folders/inbox/items/{item}", None),
    ):  # fmt: skip
        assert code_of(caller.send(method, mailbox + path, json=body)) == "ErrorAccessDenied"


def test_ids_are_translated(caller: Caller, user: str) -> None:
    """Regular ids lead to immutable ones and back; what is no id is said so one by one."""
    immutable = [each["id"] for each in caller.messages(user)][:3]
    url = f"/users/{user}/translateExchangeIds"
    there = {"inputIds": [*immutable, "x"], "sourceIdType": "restImmutableEntryId", "targetIdType": "restId"}
    found = caller.post(url, there)["value"]
    regular = [each["targetId"] for each in found[:3]]
    assert found[3]["errorDetails"]["code"] == "ErrorInvalidIdMalformed"
    back = {"inputIds": regular, "sourceIdType": "restId", "targetIdType": "restImmutableEntryId"}
    assert [each["targetId"] for each in caller.post(url, back)["value"]] == immutable
