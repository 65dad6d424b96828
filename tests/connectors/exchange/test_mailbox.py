"""Mail brought back into simulated mailboxes, and mailboxes that refuse."""

import base64
import email.policy
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any
from urllib.parse import quote

import msgspec
import pytest

from tests.connectors.backed_up import Stored, accounts_of, listed, stored, told
from tests.connectors.tenant import IMMUTABLE, Tenant
from tuiback.connectors.exchange import ExchangeConnector
from tuiback.connectors.exchange.entries import message_item
from tuiback.errors import AccountAbsent, GraphError, ItemGone
from tuiback.graph import GraphClient
from tuiback.model import Account, Kind, Owed, RemoteItem

# What a restored message must say as the original does; ids, change keys and the conversation are its own.
SAID = (
    "subject", "from", "sender", "toRecipients", "ccRecipients", "bccRecipients", "replyTo", "internetMessageId",
    "importance", "isRead", "isDraft", "categories", "hasAttachments",
)
DATES = ("sentDateTime", "receivedDateTime")


@pytest.fixture
def connector(graph: GraphClient) -> ExchangeConnector:
    """The connector under test."""
    return ExchangeConnector(graph)


@pytest.fixture
async def accounts(connector: ExchangeConnector) -> list[Account]:
    """All mailboxes of the company."""
    return await accounts_of(connector)


def message_of(tenant: Tenant, account: Account, item_id: str) -> dict[str, Any]:
    """The message as Graph shows it."""
    path = f"/users/{account.owner_id}/messages/{quote(item_id)}"
    shown: dict[str, Any] = tenant.ask("GET", path, headers=IMMUTABLE)
    return shown


def attachments_of(tenant: Tenant, account: Account, item_id: str) -> list[tuple[str, bytes, bool]]:
    """Name, bytes and inline flag of each attachment, by name."""
    entries = tenant.listed(f"/users/{account.owner_id}/messages/{quote(item_id)}/attachments")
    return sorted((a["name"], base64.b64decode(a["contentBytes"]), a["isInline"]) for a in entries)


def messages_in(tenant: Tenant, account: Account, folder_id: str) -> list[dict[str, Any]]:
    """All messages of a folder."""
    return tenant.listed(f"/users/{account.owner_id}/mailFolders/{quote(folder_id)}/messages?$top=100")


def letter(**headers: str) -> EmailMessage:
    """A message of ours without content yet."""
    message = EmailMessage(policy=email.policy.SMTP)
    usual = {"Subject": "Plan", "From": "a@contoso.com", "Message-ID": "<p1@contoso.com>"}
    for name, value in (usual | headers).items():
        message[name] = value
    return message


def backup_of(message: EmailMessage, **properties: Any) -> Stored:
    """The message as a backup holds it."""
    listing = {
        "id": "AAkOld", "subject": str(message["Subject"]), "internetMessageId": str(message["Message-ID"]),
        "from": {"emailAddress": {"name": "A", "address": "a@contoso.com"}}, "isRead": True, "isDraft": False,
        "sender": {"emailAddress": {"name": "A", "address": "a@contoso.com"}},
        "sentDateTime": "2026-02-03T04:05:06Z", "receivedDateTime": "2026-02-03T04:05:09Z", **properties,
    }
    item = message_item(listing, "F")
    return Stored(item, {"mime": bytes(message), "properties": msgspec.json.encode(listing)})


async def test_restored_messages_say_what_the_originals_say(
    connector: ExchangeConnector, accounts: list[Account], tenant: Tenant
) -> None:
    """Who, what, when, state, body and attachments of restored messages are those of the originals."""
    source, target = accounts[:2]
    root = await connector.restore_root(target, "restore")
    for item in (await listed(connector, source)).contents():
        backup = await stored(connector, source, item)
        written = await connector.restore_item(target, root, backup, on_conflict="skip", replaces=None)
        original, copy = message_of(tenant, source, item.item_id), message_of(tenant, target, written.item_id)
        said = SAID if original["isDraft"] else SAID + DATES
        assert {f: copy.get(f) for f in said} == {f: original.get(f) for f in said}
        assert copy["body"]["contentType"] == original["body"]["contentType"]
        assert copy["body"]["content"].split() == original["body"]["content"].split()
        assert attachments_of(tenant, target, written.item_id) == attachments_of(tenant, source, item.item_id)


async def test_a_draft_is_restored_as_a_draft(
    connector: ExchangeConnector, accounts: list[Account], tenant: Tenant
) -> None:
    """What was not sent yet is not sent afterwards either."""
    message = letter()
    message.set_content("soon")
    root = await connector.restore_root(accounts[0], "restore")
    backup = backup_of(message, isDraft=True, sentDateTime=None)
    written = await connector.restore_item(accounts[0], root, backup, on_conflict="skip", replaces=None)
    assert message_of(tenant, accounts[0], written.item_id)["isDraft"] is True
    assert [m["id"] for m in messages_in(tenant, accounts[0], root)] == [written.item_id]


async def test_attachments_beyond_one_request(
    connector: ExchangeConnector, accounts: list[Account], tenant: Tenant
) -> None:
    """A large attachment comes through an upload session, byte for byte, beside small and inline ones."""
    large = bytes(range(256)) * 20_000
    message = letter()
    message.set_content('<img src="cid:logo@x">', subtype="html")
    message.add_related(b"PNG", "image", "png", cid="<logo@x>", filename="logo.png")
    message.add_attachment(large, maintype="application", subtype="zip", filename="large.zip")
    root = await connector.restore_root(accounts[0], "restore")
    written = await connector.restore_item(accounts[0], root, backup_of(message), on_conflict="skip", replaces=None)
    assert attachments_of(tenant, accounts[0], written.item_id) == [
        ("large.zip", large, False), ("logo.png", b"PNG", True),
    ]


async def test_a_message_that_lost_its_attachment_is_not_left_behind(
    connector: ExchangeConnector, accounts: list[Account], tenant: Tenant
) -> None:
    """When an attachment is refused the half message is deleted and the refusal is the error."""
    message = letter()
    message.set_content("see attachment")
    message.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="a.pdf")
    root = await connector.restore_root(accounts[0], "restore")
    tenant.control("fault", {"match": "POST .*/attachments$", "status": 400, "times": 1})
    with pytest.raises(GraphError) as refused:
        await connector.restore_item(accounts[0], root, backup_of(message), on_conflict="skip", replaces=None)
    assert refused.value.status == 400
    assert messages_in(tenant, accounts[0], root) == []


async def test_overwriting_replaces(connector: ExchangeConnector, accounts: list[Account], tenant: Tenant) -> None:
    """A message that stands in the way with other words is no longer there after overwriting it."""
    changed, right = letter(Subject="Plan, altered"), letter()
    for message in (changed, right):
        message.set_content("x")
    root = await connector.restore_root(accounts[0], "restore")
    old = await connector.restore_item(accounts[0], root, backup_of(changed), on_conflict="skip", replaces=None)
    existing = await connector.existing(accounts[0], root, backup_of(right))
    assert existing is not None
    assert (existing.item_id, existing.identical) == (old.item_id, False)
    new = await connector.restore_item(
        accounts[0], root, backup_of(right), on_conflict="overwrite", replaces=existing.item_id
    )
    assert [m["id"] for m in messages_in(tenant, accounts[0], root)] == [new.item_id]
    found = await connector.existing(accounts[0], root, backup_of(right))
    assert found is not None
    assert found.identical


async def test_a_message_without_message_id(connector: ExchangeConnector, accounts: list[Account]) -> None:
    """Nothing can be said about what stands in the way of a message without a Message-ID."""
    message = letter()
    root = await connector.restore_root(accounts[0], "restore")
    assert await connector.existing(accounts[0], root, backup_of(message, internetMessageId=None)) is None


async def test_in_place_goes_into_the_accounts_own_folders(
    connector: ExchangeConnector, accounts: list[Account], tenant: Tenant
) -> None:
    """A folder that was the inbox is the inbox, whatever either is called."""
    folder = Stored(
        RemoteItem("F", Kind.FOLDER, "", "Posteingang", 0, "", "", attrs=(("well_known", "inbox"),)), {}
    )
    root = await connector.restore_root(accounts[1], None)
    inbox = tenant.ask("GET", f"/users/{accounts[1].owner_id}/mailFolders/inbox")
    assert await connector.restore_folder(accounts[1], root, folder) == inbox["id"]
    below = await connector.restore_root(accounts[1], "restore")
    assert await connector.restore_folder(accounts[1], below, folder) != inbox["id"]


async def test_a_user_without_mailbox(connector: ExchangeConnector, accounts: list[Account], tenant: Tenant) -> None:
    """That there is no mailbox is said as such, and never as an item that is gone."""
    refusal = {"error": {"code": "MailboxNotEnabledForRESTAPI", "message": "The mailbox is either inactive."}}
    tenant.control("fault", {
        "match": f"/users/{accounts[0].owner_id}/", "status": 404, "times": -1,
        "body": msgspec.json.encode(refusal).decode(),
    })
    with pytest.raises(GraphError, match="no mailbox") as refused:
        await told(connector, accounts[0], connector.root_containers(accounts[0])[0])
    assert not isinstance(refused.value, ItemGone)
    assert refused.value.graph_code == "MailboxNotEnabledForRESTAPI"


async def test_a_mailbox_that_was_listed_before_and_is_no_more(
    connector: ExchangeConnector, accounts: list[Account], tenant: Tenant
) -> None:
    """Who loses the licence has no mailbox any more, said of every container; a folder that alone is gone is gone."""
    account = accounts[1]
    folders = f"/users/{account.owner_id}/mailFolders"
    made = tenant.ask("POST", folders, {"displayName": "Soon gone"})["id"]
    listing = await listed(connector, account)
    root, folder, *_ = listing.containers.values()
    tenant.ask("POST", f"{folders}/{quote(made)}/permanentDelete")
    deleted = listing.containers[made]
    with pytest.raises(ItemGone):
        await told(connector, account, deleted)
    tenant.control("people", {"unlicense": account.address})
    for container in (root, folder, deleted):
        with pytest.raises(AccountAbsent, match="no mailbox"):
            await told(connector, account, container)


@pytest.mark.parametrize("code", ["MailboxNotEnabledForRESTAPI", "ResourceNotFound"])
async def test_messages_of_a_mailbox_that_is_no_more_are_not_deleted(
    connector: ExchangeConnector, accounts: list[Account], tenant: Tenant, code: str
) -> None:
    """Their contents, alone and together, and their facts say that the mailbox is gone, by either code."""
    account = accounts[0]
    items = [item for item in (await listed(connector, account)).contents() if item.kind is Kind.MESSAGE][:3]
    refusal = {"error": {"code": code, "message": "The mailbox is either inactive."}}
    tenant.control("fault", {
        "match": f"/users/{account.owner_id}/", "status": 404, "times": -1,
        "body": msgspec.json.encode(refusal).decode(),
    })
    with pytest.raises(AccountAbsent, match="no mailbox"):
        await stored(connector, account, items[0])
    together = [answers async for answers in connector.contents(account, items)]
    assert {type(answer) for answers in together for answer in answers.values()} == {AccountAbsent}
    since = datetime(2026, 11, 23, tzinfo=UTC)
    debt = Owed(account.account_id, items[0].parent_id, items[0].item_id, Kind.MESSAGE, "", since, 1, "failed")
    with pytest.raises(AccountAbsent):
        await connector.refresh(account, debt)


async def test_folders_know_what_they_are(connector: ExchangeConnector, accounts: list[Account]) -> None:
    """The well-known folders are told as such at first and when they change later."""
    listing = await listed(connector, accounts[0])
    words = {dict(item.attrs).get("well_known") for item in listing.items.values()}
    assert {"inbox", "sentitems", "drafts", "deleteditems"} <= words
    for item in listing.items.values():
        if item.kind is Kind.FOLDER:
            here = [i for i, place in listing.places.items() if place == item.item_id]
            assert dict(item.attrs)["total"] == str(len(here))
