"""Commits stay small, whatever they say; what they can't carry lies in segments."""


import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.store.doubles import TIME, FailingBackend, MemoryBackend, body, new_repository, reopen, version
from tests.store.test_repository import die_at, flip
from tests.store.test_writer import content
from tuiback.errors import Damage, UsageError
from tuiback.model import CommitBody, Kind, Owed, RunRow, SnapshotRow, StoredPart
from tuiback.store import Repository
from tuiback.store.commits import COMMIT_BYTES_MAX, INLINE_BYTES, commit_name
from tuiback.store.segment import segment_name


def large_body(rows: int, accounts: int, name_bytes: int) -> CommitBody:
    """Versions with long names that don't compress, of several accounts in turn, and rows of other kinds."""
    part = StoredPart("mime", 5, b"d" * 32, (b"c" * 32,))
    versions = tuple(
        replace(
            version(f"m{number}", part),
            account_id=f"mailbox:{number % accounts}",
            name=content(number, name_bytes // 2).hex(),
        )
        for number in range(rows)
    )
    owed = Owed("mailbox:0", "inbox", "m9", Kind.MESSAGE, "/m9", TIME, 1, "gone")
    runs = (RunRow(1, "mail", "manual", TIME),)
    snapshots = (SnapshotRow("mailbox:0", 1, 1, TIME),)
    return CommitBody(TIME, runs=runs, snapshots_opened=snapshots, versions=versions, owed=(owed,))


@pytest.mark.parametrize("accounts", [1, 7, 20_000])
def test_commit_of_any_size_is_small(accounts: int) -> None:
    """20,000 versions with long names leave a commit far below 4 MiB, and all readers get one body."""
    backend = MemoryBackend()
    repository = new_repository(backend)
    given_body = large_body(20_000, accounts, 500)
    commit = repository.append("nas", None, ["ab" * 32], given_body)
    assert len(backend.objects[commit_name(commit.head)]) < 100_000
    assert commit.segments
    assert sorted(commit.body.versions, key=repr) == sorted(given_body.versions, key=repr)
    again = reopen(repository)
    assert again.read_commit(commit.head) == commit
    assert list(again.commits()) == [commit]


@settings(max_examples=15, deadline=None)
@given(rows=st.integers(0, 60), accounts=st.integers(1, 5), name_bytes=st.sampled_from([10, 30_000, 90_000]))
def test_commit_round_trip(rows: int, accounts: int, name_bytes: int) -> None:
    """With and without segments, what append() gives is what is read, and nothing is lost."""
    repository = new_repository()
    given_body = large_body(rows, accounts, name_bytes)
    commit = repository.append("nas", None, [], given_body)
    assert bool(commit.segments) == (rows * name_bytes > INLINE_BYTES)
    assert repository.read_commit(commit.head) == commit
    for account in range(accounts):
        of_account = [[row for row in some.versions if row.account_id == f"mailbox:{account}"] for some in
                      (commit.body, given_body)]  # fmt: skip
        assert of_account[0] == of_account[1]


def test_commit_that_names_too_many_packs_is_refused(repository: Repository, backend: MemoryBackend) -> None:
    """What can't be put in one object of 4 MiB is refused before anything is written."""
    packs = [content(number, 32).hex() for number in range(COMMIT_BYTES_MAX // 30)]
    before = set(backend.objects)
    with pytest.raises(UsageError, match="too large"):
        repository.append("nas", None, packs, body())
    assert set(backend.objects) == before


def test_dying_before_the_commit_leaves_only_a_segment() -> None:
    """Segments are durable before the commit that names them: without it they say nothing."""
    for moment in range(1, 5):
        backend = FailingBackend()
        repository = new_repository(backend)
        backend.fault = die_at(moment)
        with pytest.raises(KeyboardInterrupt):
            repository.append("nas", None, [], large_body(4_000, 2, 400))
        backend.fault = die_at(0)
        again = reopen(repository)
        assert len(again.heads()) == (1 if moment == 4 else 0)
        assert len(list(backend.list("segments/"))) == (0 if moment == 1 else 1)
        next_body = large_body(4_000, 2, 400)
        commit = again.append("nas", next(iter(again.heads()), None), [], next_body)
        assert list(again.commits())[-1] == commit


@pytest.mark.parametrize("harm", ["changed", "cut", "swapped"])
def test_damaged_rows_name_commit_and_segment(repository: Repository, backend: MemoryBackend, harm: str) -> None:
    """A commit whose rows are not what was written is never applied."""
    first = repository.append("nas", None, [], large_body(4_000, 2, 400))
    second = repository.append("nas", first.head, [], large_body(4_001, 2, 400))
    one, two = (segment_name(commit.segments[0]) for commit in (first, second))
    data = backend.objects[one]
    backend.objects[one] = {"changed": flip(data), "cut": data[:-1], "swapped": backend.objects[two]}[harm]
    with pytest.raises(Damage, match=f"{commit_name(first.head)}.*{first.segments[0]}"):
        list(repository.commits())
