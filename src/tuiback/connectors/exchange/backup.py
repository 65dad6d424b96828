"""Finds mailboxes, follows the changes of their folders, and reads messages."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine, Iterable, Iterator, Mapping, Sequence
from contextlib import aclosing, contextmanager
from functools import partial
from typing import TypeVar

from tuiback.connectors.base import Change, Changed, Discovered, PartSource, Removed
from tuiback.connectors.delta import Entry, Feed, Notes, follow
from tuiback.connectors.exchange.entries import (
    FOLDER_FIELDS,
    MESSAGE_FIELDS,
    ROOT,
    WELL_KNOWN,
    WITH_SIZE,
    folder_item,
    message_item,
)
from tuiback.connectors.exchange.grouping import grouped
from tuiback.connectors.exchange.mailbox import BY_IMMUTABLE_ID, IMMUTABLE_IDS, MailboxAccess, mailbox_path
from tuiback.connectors.people import people
from tuiback.errors import AccountAbsent, GraphError, ItemGone
from tuiback.graph import Answered, Member
from tuiback.model import Account, AccountKind, Container, Kind, Known, Owed, RemoteItem

T = TypeVar("T")

# How a service that can't put MIME into the answer of a batch refuses the members.
_NOT_TOGETHER = frozenset({400, 405, 406, 415, 501})

# A 404 by these codes is said of the mailbox, whatever in it was asked for; the same user may be answered by either
# (https://github.com/microsoftgraph/microsoft-graph-docs-contrib/issues/4340). A deleted item is ErrorItemNotFound.
_NO_MAILBOX = frozenset({"MailboxNotEnabledForRESTAPI", "ResourceNotFound"})

# The one container above all mail folders: its items are the folders themselves.
FOLDERS = "folders"

# corso reads deltas by 500; $top would end the listing there instead (alcionai/corso, api/config.go). The steps
# down are long because each costs a whole round of retries.
_PAGE_SIZES = (500, 100, 20, 4, 1)


class ExchangeBackup(MailboxAccess):
    """The half of the Exchange connector that reads."""

    service = "exchange"
    kind = AccountKind.MAILBOX
    throttled_as = "outlook"
    native_part = "mime"
    native_suffix = ".eml"

    async def discover(self, known_owner_ids: Mapping[str, str]) -> AsyncIterator[Discovered]:
        """Every user may have a mailbox: who has none is told when the mailbox is first listed.

        Asking each user's mailbox settings beforehand would be a request a user at every run.
        """
        async for page in people(self._graph):
            for person in page:
                yield Discovered(
                    kind=self.kind,
                    object_id=known_owner_ids.get(person.user_id, person.user_id),
                    owner_id=person.user_id,
                    name=person.name,
                    address=person.address,
                    aliases=person.aliases,
                    enabled=person.enabled,
                )

    def root_containers(self, account: Account) -> Sequence[Container]:
        """The list of folders; each folder then is a container of messages."""
        return (Container(account.account_id, FOLDERS, FOLDERS, "mail folders"),)

    def container_of(self, account: Account, item: RemoteItem) -> Container | None:
        """A mail folder is the container of its messages."""
        if item.kind is not Kind.FOLDER:
            return None
        return Container(account.account_id, item.item_id, "messages", item.name)

    async def changes(self, account: Account, container: Container) -> AsyncIterator[Change]:
        """The changed folders of the mailbox, or the changed messages of a folder.

        Raises AccountAbsent when there is no mailbox.
        """
        feed = self._folder_feed(account) if container.kind == FOLDERS else self._message_feed(account, container)
        try:
            async for change in follow(feed, container):
                yield change
        except ItemGone:
            # A link that was good before leads nowhere without the folder, and without the mailbox too.
            await self._root(account)
            raise

    def same_content(self, known: Known, item: RemoteItem) -> bool:
        """Moving a message changes its changeKey, so a moved message is known by what it says and was set to.

        In its place a new changeKey may mean a new body, which no listed property shows.
        """
        return known.parent_id != item.parent_id and bool(item.content_tag) and known.content_tag == item.content_tag

    async def content(self, account: Account, item: RemoteItem) -> AsyncIterator[PartSource]:
        """The properties as listed, then the MIME."""
        yield PartSource("properties", _whole(item.properties))
        if item.has_content:
            mime_path = mailbox_path(account, "messages", item.item_id, "$value")
            yield PartSource("mime", self._streamed(account, mime_path))

    def groups(self, items: Sequence[RemoteItem]) -> Sequence[Sequence[RemoteItem]]:
        """Small messages go together, so that four requests at once carry up to eighty; large ones are streamed."""
        if not self._graph.takes_batches:
            return [(item,) for item in items]
        return grouped(items)

    async def contents(
        self, account: Account, items: Sequence[RemoteItem]
    ) -> AsyncGenerator[Mapping[int, Mapping[str, bytes] | GraphError], None]:
        """The properties as listed and the MIME of each."""
        paths = [mailbox_path(account, "messages", item.item_id, "$value") for item in items]
        members = [Member("GET", path, BY_IMMUTABLE_ID) for path in paths]
        refused = 0
        async with aclosing(self._lane(account).answers(members)) as rounds:
            async for answers in rounds:
                refused += sum(isinstance(a, GraphError) and a.status in _NOT_TOGETHER for a in answers.values())
                yield {place: _parts(account, items[place], answer) for place, answer in answers.items()}
        if refused == len(items):
            self._graph.give_up_batches()

    async def refresh(self, account: Account, owed: Owed) -> RemoteItem | None:
        """None also for a message that moved: the listing of its new folder tells it."""
        try:
            message = await self._message(account, owed.item_id)
        except ItemGone:
            return None
        moved = message.get("parentFolderId") not in {None, owed.container_id}
        return None if moved else message_item(message, owed.container_id)

    async def expected_items(self, account: Account, container: Container) -> int | None:
        """The folder's own count of its messages."""
        if container.kind == FOLDERS:
            return None
        folder = await self._folder(account, container.container_id, ("id", "totalItemCount"))
        count = folder.get("totalItemCount")
        return count if isinstance(count, int) else None

    def _folder_feed(self, account: Account) -> Feed:
        # https://learn.microsoft.com/graph/api/mailfolder-delta: one flat list for the whole tree.
        return Feed(
            lane=self._lane(account),
            path=mailbox_path(account, "mailFolders", "delta"),
            params={"$select": ",".join(FOLDER_FIELDS)},
            read=partial(self._folder_change, account),
            headers=lambda page_size: {"Prefer": f"odata.maxpagesize={page_size}"},
            page_sizes=_PAGE_SIZES,
            learn=partial(self._root, account),
            learn_beside=partial(self._well_known, account),
        )

    def _message_feed(self, account: Account, container: Container) -> Feed:
        # https://learn.microsoft.com/graph/api/message-delta: each folder has a feed of its own.
        return Feed(
            lane=self._lane(account),
            path=mailbox_path(account, "mailFolders", container.container_id, "messages", "delta"),
            params={"$select": ",".join(MESSAGE_FIELDS)},
            welcome={"$expand": WITH_SIZE},
            read=partial(self._message_change, account, container.container_id),
            headers=lambda page_size: {"Prefer": f"odata.maxpagesize={page_size}, {IMMUTABLE_IDS}"},
            page_sizes=_PAGE_SIZES,
        )

    async def _folder_change(self, account: Account, entry: Entry, notes: Notes) -> Change | None:
        if "@removed" in entry:
            return Removed(entry["id"])
        # Search folders show messages that lie elsewhere; the root is no folder of its own in the tree.
        if entry.get("@odata.type") == "#microsoft.graph.mailSearchFolder" or entry["id"] == notes.get(ROOT):
            return None
        if "displayName" not in entry:
            # "At least the updated properties" are told (https://learn.microsoft.com/graph/delta-query-overview).
            try:
                entry = await self._folder(account, entry["id"], FOLDER_FIELDS)
            except ItemGone:
                return None
        return Changed(folder_item(entry, notes))

    async def _message_change(self, account: Account, folder_id: str, entry: Entry, _notes: Notes) -> Change | None:
        if "@removed" in entry:
            return Removed(entry["id"])
        if "changeKey" not in entry:
            # A message that was read may come with its id and isRead alone.
            try:
                entry = await self._message(account, entry["id"])
            except ItemGone:
                return None
        return Changed(message_item(entry, folder_id))

    async def _root(self, account: Account) -> dict[str, str]:
        """The id of the root."""
        try:
            return {ROOT: str((await self._folder(account, ROOT, ("id",)))["id"])}
        except ItemGone as fault:
            # Without a root there is no mailbox.
            raise _absent(account, fault) from fault

    async def _well_known(self, account: Account) -> dict[str, str]:
        """The ids of the well-known folders that the mailbox has."""
        asked = await _all_of(self._find_folder_id(account, word) for word in WELL_KNOWN)
        return {word: found for word, found in zip(WELL_KNOWN, asked, strict=True) if found is not None}

    async def _find_folder_id(self, account: Account, word: str) -> str | None:
        """The id of a well-known folder; a mailbox may lack an archive folder or an outbox."""
        try:
            return str((await self._folder(account, word, ("id",)))["id"])
        except ItemGone:
            return None

    async def _folder(self, account: Account, folder: str, fields: Sequence[str]) -> Entry:
        folder_path = mailbox_path(account, "mailFolders", folder)
        with _mailbox_there(account):
            return await self._lane(account).get(folder_path, params={"$select": ",".join(fields)})

    async def _message(self, account: Account, message_id: str) -> Entry:
        message_path = mailbox_path(account, "messages", message_id)
        query = {"$select": ",".join(MESSAGE_FIELDS)}
        with _mailbox_there(account):
            return await self._lane(account).get(message_path, params=query, headers=BY_IMMUTABLE_ID)

    async def _streamed(self, account: Account, mime_path: str) -> AsyncGenerator[bytes, None]:
        with _mailbox_there(account):
            async with aclosing(self._lane(account).stream(mime_path, headers=BY_IMMUTABLE_ID)) as pieces:
                async for piece in pieces:
                    yield piece


def _absent(account: Account, fault: GraphError) -> AccountAbsent:
    return AccountAbsent(
        "there is no mailbox", account.address, "license the user or exclude the account",
        status=fault.status, graph_code=fault.graph_code, request_id=fault.request_id,
    )  # fmt: skip


@contextmanager
def _mailbox_there(account: Account) -> Iterator[None]:
    """Raise AccountAbsent where the mailbox is gone: no item of it was deleted, and none must pass for that."""
    try:
        yield
    except ItemGone as fault:
        if fault.graph_code in _NO_MAILBOX:
            raise _absent(account, fault) from fault
        raise


def _parts(account: Account, item: RemoteItem, answer: Answered | GraphError) -> Mapping[str, bytes] | GraphError:
    if isinstance(answer, GraphError):
        gone = isinstance(answer, ItemGone) and answer.graph_code in _NO_MAILBOX
        return _absent(account, answer) if gone else answer
    if not answer.content:
        return GraphError("the message came without its content", item.name, "it is read alone", status=answer.status)
    return {"properties": item.properties, "mime": answer.content}


async def _all_of(questions: Iterable[Coroutine[None, None, T]]) -> list[T]:
    """The answers to questions asked side by side; the first failure ends all and is raised."""
    asked = [asyncio.ensure_future(question) for question in questions]
    try:
        return await asyncio.gather(*asked)
    finally:
        for one in asked:
            one.cancel()
        await asyncio.gather(*asked, return_exceptions=True)


async def _whole(data: bytes) -> AsyncIterator[bytes]:
    yield data
