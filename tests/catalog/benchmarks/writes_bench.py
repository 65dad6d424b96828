"""Run by hand, never collected: python -m tests.catalog.benchmarks.writes_bench FOLDER [ITEMS].

Applies commits that open, change and remove ITEMS messages (20,000 unless given) in a new catalog and prints what an
item costs, in microseconds of the processor. Changes and removals end versions that lived for many snapshots.
"""

import random
import sys
import time
from pathlib import Path
from typing import Any

from tests.catalog.benchmarks.measuring import say
from tests.catalog.build import Writer, closed, part, removal, version
from tuiback.catalog import Catalog
from tuiback.model import VersionOpened

_AT_ONCE = 2_000
_LAST = 3_000


def _item_id(number: int) -> str:
    return f"AAMkAD{number:0140x}"


def _messages(numbers: list[int], seq: int) -> tuple[VersionOpened, ...]:
    return tuple(
        version(_item_id(each), seq, name=f"subject {each * 7919 % 65536:04x}", parts=(part(f"{each} {seq}"),))
        for each in numbers
    )


def _applied(catalog: Catalog, writer: Writer, **fields: Any) -> float:
    commit = writer.commit(**fields)
    started = time.thread_time()
    catalog.apply(commit, ())
    return time.thread_time() - started


def measure(path: Path, items: int) -> None:
    """One line for each kind of change."""
    catalog, writer, chance = Catalog.create(path, "repo-1"), Writer(), random.Random(1)
    took = sum(
        _applied(catalog, writer, versions=_messages(list(range(start, start + _AT_ONCE)), 1))
        for start in range(0, items, _AT_ONCE)
    )
    say(f"open   {took / items * 1e6:6.1f} us an item")
    seqs = sorted(chance.sample(range(2, _LAST), items // _AT_ONCE))
    took = sum(
        _applied(
            catalog, writer, versions=_messages(chance.sample(range(items), _AT_ONCE), seq),
            snapshots_closed=(closed(seq),),
        )
        for seq in seqs
    )
    say(f"change {took / items * 1e6:6.1f} us an item")
    gone = tuple(removal(_item_id(number), _LAST) for number in range(items))
    took = _applied(catalog, writer, removals=gone, snapshots_closed=(closed(_LAST),))
    say(f"remove {took / items * 1e6:6.1f} us an item")
    catalog.close()
    say(f"{path.stat().st_size / 1e6:.0f} MB")


def main() -> None:
    """Measure in a new catalog."""
    measure(Path(sys.argv[1]) / "writes.db", int(sys.argv[2]) if len(sys.argv) > 2 else 20_000)


if __name__ == "__main__":
    main()
