"""Fills a home by hand with what a few runs would have left: two accounts of one person, two points in time."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from tuiback.catalog import Catalog, CatalogReader
from tuiback.cli.secret import read_key
from tuiback.engine.archives.archive import open_repository
from tuiback.engine.clock import SystemClock
from tuiback.engine.home import MAIN, Home
from tuiback.model import (
    Account,
    AccountKind,
    CommitBody,
    Container,
    ControlRow,
    Kind,
    Outcome,
    Owed,
    Removal,
    RunCounters,
    RunRow,
    SnapshotRow,
    StoredPart,
    Task,
    VersionOpened,
)
from tuiback.store import Repository, Writer

MAILBOX = "mailbox:eve-id"
DRIVE = "drive:eve-drive"
ADDRESS = "eve@acme.example"
FIRST = datetime(2026, 11, 20, 22, 0, tzinfo=UTC)
SECOND = datetime(2026, 11, 22, 22, 0, tzinfo=UTC)
FIRST_HELLO = b"Subject: hello\r\n\r\nfirst\r\n"
SECOND_HELLO = b"Subject: hello\r\n\r\nsecond\r\n"
GONE = b"Subject: gone\r\n\r\nbye\r\n"
PLAN = b"the plan\n"
HOSTILE = "\x1b[2Jred\u202e"

Place = tuple[str, str, str]  # account, container, parent


class Seeder:
    """Writes versions with real content into a repository."""

    def __init__(self, repository: Repository, reader: CatalogReader, executor: ThreadPoolExecutor) -> None:
        self._writer = Writer(repository, reader, executor)
        self._repository = repository

    async def item(self, place: Place, seq: int, item_id: str, name: str, content: bytes | None) -> VersionOpened:
        """A version of an item; without content it is a folder."""
        account_id, container_id, parent_id = place
        kind, part_name = (Kind.MESSAGE, "mime") if account_id == MAILBOX else (Kind.FILE, "file")
        parts: tuple[StoredPart, ...] = ()
        if content is not None:
            parts = (
                await self._writer.put(account_id, "item", "properties", b'{"id":"%s"}' % item_id.encode()),
                await self._writer.put(account_id, "item", part_name, content),
            )
        return VersionOpened(
            account_id=account_id,
            seq=seq,
            item_id=item_id,
            container_id=container_id,
            kind=kind if content is not None else Kind.FOLDER,
            parent_id=parent_id,
            name=name,
            size=len(content or b""),
            modified="2026-11-20T10:00:00Z",
            etag=f"{item_id}-{seq}",
            content_tag="",
            parts=parts,
            attrs=(("well_known", "inbox"),) if item_id == "f-inbox" else (),
        )

    async def commit(self, catalog: Catalog, body: CommitBody) -> None:
        """Make it durable and known."""
        tables = await self._writer.flush()
        heads = {head.writer: head for head in self._repository.heads()}
        packs = [table.pack_id for table in tables]
        commit = self._repository.append("seeder", heads.get("seeder"), packs, body)
        catalog.apply(commit, tables)
        self._writer.committed(tables)


def seed(home_path: Path) -> None:
    """Fill the home's main repository."""
    home = Home.open(home_path)
    ref = home.repository(MAIN)
    assert ref.key_file is not None
    repository = open_repository(ref, read_key(Path(ref.key_file)), SystemClock(), to_write=True)
    catalog = Catalog.open(home.catalog_path(MAIN))
    reader = CatalogReader(home.catalog_path(MAIN))
    with ThreadPoolExecutor(1) as executor:
        asyncio.run(_fill(repository, catalog, reader, executor))
    reader.close()
    catalog.close()


async def _fill(
    repository: Repository, catalog: Catalog, reader: CatalogReader, executor: ThreadPoolExecutor
) -> None:
    seeder = Seeder(repository, reader, executor)
    in_inbox, in_folder = (MAILBOX, "f-inbox", "f-inbox"), (MAILBOX, "f-projects", "f-projects")
    mail_root, drive_root = (MAILBOX, "folders", ""), (DRIVE, "eve-drive", "")
    account = Account(MAILBOX, AccountKind.MAILBOX, "acme", "mail", "eve-id", "Eve", ADDRESS)
    await seeder.commit(
        catalog,
        CommitBody(
            time=FIRST,
            controls=tuple(
                ControlRow("task", name, msgspec.json.encode(Task(name=name, tenant="acme", service=service)))
                for name, service in (("mail", "exchange"), ("files", "onedrive"))
            ),
            runs=(RunRow(1, "mail", "manual", FIRST, FIRST, Outcome.OK, RunCounters(accounts=1, items_new=3)),),
            accounts=(account, Account(DRIVE, AccountKind.DRIVE, "acme", "files", "eve-id", "Eve", ADDRESS)),
            snapshots_opened=(SnapshotRow(MAILBOX, 1, 1, FIRST), SnapshotRow(DRIVE, 1, 1, FIRST)),
            containers=(
                Container(MAILBOX, "folders", "folders", ""),
                Container(MAILBOX, "f-inbox", "messages", "Posteingang"),
                Container(MAILBOX, "f-projects", "messages", "Projects/2026"),
                Container(DRIVE, "eve-drive", "drive", ""),
            ),
            versions=(
                await seeder.item(mail_root, 1, "f-inbox", "Posteingang", None),
                await seeder.item(mail_root, 1, "f-projects", "Projects/2026", None),
                await seeder.item(in_inbox, 1, "m-hello", "hello", FIRST_HELLO),
                await seeder.item(in_inbox, 1, "m-gone", "gone", GONE),
                await seeder.item(in_folder, 1, "m-hostile", HOSTILE, b"Subject: x\r\n\r\n"),
                await seeder.item(drive_root, 1, "d-docs", "Docs", None),
                await seeder.item((DRIVE, "eve-drive", "d-docs"), 1, "d-plan", "plan.txt", PLAN),
            ),
            snapshots_closed=(
                SnapshotRow(MAILBOX, 1, 1, FIRST, FIRST, Outcome.OK, FIRST),
                SnapshotRow(DRIVE, 1, 1, FIRST, FIRST, Outcome.OK, FIRST),
            ),
        ),
    )
    await seeder.commit(
        catalog,
        CommitBody(
            time=SECOND,
            runs=(RunRow(2, "mail", "manual", SECOND, SECOND, Outcome.PARTIAL, RunCounters(accounts=1, owed=1)),),
            snapshots_opened=(SnapshotRow(MAILBOX, 2, 2, SECOND),),
            versions=(await seeder.item(in_inbox, 2, "m-hello", "hello", SECOND_HELLO),),
            removals=(Removal(MAILBOX, 2, "m-gone", "f-inbox"),),
            owed=(Owed(MAILBOX, "f-inbox", "m-owed", Kind.MESSAGE, "Posteingang/late", SECOND, 2, "500: no", "r-1"),),
            snapshots_closed=(SnapshotRow(MAILBOX, 2, 2, SECOND, SECOND, Outcome.PARTIAL, SECOND),),
        ),
    )
