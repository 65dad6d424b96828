"""Letters are sent at once, from drafts, as answers and onwards; rules sort them in where they arrive."""

from base64 import b64encode
from typing import Any

import pytest

from tests.simtenant.caller import IMMUTABLE, Caller, code_of


class Two:
    """Two people and what they last got."""

    def __init__(self, caller: Caller) -> None:
        self.caller = caller
        self.ids = caller.users()[:2]
        self.addresses = [caller.get(f"/users/{each}")["mail"] for each in self.ids]

    def named(self, place: int) -> list[dict[str, Any]]:
        """A recipient."""
        return [{"emailAddress": {"address": self.addresses[place]}}]

    def newest(self, place: int, folder: str) -> dict[str, Any]:
        """The message that came last into a folder."""
        found: dict[str, Any] = self.messages(place, folder)[0]
        return found

    def messages(self, place: int, folder: str) -> list[dict[str, Any]]:
        """The newest messages of a folder; several come within one second."""
        url = f"/users/{self.ids[place]}/mailFolders/{folder}/messages?$top=3&$expand=attachments"
        found: list[dict[str, Any]] = self.caller.get(url)["value"]
        return found

    def send(self, message: dict[str, Any], **more: object) -> int:
        """The first one sends."""
        return self.caller.send("POST", f"/users/{self.ids[0]}/sendMail", json={"message": message} | more).status_code


@pytest.fixture
def two(caller: Caller) -> Two:
    """The first two people."""
    return Two(caller)


def test_a_letter_is_kept_and_arrives(two: Two) -> None:
    """202 without a body; the same Message-ID in Sent Items and, unread and without hidden copies, in the Inbox."""
    file = {"@odata.type": "#microsoft.graph.fileAttachment", "name": "a.txt", "contentBytes": "aGk="}
    letter = {"subject": "Lunch?", "toRecipients": two.named(1), "attachments": [file],
              "bccRecipients": [{"emailAddress": {"address": "x@contoso.example"}}]}  # fmt: skip
    assert two.send(letter) == 202
    sent, got = two.newest(0, "sentitems"), two.newest(1, "inbox")
    assert got["internetMessageId"] == sent["internetMessageId"]
    assert (sent["isRead"], got["isRead"], got["isDraft"]) == (True, False, False)
    assert (len(sent["bccRecipients"]), got["bccRecipients"]) == (1, [])
    assert got["from"]["emailAddress"]["address"] == two.addresses[0]
    assert [each["name"] for each in got["attachments"]] == ["a.txt"]
    assert two.send({"subject": "Unkept", "toRecipients": two.named(1)}, saveToSentItems="false") == 202
    assert {each["subject"] for each in two.messages(1, "inbox")} > {"Lunch?", "Unkept"}
    assert "Unkept" not in {each["subject"] for each in two.messages(0, "sentitems")}
    assert two.send({"subject": "For nobody"}) == 400


def test_mime_is_sent_as_it_is(two: Two) -> None:
    """What arrives is byte for byte what was given."""
    mime = f"From: a <{two.addresses[0]}>\r\nTo: b <{two.addresses[1]}>\r\nSubject: raw\r\n\r\ntext\r\n".encode()
    plain = {"Content-Type": "text/plain"}
    url = f"/users/{two.ids[0]}/sendMail"
    assert two.caller.send("POST", url, content=b64encode(mime), headers=plain).status_code == 202
    got = next(each for each in two.caller.walk(f"/users/{two.ids[1]}/mailFolders/inbox/messages?$top=100")[0]
               if each["subject"] == "raw")  # fmt: skip
    assert two.caller.send("GET", f"/users/{two.ids[1]}/messages/{got['id']}/$value").content == mime
    reply = two.caller.send("POST", url, content=b"A", headers=plain)
    assert code_of(reply) == "ErrorMimeContentInvalidBase64String"


def test_a_draft_that_is_sent_keeps_its_immutable_id(two: Two) -> None:
    """It moves to Sent Items, is no draft any more, and can't be sent again."""
    caller, drafts = two.caller, f"/users/{two.ids[0]}/messages"
    draft = caller.post(drafts, {"subject": "Draft", "toRecipients": two.named(1)}, headers=IMMUTABLE)
    assert caller.send("POST", f"{drafts}/{draft['id']}/send").status_code == 202
    sent = caller.get(f"{drafts}/{draft['id']}", headers=IMMUTABLE)
    assert (sent["isDraft"], sent["parentFolderId"]) == (False, caller.folder(two.ids[0], "sentitems"))
    assert two.newest(1, "inbox")["internetMessageId"] == sent["internetMessageId"] == draft["internetMessageId"]
    assert caller.send("POST", f"{drafts}/{draft['id']}/send").status_code == 400


def test_answers_belong_to_the_conversation(two: Two) -> None:
    """A draft of an answer goes to the author and quotes; its subject begins with RE once."""
    caller = two.caller
    two.send({"subject": "Plan", "toRecipients": two.named(1), "body": {"contentType": "html", "content": "<p>A</p>"}})
    asked = two.newest(1, "inbox")
    url = f"/users/{two.ids[1]}/messages/{asked['id']}"
    draft = caller.post(f"{url}/createReply", {"comment": "Fine & good"})
    assert (draft["subject"], draft["isDraft"]) == ("RE: Plan", True)
    assert draft["conversationId"] == asked["conversationId"]
    assert "Fine &amp; good" in draft["body"]["content"]
    assert "<p>A</p>" in draft["body"]["content"]
    assert [each["emailAddress"]["address"] for each in draft["toRecipients"]] == two.addresses[:1]
    assert caller.send("POST", f"{url}/reply", json={"Comment": "Yes"}).status_code == 202
    answer = two.newest(0, "inbox")
    assert (answer["subject"], answer["conversationId"]) == ("RE: Plan", asked["conversationId"])
    mime = caller.send("GET", f"/users/{two.ids[0]}/messages/{answer['id']}/$value").text
    assert f"In-Reply-To: {asked['internetMessageId']}" in mime
    both = {"comment": "x", "message": {"body": {"contentType": "text", "content": "y"}}}
    assert caller.send("POST", f"{url}/createReply", json=both).status_code == 400


def test_an_answer_to_all_leaves_out_oneself(two: Two) -> None:
    """The author and the other recipients get it."""
    third = {"emailAddress": {"address": "info@contoso.example"}}
    two.send({"subject": "All", "toRecipients": [*two.named(1), third], "ccRecipients": two.named(0)})
    url = f"/users/{two.ids[1]}/messages/{two.newest(1, 'inbox')['id']}/createReplyAll"
    draft = two.caller.post(url, {})
    assert [each["emailAddress"]["address"] for each in draft["toRecipients"]] == [
        two.addresses[0], "info@contoso.example"]  # fmt: skip
    assert draft["ccRecipients"] == []


def test_what_is_forwarded_takes_its_files_along(two: Two) -> None:
    """The subject begins with FW; the recipients are given once, in either place."""
    file = {"@odata.type": "#microsoft.graph.fileAttachment", "name": "a.txt", "contentBytes": "aGk="}
    two.send({"subject": "Files", "toRecipients": two.named(1), "attachments": [file]})
    url = f"/users/{two.ids[1]}/messages/{two.newest(1, 'inbox')['id']}"
    assert two.caller.send("POST", f"{url}/forward", json={"ToRecipients": two.named(0)}).status_code == 202
    got = two.newest(0, "inbox")
    assert (got["subject"], [each["name"] for each in got["attachments"]]) == ("FW: Files", ["a.txt"])
    twice = {"toRecipients": two.named(0), "message": {"toRecipients": two.named(0)}}
    assert two.caller.send("POST", f"{url}/createForward", json=twice).status_code == 400
    assert two.caller.post(f"{url}/createForward", {})["toRecipients"] == []


def test_rules_sort_in_what_arrives(two: Two) -> None:
    """Conditions and actions of rules in force, in their order, until one is the last."""
    caller = two.caller
    url = f"/users/{two.ids[1]}/mailFolders/inbox/messageRules"
    archive = caller.folder(two.ids[1], "archive")
    actions = {"moveToFolder": archive, "markAsRead": True, "stopProcessingRules": True}
    caller.post(url, {"displayName": "File", "sequence": -1, "conditions": {"subjectContains": ["invoice"]},
                      "exceptions": {"subjectContains": ["urgent"]}, "actions": actions})  # fmt: skip
    two.send({"subject": "Invoice 7", "toRecipients": two.named(1), "importance": "high"})
    filed = two.newest(1, "archive")
    assert (filed["subject"], filed["isRead"], filed["categories"]) == ("Invoice 7", True, [])
    two.send({"subject": "Urgent invoice", "toRecipients": two.named(1), "importance": "high"})
    assert (two.newest(1, "inbox")["subject"], two.newest(1, "inbox")["categories"]) == (
        "Urgent invoice", ["Red category"])  # fmt: skip


def test_sending_asks_for_its_permission(two: Two) -> None:
    """403 for who may only write drafts."""
    made = two.caller.control("/applications", {"secret": "s", "roles": ["Mail.ReadWrite"]})
    draft = two.caller.post(f"/users/{two.ids[0]}/messages", {"subject": "x", "toRecipients": two.named(1)})["id"]
    two.caller.sign_in(made["client_id"], "s")
    for path in ("sendMail", f"messages/{draft}/send", f"messages/{draft}/reply", f"messages/{draft}/forward"):
        assert code_of(two.caller.send("POST", f"/users/{two.ids[0]}/{path}", json={})) == "ErrorAccessDenied"
    assert two.caller.send("POST", f"/users/{two.ids[0]}/messages/{draft}/createReply").status_code == 201
