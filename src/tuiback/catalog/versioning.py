"""Opens and ends item versions within one transaction and keeps each account's figures right."""

import sqlite3
from collections.abc import Iterable, Sequence

import msgspec

from tuiback.catalog.inserting import insert_rows
from tuiback.catalog.numbers import Numbers
from tuiback.catalog.spans import Ended, add_spans, drop_spans
from tuiback.model import FOLDER_KINDS, Removal, VersionOpened

_ENCODER = msgspec.json.Encoder()

# The fields of Ended; the end is NULL while the version is live.
_ENDING = "v.version_no, v.parent_no, v.kind, v.sort_name, v.modified, v.from_seq, v.until_seq"

# A folder of millions may be emptied at once; their blocks would fill the memory.
_REMOVALS_AT_ONCE = 10_000


def sort_key(name: str) -> str:
    """What names are ordered by: case makes no difference."""
    return name.casefold()


class _Figures(msgspec.Struct):
    """What is to be added to an account's row."""

    live_items: int = 0
    live_bytes: int = 0
    versions: int = 0
    version_bytes: int = 0

    def live(self, kind: str, size: int, by: int) -> None:
        # A folder is not something that people count, and services state its size as that of what lies in it.
        if kind not in FOLDER_KINDS:
            self.live_items += by
            self.live_bytes += by * size

    def kept(self, part_bytes: int, by: int) -> None:
        self.versions += by
        self.version_bytes += by * part_bytes


class Versioning:
    """Call settle() at the end, and before an account's figures are read."""

    def __init__(self, connection: sqlite3.Connection, numbers: Numbers) -> None:
        self._connection = connection
        self._numbers = numbers
        self._figures: dict[int, _Figures] = {}
        self._opened: set[int] = set()
        self._waiting: dict[int, tuple[object, ...]] = {}
        self._waiting_parts: list[tuple[object, ...]] = []
        self._ended: list[Ended] = []
        self._parents: set[tuple[int, int]] = set()
        (last,) = connection.execute("SELECT coalesce(max(version_no), 0) FROM versions").fetchone()
        self._version_no = int(last)

    def open_all(self, versions: Sequence[VersionOpened]) -> None:
        """Each becomes its item's live version, in this order."""
        numbered = [(self._numbers.account(version.account_id), version) for version in versions]
        keys = (
            (account_no, item_id)
            for account_no, version in numbered
            for item_id in ("", version.parent_id, version.item_id)
        )
        self._numbers.assign_items(dict.fromkeys(keys))
        for account_no, version in numbered:
            self._open(version, account_no)
        self._write_waiting()

    def await_removals(self, removals: Iterable[Removal]) -> None:
        """Keep them until their account's snapshot closes. Of an item never stored there is nothing to remove."""
        numbered = [(self._numbers.account(removal.account_id), removal) for removal in removals]
        self._numbers.learn_items((account_no, removal.item_id) for account_no, removal in numbered)
        self._connection.executemany(
            """INSERT OR REPLACE INTO removals (account_no, item_no, container_no, seq)
               SELECT ?1, ?2, ?3, ?4 WHERE EXISTS (SELECT 1 FROM versions WHERE item_no = ?2)""",
            [
                (account_no, item_no, self._numbers.container(account_no, removal.container_id), removal.seq)
                for account_no, removal in numbered
                if (item_no := self._numbers.find_item(account_no, removal.item_id)) is not None
            ],
        )

    def end_removed(self, account_no: int, seq: int) -> None:
        """Carry the account's waiting removals out: only where the live version still lies in their container."""
        while removals := self._connection.execute(
            "SELECT account_no, item_no, container_no FROM removals WHERE account_no = ? LIMIT ?",
            (account_no, _REMOVALS_AT_ONCE),
        ).fetchall():
            for _, item_no, container_no in removals:
                self._end_in(account_no, item_no, container_no, seq)
            self._connection.executemany(
                "DELETE FROM removals WHERE account_no = ? AND item_no = ? AND container_no = ?", removals
            )
            self._write_spans()

    def settle(self) -> None:
        """Add what changed to the accounts' rows, and what ended and where things lie to the tables beside."""
        self._write_spans()
        insert_rows(
            self._connection, "INSERT OR IGNORE INTO parents (account_no, parent_no)", sorted(self._parents)
        )
        self._parents.clear()
        self._connection.executemany(
            """UPDATE accounts SET live_items = live_items + ?, live_bytes = live_bytes + ?, versions = versions + ?,
                   version_bytes = version_bytes + ? WHERE account_no = ?""",
            [
                (figures.live_items, figures.live_bytes, figures.versions, figures.version_bytes, account_no)
                for account_no, figures in self._figures.items()
            ],
        )
        self._figures.clear()

    def _end_in(self, account_no: int, item_no: int, container_no: int, seq: int) -> None:
        row = self._connection.execute(
            f"SELECT {_ENDING}, v.size FROM versions v WHERE item_no = ? AND container_no = ? AND until_seq IS NULL",
            (item_no, container_no),
        ).fetchone()
        if row is None:
            return
        *ending, size = row
        ended = Ended(*ending)._replace(until_seq=seq)
        self._figures_of(account_no).live(ended.kind, size, -1)
        self._ended.append(ended)
        self._connection.execute(
            "UPDATE versions SET until_seq = ?, removed = 1 WHERE version_no = ?", (seq, ended.version_no)
        )

    def _open(self, version: VersionOpened, account_no: int) -> None:
        item_no = self._numbers.item(account_no, version.item_id)
        container_no = self._numbers.container(account_no, version.container_id)
        if item_no in self._waiting:
            self._write_waiting()
        if item_no in self._opened or not self._numbers.is_new(item_no):
            self._make_way(account_no, item_no, version.seq)
            self._connection.execute(
                "DELETE FROM removals WHERE account_no = ? AND item_no = ? AND container_no = ?",
                (account_no, item_no, container_no),
            )
        self._opened.add(item_no)
        self._version_no += 1
        part_bytes = 0
        for ordinal, part in enumerate(version.parts):
            part_bytes += part.size
            self._waiting_parts.append(
                (self._version_no, ordinal, part.name, part.size, part.digest, b"".join(part.chunks), part.form)
            )
        parent_no = self._numbers.item(account_no, version.parent_id)
        self._parents.add((account_no, parent_no))
        self._waiting[item_no] = (
            self._version_no, item_no, version.seq, container_no, parent_no, version.kind, sort_key(version.name),
            version.name, version.size, version.modified, version.etag, version.content_tag,
            _ENCODER.encode(dict(version.attrs)).decode(), part_bytes,
        )
        figures = self._figures_of(account_no)
        figures.live(version.kind, version.size, 1)
        figures.kept(part_bytes, 1)

    def _make_way(self, account_no: int, item_no: int, seq: int) -> None:
        """End the item's live version at seq; one that began no earlier never was in a closed snapshot and goes."""
        rows = self._connection.execute(
            f"""SELECT {_ENDING}, v.size, v.part_bytes FROM versions v
                WHERE v.item_no = ? AND (v.until_seq IS NULL OR v.from_seq >= ?)""",
            (item_no, seq),
        ).fetchall()
        figures = self._figures_of(account_no)
        for *ending, size, part_bytes in rows:
            ended = Ended(*ending)
            is_live = ended.until_seq is None
            if is_live:
                figures.live(ended.kind, size, -1)
            if ended.from_seq < seq:
                self._connection.execute(
                    "UPDATE versions SET until_seq = ? WHERE version_no = ?", (seq, ended.version_no)
                )
                self._ended.append(ended._replace(until_seq=seq))
                continue
            figures.kept(part_bytes, -1)
            if not is_live:
                self._write_spans()
                drop_spans(self._connection, [ended])
            self._connection.execute("DELETE FROM versions WHERE version_no = ?", (ended.version_no,))
            self._connection.execute("DELETE FROM parts WHERE version_no = ?", (ended.version_no,))

    def _write_waiting(self) -> None:
        insert_rows(
            self._connection,
            """INSERT INTO versions (version_no, item_no, from_seq, container_no, parent_no, kind, sort_name, name,
                   size, modified, etag, content_tag, attrs, part_bytes)""",
            list(self._waiting.values()),
        )
        insert_rows(
            self._connection,
            "INSERT INTO parts (version_no, ordinal, name, size, digest, chunks, form)",
            self._waiting_parts,
        )
        self._waiting.clear()
        self._waiting_parts.clear()

    def _write_spans(self) -> None:
        add_spans(self._connection, self._ended)
        self._ended.clear()

    def _figures_of(self, account_no: int) -> _Figures:
        return self._figures.setdefault(account_no, _Figures())

