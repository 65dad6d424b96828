"""Run by hand, never collected: python -m tests.catalog.benchmarks.search_bench FILE [ITEMS [ACCOUNTS]].

Fills a catalog with ITEMS messages (1,000,000 unless given) of ACCOUNTS mailboxes (50) over ten years, brings its
search files up to date and asks them. Words are as frequent as in a language: the n-th about 1/n of the first.
"""

import itertools
import random
import sqlite3
import sys
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import msgspec

from tests.catalog.benchmarks.measuring import figures, say, since
from tests.catalog.build import Writer, account, closed, container, opened, version
from tuiback.catalog import Catalog, CatalogReader, SearchFiller, SearchScope, parse_query

_AT_ONCE = 100_000
_INSERT = """INSERT INTO versions (version_no, item_no, from_seq, container_no, parent_no, kind, sort_name, name, size,
    modified, etag, content_tag, attrs, part_bytes)
    VALUES (?, ?, 1, ?, ?, 'message', ?, ?, ?, ?, 'W/"etag"', '', ?, 9000)"""
_FIRST = 100_000


class Language:
    """Makes up words and people."""

    def __init__(self) -> None:
        self._chance = random.Random(7)
        letters, weights = "etaoinshrdlucmfwypvbgkjqxz", range(26, 0, -1)
        self.words = [
            "".join(self._chance.choices(letters, weights, k=self._chance.randint(3, 8))) for _ in range(40_000)
        ]
        self._weights = list(itertools.accumulate(1 / (place + 1) for place in range(len(self.words))))
        names = [(self._word().title(), self._word().title()) for _ in range(3000)]
        self._people = [f"{first} {last} <{first}.{last}@contoso.example>".lower() for first, last in names]

    def _word(self) -> str:
        return self._chance.choice(self.words)

    def subject(self) -> str:
        return " ".join(self._chance.choices(self.words, cum_weights=self._weights, k=self._chance.randint(2, 9)))

    def attrs(self, subject: str, time: str) -> bytes:
        recipients = ", ".join(self._chance.choices(self._people, k=self._chance.choice((1, 1, 1, 2, 4))))
        facts = {"subject": subject, "from": self._chance.choice(self._people), "to": recipients, "date": time}
        return msgspec.json.encode(facts | {"read": "1", "message_id": f"<{self._chance.getrandbits(80):x}@x.example>"})

    def moment(self) -> str:
        day = self._chance.randrange(3650)
        return f"20{16 + day // 365}-{day % 12 + 1:02}-{day % 28 + 1:02}T08:{day % 60:02}:00Z"


def _rows(items: int, account_nos: list[int], parents: dict[int, tuple[int, int]]) -> Iterator[tuple[object, ...]]:
    language, chance = Language(), random.Random(5)
    for number in range(_FIRST, _FIRST + items):
        # Ten mailboxes are at work at a time.
        account_no = account_nos[(number * len(account_nos) // items + chance.randrange(10)) % len(account_nos)]
        container_no, parent_no = parents[account_no]
        subject, moment = language.subject(), language.moment()
        attrs = language.attrs(subject, moment).decode()
        size = 2 ** chance.randrange(10, 22)
        yield account_no, number, number, container_no, parent_no, subject, subject, size, moment, attrs


def fill(path: Path, items: int, accounts: int) -> None:
    """The rows as commits would leave them."""
    catalog, writer = Catalog.create(path, "repo-1"), Writer()
    ids = [f"mailbox:{number:04}" for number in range(accounts)]
    writer.apply(
        catalog,
        accounts=tuple(account(i, address=f"{i[8:]}@contoso.example") for i in ids),
        containers=tuple(container(account_id=i) for i in ids),
        snapshots_opened=tuple(opened(1, i) for i in ids),
        versions=tuple(version("first", 1, account_id=i) for i in ids),
        snapshots_closed=tuple(closed(1, i) for i in ids),
    )
    catalog.close()
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("PRAGMA cache_size = -500000")
    parents = {
        account_no: (container_no, parent_no)
        for account_no, container_no, parent_no in connection.execute(
            """SELECT account_no, container_no, item_no FROM containers c JOIN items i USING (account_no)
               WHERE item_id = '' AND container_id = 'inbox'"""
        )
    }
    rows = _rows(items, sorted(parents), parents)
    while some := list(islice(rows, _AT_ONCE)):
        connection.execute("BEGIN")
        connection.executemany(
            "INSERT INTO items VALUES (?, ?, ?)", [(row[1], row[0], f"AAMk{row[1]:0146x}=") for row in some]
        )
        connection.executemany(_INSERT, [row[1:] for row in some])
        connection.execute("COMMIT")
    connection.close()


def follow(path: Path, items: int) -> None:
    """Bring the search files up to date, and say what that took of the processor and the disk."""
    filler, used, started = SearchFiller(path), time.process_time(), time.perf_counter()
    while filler.step():
        pass
    used, waited = time.process_time() - used, since(started) / 1000
    filler.close()
    size = sum(file.stat().st_size for file in path.parent.glob("search-*"))
    say(f"filled in {waited:.1f} s; an item: {used / items * 1e6:.1f} us of the processor, {size / items:.0f} bytes")


def ask(path: Path) -> None:
    """The first hundred finds, forty times each, every time by a reader of its own; time of the processor."""
    words = Language().words
    one = SearchScope(account_id="mailbox:0007")
    for name, text, scope in (
        ("most frequent word", words[0], None),
        ("frequent word", words[30], None),
        ("rare word", words[30_000], None),
        ("no such word", "nosuchword", None),
        ("two frequent words", f"{words[0]} {words[1]}", None),
        ("beginning of two letters", "et*", None),
        ("frequent, one account", words[0], one),
        ("rare, one account", words[30_000], one),
        ("frequent and large", f"{words[0]} size:>1mb", None),
        ("phrase", f'"{words[0]} {words[1]}"', None),
    ):
        times, found = [], 0
        for _ in range(40):
            reader = CatalogReader(path)
            used = time.thread_time()
            found = len(list(islice(reader.search(parse_query(text), scope), 100)))
            times.append((time.thread_time() - used) * 1000)
            reader.close()
        say(f"{name:28} {figures(times)}: {found}")


def main() -> None:
    """Fill, follow, ask."""
    path = Path(sys.argv[1])
    items = int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000
    accounts = int(sys.argv[3]) if len(sys.argv) > 3 else 50
    if not path.exists():
        fill(path, items, accounts)
    for file in path.parent.glob("search-*"):
        file.unlink()
    follow(path, items)
    ask(path)


if __name__ == "__main__":
    main()
