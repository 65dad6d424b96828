"""What the restore browser stands on: accounts, their recovery points, unfolded folders, and what is chosen."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from tuiback.console import figures
from tuiback.console.ports import CatalogPages, ConsoleView
from tuiback.console.services import account_service
from tuiback.console.text import shared_domain
from tuiback.console.widgets.lines import Span
from tuiback.console.widgets.rows import Column, Row
from tuiback.model import FOLDER_KINDS, Account, AccountKind

if TYPE_CHECKING:
    from tuiback.catalog import AccountOverview, Entry, Point
    from tuiback.engine.commands import Selection

TREE_COLUMNS = (Column("name", "NAME", 8, grow=True), Column("count", "ITEMS", 5, "right"))
FOLDER_PAGE = 512


@dataclass(frozen=True, slots=True)
class Protected:
    """One protected account and the repository it lies in."""

    repository: str
    overview: "AccountOverview"

    @property
    def account(self) -> Account:
        """The account itself."""
        return self.overview.account

    @property
    def title(self) -> str:
        """Its address, or its name where it has none."""
        return self.account.address or self.account.name or self.account.account_id


@dataclass(frozen=True, slots=True)
class Place:
    """A row of the tree: an account, or a folder in it. `depth` counts folders above it and the account."""

    protected: Protected
    folder: "Entry | None" = None
    parents: tuple[str, ...] = ()

    @property
    def account_id(self) -> str:
        """The account it belongs to."""
        return self.protected.account.account_id

    @property
    def item_id(self) -> str:
        """The folder's id, "" for the account's root."""
        return self.folder.item_id if self.folder else ""

    @property
    def key(self) -> str:
        """Names the row over refreshes."""
        return f"{self.account_id}\0{self.item_id}"

    @property
    def name(self) -> str:
        """What the row is called."""
        return self.folder.name if self.folder else self.protected.title


@dataclass(frozen=True, slots=True)
class Choice:
    """Something to bring back: an item, a folder with all in it, or (item_id "") a whole account, at a snapshot."""

    account_id: str
    seq: int
    item_id: str
    name: str
    size: int
    folder: bool


@dataclass(slots=True)
class Browser:
    """The state of the browser, and the questions it puts to the catalogs.

    `accounts` is None until they were read. `moment` is the point in time looked at, None for the latest; each
    account shows its newest recovery point at or before it.
    """

    view: ConsoleView
    accounts: tuple[Protected, ...] | None = None
    task: str | None = None
    pattern: str = ""
    moment: datetime | None = None
    open: set[str] = field(default_factory=set)
    _points: dict[str, "tuple[Point, ...]"] = field(default_factory=dict)
    _folders: dict[tuple[str, int, str], "tuple[Entry, ...]"] = field(default_factory=dict)

    def load(self, now: datetime) -> tuple[Protected, ...]:
        """Read the list of accounts; may take long, so from a thread. `accounts` is set by who shows them."""
        from tuiback.engine.timing.lateness import with_late

        found = [
            Protected(name, one)
            for name, reader in self.view.readers()
            for one in with_late(reader.account_overview(), reader.tasks(), now)
        ]
        found.sort(key=lambda one: (one.title.casefold(), one.account.account_id))
        return tuple(found)

    def reader(self, protected: Protected) -> CatalogPages:
        """The catalog that knows the account."""
        return next(reader for name, reader in self.view.readers() if name == protected.repository)

    # ---- points

    def points(self, protected: Protected) -> "tuple[Point, ...]":
        """The account's recovery points, the newest first."""
        account_id = protected.account.account_id
        if account_id not in self._points:
            self._points[account_id] = tuple(self.reader(protected).points(account_id))
        return self._points[account_id]

    def forget_points(self) -> None:
        """Ask for recovery points anew: runs make more of them."""
        self._points.clear()

    def point(self, protected: Protected) -> "Point | None":
        """The recovery point that is looked at; None before the first."""
        points = self.points(protected)
        if self.moment is None:
            return points[0] if points else None
        return next((point for point in points if point.taken_at <= self.moment), None)

    def step(self, protected: Protected, direction: int) -> bool:
        """Look at the next earlier point (1) or later one (-1); False at the end of them."""
        points = self.points(protected)
        here = self.point(protected)
        place = points.index(here) if here else len(points)
        target = place + direction
        if not 0 <= target < len(points):
            return False
        self.moment = points[target].taken_at if target else None
        return True

    # ---- the tree

    def tree(self) -> list[Row[Place]]:
        """Accounts that fit task and filter, each followed by what is unfolded of it."""
        pattern = self.pattern.casefold()
        domain = shared_domain(one.account.address for one in self.accounts or ())
        rows: list[Row[Place]] = []
        for protected in self.accounts or ():
            account = protected.account
            if self.task not in {None, account.task}:
                continue
            if pattern in f"{protected.title} {account.name} {account.account_id}".casefold():
                self._add(Place(protected), rows, domain)
        return rows

    def _add(self, place: Place, rows: list[Row[Place]], domain: str) -> None:
        unfolded = place.key in self.open
        folders = self.folders(place) if unfolded else ()
        rows.append(tree_row(place, unfolded=unfolded, domain=domain))
        for folder in folders:
            self._add(Place(place.protected, folder, (*place.parents, place.name)), rows, domain)

    def folders(self, place: Place) -> "tuple[Entry, ...]":
        """The folders in a place at the point looked at, by name, the well-known ones first."""
        point = self.point(place.protected)
        if point is None:
            return ()
        key = (place.account_id, point.seq, place.item_id)
        if key not in self._folders:
            self._folders[key] = tuple(self._read_folders(place, point.seq))
        return self._folders[key]

    def _read_folders(self, place: Place, seq: int) -> "list[Entry]":
        from tuiback.catalog import page_key

        reader, found = self.reader(place.protected), list["Entry"]()
        after: tuple[str, str] | None = None
        while True:
            page = reader.children(
                place.account_id, seq, place.item_id, after=after, limit=FOLDER_PAGE, kinds=tuple(FOLDER_KINDS)
            )
            found += page
            if len(page) < FOLDER_PAGE:
                break
            after = page_key(page[-1])
        rank = {"inbox": 0, "drafts": 1, "sentitems": 2, "archive": 3, "deleteditems": 4}
        return sorted(found, key=lambda one: rank.get(one.attrs.get("well_known", ""), 9 if place.parents else 5))

    def find_account(self, text: str, kind: AccountKind) -> Account | None:
        """The account of that kind with this address, name or id; None when there is none or several."""
        wanted = text.strip().casefold()
        same_kind = [one.account for one in self.accounts or () if one.account.kind is kind]
        found = [
            account for account in same_kind
            if wanted in {text.casefold() for text in (account.address, account.name, account.account_id)}
        ]
        return found[0] if len(found) == 1 else None


def tree_row(place: Place, *, unfolded: bool, domain: str = "") -> Row[Place]:
    """An account or a folder as a row: its fold mark, its name, how many items it is said to hold.

    Addresses lose the `domain` that all of them share.
    """
    indent = "  " * (len(place.parents))
    mark = "▾ " if unfolded else "▸ "
    if place.folder is None:
        overview = place.protected.overview
        service = account_service(place.protected.account.kind)
        tone = {"gone": "gone", "failed": "err", "late": "warn"}.get(overview.state, "strong")
        name = (Span(mark, "dim"), Span(f"{service:<4}", "label"), Span(place.name.removesuffix(domain), tone))
        return Row(place.key, (name, figures.short_number(overview.items)), place)
    total = place.folder.attrs.get("total", "")
    count = figures.short_number(int(total)) if total.isdigit() else ""
    return Row(place.key, ((Span(indent + mark, "dim"), Span(place.name, "folder")), (Span(count, "dim"),)), place)


def choice_of_place(place: Place, seq: int) -> Choice:
    """The whole account or folder at a snapshot."""
    size = place.folder.size if place.folder else place.protected.overview.bytes
    return Choice(place.account_id, seq, place.item_id, place.name, size, folder=True)


def choice_of_item(entry: "Entry", seq: int, name: str) -> Choice:
    """One item at a snapshot; of what is gone by then, the last snapshot that had it."""
    gone = entry.until_seq is not None and entry.until_seq <= seq
    last = entry.until_seq - 1 if gone and entry.until_seq is not None else max(seq, entry.from_seq)
    return Choice(entry.account_id, last, entry.item_id, name, entry.size, folder=entry.kind in FOLDER_KINDS)


def size_of(choices: Sequence[Choice]) -> int | None:
    """How many bytes are chosen; None where a folder among them doesn't tell, as those of mail don't."""
    return None if any(one.folder and not one.size for one in choices) else sum(one.size for one in choices)


def selections_of(choices: Iterable[Choice]) -> "tuple[Selection, ...]":
    """The choices as the engine wants them: one selection per account and snapshot; a whole account says so."""
    from tuiback.engine.commands import Selection

    grouped: dict[tuple[str, int], list[str]] = {}
    for choice in choices:
        grouped.setdefault((choice.account_id, choice.seq), []).append(choice.item_id)
    return tuple(
        Selection(account_id=account_id, seq=seq, item_ids=() if "" in items else tuple(dict.fromkeys(items)))
        for (account_id, seq), items in sorted(grouped.items())
    )


def timeline(points: "Sequence[Point]", here: "Point | None", width: int) -> list[Span]:
    """The recovery points from the oldest to the newest over so many cells: | is one or more, # the one looked at."""
    if not points or width < 3:
        return [Span("no recovery point yet", "dim")]
    oldest, newest = points[-1].taken_at, points[0].taken_at
    span = (newest - oldest).total_seconds() or 1.0
    marks = ["·"] * width
    at = None
    for point in points:
        cell = round((point.taken_at - oldest).total_seconds() / span * (width - 1)) if len(points) > 1 else width - 1
        marks[cell] = "|"
        at = cell if here is not None and point.seq == here.seq else at
    if at is None:
        return [Span("".join(marks), "dim")]
    return [Span("".join(marks[:at]), "info"), Span("#", "match"), Span("".join(marks[at + 1 :]), "info")]
