"""Keeps the rows of the next commit until it is made, and tells what is known of items meanwhile."""

import asyncio

import msgspec
from msgspec.structs import replace

from tuiback.model import (
    Account,
    Clock,
    CommitBody,
    Container,
    ControlRow,
    Expired,
    Known,
    Owed,
    Removal,
    RunRow,
    SnapshotRow,
    VersionOpened,
)

# With fewer the commits cost more; with more the last one, for which nothing is left to do beside, takes long.
UNCOMMITTED_ROWS = 8_000

ItemKey = tuple[str, str]


class Staged(msgspec.Struct):
    """The rows of the next commit. Later facts about the same thing replace earlier ones where only the last counts."""

    controls: dict[ItemKey, ControlRow] = msgspec.field(default_factory=dict)
    runs: dict[int, RunRow] = msgspec.field(default_factory=dict)
    accounts: dict[str, Account] = msgspec.field(default_factory=dict)
    snapshots_opened: list[SnapshotRow] = msgspec.field(default_factory=list)
    containers: dict[ItemKey, Container] = msgspec.field(default_factory=dict)
    containers_removed: list[ItemKey] = msgspec.field(default_factory=list)
    versions: dict[ItemKey, VersionOpened] = msgspec.field(default_factory=dict)
    removals: dict[tuple[str, str, str], Removal] = msgspec.field(default_factory=dict)
    owed: dict[ItemKey, Owed] = msgspec.field(default_factory=dict)
    snapshots_closed: list[SnapshotRow] = msgspec.field(default_factory=list)
    expired: list[Expired] = msgspec.field(default_factory=list)

    def rows(self) -> int:
        """How many rows wait."""
        return len(self.versions) + len(self.removals) + len(self.containers) + len(self.owed)

    def __bool__(self) -> bool:
        return any(getattr(self, name) for name in self.__struct_fields__)

    def body(self, clock: Clock) -> CommitBody:
        """The commit that these rows make up."""
        return CommitBody(
            time=clock.now(),
            controls=tuple(self.controls.values()),
            runs=tuple(self.runs.values()),
            accounts=tuple(self.accounts.values()),
            snapshots_opened=tuple(self.snapshots_opened),
            containers=tuple(self.containers.values()),
            containers_removed=tuple(self.containers_removed),
            versions=tuple(self.versions.values()),
            removals=tuple(self.removals.values()),
            owed=tuple(self.owed.values()),
            snapshots_closed=tuple(self.snapshots_closed),
            expired=tuple(self.expired),
        )


class Staging:
    """Rows on their way into the next commit; on the engine's loop. Who commits them derives from it.

    Every stage_...() raises what made committing impossible.
    """

    def __init__(self) -> None:
        self._staged = Staged()
        self._in_flight = Staged()
        self._wake = asyncio.Event()

    def _check(self) -> None:
        """Raise what made committing impossible."""

    def _is_full(self) -> bool:
        return self._staged.rows() >= UNCOMMITTED_ROWS

    def _grown(self) -> None:
        self._check()
        if self._is_full():
            self._wake.set()

    def stage_control(self, row: ControlRow) -> None:
        """Configuration was added, changed or removed."""
        self._staged.controls[row.kind, row.name] = row

    def stage_run(self, row: RunRow) -> None:
        """A run began or ended."""
        self._staged.runs[row.run] = row

    def stage_account(self, row: Account) -> None:
        """An account is new or not what it was."""
        self._staged.accounts[row.account_id] = row

    def stage_snapshot(self, row: SnapshotRow) -> None:
        """A snapshot was opened, closed, or found to hold still."""
        if row.closed_at is None:
            self._staged.snapshots_opened.append(row)
        else:
            self._staged.snapshots_closed.append(row)

    def stage_container(self, row: Container) -> None:
        """A container is new, or its cursor moved over everything staged before."""
        self._staged.containers[row.account_id, row.container_id] = row
        self._grown()

    def stage_container_removed(self, account_id: str, container_id: str) -> None:
        """The container is no more."""
        self._staged.containers.pop((account_id, container_id), None)
        self._staged.containers_removed.append((account_id, container_id))

    def stage_version(self, row: VersionOpened) -> None:
        """An item has a new version; a removal staged before from the same container is void."""
        self._staged.removals.pop((row.account_id, row.item_id, row.container_id), None)
        self._staged.versions[row.account_id, row.item_id] = row
        self._grown()

    def stage_removal(self, row: Removal) -> None:
        """An item left its container."""
        self._staged.removals[row.account_id, row.item_id, row.container_id] = row
        self._grown()

    def stage_expired(self, row: Expired) -> None:
        """Retention gives up versions and snapshots of an account."""
        self._staged.expired.append(row)

    def stage_owed(self, row: Owed) -> None:
        """An item is owed, or no longer. An acknowledgement stays with the debt, whoever does not know of it."""
        before = self._staged.owed.get((row.account_id, row.item_id))
        if before is not None and before.ack and not (row.ack or row.cleared):
            row = replace(row, ack=before.ack)
        self._staged.owed[row.account_id, row.item_id] = row
        self._grown()

    def staged_known(self, account_id: str, item_id: str) -> Known | None:
        """What is staged of an item and not yet in the catalog."""
        for staged in (self._staged, self._in_flight):
            row = staged.versions.get((account_id, item_id))
            if row is not None:
                pending = (account_id, item_id, row.container_id) in staged.removals
                return known_from(row, removal_pending=pending)
        return None

    def staged_removal(self, account_id: str, item_id: str, container_id: str) -> bool:
        """Whether the item's leaving this container is staged and not yet in the catalog."""
        key = (account_id, item_id, container_id)
        return key in self._staged.removals or key in self._in_flight.removals

    def with_staged(self, account_id: str, container_id: str, known: dict[str, Known], item_id: str) -> Known | None:
        """The item as it will be once everything staged is committed."""
        found = self.staged_known(account_id, item_id) or known.get(item_id)
        if found is not None and self.staged_removal(account_id, item_id, container_id):
            return msgspec.structs.replace(found, removal_pending=True)
        return found


def known_from(row: VersionOpened, *, removal_pending: bool = False) -> Known:
    """A version just staged, as the catalog will know it."""
    return Known(
        item_id=row.item_id,
        kind=row.kind,
        container_id=row.container_id,
        parent_id=row.parent_id,
        name=row.name,
        etag=row.etag,
        content_tag=row.content_tag,
        parts=row.parts,
        live=True,
        removal_pending=removal_pending,
    )


def owed_instead(row: VersionOpened, clock: Clock) -> Owed:
    """The debt that stands in for a version whose content a prune has taken away before it was committed."""
    return Owed(
        account_id=row.account_id,
        container_id=row.container_id,
        item_id=row.item_id,
        kind=row.kind,
        path=row.name,
        since=clock.now(),
        tries=0,
        error="a prune removed equal content while it was stored; it is fetched again",
    )
