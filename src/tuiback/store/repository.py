"""The repository: opened with one secret, it gives the engine commits, and Writer, Reader and check their objects."""

import uuid
from collections.abc import Iterator, Sequence
from datetime import datetime

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
from tuiback.store.checkpoint import copy_table
from tuiback.store.chunker import AVERAGE_BYTES, MAX_BYTES, MIN_BYTES
from tuiback.store.envelope import KNOWN_FEATURES, PACK_MAGIC, Envelope
from tuiback.store.history import Checkpoint, History
from tuiback.store.keys import DEFAULT_SCRYPT_N, VERSION, Keys, RootKeys, Secret
from tuiback.store.opening import open_backend
from tuiback.store.process import prepare_process
from tuiback.store.sealed import COUNTED, SealedObjects
from tuiback.store.slots import KeySlots

CONFIG = "config"
_MOUNT = "mount it, or correct the path; nothing was created"


class RepositoryConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What `config` says, in clear: which repository this is and how long content is cut."""

    version: int = VERSION
    required_features: int = 0
    repository_id: str
    created_at: datetime
    chunker: str = "fastcdc-2020"
    chunk_bytes: tuple[int, int, int] = (MIN_BYTES, AVERAGE_BYTES, MAX_BYTES)


class _Opened(msgspec.Struct, frozen=True):
    """What reads an open repository in a process beside this one. It holds the keys: it goes there and nowhere else."""

    url: str
    config: RepositoryConfig
    roots: RootKeys


class Repository:
    """One open repository. Thread-safe; all methods touch the disk."""

    def __init__(self, backend: Backend, config: RepositoryConfig, roots: RootKeys, clock: Clock) -> None:
        prepare_process()
        self._opened = _Opened(backend.url, config, roots)
        self.backend = backend
        self.repository_id = config.repository_id
        self.url = backend.url
        self._id_bytes = bytes.fromhex(config.repository_id)
        self.keys = Keys(roots, self._id_bytes)
        self._clock = clock
        self.objects = SealedObjects(backend, self.keys, self._id_bytes, clock)
        self._history = History(self.objects)

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

    def hand_over(self) -> bytes:
        """What take_over() needs to read it in a process beside this one. It holds the keys."""
        return msgspec.msgpack.encode(self._opened)

    @classmethod
    def take_over(cls, handed_over: bytes, clock: Clock) -> "Repository":
        """The repository that another process has opened, without its secret and without the time that this takes."""
        opened = msgspec.msgpack.decode(handed_over, type=_Opened)
        return cls(open_backend(opened.url), opened.config, opened.roots, clock)

    def key_slots(self, scrypt_n: int = DEFAULT_SCRYPT_N) -> KeySlots:
        """What lists and changes the slots that open it; this opened one keeps its keys and epoch until its end."""
        return KeySlots(self.backend, self._id_bytes, self._clock, scrypt_n)

    def seal(self, plain: bytes, purpose: str) -> bytes:
        """A small secret (a credential) sealed with the repository's key for this purpose only."""
        return self.keys.seal(plain, purpose)

    def unseal(self, sealed: bytes, purpose: str) -> bytes:
        """What seal() was given. Raises Damage."""
        return self.keys.unseal(sealed, purpose)

    def heads(self, after: Sequence[CommitHead] = ()) -> tuple[CommitHead, ...]:
        """The newest commit of each writer; what lies behind a missing number or lacks a segment does not count.

        Reads no commit up to `after`. Raises Damage when no checkpoint can be read and the commits before it are gone.
        """
        return tuple(chain.newest for chain in self.chains(after) if chain.newest)

    def chains(self, after: Sequence[CommitHead] = ()) -> tuple[commit_objects.Chain, ...]:
        """All commits by writer, with the names that don't count. See History.chains."""
        return self._history.chains(after)

    def newest_checkpoint(self) -> Checkpoint | None:
        """The commit and table that everything before them can be had from. See History.newest_checkpoint."""
        return self._history.newest_checkpoint()

    def commits(self, after: Sequence[CommitHead] = ()) -> Iterator[Commit]:
        """The commits after those heads: each writer's in order, writers merged by time, oldest first.

        Without `after` they begin behind the newest checkpoint. Raises Superseded when commits behind `after` are
        gone: a catalog that old is to be made anew. Raises Damage when one is missing or broken, or does not follow
        the one before it or in `after`.
        """
        return self._history.commits(after)

    def read_commit(self, head: CommitHead) -> Commit:
        """One commit. Raises Damage, FormatTooNew."""
        return commit_objects.read(self.objects, head)

    def append(
        self,
        writer_id: str,
        previous: CommitHead | None,
        packs: Sequence[str],
        body: CommitBody,
        *,
        generation: int = 0,
        checkpoint: str = "",
        base: CommitHead | None = None,
    ) -> Commit:
        """Make packs and changes part of the repository: durable when this returns.

        `checkpoint` is the segment of a checkpoint's table, of which a second copy is made. Without `base` the commit
        names the newest checkpoint that is known here. The commit's body may have its rows in another order of
        accounts, as all readers get it.
        Raises Damage when another commit follows `previous` already: two homes write as one writer; take a new
        writer id. Raises StorageFull, and UsageError for more packs than one commit can name (some 100,000).
        """
        if not commit_objects.WRITER_PATTERN.fullmatch(writer_id):
            raise UsageError("a writer id has 1 to 64 letters, digits, - and _", writer_id)
        body, segments = commit_objects.spilled(self.objects, body)
        payload = commit_objects.Payload(
            writer=writer_id,
            number=previous.number + 1 if previous else 1,
            previous=previous.digest if previous else "",
            packs=tuple(packs),
            body=CommitBody(body.time) if segments else body,
            segments=segments,
            generation=generation,
            checkpoint=checkpoint,
            checkpoint_copy=copy_table(self.objects, checkpoint) if checkpoint else "",
            base=base or self._find_base(previous, checkpoint),
        )
        data = commit_objects.encode(self.objects, payload)
        head = CommitHead(writer_id, payload.number, blake3.blake3(data).hexdigest())
        commit_objects.create(self.objects, head, data)
        commit = commit_objects.commit_of(payload, head, body)
        self._history.note(commit)
        return commit

    def _find_base(self, previous: CommitHead | None, checkpoint: str) -> CommitHead | None:
        try:
            return self._history.base(previous)
        except Damage:
            # A new checkpoint is what heals that.
            if checkpoint:
                return None
            raise

    def pack_table(self, pack_id: str) -> PackTable:
        """What lies in the pack, from its sealed trailer. Raises NoSuchThing, Damage, FormatTooNew."""
        return pack_objects.read_table(self.objects, pack_id)

    def open_pack(self, pack_id: str) -> Envelope:
        """What opens the pack's records. Raises NoSuchThing, Damage, FormatTooNew."""
        return pack_objects.open_pack(self.objects, pack_id)

    def new_pack(self, writer: bytes, number: int) -> pack_objects.PackBuilder:
        """An empty pack; `writer` is 16 random bytes of one Writer, `number` counts its packs."""
        return pack_objects.PackBuilder(self.objects.new_envelope(PACK_MAGIC, writer, number))

    def store_pack(self, data: Sequence[bytes], table: PackTable) -> None:
        """Make a finished pack durable. Raises StorageFull, EnvironmentFault.

        A pack that is there already is the same pack, for its name is the hash of its bytes.
        """
        self.objects.create_hashed(pack_objects.pack_name(table.pack_id), data)

    def stored_bytes(self) -> int:
        """Bytes of all packs, segments, commits and gc objects. The first call lists the backend."""
        return self.objects.stored_bytes()


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
    return any(True for prefix in COUNTED for _ in backend.list(prefix))


def _require_unused(backend: Backend) -> None:
    if any(True for name in backend.list(CONFIG) if name in twofold.copies(CONFIG)) or _has_content(backend):
        raise _in_use(backend)
    for name in list(backend.list(slot_objects.PREFIX)):
        # Left by a creation that was interrupted before its config: nothing was ever sealed with them.
        backend.delete(name)


def _in_use(backend: Backend) -> UsageError:
    return UsageError("a repository lies there already", backend.url, "adopt it, or choose another folder")
