"""Reads mail folders and messages as Graph's JSON shows them."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from tuiback.model import Kind, RemoteItem

# Learnt once for each mailbox, because v1.0 folders don't say what they are
# (https://learn.microsoft.com/graph/api/resources/mailfolder).
ROOT = "msgfolderroot"
WELL_KNOWN = ("inbox", "sentitems", "drafts", "deleteditems", "junkemail", "archive", "outbox")

FOLDER_FIELDS = ("id", "displayName", "parentFolderId", "childFolderCount", "totalItemCount", "isHidden")

# What the message says, wherever it lies and whatever was done to it since.
_CONTENT_FIELDS = (
    "subject", "from", "sender", "toRecipients", "ccRecipients", "bccRecipients", "replyTo", "internetMessageId",
    "hasAttachments", "isDraft",
)
# When; the dates of a draft are only those of its making.
_DATE_FIELDS = ("receivedDateTime", "sentDateTime")
# What its owner sets.
_STATE_FIELDS = ("importance", "isRead", "flag", "categories")
# No bodyPreview: the MIME has the body, and a listing would be a fifth larger.
MESSAGE_FIELDS = (
    "id", *_CONTENT_FIELDS, *_DATE_FIELDS, *_STATE_FIELDS, "changeKey", "conversationId", "conversationIndex",
    "parentFolderId", "createdDateTime", "lastModifiedDateTime", "inferenceClassification",
)

# PidTagMessageSize, about what the MIME will have:
# https://learn.microsoft.com/openspecs/exchange_server_protocols/ms-oxprops/ (PidTagMessageSize 0x0E08)
_SIZE = "Integer 0x0E08"
WITH_SIZE = f"singleValueExtendedProperties($filter=id eq '{_SIZE}')"
_EXTENDED = "singleValueExtendedProperties"

NO_SUBJECT = "(no subject)"


def folder_item(folder: Mapping[str, Any], well_known: Mapping[str, str]) -> RemoteItem:
    """The item of a mail folder. `well_known` maps names like "inbox" (and the root's) to folder ids.

    The number of its messages is an attribute but no part of its etag: counting on is no new version.
    """
    folder_id, name = folder["id"], folder.get("displayName") or ""
    parent_id = folder.get("parentFolderId") or ""
    if parent_id == well_known.get(ROOT):
        parent_id = ""
    attrs: dict[str, str] = {}
    for word in WELL_KNOWN:
        if well_known.get(word) == folder_id:
            attrs["well_known"] = word
    if folder.get("totalItemCount") is not None:
        attrs["total"] = str(folder["totalItemCount"])
    return RemoteItem(
        item_id=folder_id,
        kind=Kind.FOLDER,
        parent_id=parent_id,
        name=name,
        size=0,
        modified="",
        etag=_digest([name, parent_id, bool(folder.get("isHidden")), attrs.get("well_known")]),
        properties=_properties(folder),
        attrs=tuple(attrs.items()),
        has_content=False,
    )


def message_item(message: Mapping[str, Any], folder_id: str) -> RemoteItem:
    """The item of a message in a folder. Its size is 0 where the listing was not asked for it (WITH_SIZE).

    `modified` is when it was received, so that the order of a mailbox is the order by `modified`.
    """
    return RemoteItem(
        item_id=message["id"],
        kind=Kind.MESSAGE,
        parent_id=folder_id,
        name=message.get("subject") or NO_SUBJECT,
        size=_size(message),
        modified=message.get("receivedDateTime") or message.get("lastModifiedDateTime") or "",
        etag=message.get("changeKey") or message.get("@odata.etag") or "",
        content_tag=content_tag(message),
        properties=_properties(message),
        attrs=tuple((name, text) for name, text in _message_attrs(message).items() if text),
    )


def content_tag(message: Mapping[str, Any]) -> str:
    """Two digests with a dot between: of what the message says, and of what its owner set (read, flags).

    Neither changes when the message moves to another folder.
    """
    said = _CONTENT_FIELDS if message.get("isDraft") else (*_CONTENT_FIELDS, *_DATE_FIELDS)
    return f"{_digest_of(message, said)}.{_digest_of(message, _STATE_FIELDS)}"


def says_the_same(content_tag_a: str, content_tag_b: str) -> bool:
    """Whether two messages with these content tags say the same, whatever their owners set."""
    said = content_tag_a.partition(".")[0]
    return bool(said) and said == content_tag_b.partition(".")[0]


def _message_attrs(message: Mapping[str, Any]) -> dict[str, str]:
    return {
        "subject": message.get("subject") or "",
        "from": _correspondent(message.get("from") or message.get("sender") or {}),
        "to": ", ".join(_correspondent(recipient) for recipient in message.get("toRecipients") or ()),
        "date": message.get("receivedDateTime") or "",
        "read": "1" if message.get("isRead") else "0",
        "attachments": "1" if message.get("hasAttachments") else "0",
        "message_id": message.get("internetMessageId") or "",
    }


def _correspondent(recipient: Mapping[str, Any]) -> str:
    mailbox = recipient.get("emailAddress") or {}
    name, address = mailbox.get("name") or "", mailbox.get("address") or ""
    return f"{name} <{address}>" if name and address and name != address else address or name


def _size(message: Mapping[str, Any]) -> int:
    for extended in message.get(_EXTENDED) or ():
        if str(extended.get("id", "")).lower() == _SIZE.lower() and str(extended.get("value", "")).isdigit():
            return int(extended["value"])
    return 0


def _properties(entry: Mapping[str, Any]) -> bytes:
    # The type matters (an eventMessage is more than a message); the other annotations repeat properties. The size is
    # asked for while it is fetched, and says nothing afterwards.
    dropped = ("@odata.", _EXTENDED)
    kept = {name: value for name, value in entry.items() if name == "@odata.type" or not name.startswith(dropped)}
    return msgspec.json.encode(kept, order="deterministic")


def _digest_of(message: Mapping[str, Any], fields: Sequence[str]) -> str:
    # Absent, null, empty and false are one: which of them is stated varies.
    return _digest([message.get(field) or None for field in fields])


def _digest(values: list[Any]) -> str:
    return hashlib.blake2b(msgspec.json.encode(values, order="deterministic"), digest_size=12).hexdigest()
