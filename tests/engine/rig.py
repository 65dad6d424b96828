"""A home with a real repository and catalog, and runs over the in-memory service."""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

from tests.engine.cloud import Cloud, Mailbox
from tuiback.catalog import CatalogReader
from tuiback.engine.activity import Activity
from tuiback.engine.archives.archive import Archive
from tuiback.engine.backups.runs import Crew, RunReport, TaskRun
from tuiback.engine.clock import SystemClock
from tuiback.engine.home import Home, RepositoryRef
from tuiback.engine.monitor import RunMonitor
from tuiback.engine.settings.limits import Gate
from tuiback.errors import NoSuchThing
from tuiback.model import Kind, Task
from tuiback.store import Repository, Secret, open_backend

SECRET = Secret("passphrase", b"correct horse battery staple")
TASK = Task(name="mail", tenant="acme", service="exchange", everything=True)


def make_home(path: Path, mounts: tuple[tuple[str, str], ...] = (("/", "ext4"),)) -> Home:
    """A home with a repository beside it; scrypt is cheap, because nobody attacks a test."""
    home = Home.create(path / "home", mounts=mounts)
    backend = open_backend(str(path / "repository"))
    repository = Repository.create(backend, [SECRET], clock=SystemClock(), scrypt_n=2**4)
    home.add_repository(
        RepositoryRef(
            name="main",
            url=str(path / "repository"),
            repository_id=repository.repository_id,
            catalog=str(home.default_catalog_folder("main")),
        )
    )
    return home


class HastyClock(SystemClock):
    """The machine's clock for a run that does not pause before it tries again."""

    async def sleep(self, seconds: float) -> None:
        """See Clock; others get their turn."""
        await asyncio.sleep(0)


@dataclass
class Rig:
    """Runs a task against `cloud` into an open archive."""

    home: Home
    archive: Archive
    cloud: Cloud = field(default_factory=Cloud)
    activity: Activity = field(default_factory=lambda: Activity(SystemClock()))
    task: Task = TASK
    runs: int = 0
    groups: dict[str, frozenset[str]] = field(default_factory=dict)

    @classmethod
    async def open(cls, home: Home, cloud: Cloud | None = None) -> "Rig":
        """Open the home's repository."""
        archive = await Archive.open(home, home.repository("main"), SECRET, SystemClock(), lambda *_: None)
        return cls(home, archive, cloud or Cloud(), runs=archive.reader.last_run_number())

    def new_run(self) -> TaskRun:
        """The next run of the task."""
        self.runs += 1
        clock = HastyClock()
        monitor = RunMonitor(clock, lambda: (0, 0))
        crew = Crew(self.archive, self.cloud, Gate(10), Gate(20), self.activity, monitor, clock, self._members_of)
        return TaskRun(self.task, self.runs, "manual", crew)

    async def _members_of(self, group: str) -> frozenset[str]:
        if group not in self.groups:
            raise NoSuchThing("there is no such group in the tenant", group)
        return self.groups[group]

    async def run(self) -> RunReport:
        """Run the task to its end."""
        return await self.new_run().execute()

    def listing(self, account_id: str = "mailbox:anna", seq: int | None = None) -> dict[str, str]:
        """Folder name/item id → content of everything at a snapshot, the newest unless one is named."""
        return listing(self.archive.reader, self.archive, account_id, seq)


def listing(reader: CatalogReader, archive: Archive, account_id: str, seq: int | None = None) -> dict[str, str]:
    """All messages of an account by "folder/item id", with their content as text."""
    points = reader.points(account_id)
    at = seq if seq is not None else points[0].seq
    found: dict[str, str] = {}
    folders: dict[str, str] = {}
    for _, entry in reader.walk(account_id, at):
        if entry.kind is Kind.FOLDER:
            folders[entry.item_id] = entry.name
            continue
        parts = {p.name: p for p in reader.parts(account_id, entry.item_id, entry.from_seq)}
        data = archive.content.read_all(parts["mime"])
        found[f"{folders.get(entry.parent_id, '')}/{entry.item_id}"] = data.decode()
    return found


def anna() -> Mailbox:
    """A small mailbox with two folders."""
    box = Mailbox()
    box.add_folder("in", "Inbox")
    box.add_folder("arc", "Archive")
    for number in range(7):
        box.put(f"m{number}", "in", f"text {number}".encode())
    box.put("a0", "arc", b"old text")
    return box


def now_in(box: Mailbox) -> dict[str, str]:
    """What listing() must show of the mailbox as it is now."""
    return {f"{box.folders[m.folder]}/{m.item_id}": m.data.decode() for m in box.mails.values()}
