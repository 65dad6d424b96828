"""The repository: opened with one secret, it gives the engine commits, and Writer, Reader and check their objects."""

import heapq
import os
import threading
import uuid
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import blake3
import msgspec

from tuiback.errors import Damage, RepositoryMissing, UsageError
from tuiback.model import Clock, Commit, CommitBody, CommitHead, PackTable
from tuiback.store import commits as commit_objects
from tuiback.store import keys as key_slots
from tuiback.store import pack as pack_objects
from tuiback.store import slots as slot_objects
from tuiback.store import twofold
from tuiback.store.backend import AlreadyThere, Backend
from tuiback.store.chunker import AVERAGE_BYTES, MAX_BYTES, MIN_BYTES
from tuiback.store.envelope import COMMIT_MAGIC, KNOWN_FEATURES, PACK_MAGIC, Envelope, Header, new_envelope
from tuiback.store.keys import DEFAULT_SCRYPT_N, VERSION, Keys, RootKeys, Secret
from tuiback.store.memory import prepare_memory
from tuiback.store.slots import KeySlots

CONFIG = "config"
_SALT_BYTES = 32
_EPOCH_START = datetime(1970, 1, 1, tzinfo=UTC)
_MOUNT = "mount it, or correct the path; nothing was created"


class RepositoryConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What `config` says, in clear: which repository this is and how long content is cut."""

    version: int = VERSION
    required_features: int = 0
    repository_id: str
    created_at: datetime
    chunker: str = "fastcdc-2020"
    chunk_bytes: tuple[int, int, int] = (MIN_BYTES, AVERAGE_BYTES, MAX_BYTES)


class Repository:
    """One open repository. Thread-safe; all methods touch the disk."""

    def __init__(self, backend: Backend, config: RepositoryConfig, roots: RootKeys, clock: Clock) -> None:
        prepare_memory()
        self.backend = backend
        self.repository_id = config.repository_id
        self.url = backend.url
        self._id_bytes = bytes.fromhex(config.repository_id)
        self.keys = Keys(roots, self._id_bytes)
        self._clock = clock
        self._lock = threading.Lock()
        self._stored_bytes: int | None = None

    @classmethod
    def create(
        cls, backend: Backend, secrets: Sequence[Secret], *, clock: Clock, scrypt_n: int = DEFAULT_SCRYPT_N
    ) -> "Repository":
        """A new repository that each of `secrets` opens.

        Raises UsageError when one lies there already or a secret is too short, EnvironmentFault when the place
        does not keep what it must.
        """
        if not secrets:
            raise UsageError("a repository needs a passphrase or a key file", backend.url)
        config = RepositoryConfig(repository_id=uuid.uuid4().hex, created_at=clock.now())
        repository = bytes.fromhex(config.repository_id)
        roots = key_slots.new_root_keys()
        slots = [
            key_slots.wrap(roots, secret, repository=repository, scrypt_n=scrypt_n, created_at=config.created_at)
            for secret in secrets
        ]
        backend.prepare()
        _require_unused(backend)
        backend.probe()
        try:
            slot_objects.write_first(backend, roots, secrets, slots=slots, repository=repository)
            # The config comes last: without it there is no repository, only what an interrupted creation left.
            twofold.write_twice(backend, CONFIG, config)
        except AlreadyThere:
            raise _in_use(backend) from None
        return cls(backend, config, roots, clock)

    @classmethod
    def open(
        cls, backend: Backend, secret: Secret, *, clock: Clock, expected_id: str | None = None, probe: bool = True
    ) -> "Repository":
        """The repository that lies in `backend`; never creates one.

        With `probe` the backend is tried first by writing and deleting a small object; reading needs no probe.
        Raises RepositoryMissing when none lies there or it is not `expected_id`, WrongKey, FormatTooNew, Damage.
        """
        config = identify(backend, expected_id)
        standing = slot_objects.read_standing(backend)
        repository = bytes.fromhex(config.repository_id)
        roots = slot_objects.unlock(standing.key_set, secret, repository=repository, subject=backend.url).roots
        if probe:
            backend.probe()
            slot_objects.settle(backend, standing)
        return cls(backend, config, roots, clock)

    def key_slots(self, scrypt_n: int = DEFAULT_SCRYPT_N) -> KeySlots:
        """What lists and changes the slots that open it; this opened one keeps its keys and epoch until its end."""
        return KeySlots(self.backend, self._id_bytes, self._clock, scrypt_n)

    def seal(self, plain: bytes, purpose: str) -> bytes:
        """A small secret (a credential) sealed with the repository's key for this purpose only."""
        return self.keys.seal(plain, purpose)

    def unseal(self, sealed: bytes, purpose: str) -> bytes:
        """What seal() was given. Raises Damage."""
        return self.keys.unseal(sealed, purpose)

    def heads(self) -> tuple[CommitHead, ...]:
        """The newest commit of each writer; what lies behind a missing number does not count."""
        return tuple(chain.heads[-1] for chain in self.chains() if chain.heads)

    def chains(self) -> Iterator[commit_objects.Chain]:
        """All commits by writer, with the names that don't count."""
        return commit_objects.chains(self.backend, self.keys, self._id_bytes)

    def commits(self, after: Sequence[CommitHead] = ()) -> Iterator[Commit]:
        """The commits after those heads: each writer's in order, writers merged by time, oldest first.

        Raises Damage when one is missing or broken, or does not follow the one before it or in `after`.
        """
        known = {head.writer: head for head in after}
        lines = [
            commit_objects.follow(chain, known.get(chain.heads[0].writer), self.read_commit)
            for chain in self.chains()
            if chain.heads
        ]
        return heapq.merge(*lines, key=lambda commit: commit.body.time)

    def read_commit(self, head: CommitHead) -> Commit:
        """One commit. Raises Damage, FormatTooNew."""
        return commit_objects.read(self.backend, head, self.keys, self._id_bytes)

    def append(self, writer_id: str, previous: CommitHead | None, packs: Sequence[str], body: CommitBody) -> Commit:
        """Make packs and changes part of the repository: durable when this returns.

        Raises Damage when another commit follows `previous` already: two homes write as one writer; take a new
        writer id. Raises StorageFull.
        """
        if not commit_objects.WRITER_PATTERN.fullmatch(writer_id):
            raise UsageError("a writer id has 1 to 64 letters, digits, - and _", writer_id)
        number = previous.number + 1 if previous else 1
        before = previous.digest if previous else ""
        header = self._header(COMMIT_MAGIC, commit_objects.writer_field(writer_id), number)
        data = commit_objects.encode(header, self.keys, writer=writer_id, previous=before, packs=packs, body=body)
        head = CommitHead(writer_id, number, blake3.blake3(data).hexdigest())
        commit_objects.create(self.backend, head, data)
        self._count_stored(len(data))
        return Commit(head, before, tuple(packs), body)

    def pack_table(self, pack_id: str) -> PackTable:
        """What lies in the pack, from its sealed trailer. Raises NoSuchThing, Damage, FormatTooNew."""
        return pack_objects.read_table(self.backend, pack_id, self.keys, self._id_bytes)

    def open_pack(self, pack_id: str) -> Envelope:
        """What opens the pack's records. Raises NoSuchThing, Damage, FormatTooNew."""
        return pack_objects.open_pack(self.backend, pack_id, self.keys, self._id_bytes)

    def verify_pack(self, pack_id: str) -> Iterator[pack_objects.Flaw]:
        """Read, decrypt and hash the whole pack; yields what is wrong. Raises NoSuchThing, Damage, FormatTooNew."""
        data = self.backend.read(pack_objects.pack_name(pack_id))
        return pack_objects.verify_pack(data, pack_id, self.keys, self._id_bytes)

    def new_pack(self, writer: bytes, number: int) -> pack_objects.PackBuilder:
        """An empty pack; `writer` is 16 random bytes of one Writer, `number` counts its packs."""
        return pack_objects.PackBuilder(new_envelope(self._header(PACK_MAGIC, writer, number), self.keys))

    def store_pack(self, data: Sequence[bytes], table: PackTable) -> None:
        """Make a finished pack durable. Raises StorageFull, EnvironmentFault.

        A pack that is there already is the same pack, for its name is the hash of its bytes.
        """
        name = pack_objects.pack_name(table.pack_id)
        try:
            self.backend.create(name, data)
        except AlreadyThere:
            return
        self._count_stored(table.stored_bytes)

    def stored_bytes(self) -> int:
        """Bytes of all packs and commits. The first call lists the backend."""
        with self._lock:
            if self._stored_bytes is None:
                names = (name for prefix in ("packs/", commit_objects.PREFIX) for name in self.backend.list(prefix))
                self._stored_bytes = sum(map(self.backend.size, names))
            return self._stored_bytes

    def _header(self, magic: bytes, writer: bytes, number: int) -> Header:
        time_ns = (self._clock.now() - _EPOCH_START) // timedelta(microseconds=1) * 1000
        return Header(magic, self._id_bytes, writer, number, self.keys.epoch, time_ns, os.urandom(_SALT_BYTES))

    def _count_stored(self, length: int) -> None:
        with self._lock:
            if self._stored_bytes is not None:
                self._stored_bytes += length


def identify(backend: Backend, expected_id: str | None = None) -> RepositoryConfig:
    """Which repository lies there; needs no secret.

    Raises RepositoryMissing when none lies there or it is not `expected_id`, FormatTooNew, Damage.
    """
    config = twofold.find_either(backend, CONFIG, RepositoryConfig, version=VERSION, features=KNOWN_FEATURES)
    if config is not None:
        if expected_id is not None and config.repository_id != expected_id:
            raise RepositoryMissing(f"another repository lies there ({config.repository_id})", backend.url, _MOUNT)
        return config
    if _has_content(backend):
        raise Damage("config and config.2 are missing", backend.url, "copy one back from another copy")
    raise RepositoryMissing("no repository lies there", backend.url, _MOUNT)


def _has_content(backend: Backend) -> bool:
    return any(True for prefix in ("packs/", commit_objects.PREFIX) for _ in backend.list(prefix))


def _require_unused(backend: Backend) -> None:
    if any(True for name in backend.list(CONFIG) if name in twofold.copies(CONFIG)) or _has_content(backend):
        raise _in_use(backend)
    for name in list(backend.list(slot_objects.PREFIX)):
        # Left by a creation that was interrupted before its config: nothing was ever sealed with them.
        backend.delete(name)


def _in_use(backend: Backend) -> UsageError:
    return UsageError("a repository lies there already", backend.url, "adopt it, or choose another folder")
