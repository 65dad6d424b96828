"""A commit's rows come apart by account, fit into records, and come together again as they were."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from msgspec.structs import replace as changed

from tests.store.doubles import TIME, version
from tuiback.model import CommitBody, Container, ControlRow, Expired, Kind, Owed, Removal, RunRow, SnapshotRow
from tuiback.store.bodies import (
    by_account,
    decode_bodies,
    encode_bodies,
    joined,
    records,
    row_count,
    takes_more,
)
from tuiback.store.segment import RECORD_BYTES

ACCOUNTS = st.sampled_from(["mailbox:ann", "mailbox:bob", "drive:ann"])
NAMES = st.text(max_size=8)


def bodies() -> st.SearchStrategy[CommitBody]:
    """Bodies with rows of several kinds and accounts."""
    versions = st.builds(lambda account, name: changed(version(name), account_id=account), ACCOUNTS, NAMES)
    owed = st.builds(
        lambda account, name: Owed(account, "inbox", name, Kind.MESSAGE, f"/{name}", TIME, 1, "gone"), ACCOUNTS, NAMES
    )
    snapshots = st.builds(SnapshotRow, ACCOUNTS, st.integers(1, 9), st.integers(1, 9), st.just(TIME))
    return st.builds(
        CommitBody,
        time=st.just(TIME),
        controls=_some(st.builds(ControlRow, st.just("task"), NAMES, st.binary(max_size=5))),
        runs=_some(st.builds(RunRow, st.integers(1, 9), NAMES, st.just("manual"), st.just(TIME))),
        containers=_some(st.builds(Container, ACCOUNTS, NAMES, st.just("mail"), NAMES)),
        containers_removed=_some(st.tuples(ACCOUNTS, NAMES)),
        snapshots_opened=_some(snapshots),
        versions=_some(versions),
        removals=_some(st.builds(Removal, ACCOUNTS, st.integers(1, 9), NAMES, NAMES)),
        owed=_some(owed),
        snapshots_closed=_some(snapshots),
        expired=_some(st.builds(Expired, ACCOUNTS, _some(st.tuples(NAMES, st.integers(1, 9))))),
    )


def _some(rows: st.SearchStrategy[object]) -> st.SearchStrategy[tuple[object, ...]]:
    return st.lists(rows, max_size=5).map(tuple)


@given(body=bodies())
def test_rows_come_together_by_account(body: CommitBody) -> None:
    """Each account's rows are alone and in their order; together they are all rows; once sorted nothing moves again."""
    accounts = by_account(body)
    together = joined(body.time, accounts.values())
    assert row_count(together) == row_count(body)
    assert by_account(together) == accounts
    assert joined(together.time, by_account(together).values()) == together
    assert accounts.get("", CommitBody(TIME)) == CommitBody(TIME, controls=body.controls, runs=body.runs)
    for account in ("mailbox:ann", "mailbox:bob", "drive:ann"):
        versions = tuple(row for row in body.versions if row.account_id == account)
        assert accounts.get(account, CommitBody(TIME)).versions == versions


@given(some=st.lists(bodies(), max_size=4))
def test_records_hold_bodies_in_their_order(some: list[CommitBody]) -> None:
    """What is small stays as it is, in one record."""
    made = list(records(some))
    assert len(made) == (1 if some else 0)
    assert [body for plain, _ in made for body in decode_bodies(plain)] == some
    assert sum(count for _, count in made) == sum(map(row_count, some))


@pytest.mark.parametrize("name_bytes", [10, 3_000, 400_000])
def test_large_bodies_are_cut_between_rows(name_bytes: int) -> None:
    """No record is larger than 1 MiB, and applying the pieces in their order is applying the body."""
    count = max(8, 6 * RECORD_BYTES // (name_bytes + 300))
    rows = tuple(changed(version(f"m{number}"), name=str(number % 7) * name_bytes) for number in range(count))
    snapshot = SnapshotRow("mailbox:ann", 1, 1, TIME)
    body = CommitBody(TIME, snapshots_opened=(snapshot,), versions=rows, snapshots_closed=(snapshot,))
    later = replace(body, time=TIME + timedelta(seconds=1))
    made = list(records([body, later]))
    assert len(made) > 6
    assert max(len(plain) for plain, _ in made) <= RECORD_BYTES
    pieces = [piece for plain, _ in made for piece in decode_bodies(plain)]
    assert joined(TIME, [piece for piece in pieces if piece.time == TIME]) == body
    assert [piece.time for piece in pieces] == sorted(piece.time for piece in pieces)
    assert pieces[0].snapshots_opened
    assert not any(piece.snapshots_closed for piece in pieces[: len(pieces) // 2 - 1])


def test_a_single_row_is_never_cut() -> None:
    """A row larger than a record has a record of its own."""
    rows = tuple(changed(version(f"m{number}"), name="x" * (RECORD_BYTES + 1)) for number in range(2))
    made = list(records([CommitBody(TIME, versions=rows)]))
    assert [count for _, count in made] == [1, 1]
    assert [body.versions for plain, _ in made for body in decode_bodies(plain)] == [rows[:1], rows[1:]]


@pytest.mark.parametrize("rows", [0, 3, 5_000])
def test_a_body_is_weighed_to_the_byte(rows: int) -> None:
    """However many rows it has, and whether all of them must be looked at."""
    body = CommitBody(TIME, removals=tuple(Removal("mailbox:ann", 1, f"m{number}", "inbox") for number in range(rows)))
    size = len(encode_bodies([body])) - 1
    assert [takes_more(body, limit) for limit in (0, size - 1, size, size + 1, 2 * size)] == [
        True, True, False, False, False,
    ]  # fmt: skip
