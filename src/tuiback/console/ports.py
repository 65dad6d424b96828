"""What the console needs of the engine and the catalog, as protocols that both fulfil and tests imitate."""

from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING, Literal, Protocol

from tuiback.model import EngineStatus, Kind, StoredPart

if TYPE_CHECKING:
    # Commands bring msgspec along and the catalog SQLite; the first frame need not wait for them.
    from tuiback.catalog import AccountOverview, Entry, Hit, Point, SearchQuery, SearchScope
    from tuiback.engine.commands import Command

Order = Literal["name", "modified"]


class ConsoleLink(Protocol):
    """The engine, hosted by this process or attached to."""

    @property
    def hosted(self) -> bool:
        """Whether this process hosts the engine."""
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


class CatalogPages(Protocol):
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

    def content(self, repository: str) -> PartReader:
        """The content of one repository, opened with the key that the caller holds."""
        ...

    def note_preview(self, repository: str, account_id: str, name: str) -> None:
        """Write down, in the audit, that somebody is about to see an item's content. Raises TuibackError."""
        ...
