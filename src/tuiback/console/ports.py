"""What the console needs of the engine and the catalog, as protocols that both fulfil and tests imitate."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from datetime import datetime
from typing import TYPE_CHECKING, Literal, Protocol

from tuiback.model import EngineStatus, Hold, Kind, StoredPart, Task, Tenant

if TYPE_CHECKING:
    # Commands bring msgspec along and the catalog SQLite; the first frame need not wait for them.
    from tuiback.catalog import (
        AccountOverview,
        ChoreRow,
        DayGrowth,
        Entry,
        Hit,
        JobRow,
        Point,
        SearchQuery,
        SearchScope,
        TaskTotals,
        Totals,
    )
    from tuiback.engine.commands import Command
    from tuiback.model import Owed, RunRow

Order = Literal["name", "modified"]


class ConsoleLink(Protocol):
    """The engine, hosted by this process or attached to."""

    @property
    def hosted(self) -> bool:
        """Whether this process hosts the engine."""
        ...

    @property
    def role(self) -> str:
        """What the person here may do: viewer, operator or admin."""
        ...

    def status(self) -> EngineStatus | None:
        """The newest picture without blocking; None before the first."""
        ...

    def submit(self, command: "Command") -> "Future[dict[str, object]]":
        """Send a command; a TuibackError comes through the future."""
        ...

    def close(self) -> None:
        """Hang up, or end the hosted engine."""
        ...


class CatalogFacts(Protocol):
    """What the catalog says of tasks, accounts and space; from any thread, and from a thread where it may take long."""

    def tenants(self) -> Sequence[Tenant]:
        """Every tenant."""
        ...

    def tasks(self) -> Sequence[Task]:
        """Every task as it is configured."""
        ...

    def holds(self) -> Sequence[Hold]:
        """Every hold, those that are over too."""
        ...

    def count_states(self, ok_since: Mapping[str, tuple[datetime, bool]]) -> Mapping[str, int]:
        """How many accounts are in each state; late by what engine.lateness.ok_since() says."""
        ...

    def owed(self, account_id: str | None = None, task: str | None = None) -> "Sequence[Owed]":
        """What failed and is tried again, acknowledged or not."""
        ...

    def runs(self, task: str | None = None, limit: int = 50) -> "Sequence[RunRow]":
        """The newest runs, the newest first."""
        ...

    def totals(self) -> "Totals":
        """How much the repository holds."""
        ...

    def totals_by_task(self) -> "Sequence[TaskTotals]":
        """The same of each task's accounts."""
        ...

    def unique_bytes(self) -> int:
        """The plain bytes of all chunks, each counted once."""
        ...

    def growth(self) -> "Sequence[DayGrowth]":
        """What came on each day, the oldest first."""
        ...


class CatalogPages(CatalogFacts, Protocol):
    """The catalog's read-only pages; every call is one indexed query, from any thread."""

    def account_overview(self, task: str | None = None) -> "Sequence[AccountOverview]":
        """Every account, or those of one task."""
        ...

    def points(self, account_id: str) -> "Sequence[Point]":
        """The recovery points, newest first."""
        ...

    def children(
        self,
        account_id: str,
        seq: int,
        parent_id: str,
        *,
        after: tuple[str, str] | None = None,
        limit: int = 256,
        kinds: Sequence[Kind] | None = None,
        order: Order = "name",
        deleted: bool = False,
    ) -> "Sequence[Entry]":
        """A page of what lay in a folder at a snapshot, behind catalog.page_key() of the entry before."""
        ...

    def versions(self, account_id: str, item_id: str) -> "Sequence[Entry]":
        """All versions of an item, the newest first."""
        ...

    def parts(self, account_id: str, item_id: str, from_seq: int) -> Sequence[StoredPart]:
        """The pieces of a version's content."""
        ...

    def find_entry(self, account_id: str, item_id: str, seq: int | None) -> "Entry | None":
        """The item's version at a snapshot."""
        ...

    def search(self, query: "SearchQuery", scope: "SearchScope | None" = None) -> "Iterator[Hit]":
        """What fits at any point in time, the newest first."""
        ...

    def search_lag(self, most: int = 1_000_000) -> int:
        """How many versions can't be found yet, counted up to `most`."""
        ...


class PartReader(Protocol):
    """Reads content from the repository, verified."""

    def read(self, part: StoredPart) -> Iterator[bytes]:
        """The part's bytes as they come; Damage where they are not what was written."""
        ...


class ConsoleView(Protocol):
    """Read-only sight of every repository of the home."""

    def readers(self) -> Iterator[tuple[str, CatalogPages]]:
        """Name and catalog of every repository."""
        ...

    def jobs(self) -> "Sequence[JobRow]":
        """The newest jobs of all repositories, in progress and ended, from however long ago."""
        ...

    def chores(self) -> "Sequence[ChoreRow]":
        """What the engine does by itself to keep the repositories in order, and when it was done last."""
        ...

    def content(self, repository: str) -> PartReader:
        """The content of one repository, opened with the key that the caller holds."""
        ...

    def note_preview(self, repository: str, account_id: str, name: str) -> None:
        """Write down, in the audit, that somebody is about to see an item's content. Raises TuibackError."""
        ...
