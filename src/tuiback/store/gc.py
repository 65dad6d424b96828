"""Records in the repository what each prune gives up, so that every writer and reader knows what no longer counts.

A prune takes the next generation. gc/<generation>-intent (10 digits) names what it means to delete: from then on
nobody may rest new content on it. gc/<generation>-accept has the final list and the newest commit of each writer at
that moment. Both are sealed objects of one record, msgpack of Intent and of Accept. Only what an accept names is ever
deleted; an intent alone is given up by whoever begins the next generation.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

import msgspec
from msgspec.structs import replace

from tuiback.errors import Damage, EnvironmentFault
from tuiback.model import Commit, CommitBody, CommitHead
from tuiback.store.backend import AlreadyThere, Backend
from tuiback.store.commits import writer_field
from tuiback.store.envelope import GC_MAGIC, RecordType
from tuiback.store.sealed import SealedObjects

PREFIX = "gc/"
# What readers that work without the engine, and restores that began before, get to finish in.
GRACE = timedelta(hours=24)
_NAME = re.compile(r"gc/([0-9]{10})-(intent|accept)")
_PACKS = "packs/"

Told = TypeVar("Told", "Intent", "Accept")


class Intent(msgspec.Struct, frozen=True):
    """What a prune means to delete: object names in `doomed`, and all commits up to the heads in `superseded`.

    `stray` are the names of objects that no commit names.
    """

    generation: int
    writer: str
    doomed: tuple[str, ...]
    stray: tuple[str, ...]
    superseded: tuple[CommitHead, ...]


class Accept(msgspec.Struct, frozen=True):
    """What a prune deletes once its grace is over: strays stand in `doomed` too.

    `seen` is the newest commit of each writer then: a commit of an older generation beyond it may rest on what goes,
    so it is void for every reader. `void` are the digests of commits that older generations had made void.
    """

    generation: int
    writer: str
    doomed: tuple[str, ...]
    superseded: tuple[CommitHead, ...]
    seen: tuple[CommitHead, ...]
    void: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Round:
    """One generation as its objects tell it; `since` is the store's time of the newest of them."""

    generation: int
    intent: Intent | None
    accept: Accept | None
    since: datetime

    @property
    def writer(self) -> str:
        """Who prunes."""
        told = self.accept or self.intent
        return told.writer if told else ""


def intent_name(generation: int) -> str:
    """The object's name in the backend."""
    return f"{PREFIX}{generation:010d}-intent"


def accept_name(generation: int) -> str:
    """The object's name in the backend."""
    return f"{PREFIX}{generation:010d}-accept"


def newest_generation(backend: Backend) -> int:
    """The newest generation that anything in the repository tells of, 0 for none."""
    return max((int(match[1]) for match in map(_NAME.fullmatch, backend.list(PREFIX)) if match), default=0)


def read_rounds(objects: SealedObjects) -> tuple[Round, ...]:
    """All generations that left objects, the oldest first. Raises Damage, FormatTooNew."""
    kinds: dict[int, set[str]] = {}
    for match in filter(None, map(_NAME.fullmatch, objects.backend.list(PREFIX))):
        kinds.setdefault(int(match[1]), set()).add(match[2])
    return tuple(_round(objects, generation, kinds[generation]) for generation in sorted(kinds))


def read_accepts(objects: SealedObjects) -> tuple[Accept, ...]:
    """The final lists of all generations that have one, the oldest first. Raises Damage, FormatTooNew."""
    matches = [match for match in map(_NAME.fullmatch, objects.backend.list(PREFIX)) if match]
    numbers = sorted(int(match[1]) for match in matches if match[2] == "accept")
    return tuple(_read(objects, accept_name(number), Accept) for number in numbers)


def read_one(objects: SealedObjects, name: str) -> Intent | Accept:
    """The object of that name. Raises Damage when it is none of a prune's or can't be read, FormatTooNew."""
    match = _NAME.fullmatch(name)
    if match is None:
        raise Damage("no prune gives an object such a name", name, "move it away")
    return _read(objects, name, Intent) if match[2] == "intent" else _read(objects, name, Accept)


def _round(objects: SealedObjects, generation: int, kinds: set[str]) -> Round:
    intent = _read(objects, intent_name(generation), Intent) if "intent" in kinds else None
    accept = _read(objects, accept_name(generation), Accept) if "accept" in kinds else None
    newest = accept_name(generation) if accept else intent_name(generation)
    return Round(generation, intent, accept, objects.backend.modified(newest))


def _read(objects: SealedObjects, name: str, kind: type[Told]) -> Told:
    plain = objects.open_one(objects.backend.read(name), GC_MAGIC, RecordType.GC, name)
    try:
        told = msgspec.msgpack.decode(plain, type=kind)
    except msgspec.DecodeError as error:
        raise Damage("it does not tell what it must", name, "run tuiback check") from error
    if not name.startswith(f"{PREFIX}{told.generation:010d}-"):
        raise Damage(f"it tells of generation {told.generation}", name, "run tuiback check")
    return told


def put_intent(objects: SealedObjects, intent: Intent) -> None:
    """Announce a prune. Raises EnvironmentFault when somebody else has announced this generation."""
    _put(objects, intent_name(intent.generation), intent)


def put_accept(objects: SealedObjects, accept: Accept) -> None:
    """Decide a prune. Raises EnvironmentFault as put_intent() does."""
    _put(objects, accept_name(accept.generation), accept)


def _put(objects: SealedObjects, name: str, told: Intent | Accept) -> None:
    plain = msgspec.msgpack.encode(told)
    data = objects.seal_one(GC_MAGIC, writer_field(told.writer), told.generation, RecordType.GC, plain)
    try:
        objects.create(name, (data,))
    except AlreadyThere:
        raise EnvironmentFault("another engine prunes this repository", name, "let it end, then prune again") from None


def is_void(head: CommitHead, generation: int, accepts: Iterable[Accept]) -> bool:
    """Whether a commit made under `generation` counts for nobody: a prune that its writer did not know was decided."""
    return any(head.digest in accept.void or _is_beyond(head, generation, accept) for accept in accepts)


def _is_beyond(head: CommitHead, generation: int, accept: Accept) -> bool:
    seen = next((known.number for known in accept.seen if known.writer == head.writer), 0)
    return generation < accept.generation and head.number > seen


def emptied(commit: Commit) -> Commit:
    """A void commit as readers take it: a link of its writer's chain that says nothing."""
    body = CommitBody(time=commit.body.time)
    return replace(commit, packs=(), segments=(), checkpoint="", checkpoint_copy="", body=body)


def packs_in(names: Iterable[str]) -> frozenset[str]:
    """The ids of the packs among these objects."""
    return frozenset(name.rpartition("/")[2] for name in names if name.startswith(_PACKS))


def packs_gone(rounds: Iterable[Round]) -> frozenset[str]:
    """The packs that no longer count, whether they have been deleted yet."""
    return frozenset().union(*(packs_in(told.accept.doomed) for told in rounds if told.accept))


def packs_counting_again(rounds: Iterable[Round]) -> frozenset[str]:
    """The packs that a prune meant to delete and that count all the same: spared at last, or it never was decided."""
    rounds = tuple(rounds)
    meant = frozenset().union(*(packs_in(told.intent.doomed) for told in rounds if told.intent))
    return meant - packs_gone(rounds)


def find_undecided(rounds: Iterable[Round], writer: str) -> Round | None:
    """The newest generation, if another writer announced it and has not decided it."""
    newest = max(rounds, key=lambda told: told.generation, default=None)
    return newest if newest and newest.accept is None and newest.writer != writer else None


def is_ripe(told: Round, heads: Iterable[CommitHead], writer: str, now: datetime) -> bool:
    """Whether what a generation dooms may be deleted: after the grace, and once `writer` has committed since.

    `now` and the round's time are the store's. Other writers are not waited for: what they commit without knowing of
    the prune is void.
    """
    if told.accept is None or now < told.since + GRACE:
        return False
    seen = next((head.number for head in told.accept.seen if head.writer == writer), 0)
    return any(head.writer == writer and head.number > seen for head in heads)


def forgettable(rounds: Iterable[Round], unfinished: Iterable[int]) -> tuple[str, ...]:
    """The names of gc objects that say nothing any more: below the newest decided generation, with all deleted.

    `unfinished` are the generations that still have something to delete.
    """
    rounds = tuple(rounds)
    decided = max((told.generation for told in rounds if told.accept), default=0)
    waiting = set(unfinished)
    names = []
    for told in rounds:
        if told.generation < decided and told.generation not in waiting:
            # The accept goes last: without it, its intent would look like one that was given up.
            names += [intent_name(told.generation)] if told.intent else []
            names += [accept_name(told.generation)] if told.accept else []
    return tuple(names)
