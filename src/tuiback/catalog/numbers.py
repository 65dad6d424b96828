"""Finds or assigns the small numbers that stand for ids inside one catalog, within one transaction."""

import sqlite3
from collections.abc import Iterable

from tuiback.catalog.inserting import insert_rows

# SQLite's oldest limit of parameters in a statement is 999.
BATCH = 500


class Numbers:
    """Made anew for each transaction: a number that was rolled back must not be remembered."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._accounts: dict[str, int] = {}
        self._containers: dict[tuple[int, str], int] = {}
        self._items: dict[tuple[int, str], int] = {}
        self._next_item = self._after_last_item()
        self._first_new_item = self._next_item

    def account(self, account_id: str) -> int:
        """The account's number; an account that no commit has described gets a bare row."""
        number = self._accounts.get(account_id)
        if number is None:
            number = self._accounts[account_id] = self._assigned(
                "SELECT account_no FROM accounts WHERE account_id = ?",
                "INSERT INTO accounts (account_id) VALUES (?)",
                (account_id,),
            )
        return number

    def container(self, account_no: int, container_id: str) -> int:
        """The container's number, whether it is present or not."""
        key = (account_no, container_id)
        number = self._containers.get(key)
        if number is None:
            number = self._containers[key] = self._assigned(
                "SELECT container_no FROM containers WHERE account_no = ? AND container_id = ?",
                "INSERT INTO containers (account_no, container_id) VALUES (?, ?)",
                key,
            )
        return number

    def learn_items(self, keys: Iterable[tuple[int, str]]) -> None:
        """Look many (account number, item id) up at once, for find_item and item to answer."""
        by_account: dict[int, dict[str, None]] = {}
        for account_no, item_id in keys:
            if (account_no, item_id) not in self._items:
                by_account.setdefault(account_no, {})[item_id] = None
        for account_no, ids in by_account.items():
            self._learn_of_account(account_no, list(ids))

    def assign_items(self, keys: Iterable[tuple[int, str]]) -> None:
        """As learn_items, and give a number to each item that has none, in the order of the keys."""
        wanted = list(keys)
        self.learn_items(wanted)
        new = []
        for key in wanted:
            if key not in self._items:
                self._items[key] = self._next_item
                new.append((self._next_item, *key))
                self._next_item += 1
        insert_rows(self._connection, "INSERT INTO items (item_no, account_no, item_id)", new)

    def item(self, account_no: int, item_id: str) -> int:
        """The number of an item that assign_items has seen."""
        return self._items[account_no, item_id]

    def find_item(self, account_no: int, item_id: str) -> int | None:
        """The number of an item that learn_items has seen, None when the catalog has no such item."""
        return self._items.get((account_no, item_id))

    def is_new(self, item_no: int) -> bool:
        """Whether this transaction assigned the number, so that nothing older can exist."""
        return item_no >= self._first_new_item

    def _learn_of_account(self, account_no: int, ids: list[str]) -> None:
        for start in range(0, len(ids), BATCH):
            batch = ids[start : start + BATCH]
            marks = ",".join("?" * len(batch))
            found = self._connection.execute(
                f"SELECT item_id, item_no FROM items WHERE account_no = ? AND item_id IN ({marks})",
                (account_no, *batch),
            )
            self._items.update({(account_no, item_id): item_no for item_id, item_no in found})

    def _assigned(self, find: str, insert: str, key: tuple[object, ...]) -> int:
        row = self._connection.execute(find, key).fetchone()
        if row is not None:
            return int(row[0])
        return int(self._connection.execute(insert, key).lastrowid or 0)

    def _after_last_item(self) -> int:
        (last,) = self._connection.execute("SELECT coalesce(max(item_no), 0) FROM items").fetchone()
        return int(last) + 1
