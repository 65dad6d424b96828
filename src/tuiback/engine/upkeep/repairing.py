"""Repairs a repository: saves what is whole, lets the rest be fetched again, and says what is lost."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from tuiback.catalog import Audit, Catalog, CatalogReader, State
from tuiback.catalog.bases import open_bases
from tuiback.engine.archives.checkpointing import make_checkpoint
from tuiback.engine.archives.owe_lost import owe
from tuiback.engine.archives.rebuilding import (
    bring_up_to_date,
    list_again,
    load_checkpoint,
    packs_given_up,
    rebuild_catalog,
    remove_database,
)
from tuiback.engine.archives.salvaging import apply_what_is_left
from tuiback.engine.home import CATALOG, STATE
from tuiback.engine.upkeep.checking import Extent, check_repository
from tuiback.errors import Damage, FormatTooNew, NoSuchThing
from tuiback.model import ChunkEntry, Clock, CommitBody, CommitHead, PackTable
from tuiback.store import CheckReport, Finding, LostVersion, Repository, gc, newest_generation
from tuiback.store.check import Progress
from tuiback.store.commits import commit_name, find_head
from tuiback.store.losses import Loss, note_loss, read_losses
from tuiback.store.lost_checkpoint import name_table_again
from tuiback.store.mending import mend_copy, put_aside, whole_records
from tuiback.store.object_checks import CommitWalk
from tuiback.store.pack import pack_name
from tuiback.store.repack import Repacker
from tuiback.store.segment import segment_name

Recheck = Callable[[], CheckReport]
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class LostItem:
    """A version that can't be read whole any more. A live one is owed: the next run fetches the item again."""

    account_id: str
    item_id: str
    from_seq: int
    path: str
    live: bool
    parts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Repair:
    """What a repair did, by the names of objects; `left` is the damage that it could do nothing about.

    Of `lost_accounts` ("" for runs and controls) versions are lost that nobody can name: their metadata could be read
    neither in a catalog nor in the repository. They are listed again.
    """

    repaired: tuple[str, ...]
    quarantined: tuple[str, ...]
    lost: tuple[LostItem, ...]
    lost_accounts: tuple[str, ...]
    owed: int
    left: tuple[Finding, ...]

    @property
    def whole(self) -> bool:
        """Whether nothing is lost and nothing damaged any more."""
        return not (self.lost or self.lost_accounts or self.left)


def repair_all(
    folder: Path, repository: Repository, found: CheckReport, extent: Extent, clock: Clock, progress: Progress
) -> Repair:
    """Repair what a check of this extent has `found`, and what comes to light only then. See repair()."""

    def recheck() -> CheckReport:
        return check_repository(folder, repository, clock, Extent(), progress).report

    first = repair(folder, repository, found, recheck, clock)
    if not found.names_of("checkpoint"):
        return first
    # Nobody could look into packs while nothing told which packs there are.
    again = check_repository(folder, repository, clock, extent, progress).report
    if again.ok:
        return first
    second = repair(folder, repository, again, recheck, clock)
    return Repair(
        first.repaired + second.repaired,
        first.quarantined + second.quarantined,
        first.lost + second.lost,
        first.lost_accounts + second.lost_accounts,
        first.owed + second.owed,
        second.left,
    )


def repair(folder: Path, repository: Repository, found: CheckReport, recheck: Recheck, clock: Clock) -> Repair:
    """Repair what a check has `found`, with the catalog and state in `folder`; the caller holds the home's lock.

    `recheck` checks again, as the home sees the repository then. Packs that are damaged go to quarantine once what is
    whole in them lies in others, live items that lost content become owed, and a new checkpoint from the catalog takes
    the place of damaged commits and segments. May be repeated after a crash. Raises Damage when the catalog is lost
    and so is every checkpoint, StorageFull, EnvironmentFault.
    """
    work = _Work(folder, repository, found, clock)
    try:
        work.settings()
        work.open_catalog()
        work.packs()
        work.metadata()
        return work.lost(recheck())
    finally:
        work.close()


class _Work:
    def __init__(self, folder: Path, repository: Repository, found: CheckReport, clock: Clock) -> None:
        self._path = folder / CATALOG
        self._repository = repository
        self._found = found
        self._clock = clock
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._state = State.open(folder / STATE)
        self._writer_id = self._first_writer_id = self._state.writer_id()
        self._catalog: Catalog | None = None
        self._repaired: list[str] = []
        self._quarantined: list[str] = []
        self._lost_accounts: dict[str, None] = {}

    def close(self) -> None:
        """Let the files go."""
        if self._catalog is not None:
            self._catalog.close()
        self._state.close()

    def settings(self) -> None:
        """Second copies from the first, and what only says what was done before."""
        for copy in (*self._found.names_of("config"), *self._found.names_of("key")):
            if mend_copy(self._repository.backend, copy):
                self._repaired.append(copy)
        for name in (*self._found.names_of("gc"), *self._found.names_of("loss")):
            self._put_aside(name)

    def open_catalog(self) -> None:
        """The catalog as new as it can be; made anew where it is damaged or missing."""
        tables = _ReadableTables(self._repository)
        anew = bool(self._found.names_of("catalog")) or not self._path.exists()
        if not self._is_metadata_damaged():
            if anew:
                rebuild_catalog(self._path, self._repository, tables)
            self._catalog = Catalog.open(self._path)
            bring_up_to_date(self._catalog, self._repository)
        else:
            if anew:
                remove_database(self._path)
                name_table_again(self._repository, self._clock)
                load_checkpoint(self._path, self._repository, tables, lost=self._lose)
            self._catalog = Catalog.open(self._path)
            # Going on in a broken line would put another commit in the place of the damaged one.
            self._writer_id = self._state.new_writer_id()
            try:
                self._salvage(self._catalog, tables)
            except Damage:
                # Of a checkpoint that can't be read nothing is needed while there is a catalog.
                if anew:
                    raise
        if anew:
            self._repaired += self._found.names_of("catalog")

    def _lose(self, account_id: str, damage: Damage) -> None:
        del damage  # of a segment, which the check has named
        self._lost_accounts[account_id] = None

    def _salvage(self, catalog: Catalog, tables: "_ReadableTables") -> None:
        """Go on with the commits that can be read. What the lost ones said the service must say again."""
        if not apply_what_is_left(catalog, self._repository, self._clock, tables) and not self._lost_accounts:
            return
        # Later versions rest on the content of packs that only lost commits named.
        known = self._ask(Audit.pack_bytes)
        names = (name.rpartition("/")[2] for name in self._repository.backend.list("packs/"))
        given_up = packs_given_up(self._repository)
        unknown = (pack_id for pack_id in names if bytes.fromhex(pack_id) not in known and pack_id not in given_up)
        found = tuple(table for pack_id in unknown if (table := tables(pack_id)).entries)
        with open_bases(self._path) as bases:
            # Also those that only a lost commit has described.
            accounts = [subject for subject in bases.subjects() if subject]
        list_again(catalog, self._repository, self._state, self._clock, accounts)
        self._writer_id = self._state.writer_id()
        self._commit(CommitBody(time=self._clock.now()), found)

    def packs(self) -> None:
        """Save what is whole in damaged packs, then put them aside and make the index anew."""
        damaged = self._found.names_of("pack")
        assert self._catalog is not None
        if not damaged:
            if self._found.names_of("index"):
                self._reindex(())
                self._repaired.append(str(self._path))
            return
        repacker = Repacker(self._repository, lambda table: table.entries)
        for pack_id in damaged:
            for saved in whole_records(self._repository.objects, pack_id, self._known(pack_id)):
                repacker.put(saved.chunks, saved.plain)
        saved_tables = repacker.finish()
        if saved_tables:
            self._commit(CommitBody(time=self._clock.now()), saved_tables)
        again = self._lost_again(damaged, saved_tables)
        note_loss(self._repository.objects, Loss(time=self._clock.now(), packs=damaged, chunks=(), again=again))
        self._reindex(damaged)
        for pack_id in damaged:
            self._put_aside(pack_name(pack_id))
        self._repaired += [pack_name(table.pack_id) for table in saved_tables]

    def _lost_again(self, damaged: Sequence[str], saved: Sequence[PackTable]) -> tuple[bytes, ...]:
        """Of the chunks that were lost before and stored again since, those that may go with these packs."""
        before = read_losses(self._repository.objects).chunks
        contents = [{entry.chunk_id for entry in self._known(pack_id)} for pack_id in damaged]
        if not all(contents):
            # Nobody knows what was in one of them.
            return tuple(before)
        there = {entry.chunk_id for table in saved for entry in table.entries}
        return tuple(before & frozenset().union(*contents) - there)

    def metadata(self) -> None:
        """A checkpoint in the place of damaged commits and segments, and without packs that were given up."""
        if not (self._is_metadata_damaged() or self._found.names_of("pack") or self._found.names_of("gc")):
            return
        assert self._catalog is not None
        covered = {head.writer: head.number for head in self._catalog.heads()}
        generation = newest_generation(self._repository.backend)
        commit = make_checkpoint(
            self._repository, self._catalog, writer_id=self._writer_id, clock=self._clock, generation=generation,
            anew=True,
        )  # fmt: skip
        if commit is not None and self._is_metadata_damaged():
            self._repaired.append(commit_name(commit.head))
        self._give_up_prune()
        for name in self._found.names_of("commit"):
            head = find_head(name)
            if head is not None and not (head.number <= covered.get(head.writer, 0) and self._is_readable(head)):
                self._put_aside(name)
        for segment_id in self._found.names_of("segment"):
            self._put_aside(segment_name(segment_id))

    def _give_up_prune(self) -> None:
        """Decide that nothing leaves where a prune of this home died before deciding: nobody else can, under its name.

        Every other writer, this home's new one too, would wait for it for a day.
        """
        objects = self._repository.objects
        rounds = gc.read_rounds(objects)
        undecided = gc.find_undecided(rounds, self._writer_id)
        if undecided is not None and undecided.writer == self._first_writer_id:
            void = tuple(digest for told in rounds if told.accept for digest in told.accept.void)
            seen = self._repository.heads()
            gc.put_accept(objects, gc.Accept(undecided.generation, undecided.writer, (), (), seen, void))

    def lost(self, after: CheckReport) -> Repair:
        """Owe what can be fetched again, write down what was given up, and tell all of it."""
        assert self._catalog is not None
        lost = [version for version in after.lost if not version.known]
        with_reader = CatalogReader(self._path)
        try:
            live = [(version.account_id, version.item_id) for version in lost if version.live]
            owed = owe(self._catalog, with_reader, self._repository, self._writer_id, self._clock, live)
            items = tuple(_told(with_reader, version) for version in lost)
        finally:
            with_reader.close()
        if lost:
            chunks = tuple(dict.fromkeys(chunk for version in lost for chunk in version.chunks))
            note_loss(self._repository.objects, Loss(time=self._clock.now(), packs=(), chunks=chunks))
        left = tuple(finding for finding in after.damaged if finding.kind != "item")
        accounts = tuple(self._lost_accounts)
        return Repair(tuple(self._repaired), tuple(self._quarantined), items, accounts, owed, left)

    def _is_metadata_damaged(self) -> bool:
        return any(self._found.names_of(kind) for kind in ("commit", "segment", "checkpoint"))

    def _is_readable(self, head: CommitHead) -> bool:
        try:
            self._repository.read_commit(head)
        except (Damage, FormatTooNew):
            return False
        return True

    def _put_aside(self, name: str) -> None:
        if put_aside(self._repository.backend, name):
            self._quarantined.append(name)

    def _known(self, pack_id: str) -> tuple[ChunkEntry, ...]:
        return self._ask(lambda audit: audit.pack_table(pack_id)).entries

    def _ask(self, question: Callable[[Audit], Answer]) -> Answer:
        audit = Audit(self._path)
        try:
            return question(audit)
        finally:
            audit.close()

    def _commit(self, body: CommitBody, tables: tuple[PackTable, ...]) -> None:
        assert self._catalog is not None
        head = next((head for head in self._catalog.heads() if head.writer == self._writer_id), None)
        generation = newest_generation(self._repository.backend)
        packs = [table.pack_id for table in tables]
        commit = self._repository.append(self._writer_id, head, packs, body, generation=generation)
        self._catalog.apply(commit, tables)

    def _reindex(self, damaged: Sequence[str]) -> None:
        """Make the chunk index anew from the trailers of the packs: all of it, or where `damaged` packs stood in it.

        Taking these out is not enough: the index knows one place of each chunk, and another pack may have it too.
        """
        assert self._catalog is not None
        with open_bases(self._path) as bases:
            known = bases.pack_ids()
        given_up = {*damaged, *packs_given_up(self._repository)}
        counting = [pack_id for pack_id in dict.fromkeys((*known, *self._named_packs())) if pack_id not in given_up]
        tables = map(_ReadableTables(self._repository), counting)
        if not damaged:
            self._catalog.replace_packs(known, tables)
            return
        lost = {entry.chunk_id for pack_id in damaged for entry in self._known(pack_id)}
        having = [table for table in tables if not lost.isdisjoint(entry.chunk_id for entry in table.entries)]
        self._catalog.replace_packs([*damaged, *(table.pack_id for table in having)], having)

    def _named_packs(self) -> tuple[str, ...]:
        """The packs that the commits name, as far as they can be read."""
        try:
            return tuple(pack_id.hex() for pack_id in CommitWalk(self._repository).walk().packs)
        except Damage:
            return ()


class _ReadableTables:
    """Tells what lies in packs, nothing for those that can't be read."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository

    def __call__(self, pack_id: str) -> PackTable:
        try:
            return self._repository.pack_table(pack_id)
        except (NoSuchThing, Damage):
            return PackTable(pack_id, 0, ())


def _told(reader: CatalogReader, version: LostVersion) -> LostItem:
    try:
        path = reader.path_of(version.account_id, version.item_id, version.from_seq)
    except NoSuchThing:
        path = ""
    return LostItem(version.account_id, version.item_id, version.from_seq, path, version.live, version.parts)
