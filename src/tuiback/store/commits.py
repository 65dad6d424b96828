"""Writes and reads commit objects: sealed like a pack's record, each naming the one before it.

A commit is an object of one record (see sealed): msgpack of {writer, number, previous, generation, packs, segments,
checkpoint, checkpoint_copy, base, body}. Its name is commits/<writer>/<number>-<BLAKE3 of the object>. A body of more
than 1 MiB leaves its time only; its rows lie in `segments`, as records "body" of changes (see bodies), by account.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

import blake3
import msgspec

from tuiback.errors import Damage, NoSuchThing, UsageError, WriterCloned
from tuiback.model import Commit, CommitBody, CommitHead
from tuiback.store.backend import Backend
from tuiback.store.bodies import by_account, decode_bodies, joined, records, takes_more
from tuiback.store.envelope import COMMIT_MAGIC, RecordType
from tuiback.store.sealed import SealedObjects
from tuiback.store.segment import SegmentWriter, read_records

PREFIX = "commits/"
WRITER_PATTERN = re.compile(r"[A-Za-z0-9_-]{1,64}")
# One PUT, atomic on every object store.
COMMIT_BYTES_MAX = 4 * 1024 * 1024
# What a commit carries itself; more goes into segments.
INLINE_BYTES = 1024 * 1024
_BODY = "body"
_NAME = re.compile(r"commits/([A-Za-z0-9_-]{1,64})/([0-9]{10,})-([0-9a-f]{64})")
_CHECK = "run tuiback check"


class Payload(msgspec.Struct, frozen=True):
    """What a commit object holds; `body` without its rows where they lie in `segments`."""

    writer: str
    number: int
    previous: str
    packs: tuple[str, ...]
    body: CommitBody
    segments: tuple[str, ...] = ()
    generation: int = 0
    checkpoint: str = ""
    checkpoint_copy: str = ""
    base: CommitHead | None = None


@dataclass(frozen=True, slots=True)
class Chain:
    """The commits of one writer that count and stand in the repository, and the names that don't count.

    `heads` follow `start`, the newest commit that a checkpoint covers (None: there is none), without a gap.
    `superseded` names what is still there of the commits up to `start`; `void` commits whose number another commit
    has (a cloned writer that died between writing and looking). `missing` is how the name of the first commit
    starts that is not there, or that `lacks` the object of this name; `beyond_gap` names what is there from it on.
    """

    writer: str
    heads: tuple[CommitHead, ...]
    void: tuple[str, ...] = ()
    beyond_gap: tuple[str, ...] = ()
    missing: str = ""
    start: CommitHead | None = None
    superseded: tuple[str, ...] = ()
    lacks: str = ""

    @property
    def newest(self) -> CommitHead | None:
        """The newest commit that counts."""
        return self.heads[-1] if self.heads else self.start


def commit_name(head: CommitHead) -> str:
    """The object's name in the backend."""
    return f"{number_prefix(head.writer, head.number)}{head.digest}"


def number_prefix(writer: str, number: int) -> str:
    """What the names of all commits with this number start with."""
    return f"{PREFIX}{writer}/{number:010d}-"


def find_head(name: str) -> CommitHead | None:
    """The head that an object's name tells; None for other names."""
    match = _NAME.fullmatch(name)
    return CommitHead(match[1], int(match[2]), match[3]) if match else None


def writer_field(writer: str) -> bytes:
    """The 16 bytes that stand for the writer in a commit's header."""
    return blake3.blake3(writer.encode()).digest(16)


def spilled(objects: SealedObjects, body: CommitBody) -> tuple[CommitBody, tuple[str, ...]]:
    """The body as read_body() will give it, and the segments that its rows were written to, if it is too large.

    Rows of one account stay in their order; accounts come one after the other. Raises StorageFull.
    """
    if not takes_more(body, INLINE_BYTES):
        return body, ()
    writer = SegmentWriter(objects)
    accounts = by_account(body)
    for subject, rows in accounts.items():
        for plain, count in records((rows,)):
            writer.add(subject, _BODY, plain, count)
    segments = tuple(dict.fromkeys(ref.segment_id for ref in writer.finish()))
    return joined(body.time, accounts.values()), segments


def encode(objects: SealedObjects, payload: Payload) -> bytes:
    """The object's bytes. Raises UsageError when it would be larger than 4 MiB: it names too many packs."""
    number, plain = payload.number, msgspec.msgpack.encode(payload)
    data = objects.seal_one(COMMIT_MAGIC, writer_field(payload.writer), number, RecordType.COMMIT, plain)
    if len(data) > COMMIT_BYTES_MAX:
        raise UsageError(f"a commit of {len(payload.packs)} packs is too large", remedy="commit them in several steps")
    return data


def read_payload(objects: SealedObjects, head: CommitHead) -> Payload:
    """What the commit object itself holds. Raises Damage when it is missing or not what was written, FormatTooNew."""
    name = commit_name(head)
    try:
        data = objects.backend.read(name)
    except NoSuchThing as error:
        raise Damage("the commit is missing", name, _CHECK) from error
    if blake3.blake3(data).hexdigest() != head.digest:
        raise Damage("its bytes are not what its name says", name, _CHECK)
    plain = objects.open_one(data, COMMIT_MAGIC, RecordType.COMMIT, name)
    try:
        payload = msgspec.msgpack.decode(plain, type=Payload)
    except msgspec.DecodeError as error:
        raise Damage(f"it can't be understood: {error}", name, _CHECK) from error
    if (payload.writer, payload.number) != (head.writer, head.number):
        raise Damage(f"it is commit {payload.number} of {payload.writer}", name, _CHECK)
    return payload


def read(objects: SealedObjects, head: CommitHead) -> Commit:
    """The commit, its rows put together again. Raises Damage, also for its segments, and FormatTooNew."""
    payload = read_payload(objects, head)
    return commit_of(payload, head, read_body(objects, payload, head))


def commit_of(payload: Payload, head: CommitHead, body: CommitBody) -> Commit:
    """The commit that an object and the rows in its segments make up."""
    return Commit(
        head=head, previous=payload.previous, packs=payload.packs, body=body, segments=payload.segments,
        generation=payload.generation, checkpoint=payload.checkpoint, checkpoint_copy=payload.checkpoint_copy,
        base=payload.base,
    )  # fmt: skip


def read_body(objects: SealedObjects, payload: Payload, head: CommitHead) -> CommitBody:
    """What the commit says, from its object and its segments. Raises Damage, FormatTooNew."""
    name = commit_name(head)
    bodies = [payload.body]
    for segment_id in payload.segments:
        try:
            for _, plain in read_records(objects, segment_id):
                bodies += decode_bodies(plain)
        except Damage as damage:
            raise Damage(f"its rows lie in segment {segment_id}: {damage.what}", name, _CHECK) from damage
        except msgspec.DecodeError as error:
            what = f"its rows in segment {segment_id} can't be understood: {error}"
            raise Damage(what, name, _CHECK) from error
    return joined(payload.body.time, bodies) if payload.segments else payload.body


def create(objects: SealedObjects, head: CommitHead, data: bytes) -> None:
    """Make the commit durable. Raises Damage when its number is taken by another one: the writer was cloned."""
    name = commit_name(head)
    prefix = number_prefix(head.writer, head.number)
    backend = objects.backend
    if any(True for _ in backend.list(prefix)):
        raise _cloned(head, backend)
    objects.create(name, (data,))
    # Names carry the hash, so two clones don't collide by name: both look again, and none keeps its own.
    if any(other != name for other in backend.list(prefix)):
        objects.delete(name)
        raise _cloned(head, backend)


def _cloned(head: CommitHead, backend: Backend) -> WriterCloned:
    what = f"writer {head.writer} has a commit {head.number} that this home did not write"
    return WriterCloned(what, backend.url, "another copy of this home backs up too; stop one of them")


def follow(chain: Chain, known: CommitHead | None, get: Callable[[CommitHead], Commit]) -> Iterator[Commit]:
    """The commits of a chain behind `known`, each read with `get` and proven to follow the one before.

    `known` is not older than the chain's start. Raises Damage when a commit does not follow, or when the chain has
    another commit in the place of `known`.
    """
    known = known or chain.start
    first = chain.start.number if chain.start else 0
    behind = known.number - first if known else 0
    there = chain.start if not behind else chain.heads[behind - 1] if behind <= len(chain.heads) else None
    if known and there and there.digest != known.digest:
        what = "it is another one than was known here: the repository was rolled back or forked"
        raise Damage(what, commit_name(there), "run tuiback rebuild-catalog")
    previous = known.digest if known else ""
    for head in chain.heads[behind:]:
        commit = get(head)
        if commit.previous != previous:
            raise Damage("it does not follow the commit before it", commit_name(head), _CHECK)
        previous = head.digest
        yield commit


def chain_from(
    writer: str,
    numbered: dict[int, list[CommitHead]],
    start: CommitHead | None,
    previous_of: Callable[[CommitHead], str],
) -> Chain:
    """Counts from behind `start` to the first gap.

    Where a number was given twice, the one that was built upon counts.
    """
    first = start.number if start else 0
    last = next(number for number in range(first + 1, first + len(numbered) + 2) if number not in numbered) - 1
    beyond = [commit_name(head) for number in sorted(numbered) if number > last for head in numbered[number]]
    heads: list[CommitHead] = []
    void: list[str] = []
    for number in range(last, first, -1):
        candidates = sorted(numbered[number], key=lambda head: head.digest)
        chosen = candidates[0]
        if len(candidates) > 1 and heads:
            wanted = previous_of(heads[-1])
            chosen = next((head for head in candidates if head.digest == wanted), chosen)
        heads.append(chosen)
        void += [commit_name(head) for head in candidates if head != chosen]
    missing = number_prefix(writer, last + 1) if beyond else ""
    superseded = [commit_name(head) for number in sorted(numbered) if number <= first for head in numbered[number]]
    return Chain(writer, tuple(reversed(heads)), tuple(void), tuple(beyond), missing, start, tuple(superseded))


def cut(chain: Chain, head: CommitHead, lacks: str) -> Chain:
    """The chain up to before `head`, which can't count because it needs the object `lacks`, which is missing."""
    place = chain.heads.index(head)
    beyond = (*map(commit_name, chain.heads[place:]), *chain.beyond_gap)
    missing = number_prefix(head.writer, head.number)
    return replace(chain, heads=chain.heads[:place], beyond_gap=beyond, missing=missing, lacks=lacks)


def numbered_heads(names: Iterable[str]) -> dict[str, dict[int, list[CommitHead]]]:
    """All commits that names tell of, by writer and number."""
    by_writer: dict[str, dict[int, list[CommitHead]]] = {}
    for head in filter(None, map(find_head, names)):
        by_writer.setdefault(head.writer, {}).setdefault(head.number, []).append(head)
    return by_writer
