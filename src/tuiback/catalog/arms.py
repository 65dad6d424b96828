"""Names, in SQL, the pieces of an index that together hold what lay in one folder at one snapshot.

Each piece is a FROM with its WHERE, calls the versions v, and lies in the order that is asked for, so that SQLite
merges the pieces of a page and stops behind it.
"""

from collections.abc import Iterable, Sequence
from typing import Literal

from tuiback.catalog.spans import BLOCKS_A_SNAPSHOT, blocks_of
from tuiback.model import FOLDER_KINDS, Kind

Order = Literal["name", "modified"]


def at_snapshot(seq: int) -> dict[str, object]:
    """The parameters that the pieces need beside the folder."""
    return {"seq": seq, **{f"block{level}": block for level, block in enumerate(blocks_of(seq))}}


def valid_arms(kinds: Sequence[Kind] | None, order: Order, parent: str = ":parent") -> list[str]:
    """What was there: of each kind the live versions, and the ended ones of each block of snapshots."""
    wanted = frozenset(Kind if kinds is None else kinds)
    live = [
        f"""versions v INDEXED BY live_by_{order} WHERE v.until_seq IS NULL AND v.parent_no = {parent}
            AND v.from_seq <= :seq AND v.kind = '{Kind(kind).value}'"""
        for kind in sorted(wanted)
    ]
    ended = [
        f"spans_by_{order} v WHERE v.parent_no = {parent} AND v.is_folder = {flag} AND v.block = :block{level} {only}"
        for flag, only in _shelves(wanted)
        for level in range(BLOCKS_A_SNAPSHOT)
    ]
    return live + ended


def deleted_arms(kinds: Sequence[Kind] | None) -> list[str]:
    """What had lain there last and was no longer anywhere in the account."""
    return [
        f"""versions v INDEXED BY removed_by_end WHERE v.removed AND v.parent_no = :parent AND v.until_seq <= :seq
            AND v.kind IN ({_names(Kind if kinds is None else kinds)}) AND NOT EXISTS (SELECT 1 FROM versions w
            WHERE w.item_no = v.item_no AND w.from_seq > v.from_seq AND w.from_seq <= :seq)"""
    ]


def _shelves(wanted: frozenset[Kind]) -> list[tuple[int, str]]:
    """Whether folders, items or both are asked for, each with what leaves the kinds out that are not."""
    shelves = []
    for flag, shelf in ((0, frozenset(Kind) - FOLDER_KINDS), (1, FOLDER_KINDS)):
        chosen = wanted & shelf
        some = f"AND (SELECT w.kind FROM versions w WHERE w.version_no = v.version_no) IN ({_names(chosen)})"
        if chosen:
            shelves.append((flag, "" if chosen == shelf else some))
    return shelves


def _names(kinds: Iterable[Kind]) -> str:
    return ",".join(sorted(f"'{Kind(kind).value}'" for kind in kinds))
