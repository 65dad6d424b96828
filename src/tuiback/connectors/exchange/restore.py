"""Writes mail folders and messages back into a mailbox."""

import asyncio
import base64
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import msgspec

from tuiback.connectors.base import Existing, ItemSource, Written
from tuiback.connectors.exchange.entries import MESSAGE_FIELDS, ROOT, content_tag, says_the_same
from tuiback.connectors.exchange.mailbox import BY_IMMUTABLE_ID, MailboxAccess, mailbox_path
from tuiback.errors import GraphError, ItemGone, NoSuchThing
from tuiback.graph import Lane
from tuiback.model import Account

if TYPE_CHECKING:
    from tuiback.connectors.exchange.mime_parts import Attachment

# https://learn.microsoft.com/graph/outlook-large-attachments: below 3 MB in one request, above in fragments of
# less than 4 MB. Fragments are multiples of 320 KiB as everywhere in Graph.
_POSTED_BYTES = 3_000_000
_FRAGMENT_BYTES = 12 * 320 * 1024

_FOLDERS_PER_PAGE = "250"
_MESSAGES_PER_PAGE = "100"


class ExchangeRestore(MailboxAccess):
    """The half of the Exchange connector that writes."""

    async def restore_root(self, account: Account, label: str | None) -> str:
        """The root of the mailbox's folder tree, or the folder `label` in it."""
        return ROOT if label is None else await self._get_or_make_folder(account, ROOT, label)

    async def find_restore_root(self, account: Account, label: str | None) -> str | None:
        """The same, making nothing."""
        return ROOT if label is None else await self._find_folder(account, ROOT, label)

    async def restore_folder(
        self, account: Account, parent_id: str, folder: ItemSource, *, make: bool = True
    ) -> str | None:
        """A well-known folder goes into the mailbox's own one, whatever it is called in the account's language."""
        well_known = folder.attrs.get("well_known")
        if parent_id == ROOT and well_known:
            with suppress(ItemGone):
                query = {"$select": "id"}
                return str((await self._lane(account).get(_folder_path(account, well_known), params=query))["id"])
        if make:
            return await self._get_or_make_folder(account, parent_id, folder.name)
        return await self._find_folder(account, parent_id, folder.name)

    async def existing(self, account: Account, parent_id: str, item: ItemSource) -> Existing | None:
        """A message with the same Message-ID in that folder; a message without one stands in nobody's way."""
        message_id = item.attrs.get("message_id")
        if not message_id:
            return None
        quoted = message_id.replace("'", "''")
        query = {
            "$filter": f"internetMessageId eq '{quoted}'",
            "$select": ",".join(MESSAGE_FIELDS),
            "$top": _MESSAGES_PER_PAGE,
        }
        messages = _folder_path(account, parent_id, "messages")
        candidates = [
            Existing(message["id"], says_the_same(item.content_tag, content_tag(message)))
            async for page in self._lane(account).pages(messages, params=query, headers=BY_IMMUTABLE_ID)
            for message in page.items
            if message.get("internetMessageId") == message_id
        ]
        # Where copies differ, the one that is the same is what matters.
        return max(candidates, key=lambda candidate: candidate.identical, default=None)

    async def restore_item(
        self, account: Account, parent_id: str, item: ItemSource, *, on_conflict: str, replaces: str | None
    ) -> Written:
        """Creates the message, adds its attachments, and only then deletes what it overwrites."""
        # A backup does without all that takes a message apart.
        from tuiback.connectors.exchange.mail_json import mail_json

        if item.part_size("mime") is None:
            raise NoSuchThing("the backup holds no content of this message", item.name)
        mime = await _read_whole(item.part("mime"))
        # Parsing takes milliseconds a message, seconds for a large one: the loop goes on meanwhile.
        mail = await asyncio.to_thread(mail_json, mime, await _stored_properties(item))
        lane = self._lane(account)
        messages = _folder_path(account, parent_id, "messages")
        created = await lane.post(messages, mail.message, headers=BY_IMMUTABLE_ID)
        message_path = mailbox_path(account, "messages", created["id"])
        try:
            for attachment in mail.attachments:
                await self._attach(lane, message_path, attachment)
            if created.get("isRead") != mail.message["isRead"]:
                await lane.patch(message_path, {"isRead": mail.message["isRead"]}, headers=BY_IMMUTABLE_ID)
        except GraphError:
            # Half a message must not pass for the whole one; what went wrong with it is told all the same.
            with suppress(GraphError):
                await lane.post(f"{message_path}/permanentDelete", {}, headers=BY_IMMUTABLE_ID)
            raise
        if on_conflict == "overwrite" and replaces:
            await lane.delete(mailbox_path(account, "messages", replaces), headers=BY_IMMUTABLE_ID)
        return Written(created["id"], mail.degraded)

    async def take_back(self, account: Account, written_id: str, item: ItemSource) -> bool:
        """What was read, flagged or moved since is still the same message."""
        lane, place = self._lane(account), mailbox_path(account, "messages", written_id)
        found = await lane.get(place, params={"$select": ",".join(MESSAGE_FIELDS)}, headers=BY_IMMUTABLE_ID)
        if not says_the_same(item.content_tag, content_tag(found)):
            return False
        await lane.delete(place, headers=BY_IMMUTABLE_ID)
        return True

    async def _get_or_make_folder(self, account: Account, parent_id: str, name: str) -> str:
        """Making comes first: it is one request where folders are new, and it can't miss one made meanwhile."""
        children = _folder_path(account, parent_id, "childFolders")
        try:
            return str((await self._lane(account).post(children, {"displayName": name}))["id"])
        except GraphError as fault:
            if fault.status != 409:
                raise
        folder_id = await self._find_folder(account, parent_id, name)
        if folder_id is None:
            raise GraphError("Exchange says the folder exists, but does not list it", name, "restore to a new folder")
        return folder_id

    async def _find_folder(self, account: Account, parent_id: str, name: str) -> str | None:
        query = {"$select": "id,displayName", "$top": _FOLDERS_PER_PAGE, "includeHiddenFolders": "true"}
        async for page in self._lane(account).pages(_folder_path(account, parent_id, "childFolders"), params=query):
            for folder in page.items:
                if (folder.get("displayName") or "").casefold() == name.casefold():
                    return str(folder["id"])
        return None

    async def _attach(self, lane: Lane, message_path: str, attachment: "Attachment") -> None:
        if len(attachment.data) >= _POSTED_BYTES:
            described = {"attachmentType": "file", "name": attachment.name, "size": len(attachment.data)}
            await lane.upload(
                f"{message_path}/attachments/createUploadSession",
                {"AttachmentItem": described | _inline(attachment)},
                _in_memory(attachment.data),
                len(attachment.data),
                fragment_bytes=_FRAGMENT_BYTES,
            )
            return
        body = {
            "@odata.type": "#microsoft.graph.fileAttachment",
            "name": attachment.name,
            "contentType": attachment.content_type,
            "contentBytes": base64.b64encode(attachment.data).decode(),
        }
        await lane.post(f"{message_path}/attachments", body | _inline(attachment), headers=BY_IMMUTABLE_ID)


def _folder_path(account: Account, folder_id: str, *rest: str) -> str:
    return mailbox_path(account, "mailFolders", folder_id, *rest)


def _inline(attachment: "Attachment") -> dict[str, Any]:
    named = {"contentId": attachment.content_id} if attachment.content_id else {}
    return {"isInline": attachment.inline, **named}


async def _stored_properties(item: ItemSource) -> Mapping[str, Any]:
    if item.part_size("properties") is None:
        return {}
    return msgspec.json.decode(await _read_whole(item.part("properties")), type=dict[str, Any])


async def _read_whole(data: AsyncIterator[bytes]) -> bytes:
    return b"".join([piece async for piece in data])


async def _in_memory(data: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(data), _FRAGMENT_BYTES):
        yield data[start : start + _FRAGMENT_BYTES]
