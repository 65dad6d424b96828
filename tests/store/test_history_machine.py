"""Whatever is committed, replaced, cut short or copied meanwhile: every row that was committed is told exactly once."""

from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from msgspec.structs import replace

from tests.store.checkpoints import checkpoint
from tests.store.doubles import FailingBackend, MemoryBackend, body, new_repository, reopen, version
from tests.store.test_history import known_rows
from tests.store.test_repository import die_at
from tuiback.model import CommitHead, VersionOpened
from tuiback.store import Repository, Superseded

WRITERS = st.sampled_from(["nas", "other"])
# Copied one after the other, while everything goes on.
FOLDERS = ("commits/", "segments/", "config", "keys/", "gc/")


class HistoryMachine(RuleBasedStateMachine):
    """Plays two writers that never write at once, a prune that deletes what was replaced, and whoever copies."""

    @initialize()
    def start(self) -> None:
        """An empty repository."""
        self.objects: dict[str, bytes] = {}
        self.original = new_repository(MemoryBackend(self.objects))
        self.rows: Counter[str] = Counter()
        self.catalogs: list[tuple[tuple[CommitHead, ...], Counter[str]]] = []
        self.copy: dict[str, bytes] | None = None
        self.restart()

    def restart(self) -> None:
        """Another process opens it."""
        self.backend = FailingBackend(self.objects)
        self.repository: Repository = reopen(self.original, self.backend)

    @rule(writer=WRITERS, large=st.booleans())
    def commit(self, writer: str, large: bool) -> None:
        """A few rows, or so many that they lie in a segment."""
        self._commit(writer, large)

    @rule(writer=WRITERS, large=st.booleans(), chance=st.integers(1, 4))
    def die_in_commit(self, writer: str, large: bool, chance: int) -> None:
        """The process ends before or after one of the writes."""
        self._die(chance, lambda: self._commit(writer, large))

    @rule(writer=WRITERS)
    def make_checkpoint(self, writer: str) -> None:
        """Everything up to now is told by a checkpoint."""
        checkpoint(self.repository, writer)

    @rule(writer=WRITERS, chance=st.integers(1, 6))
    def die_in_checkpoint(self, writer: str, chance: int) -> None:
        """Its segments, its table and its commit are written one after the other."""
        self._die(chance, lambda: checkpoint(self.repository, writer))

    @rule(share=st.integers(1, 3))
    @precondition(lambda self: self.copy is None)
    def delete_replaced(self, share: int) -> None:
        """A prune deletes what was replaced; it may be killed before the end."""
        names = [name for chain in self.repository.chains() for name in chain.superseded]
        for name in names[: len(names) * share // 3]:
            self.repository.objects.delete(name)

    @rule()
    def restart_engine(self) -> None:
        """Another process goes on."""
        self.restart()

    @rule()
    def keep_catalog(self) -> None:
        """A catalog of this moment is kept and not brought up to date."""
        self.catalogs.append((self.repository.heads(), self.rows.copy()))

    @rule()
    @precondition(lambda self: self.copy is None)
    def begin_copy(self) -> None:
        """Somebody begins to copy the folder."""
        self.copy, self.copied, self.copied_rows = {}, 0, self.rows.copy()
        self._copy_next()

    @rule()
    @precondition(lambda self: self.copy is not None)
    def go_on_copying(self) -> None:
        """The next folder is copied as it is now; a whole copy gives back all that was committed when it began."""
        assert self.copy is not None
        self._copy_next()
        if self.copied == len(FOLDERS):
            found = Counter(known_rows(reopen(self.original, MemoryBackend(self.copy))))
            assert self.copied_rows <= found <= self.rows
            self.copy = None

    @invariant()
    def every_row_is_told_once(self) -> None:
        """By the checkpoint or by a commit behind it."""
        again = reopen(self.original)
        assert Counter(known_rows(again)) == self.rows
        assert set(again.heads()) == set(self.repository.heads())
        assert all(chain.missing == "" for chain in again.chains())

    @invariant()
    def old_catalogs_go_on_or_are_told(self) -> None:
        """What a catalog lacks is what the commits behind its heads say, or these are gone."""
        for heads, rows in self.catalogs[-3:]:
            try:
                commits = reopen(self.original).commits(heads)
            except Superseded:
                assert heads == () or self.original.newest_checkpoint() is not None
                continue
            new = Counter(row.item_id for commit in commits for row in commit.body.versions)
            assert heads == () or rows + new == self.rows

    def _copy_next(self) -> None:
        assert self.copy is not None
        folder = FOLDERS[self.copied]
        self.copy |= {name: data for name, data in self.objects.items() if name.startswith(folder)}
        self.copied += 1

    def _commit(self, writer: str, large: bool) -> None:
        rows = self._rows(large)
        head = next((head for head in self.repository.heads() if head.writer == writer), None)
        before = self.repository.heads()
        try:
            self.repository.append(writer, head, [], body(*rows))
        finally:
            # The commit object decides, however the call ended.
            if set(reopen(self.original).heads()) != set(before):
                self.rows.update(row.item_id for row in rows)

    def _rows(self, large: bool) -> tuple[VersionOpened, ...]:
        first = self.rows.total()
        rows = [version(f"m{first + number}") for number in range(3)]
        return tuple(replace(row, name="x" * 600_000) if large else row for row in rows)

    def _die(self, chance: int, work: Callable[[], object]) -> None:
        self.backend.fault = die_at(chance)
        try:
            work()
        except KeyboardInterrupt:
            self.restart()
        self.backend.fault = die_at(0)


HistoryMachine.TestCase.settings = settings(max_examples=25, stateful_step_count=20, deadline=None)
TestHistory = pytest.mark.timeout(120)(HistoryMachine.TestCase)
