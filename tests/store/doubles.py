"""What the store is given in tests: a clock, a chunk index in a dict, backends that keep bytes in memory or fail."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime

from tuiback.errors import EnvironmentFault, NoSuchThing
from tuiback.model import CommitBody, Kind, Location, PackTable, StoredPart, VersionOpened
from tuiback.store import AlreadyThere, Backend, Repository, Secret

PASSPHRASE = Secret("passphrase", b"correct horse battery staple")
KEY_FILE = Secret("key-file", bytes(range(32)))
# The least that scrypt takes: tests open many repositories.
SCRYPT_N = 2
TIME = datetime(2026, 11, 23, 6, 0, 0, 123456, tzinfo=UTC)


class FixedClock:
    """A clock that stands still."""

    def now(self) -> datetime:
        return TIME

    def monotonic(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("the store never sleeps")


class DictIndex:
    """A chunk index as the catalog keeps it, in a dict; while `locked` it can't answer."""

    def __init__(self) -> None:
        self.locations: dict[bytes, Location] = {}
        self.asked = 0
        self.locked = False

    def find_chunks(self, chunk_ids: Sequence[bytes]) -> Mapping[bytes, Location]:
        if self.locked:
            raise EnvironmentFault("the catalog is locked")
        self.asked += len(chunk_ids)
        return {chunk_id: self.locations[chunk_id] for chunk_id in chunk_ids if chunk_id in self.locations}

    def take(self, tables: Sequence[PackTable]) -> None:
        """Do what the catalog does with a commit's packs."""
        for table in tables:
            for entry in table.entries:
                place = Location(
                    table.pack_id, entry.slot, entry.offset, entry.length, entry.inner_offset, entry.size
                )
                self.locations.setdefault(entry.chunk_id, place)


class MemoryBackend:
    """A backend without a disk; `objects` may be damaged at will."""

    url = "memory"

    def __init__(self, objects: dict[str, bytes] | None = None) -> None:
        self.objects = {} if objects is None else objects
        self.now = TIME
        self._written: dict[str, datetime] = {}
        self._lock = threading.Lock()

    def prepare(self) -> None:
        return None

    def create(self, name: str, data: Sequence[bytes]) -> None:
        with self._lock:
            if name in self.objects:
                raise AlreadyThere("the name is taken", name)
            self.objects[name] = b"".join(data)
            self._written[name] = self.now

    def read(self, name: str, offset: int = 0, length: int | None = None) -> bytes:
        end = None if length is None else offset + length
        return self._get(name)[offset:end]

    def size(self, name: str) -> int:
        return len(self._get(name))

    def modified(self, name: str) -> datetime:
        self._get(name)
        return self._written.get(name, TIME)

    def list(self, prefix: str) -> Iterator[str]:
        return iter(sorted(name for name in self.objects if name.startswith(prefix)))

    def delete(self, name: str) -> None:
        self._get(name)
        del self.objects[name]

    def probe(self) -> None:
        return None

    def free_bytes(self) -> tuple[int, int]:
        used = sum(map(len, self.objects.values()))
        return used, 2 * used

    def _get(self, name: str) -> bytes:
        try:
            return self.objects[name]
        except KeyError:
            raise NoSuchThing("there is no such object", name) from None


class FailingBackend(MemoryBackend):
    """Asks `fault` before and after every create: what it raises is what happens at that moment.

    fault(name, written) gets the object's name and whether it has been written already.
    """

    def __init__(self, objects: dict[str, bytes] | None = None) -> None:
        super().__init__(objects)
        self.fault: Callable[[str, bool], None] = lambda name, written: None

    def create(self, name: str, data: Sequence[bytes]) -> None:
        self.fault(name, False)
        super().create(name, data)
        self.fault(name, True)


class ReadLog(MemoryBackend):
    """Keeps the names of what was read."""

    def __init__(self, objects: dict[str, bytes] | None = None) -> None:
        super().__init__(objects)
        self.names: list[str] = []

    def read(self, name: str, offset: int = 0, length: int | None = None) -> bytes:
        self.names.append(name)
        return super().read(name, offset, length)


def new_repository(backend: Backend | None = None) -> Repository:
    """A repository that PASSPHRASE opens, in memory unless a backend is given."""
    return Repository.create(
        backend if backend is not None else MemoryBackend(), [PASSPHRASE], clock=FixedClock(), scrypt_n=SCRYPT_N
    )


def reopen(repository: Repository, backend: Backend | None = None) -> Repository:
    """The same repository as another process opens it, through its own backend if one is given."""
    backend = backend if backend is not None else repository.backend
    return Repository.open(backend, PASSPHRASE, clock=FixedClock(), expected_id=repository.repository_id)


def version(item_id: str, *parts: StoredPart) -> VersionOpened:
    """A version of an item with these parts."""
    return VersionOpened(
        account_id="mailbox:ann", seq=1, item_id=item_id, container_id="inbox", kind=Kind.MESSAGE, parent_id="inbox",
        name="Invoice", size=sum(part.size for part in parts), modified="2026-11-01T08:00:00Z", etag="e1",
        content_tag="", parts=parts, attrs=(("subject", "Invoice"),),
    )  # fmt: skip


def body(*versions: VersionOpened) -> CommitBody:
    """The body of a commit that opens these versions."""
    return CommitBody(time=TIME, versions=versions)


def rebuilt_index(repository: Repository) -> DictIndex:
    """The index that replaying the repository's commits gives."""
    index = DictIndex()
    for commit in repository.commits():
        index.take([repository.pack_table(pack_id) for pack_id in commit.packs])
    return index
