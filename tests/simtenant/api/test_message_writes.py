"""Messages can be created, changed, moved and deleted by Exchange's rules."""

from base64 import b64encode
from email import message_from_bytes
from email.policy import default

import pytest

from tests.simtenant.caller import IMMUTABLE, Caller, code_of

SENT = [
    {"id": "Integer 0x0E07", "value": "1"},
    {"id": "SystemTime 0x0039", "value": "2019-02-03T04:05:06Z"},
    {"id": "SystemTime 0x0E06", "value": "2019-02-03T04:05:09Z"},
]
HOSTILE = 'Ünï"\\\r\nBcc: x@y ❤️ \u2028 <script>'


def test_flags_at_creation_make_a_sent_message(caller: Caller, user: str) -> None:
    """With 0x0E07 lacking the unsent bit a message is no draft and keeps its times; without it, it is a draft."""
    url = f"/users/{user}/mailFolders/archive/messages"
    made = caller.post(url, {"subject": "s", "singleValueExtendedProperties": SENT})
    assert (made["isDraft"], made["sentDateTime"]) == (False, "2019-02-03T04:05:06Z")
    assert made["receivedDateTime"] == "2019-02-03T04:05:09Z"
    assert made["parentFolderId"] == caller.folder(user, "archive")
    assert caller.post(url, {"subject": "s"})["isDraft"] is True
    unsent = [{"id": "Integer 0x0E07", "value": "9"}]
    assert caller.post(url, {"subject": "s", "singleValueExtendedProperties": unsent})["isDraft"] is True


def test_the_flags_work_at_creation_only(caller: Caller, user: str) -> None:
    """A later PATCH of 0x0E07 leaves a draft a draft."""
    made = caller.post(f"/users/{user}/messages", {"subject": "s"})["id"]
    reply = caller.send("PATCH", f"/users/{user}/messages/{made}", json={"singleValueExtendedProperties": SENT[:1]})
    assert reply.json()["isDraft"] is True


def test_hostile_text_survives_in_json_and_mime(caller: Caller, user: str) -> None:
    """No subject, name or body breaks the JSON or smuggles a header into the MIME."""
    person = {"emailAddress": {"name": HOSTILE, "address": "a@b.example"}}
    made = caller.post(
        f"/users/{user}/messages",
        {"subject": HOSTILE, "toRecipients": [person], "body": {"contentType": "html", "content": HOSTILE}},
    )
    assert made["subject"] == HOSTILE
    assert made["body"] == {"contentType": "html", "content": HOSTILE}
    raw = caller.send("GET", f"/users/{user}/messages/{made['id']}/$value").content
    parsed = message_from_bytes(raw, policy=default)
    assert "bcc" not in parsed
    assert parsed["subject"].split() == HOSTILE.split()
    assert parsed["to"].addresses[0].addr_spec == "a@b.example"


def test_mime_is_kept_but_always_a_draft(caller: Caller, user: str) -> None:
    """A message from base64 MIME lies in Drafts, whatever folder was asked for, with its bytes unchanged."""
    raw = b"Subject: =?utf-8?q?=C3=A4?=\nFrom: x@y.example\n\nbare line feeds\n"
    headers = {"Content-Type": "text/plain"}
    reply = caller.send("POST", f"/users/{user}/mailFolders/inbox/messages", content=b64encode(raw), headers=headers)
    assert (reply.status_code, reply.json()["isDraft"]) == (201, True)
    assert reply.json()["parentFolderId"] == caller.folder(user, "drafts")
    assert caller.send("GET", f"/users/{user}/messages/{reply.json()['id']}/$value").content == raw
    bad = caller.send("POST", f"/users/{user}/messages", content=b"abcde", headers=headers)
    assert code_of(bad) == "ErrorMimeContentInvalidBase64String"
    big = caller.send("POST", f"/users/{user}/messages", content=b"A" * (4 * 1024 * 1024 + 1), headers=headers)
    assert big.status_code == 413


@pytest.mark.parametrize("name", ["Subject", "Received"])
def test_only_own_headers_can_be_set(caller: Caller, user: str, name: str) -> None:
    """Among internetMessageHeaders only names with x- are taken."""
    headers = [{"name": "x-kept", "value": "1"}]
    made = caller.post(f"/users/{user}/messages", {"internetMessageHeaders": headers})["id"]
    shown = caller.get(f"/users/{user}/messages/{made}?$select=internetMessageHeaders")
    assert shown["internetMessageHeaders"] == headers
    bad = {"internetMessageHeaders": [{"name": name, "value": "1"}]}
    assert code_of(caller.send("POST", f"/users/{user}/messages", json=bad)) == "InvalidInternetMessageHeader"


def test_every_write_changes_the_change_key(caller: Caller, user: str) -> None:
    """A stale If-Match is 412; the present one passes."""
    message = next(caller.messages(user))
    url = f"/users/{user}/messages/{message['id']}"
    changed = caller.send("PATCH", url, json={"isRead": False, "categories": ["Red"]}, headers=IMMUTABLE).json()
    assert changed["changeKey"] != message["changeKey"]
    assert (changed["isRead"], changed["categories"]) == (False, ["Red"])
    stale = caller.send("DELETE", url, headers={"If-Match": f'W/"{message["changeKey"]}"'})
    assert (stale.status_code, code_of(stale)) == (412, "ErrorIrresolvableConflict")
    assert caller.send("DELETE", url, headers={"If-Match": changed["@odata.etag"]}).status_code == 204


def test_changing_a_draft_changes_its_mime(caller: Caller, user: str) -> None:
    """The subject of a draft is changed in its MIME too; its attachments stay."""
    made = caller.post(f"/users/{user}/messages", {"subject": "before"})["id"]
    url = f"/users/{user}/messages/{made}"
    file = {"@odata.type": "#microsoft.graph.fileAttachment", "name": "a.bin", "contentBytes": b64encode(b"x").decode()}
    caller.post(url + "/attachments", file)
    caller.send("PATCH", url, json={"subject": "after"})
    parsed = message_from_bytes(caller.send("GET", url + "/$value").content, policy=default)
    assert (parsed["subject"], [each.get_filename() for each in parsed.iter_attachments()]) == ("after", ["a.bin"])


def test_delete_goes_through_the_bins_and_permanent_delete_does_not(caller: Caller, user: str) -> None:
    """Deleted Items, then the recoverable items, then nothing."""
    message, other, *_ = (each["id"] for each in caller.walk(
        f"/users/{user}/mailFolders/inbox/messages?$select=id", headers=IMMUTABLE)[0])  # fmt: skip
    url = f"/users/{user}/messages/{message}"
    for bin_name in ("deleteditems", "recoverableitemsdeletions"):
        assert caller.send("DELETE", url).status_code == 204
        assert caller.get(url, headers=IMMUTABLE)["parentFolderId"] == caller.folder(user, bin_name)
    caller.send("DELETE", url)
    assert caller.send("GET", url).status_code == 404
    assert caller.send("POST", f"/users/{user}/messages/{other}/permanentDelete").status_code == 204
    assert caller.send("GET", f"/users/{user}/messages/{other}").status_code == 404


def test_a_copy_is_a_message_of_its_own(caller: Caller, user: str) -> None:
    """The copy has the same content under another id, and the first stays."""
    message = next(caller.messages(user))["id"]
    copy = caller.post(f"/users/{user}/messages/{message}/copy", {"destinationId": "archive"}, headers=IMMUTABLE)
    assert copy["id"] != message
    values = [caller.send("GET", f"/users/{user}/messages/{each}/$value").content for each in (message, copy["id"])]
    assert values[0] == values[1]
