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
