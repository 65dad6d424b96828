"""Writes and reads commit objects: sealed like a pack's record, each naming the one before it.

A commit is a header and one record: msgpack of {writer, number, previous, packs, body}. Its name is
commits/<writer>/<number>-<BLAKE3 of the object>.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import blake3
import msgspec

from tuiback.errors import Damage, NoSuchThing
from tuiback.model import Commit, CommitBody, CommitHead
from tuiback.store.backend import Backend
from tuiback.store.envelope import (
    COMMIT_MAGIC,
    HEADER_BYTES,
    Header,
    RecordType,
    new_envelope,
    open_envelope,
    split_record,
)
from tuiback.store.keys import Keys

PREFIX = "commits/"
WRITER_PATTERN = re.compile(r"[A-Za-z0-9_-]{1,64}")
_NAME = re.compile(r"commits/([A-Za-z0-9_-]{1,64})/([0-9]{10,})-([0-9a-f]{64})")
_CHECK = "run tuiback check"
_SLOT = 0


class _Payload(msgspec.Struct, frozen=True):
    writer: str
    number: int
    previous: str
    packs: tuple[str, ...]
    body: CommitBody


@dataclass(frozen=True, slots=True)
class Chain:
    """The commits of one writer that count, numbered 1 to len(heads), and the names that don't.

    `void` names commits whose number another commit has (a cloned writer that died between writing and looking);
    `beyond_gap` names commits after a missing number, and `missing` is how the lost one's name starts.
    """

    heads: tuple[CommitHead, ...]
    void: tuple[str, ...] = ()
    beyond_gap: tuple[str, ...] = ()
    missing: str = ""


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


def encode(
    header: Header, keys: Keys, *, writer: str, previous: str, packs: Sequence[str], body: CommitBody
) -> bytes:
    """The object's bytes. `previous` is the digest of the commit before, "" for the first."""
    payload = _Payload(writer, header.number, previous, tuple(packs), body)
    envelope = new_envelope(header, keys)
    start, sealed = envelope.seal(_SLOT, RecordType.COMMIT, msgspec.msgpack.encode(payload))
    return b"".join((envelope.header_bytes, start, sealed))


def read(backend: Backend, head: CommitHead, keys: Keys, repository: bytes) -> Commit:
    """The commit. Raises Damage when it is missing or not what was written, FormatTooNew."""
    name = commit_name(head)
    try:
        data = backend.read(name)
    except NoSuchThing as error:
        raise Damage("the commit is missing", name, _CHECK) from error
    if blake3.blake3(data).hexdigest() != head.digest:
        raise Damage("its bytes are not what its name says", name, _CHECK)
    envelope = open_envelope(data, COMMIT_MAGIC, repository, keys, name)
    try:
        plain = envelope.unseal(split_record(data[HEADER_BYTES:], name), name)
        payload = msgspec.msgpack.decode(plain, type=_Payload)
    except msgspec.DecodeError as error:
        raise Damage(f"it can't be understood: {error}", name, _CHECK) from error
    if (payload.writer, payload.number) != (head.writer, head.number):
        raise Damage(f"it is commit {payload.number} of {payload.writer}", name, _CHECK)
    return Commit(head, payload.previous, payload.packs, payload.body)


def create(backend: Backend, head: CommitHead, data: bytes) -> None:
    """Make the commit durable. Raises Damage when its number is taken by another one: the writer was cloned."""
    name = commit_name(head)
    prefix = number_prefix(head.writer, head.number)
    if any(True for _ in backend.list(prefix)):
        raise _cloned(head, backend)
    backend.create(name, (data,))
    # Names carry the hash, so two clones don't collide by name: both look again, and none keeps its own.
    if any(other != name for other in backend.list(prefix)):
        backend.delete(name)
        raise _cloned(head, backend)


def _cloned(head: CommitHead, backend: Backend) -> Damage:
    what = f"writer {head.writer} has a commit {head.number} that this home did not write"
    return Damage(what, backend.url, "another copy of this home backs up too; stop one of them")


def follow(chain: Chain, known: CommitHead | None, get: Callable[[CommitHead], Commit]) -> Iterator[Commit]:
    """The commits of a chain behind `known`, each read with `get` and proven to follow the one before.

    Raises Damage when one does not, or when the chain has another commit in the place of `known`.
    """
    previous = known.digest if known else ""
    start = known.number if known else 0
    if known and start <= len(chain.heads) and chain.heads[start - 1].digest != known.digest:
        what = "it is another one than was known here: the repository was rolled back or forked"
        raise Damage(what, commit_name(chain.heads[start - 1]), "run tuiback rebuild-catalog")
    for head in chain.heads[start:]:
        commit = get(head)
        if commit.previous != previous:
            raise Damage("it does not follow the commit before it", commit_name(head), _CHECK)
        previous = head.digest
        yield commit


def chains(backend: Backend, keys: Keys, repository: bytes) -> Iterator[Chain]:
    """The chain of each writer, in the order of their names. Damaged commits count until they are read."""
    by_writer: dict[str, dict[int, list[CommitHead]]] = {}
    for head in filter(None, map(find_head, backend.list(PREFIX))):
        by_writer.setdefault(head.writer, {}).setdefault(head.number, []).append(head)

    def previous_of(head: CommitHead) -> str:
        try:
            return read(backend, head, keys, repository).previous
        except Damage:
            return ""

    for writer, numbered in by_writer.items():
        yield _chain(writer, numbered, previous_of)


def _chain(
    writer: str, numbered: dict[int, list[CommitHead]], previous_of: Callable[[CommitHead], str]
) -> Chain:
    """Counts from 1 to the first gap; where a number was given twice, the one that was built upon counts."""
    last = next(number for number in range(1, len(numbered) + 2) if number not in numbered) - 1
    beyond = [commit_name(head) for number in sorted(numbered) if number > last for head in numbered[number]]
    heads: list[CommitHead] = []
    void: list[str] = []
    for number in range(last, 0, -1):
        candidates = sorted(numbered[number], key=lambda head: head.digest)
        chosen = candidates[0]
        if len(candidates) > 1 and heads:
            wanted = previous_of(heads[-1])
            chosen = next((head for head in candidates if head.digest == wanted), chosen)
        heads.append(chosen)
        void += [commit_name(head) for head in candidates if head != chosen]
    missing = number_prefix(writer, last + 1) if beyond else ""
    return Chain(tuple(reversed(heads)), tuple(void), tuple(beyond), missing)
