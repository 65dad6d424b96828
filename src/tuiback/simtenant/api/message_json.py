"""Shows messages and mail folders as Graph's resources, making only the properties that were asked for.

https://learn.microsoft.com/graph/api/resources/message and .../resources/mailfolder
"""

import re
from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from tuiback.simtenant.content.mail import Address, Mail
from tuiback.simtenant.ids import Ids
from tuiback.simtenant.state.clock import stamp
from tuiback.simtenant.state.mailbox import Folder, Mailbox, Message, SearchFolder

_CHANGE_PREFIX = bytes.fromhex("0900001600000b")
_EXTENDED_ID = re.compile(r"id eq '([^']+)'")
# PidTagMessageFlags: 1 = read, 8 = unsent.
_FLAGS = "Integer 0x0E07"


@dataclass(frozen=True, slots=True)
class View:
    """How one request sees a mailbox: `immutable` ids or regular ones, bodies as they are or as text."""

    ids: Ids
    mailbox: Mailbox
    immutable: bool = False
    text_body: bool = False

    def message_id(self, message: Message) -> str:
        """The id in the form that the request asked for."""
        return self.id_of(message.serial, message.moves)

    def id_of(self, serial: int, moves: int) -> str:
        """The id that a message had after `moves` moves."""
        if self.immutable:
            return self.ids.encode("immutable", self.mailbox.owner, serial)
        return self.ids.encode("message", self.mailbox.owner, serial, moves)

    def folder_id(self, serial: int) -> str:
        """A folder's id; it never changes."""
        return self.ids.encode("folder", self.mailbox.owner, serial)


def change_key(owner: int, serial: int, version: int) -> str:
    """A changeKey; it differs after every write."""
    state = bytes([owner % 256]) + serial.to_bytes(4, "big") + version.to_bytes(3, "big")
    return b64encode(_CHANGE_PREFIX + state).decode()


def folder_json(view: View, folder: Folder, names: frozenset[str] | None = None) -> dict[str, Any]:
    """A mailFolder or a mailSearchFolder."""
    mailbox = view.mailbox
    is_search = isinstance(folder, SearchFolder)
    below = len(mailbox.children(folder.serial, hidden=False)) + len(mailbox.searches.below(folder.serial))
    document: dict[str, Any] = {
        "id": view.folder_id(folder.serial),
        "displayName": folder.name,
        "parentFolderId": view.folder_id(folder.parent if folder.parent is not None else folder.serial),
        "childFolderCount": below,
        "totalItemCount": item_count(mailbox, folder),
        "isHidden": folder.hidden,
    }
    if names is None or "unreadItemCount" in names:
        document["unreadItemCount"] = _unread_count(mailbox, folder)
    if isinstance(folder, SearchFolder):
        document |= {
            "isSupported": True,
            "includeNestedFolders": folder.nested,
            "sourceFolderIds": [view.folder_id(each) for each in folder.sources],
            "filterQuery": folder.query,
        }
    kind = {"@odata.type": "#microsoft.graph.mailSearchFolder"} if is_search else {}
    return kind | (document if names is None else {k: v for k, v in document.items() if k in names or k == "id"})


def item_count(mailbox: Mailbox, folder: Folder) -> int:
    """How many messages a folder holds, or a search folder shows."""
    return len(mailbox.searches.found(folder)) if isinstance(folder, SearchFolder) else mailbox.count(folder.serial)


def _unread_count(mailbox: Mailbox, folder: Folder) -> int:
    if isinstance(folder, SearchFolder):
        return sum(not mailbox.is_read(serial) for serial in mailbox.searches.found(folder))
    return mailbox.unread_count(folder.serial)


def message_json(view: View, message: Message, names: frozenset[str] | None = None) -> dict[str, Any]:
    """A message with the properties in `names`, or the default ones."""
    key = change_key(view.mailbox.owner, message.serial, message.version)
    document: dict[str, Any] = {"@odata.etag": f'W/"{key}"', "id": view.message_id(message)}
    for name in _DEFAULT if names is None else names:
        made = _PROPERTIES.get(name)
        if made is not None:
            document[name] = made(view, message)
    return document


def attached_json(mail: Mail) -> dict[str, Any]:
    """A message that is attached to another: it has no place, no changeKey and no id of its own."""
    head, body = mail.head, mail.body
    return {
        "receivedDateTime": stamp(head.received),
        "sentDateTime": stamp(head.sent),
        "hasAttachments": any(not each.is_inline for each in mail.attachments),
        "internetMessageId": head.message_id,
        "subject": head.subject,
        "importance": head.importance,
        "isRead": True,
        "isDraft": False,
        "body": {"contentType": "html" if body.is_html else "text", "content": body.content},
        "sender": _person(head.author),
        "from": _person(head.author),
        "toRecipients": _people(head.to),
        "ccRecipients": _people(head.cc),
        "bccRecipients": _people(head.bcc),
        "replyTo": _people(head.reply_to),
    }


def body_json(given: dict[str, Any]) -> dict[str, str]:
    """A body as it was written; the kind of content is shown in small letters, however it came."""
    return {
        "contentType": str(given.get("contentType") or "text").lower(), "content": str(given.get("content") or ""),
    }  # fmt: skip


def extended_properties(message: Message, expand: str) -> list[dict[str, str]]:
    """The singleValueExtendedProperties that $expand's filter names and the message has."""
    held = {each["id"].lower(): each["value"] for each in message.extended}
    found = []
    for wanted in _EXTENDED_ID.findall(expand):
        value = held.get(wanted.lower()) if wanted != _FLAGS else _flags(message)
        if value is None and wanted in _EXTENDED:
            value = _EXTENDED[wanted](message)
        if value is not None:
            found.append({"id": wanted, "value": value})
    return found


def _flags(message: Message) -> str:
    return str(message.is_read + 8 * message.is_draft)


_EXTENDED: dict[str, Callable[[Message], str]] = {
    "SystemTime 0x0039": lambda message: stamp(message.mail.head.sent),
    "SystemTime 0x0E06": lambda message: stamp(message.mail.head.received),
    "String 0x0037": lambda message: message.mail.head.subject,
    "String 0x001A": lambda _: "IPM.Note",
    "String 0x0C1A": lambda message: message.mail.head.author.name if message.mail.head.author else "",
    "String 0x1035": lambda message: message.mail.head.message_id,
    "Integer 0x0E08": lambda message: str(message.mail.size),
    "Long 0x0E08": lambda message: str(message.mail.size),
}


def _person(address: Address | None) -> dict[str, Any] | None:
    if address is None:
        return None
    return {"emailAddress": {"name": address.name or address.address, "address": address.address}}


def _people(addresses: Sequence[Address]) -> list[dict[str, Any] | None]:
    return [_person(each) for each in addresses]


def _body(view: View, message: Message) -> dict[str, str]:
    body = message.mail.body
    if view.text_body and body.is_html:
        return {"contentType": "text", "content": re.sub(r"<[^>]*>", "", body.content)}
    return {"contentType": "html" if body.is_html else "text", "content": body.content}


def _conversation_id(_view: View, message: Message) -> str:
    return "AAQkAD" + b64encode(message.mail.head.conversation).decode().replace("/", "-").replace("+", "_")


def _web_link(view: View, message: Message) -> str:
    item = quote(view.message_id(message), safe="")
    return f"https://outlook.office365.com/owa/?ItemID={item}&exvsurl=1&viewmodel=ReadMessageItem"


Getter = Callable[[View, Message], Any]
_PROPERTIES: dict[str, Getter] = {
    "createdDateTime": lambda _, m: stamp(m.created),
    "lastModifiedDateTime": lambda _, m: stamp(m.modified),
    "changeKey": lambda v, m: change_key(v.mailbox.owner, m.serial, m.version),
    "categories": lambda _, m: m.properties.get("categories", []),
    "receivedDateTime": lambda _, m: stamp(m.mail.head.received),
    "sentDateTime": lambda _, m: stamp(m.mail.head.sent),
    "hasAttachments": lambda _, m: any(not each.is_inline for each in m.mail.attachments),
    "internetMessageId": lambda _, m: m.mail.head.message_id,
    "subject": lambda _, m: m.mail.head.subject,
    "bodyPreview": lambda _, m: m.mail.body.preview,
    "importance": lambda _, m: m.properties.get("importance", m.mail.head.importance),
    "parentFolderId": lambda v, m: v.folder_id(m.folder),
    "conversationId": _conversation_id,
    "conversationIndex": lambda _, m: b64encode(b"\x01\x01" + m.mail.head.conversation[:20]).decode(),
    "isDeliveryReceiptRequested": lambda _, m: m.properties.get("isDeliveryReceiptRequested", False),
    "isReadReceiptRequested": lambda _, m: m.properties.get("isReadReceiptRequested", False),
    "isRead": lambda _, m: m.is_read,
    "isDraft": lambda _, m: m.is_draft,
    "webLink": _web_link,
    "inferenceClassification": lambda _, m: m.properties.get("inferenceClassification", "focused"),
    "body": _body,
    "sender": lambda _, m: _person(m.mail.head.author),
    "from": lambda _, m: _person(m.mail.head.author),
    "toRecipients": lambda _, m: _people(m.mail.head.to),
    "ccRecipients": lambda _, m: _people(m.mail.head.cc),
    "bccRecipients": lambda _, m: _people(m.mail.head.bcc),
    "replyTo": lambda _, m: _people(m.mail.head.reply_to),
    "flag": lambda _, m: m.properties.get("flag", {"flagStatus": "notFlagged"}),
    "internetMessageHeaders": lambda _, m: [{"name": name, "value": value} for name, value in m.mail.headers],
    "uniqueBody": _body,
}
# Graph gives these two only when they are selected.
_DEFAULT = tuple(name for name in _PROPERTIES if name not in ("internetMessageHeaders", "uniqueBody"))
