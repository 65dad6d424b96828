import itertools
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from tuiback.catalog import JournalRow, State
from tuiback.catalog.migrations import migrate
from tuiback.catalog.moments import to_text
from tuiback.catalog.state import MIGRATIONS
from tuiback.errors import Damage, FormatTooNew, NoSuchThing
from tuiback.model import CommitHead, Outcome
from tuiback.model.audited import Deed, find_breaks

from .build import at


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the state lies."""
    return tmp_path / "state.db"


@pytest.fixture
def state(path: Path) -> Iterator[State]:
    """A new state whose ids are predictable."""
    numbers = itertools.count(1)
    state = State.open(path, new_id=lambda: f"writer-{next(numbers)}")
    yield state
    state.close()


def deed(who: str, action: str) -> Deed:
    """Something that somebody did."""
    return Deed(who=who, uid=1000, origin="pts/1", action=action, subject="mailbox:a", reason="asked for")


def test_the_writer_id_is_made_once(state: State, path: Path) -> None:
    """The same after a restart, another only when asked for."""
    assert state.writer_id() == "writer-1"
    assert state.writer_id() == "writer-1"
    again = State.open(path)
    assert again.writer_id() == "writer-1"
    assert state.new_writer_id() == "writer-2"
    assert again.writer_id() == "writer-2"
    again.close()


def test_two_homes_get_two_writer_ids(tmp_path: Path) -> None:
    """The default is random."""
    states = [State.open(tmp_path / name) for name in ("a", "b")]
    assert len({state.writer_id() for state in states}) == 2
    for state in states:
        state.close()


def test_heads_seen_never_go_back(state: State) -> None:
    """An older head than the one seen does not replace it: that is what it is kept for."""
    state.see_head(CommitHead("w1", 3, "c"))
    state.see_head(CommitHead("w2", 1, "x"))
    state.see_head(CommitHead("w1", 2, "b"))
    assert state.heads_seen() == (CommitHead("w1", 3, "c"), CommitHead("w2", 1, "x"))


def test_heads_can_be_forgotten(state: State) -> None:
    """Once a repository was rolled back and that was settled, older heads count again."""
    state.see_head(CommitHead("w", 9, "d9"))
    state.forget_heads()
    assert state.heads_seen() == ()
    state.see_head(CommitHead("w", 2, "d2"))
    assert state.heads_seen() == (CommitHead("w", 2, "d2"),)


def test_a_job_goes_from_plan_to_report(state: State) -> None:
    """What is not given stays."""
    job = state.new_job("restore", "mailbox:a", b"plan", at(0))
    state.update_job(job, state="running", total=10, now=at(1))
    state.update_job(job, done=4, now=at(2))
    row = state.job(job)
    assert (row.state, row.done, row.total, row.plan, row.outcome) == ("running", 4, 10, b"plan", None)
    state.update_job(job, state="ended", outcome=Outcome.PARTIAL, done=9, report=b"r", now=at(3))
    row = state.job(job)
    assert (row.state, row.outcome, row.report, row.created_at, row.updated_at) == (
        "ended", Outcome.PARTIAL, b"r", at(0), at(3),
    )


def test_the_newest_jobs_come_first(state: State) -> None:
    """At most as many as asked for."""
    jobs = [state.new_job("export", str(n), b"", at(n)) for n in range(5)]
    assert [row.job for row in state.jobs(3)] == jobs[:1:-1]


def test_an_unknown_job_is_told(state: State) -> None:
    """Neither asking nor changing makes one up."""
    with pytest.raises(NoSuchThing, match="job 9"):
        state.job(9)
    with pytest.raises(NoSuchThing, match="job 9"):
        state.update_job(9, state="ended", now=at(0))
    with pytest.raises(NoSuchThing, match="never intended"):
        state.done(9, "item", "new")


def test_the_journal_tells_intended_from_done_after_a_crash(state: State, path: Path) -> None:
    """Another process sees both at once; the job's number keeps journals apart."""
    state.intend(1, "item a", "folder x")
    state.intend(1, "item b", "folder x")
    state.intend(2, "item a", "folder y")
    state.done(1, "item a", "new id", "degraded: categories")
    other = State.open(path)
    assert other.journal(1) == (
        JournalRow(1, "item a", "folder x", True, "new id", "degraded: categories"),
        JournalRow(1, "item b", "folder x", False, "", ""),
    )
    other.close()


def test_the_audit_is_read_from_a_moment_on(state: State) -> None:
    """The oldest first; from a number on too."""
    first = state.audit(at(1), deed("anna", "restore"))
    second = state.audit(at(2), deed("bert", "export"))
    assert state.audit_entries() == (first, second)
    assert state.audit_entries(at(2)) == state.audit_entries(first=2) == (second,)


def test_the_audit_is_chained(state: State, path: Path) -> None:
    """Each entry carries the digest of the one before, also over another opening and another name to write under."""
    first = state.audit(at(1), deed("anna", "restore"))
    state.new_writer_id()
    other = State.open(path)
    second = other.audit(at(2), deed("bert", "export"))
    other.close()
    assert (first.number, first.previous, second.number, second.previous) == (1, "", 2, first.digest)
    assert first.log != second.log
    assert find_breaks(state.audit_entries()) == []


def test_an_audit_of_before_is_kept(tmp_path: Path) -> None:
    """What an older tuiback wrote down becomes the beginning of the chain."""
    old = tmp_path / "old.db"
    connection = sqlite3.connect(old, isolation_level=None)
    migrate(connection, old, MIGRATIONS[:2])
    connection.execute(
        "INSERT INTO audit (time, who, action, subject, detail) VALUES (?, 'local', 'restore', 'anna', 'all')",
        (to_text(at(1)),),
    )
    connection.close()
    state = State.open(old)
    state.audit(at(2), deed("bert", "export"))
    entries = state.audit_entries()
    state.close()
    assert [(entry.who, entry.action, entry.time) for entry in entries] == [
        ("local", "restore", at(1)), ("bert", "export", at(2)),
    ]
    assert find_breaks(entries) == []


def test_what_is_written_is_durable_when_the_method_returns(state: State) -> None:
    """SQLite is told to sync each transaction: nothing can replay a journal."""
    assert state._connection.execute("PRAGMA synchronous").fetchone() == (2,)


def test_files_of_others_are_told(tmp_path: Path) -> None:
    """A newer one and one that is no database."""
    newer, foreign = tmp_path / "newer.db", tmp_path / "foreign.db"
    State.open(newer).close()
    connection = sqlite3.connect(newer)
    connection.execute("PRAGMA user_version = 7")
    connection.close()
    with pytest.raises(FormatTooNew):
        State.open(newer)
    foreign.write_bytes(b"x" * 5000)
    with pytest.raises(Damage):
        State.open(foreign)
