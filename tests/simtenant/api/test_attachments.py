"""Attachments are added whole when small and in fragments when large."""

from base64 import b64encode

import pytest

from tests.simtenant.caller import Caller, code_of

FRAGMENT = 3_000_000


@pytest.fixture
def message(caller: Caller, user: str) -> str:
    """The URL of a new draft."""
    made = caller.post(f"/users/{user}/messages", {"subject": "with files"})
    return f"/users/{user}/messages/{made['id']}"


def small(content: bytes) -> dict[str, object]:
    """A fileAttachment."""
    return {
        "@odata.type": "#microsoft.graph.fileAttachment", "name": "ä.txt", "contentType": "text/plain",
        "contentBytes": b64encode(content).decode(), "isInline": True, "contentId": "c1",
    }  # fmt: skip


def test_small_attachments_are_added_read_and_deleted(caller: Caller, message: str) -> None:
    """What was posted comes back; an inline one alone does not make hasAttachments true."""
    made = caller.post(message + "/attachments", small(b"hello"))
    assert (made["size"], made["isInline"], made["contentId"]) == (5, True, "c1")
    assert caller.send("GET", f"{message}/attachments/{made['id']}/$value").content == b"hello"
    assert caller.get(message)["hasAttachments"] is False
    assert caller.send("DELETE", f"{message}/attachments/{made['id']}").status_code == 204
    assert caller.get(message + "/attachments")["value"] == []


def test_three_megabytes_are_too_many_for_one_request(caller: Caller, message: str) -> None:
    """The limit sends the client to an upload session."""
    reply = caller.send("POST", message + "/attachments", json=small(bytes(3 * 1024 * 1024)))
    assert (reply.status_code, code_of(reply)) == (413, "RequestEntityTooLarge")


def test_large_attachments_come_in_fragments(caller: Caller, message: str) -> None:
    """Each fragment names the next; the last answer is 201, empty, with a Location."""
    content = bytes(range(256)) * 20_000
    item = {"AttachmentItem": {"attachmentType": "file", "name": "big.bin", "size": len(content)}}
    session = caller.send("POST", message + "/attachments/createUploadSession", json=item)
    assert session.status_code == 201
    for start in range(0, len(content), FRAGMENT):
        part = content[start : start + FRAGMENT]
        headers = {"Content-Range": f"bytes {start}-{start + len(part) - 1}/{len(content)}"}
        reply = caller.plain.put(session.json()["uploadUrl"], content=part, headers=headers)
        if start + len(part) < len(content):
            assert (reply.status_code, reply.json()["nextExpectedRanges"]) == (200, [str(start + len(part))])
    assert (reply.status_code, reply.content) == (201, b"")
    assert "/Attachments('" in reply.headers["location"]
    (found,) = caller.get(message + "/attachments?$select=name,size")["value"]
    assert (found["name"], found["size"]) == ("big.bin", len(content))
    assert caller.send("GET", f"{message}/attachments/{found['id']}/$value").content == content


def test_a_message_may_be_attached(caller: Caller, message: str) -> None:
    """It comes as an item without bytes of its own; $expand shows it, $value is its MIME, and so it is in the whole."""
    file = small(b"x") | {"isInline": False}
    inner = {"subject": "inside", "body": {"contentType": "text", "content": "hidden text"}, "attachments": [file]}
    given = {"@odata.type": "#microsoft.graph.itemAttachment", "name": "Inside", "item": inner}
    made = caller.post(message + "/attachments", given)
    assert (made["@odata.type"], "contentBytes" in made) == ("#microsoft.graph.itemAttachment", False)
    url = f"{message}/attachments/{made['id']}"
    shown = caller.get(f"{url}?$expand=microsoft.graph.itemAttachment/item")["item"]
    assert (shown["subject"], shown["hasAttachments"]) == ("inside", True)
    assert b"hidden text" in caller.send("GET", f"{url}/$value").content
    whole = caller.send("GET", f"{message}/$value").content
    copy = caller.send("POST", "/".join(message.split("/")[:4]), content=b64encode(whole),
                       headers={"Content-Type": "text/plain"}).json()["id"]  # fmt: skip
    again = f"{message.rpartition('/')[0]}/{copy}"
    (found,) = caller.get(f"{again}/attachments?$expand=microsoft.graph.itemAttachment/item")["value"]
    assert found["item"]["subject"] == "inside"
    assert "hidden text" not in caller.get(again)["body"]["content"]
    other = {"@odata.type": "#microsoft.graph.itemAttachment", "item": {"@odata.type": "#microsoft.graph.post"}}
    assert caller.send("POST", message + "/attachments", json=other).status_code == 400


EVENT = {
    "@odata.type": "#microsoft.graph.event", "subject": "Lunch; or tea",
    "start": {"dateTime": "2026-11-01T12:00:00", "timeZone": "UTC"},
    "end": {"dateTime": "2026-11-01T13:00:00", "timeZone": "UTC"},
}  # fmt: skip
CONTACT = {
    "@odata.type": "#microsoft.graph.contact", "displayName": "Ada L", "emailAddresses": [{"address": "a@x.example"}],
}  # fmt: skip


@pytest.mark.parametrize(
    ("item", "line"),
    [(EVENT, b"SUMMARY:Lunch\\; or tea\r\nEND:VEVENT"), (CONTACT, b"FN:Ada L\r\n")],
    ids=["event", "contact"],
)
def test_events_and_contacts_may_be_attached(
    caller: Caller, message: str, item: dict[str, object], line: bytes
) -> None:
    """They come as items without a content type; $expand shows them, $value is an iCalendar object or a vCard."""
    given = {"@odata.type": "#microsoft.graph.itemAttachment", "name": "It", "item": item}
    made = caller.post(message + "/attachments", given)
    assert (made["@odata.type"], made["contentType"], made["name"]) == (given["@odata.type"], None, "It")
    url = f"{message}/attachments/{made['id']}"
    shown = caller.get(f"{url}?$expand=microsoft.graph.itemAttachment/item")["item"]
    assert {name: shown[name] for name in item} == item
    assert line in caller.send("GET", f"{url}/$value").content
    assert b"text/" in caller.send("GET", f"{message}/$value").content


def test_a_link_holds_no_bytes(caller: Caller, message: str) -> None:
    """It counts as an attachment, beta tells where it leads, $value is 405, and it is not in the MIME."""
    link = {"@odata.type": "#microsoft.graph.referenceAttachment", "name": "Plan.docx",
            "sourceUrl": "https://northwind-my.sharepoint.com/personal/x/Documents/Plan.docx"}  # fmt: skip
    made = caller.post(message + "/attachments", link)
    url = f"{message}/attachments/{made['id']}"
    assert (made["@odata.type"], "sourceUrl" in made) == (link["@odata.type"], False)
    assert caller.get(caller.root.replace("/v1.0", "/beta") + url)["sourceUrl"] == link["sourceUrl"]
    assert caller.send("GET", f"{url}/$value").status_code == 405
    assert caller.get(message)["hasAttachments"]
    assert b"Plan.docx" not in caller.send("GET", f"{message}/$value").content
    assert caller.send("POST", message + "/attachments", json={"@odata.type": link["@odata.type"]}).status_code == 400
