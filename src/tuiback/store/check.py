"""Proves a repository whole, or names everything in it that is not.

Memory stays bounded however much there is: pack tables and needed chunks pass by one after the other, and a ledger
compares their ids share by share (see chunk_ledger).
"""

from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from tuiback.errors import Damage, FormatTooNew, NoSuchThing
from tuiback.model.need import Need
from tuiback.store.chunk_ledger import KEPT_BYTES, ChunkLedger
from tuiback.store.chunk_lists import LEVELS
from tuiback.store.findings import CheckReport, Finding
from tuiback.store.list_needs import ids_in, listed, lost_below
from tuiback.store.losses import read_losses
from tuiback.store.mime_form import MIME
from tuiback.store.needs import LostVersion, Needs, Told, missing_of, needs_of, still_kept
from tuiback.store.object_checks import CommitWalk, Standing, check_gc, check_segment, check_settings
from tuiback.store.pack_checks import Depth, PackLook, look_at
from tuiback.store.repository import Repository

Progress = Callable[[int, int], None]
# One reads and one hashes: more don't help on the two cores of a NAS, and each has a pack in memory.
_WORKERS = 2
_FORMS = frozenset({*LEVELS, MIME})


class PackOrder(Protocol):
    """Chooses which packs a check looks into, remembering when each was last."""

    def choose(self, pack_ids: Iterable[str]) -> Iterable[str]:
        """Those of these packs to look into, the first ones first; only the table of the others is read."""
        ...

    def looked_at(self, pack_id: str) -> None:
        """The pack was looked into and is whole."""
        ...


@dataclass(frozen=True, slots=True)
class Sources:
    """What a check may use beside the repository: all optional.

    `needs` are those of a catalog that is as new as the repository; without it the commits are read once more.
    `pack_bytes` are the sizes of packs, by their ids as bytes; `findable` tells the ids of all chunks that an index
    can find, many in a row at a time.
    `order` is a PackOrder, else all packs are looked into as the commits name them. `scratch` is a folder for
    temporary files.
    """

    needs: Needs | None = None
    pack_bytes: Mapping[bytes, int] = field(default_factory=dict)
    findable: Callable[[], Iterable[bytes]] = tuple
    order: PackOrder | None = None
    scratch: Path | None = None


def check(
    repository: Repository,
    *,
    read_data: bool = False,
    scrub: bool = False,
    sources: Sources | None = None,
    progress: Progress | None = None,
) -> CheckReport:
    """Follow every commit to its packs and every version to its chunks.

    With `scrub` the checksum of each sealed record is compared, with `read_data` everything is decrypted and hashed.
    Goes on after damage. progress(done, total) counts packs. Raises EnvironmentFault when the backend itself fails.
    """
    depth = Depth.READ if read_data else Depth.SCRUB if scrub else Depth.STRUCTURE
    run = _Check(repository, depth, sources or Sources(), progress or _ignore)
    try:
        run.settings()
        run.commits()
        run.packs()
        run.items()
        return run.report()
    finally:
        run.close()


class _Check:
    def __init__(self, repository: Repository, depth: Depth, sources: Sources, progress: Progress) -> None:
        self._repository = repository
        self._depth = depth
        self._sources = sources
        self._progress = progress
        self._damaged: list[Finding] = []
        self._standing = Standing((), None, {}, {})
        self._walk: CommitWalk | None = None
        self._losses = read_losses(repository.objects)
        self._ledger = ChunkLedger(sources.scratch)
        self._chunks = 0
        self._looked_into = 0
        self._bytes_read = 0
        self._lost: tuple[LostVersion, ...] = ()

    def close(self) -> None:
        """Let the temporary files go."""
        self._ledger.close()

    def settings(self) -> None:
        """Config, key slots, and what repairs and prunes have left."""
        self._damaged += check_settings(self._repository)
        self._damaged += [Finding("loss", name, what) for name, what in self._losses.damaged]
        self._damaged += check_gc(self._repository)

    def commits(self) -> None:
        """Every commit that counts, in its chain, and the segments they need; collects the packs they name."""
        try:
            walk = CommitWalk(self._repository)
            self._standing = walk.walk()
        except (Damage, FormatTooNew) as damage:
            # Nobody can tell what belongs to the repository without it.
            self._add("checkpoint", damage.subject, damage.what)
            return
        self._walk = walk
        for pack_id in self._losses.packs:
            self._standing.packs.pop(bytes.fromhex(pack_id), None)
        for segment_id, wanted in self._standing.segments.items():
            walk.findings += check_segment(self._repository.objects, segment_id, wanted, self._depth)

    def packs(self) -> None:
        """Every pack that a commit names; collects the chunks that can be read."""
        plan = list(self._plan())
        with ThreadPoolExecutor(_WORKERS, thread_name_prefix="check") as pool:
            for done, (pack_id, depth, look) in enumerate(_in_turn(pool, self._look, plan), start=1):
                self._take(pack_id, depth, look)
                self._progress(done, len(plan))

    def items(self) -> None:
        """Every chunk that a version needs, and the form it is kept in.

        A taken-apart mail needs no more: it was put together again and compared when it was stored, and its chunks
        and their order can't have changed since if they are there.
        """
        if self._walk is None:
            # Which packs count can't be told: calling every item lost would say nothing of any.
            return
        needs = self._sources.needs or needs_of(self._told)
        lists: dict[bytes, int] = {}
        unknown: set[str] = set()
        for need in needs():
            self._ledger.need(need.chunks)
            if need.form not in _FORMS:
                unknown.add(need.form)
            elif LEVELS.get(need.form):
                lists.update(dict.fromkeys(ids_in(need.chunks), LEVELS[need.form]))
        for _, chunk_ids in listed(self._repository.objects, self._pack_ids, lists):
            self._ledger.need(chunk_ids)
        for chunk_ids in self._sources.findable():
            self._ledger.can_find(chunk_ids)
        balance = self._ledger.settle()
        self._chunks = balance.there
        if balance.not_findable:
            what = f"it does not find {len(balance.not_findable)} chunks that the packs have and items need"
            self._add("index", "catalog", what)
        if balance.missing or unknown:
            below = lost_below(self._repository.objects, self._pack_ids, lists, balance.missing)
            self._name(needs, balance.missing, below)

    def report(self) -> CheckReport:
        """The outcome."""
        named = {pack_id.hex() for pack_id in self._standing.packs}
        unreferenced = sum(name.rpartition("/")[2] not in named for name in self._repository.backend.list("packs/"))
        return CheckReport(
            packs=len(self._standing.packs),
            chunks=self._chunks,
            commits=len(self._standing.commits),
            damaged=(*(self._walk.findings if self._walk else ()), *self._damaged),
            unreferenced_packs=unreferenced,
            depth=self._depth,
            looked_into=self._looked_into,
            bytes_read=self._bytes_read,
            segments=len(self._standing.segments),
            lost=self._lost,
        )

    def _plan(self) -> Iterator[tuple[str, Depth]]:
        """Which packs are looked at, and how deep."""
        names = self._pack_ids()
        if self._depth is Depth.STRUCTURE or self._sources.order is None:
            yield from ((pack_id, self._depth) for pack_id in names)
            return
        chosen = {bytes.fromhex(pack_id): None for pack_id in self._sources.order.choose(names)}
        yield from ((pack_id.hex(), self._depth) for pack_id in chosen)
        yield from ((pack_id.hex(), Depth.STRUCTURE) for pack_id in self._standing.packs if pack_id not in chosen)

    def _look(self, pack_id: str, depth: Depth) -> PackLook:
        try:
            return look_at(self._repository.objects, pack_id, depth)
        except NoSuchThing:
            return PackLook(pack_id, flaws=("it is missing",))
        except (Damage, FormatTooNew) as damage:
            return PackLook(pack_id, flaws=(damage.what,))

    def _take(self, pack_id: str, depth: Depth, look: PackLook) -> None:
        expected = self._sources.pack_bytes.get(bytes.fromhex(pack_id), 0)
        flaws = look.flaws
        # The trailer of another pack in its place would open as well; 0 is what stands for a pack once lost.
        if expected and not flaws and look.stored_bytes != expected:
            flaws = (f"it has {look.stored_bytes} bytes, the catalog knows {expected}",)
        for flaw in flaws:
            self._add("pack", pack_id, flaw)
        self._ledger.there(look.chunk_ids)
        self._bytes_read += look.bytes_read
        if depth is self._depth:
            self._looked_into += 1
            if self._sources.order is not None and not flaws:
                self._sources.order.looked_at(pack_id)

    def _told(self) -> Iterator[Told]:
        return self._walk.bodies(self._standing) if self._walk else iter(())

    def _pack_ids(self) -> Iterator[str]:
        return (pack_id.hex() for pack_id in self._standing.packs)

    def _name(self, needs: Needs, missing: Collection[bytes], below: Mapping[bytes, list[bytes]]) -> None:
        for need in needs():
            if need.form not in _FORMS:
                what = f"it is stored in form {need.form!r}, which this version does not know"
                self._add("item", f"{need.account_id} {need.item_id}", what)
        known = {chunk[:KEPT_BYTES] for chunk in self._losses.chunks}
        lost = list(_lost(needs(), lambda need: missing_of(need, missing, below), known))
        if self._sources.needs is None:
            lost = still_kept(lost, self._told())
        self._lost = tuple(lost)
        for version in lost:
            if not version.known:
                parts = ", ".join(version.parts)
                what = f"chunks of its {parts} can't be read (version #{version.from_seq}): {version.chunks[0].hex()}"
                self._add("item", f"{version.account_id} {version.item_id}", what)

    def _add(self, kind: str, name: str, what: str) -> None:
        self._damaged.append(Finding(kind, name, what))


def _lost(
    needs: Iterable[Need], missing_in: Callable[[Need], list[bytes]], known: set[bytes]
) -> Iterator[LostVersion]:
    """The versions that need what is missing; their needs come one after the other."""
    version: LostVersion | None = None
    for need in needs:
        chunks = tuple(missing_in(need))
        if not chunks:
            continue
        is_known = all(chunk[:KEPT_BYTES] in known for chunk in chunks)
        key = (need.account_id, need.item_id, need.from_seq, need.live)
        if version is not None and _is_more_of(version, key, need.part):
            parts, lost = (*version.parts, need.part), (*version.chunks, *chunks)
            version = LostVersion(*key, parts, lost, version.named, version.known and is_known)
            continue
        if version is not None:
            yield version
        version = LostVersion(*key, (need.part,), chunks, need.chunks, is_known)
    if version is not None:
        yield version


def _is_more_of(version: LostVersion, key: tuple[str, str, int, bool], part: str) -> bool:
    # A version that was replaced within its snapshot has the same key as its successor.
    same = key == (version.account_id, version.item_id, version.from_seq, version.live)
    return same and part not in version.parts


def _in_turn(
    pool: ThreadPoolExecutor, look: Callable[[str, Depth], PackLook], plan: Iterable[tuple[str, Depth]]
) -> Iterator[tuple[str, Depth, PackLook]]:
    """Look at the packs on the pool's threads, few at a time; in their order."""
    waiting: deque[tuple[str, Depth, Future[PackLook]]] = deque()
    for pack_id, depth in plan:
        waiting.append((pack_id, depth, pool.submit(look, pack_id, depth)))
        if len(waiting) > _WORKERS:
            first, its_depth, future = waiting.popleft()
            yield first, its_depth, future.result()
    for pack_id, depth, future in waiting:
        yield pack_id, depth, future.result()


def _ignore(_done: int, _total: int) -> None:
    return None
