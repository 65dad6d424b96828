"""Tests of the audit: what is written down of whom, at once and in the repository."""

import json
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.engine.rig import SECRET, Rig, make_home
from tuiback.catalog import CatalogReader, State
from tuiback.engine.activity import Activity
from tuiback.engine.archives.archive import open_repository
from tuiback.engine.asking import Asker, asked_by
from tuiback.engine.clock import SystemClock
from tuiback.engine.commands import EditTask, Export, Prune, PutTenant, Restore, RunTasks, Selection
from tuiback.engine.home import Home
from tuiback.engine.hosting.core import Engine
from tuiback.engine.upkeep.adoption import rebuild
from tuiback.engine.upkeep.auditing import SEGMENT_ENTRIES, Auditing, deed_by_hand, deed_of, note_deed, read_audit
from tuiback.errors import NoSuchThing
from tuiback.model.audited import AuditEntry, find_breaks

ANNA = Asker("anna", 1000, "pts/1, ssh from 192.0.2.7")
TENANT = PutTenant(
    name="acme", tenant_id="t", client_id="c", cloud="custom", graph_url="http://127.0.0.1:9",
    authority="http://127.0.0.1:9/t", credential_kind="secret", credential="hush", reason="a new customer",
)  # fmt: skip


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[Engine]:
    """An engine that nobody else shares."""
    engine = Engine(make_home(tmp_path), "run", lambda _: SECRET, SystemClock(), Activity(SystemClock()))
    await engine.open()
    yield engine
    await engine.close()


def audit_of(home: Home) -> tuple[list[AuditEntry], list[str]]:
    """The audit, and all that is wrong with it."""
    reader = CatalogReader(home.catalog_path("main"))
    entries, breaks = read_audit(home.state_path("main"), reader)
    reader.close()
    return entries, breaks + find_breaks(entries)


def sealed_in(home: Home) -> tuple[AuditEntry, ...]:
    """What of the audit the repository has."""
    reader = CatalogReader(home.catalog_path("main"))
    entries = reader.audit_entries()
    reader.close()
    return entries


def test_a_restore_names_its_accounts_and_its_reason() -> None:
    """Both, from where and to where; of many items only their number."""
    many = tuple(f"item{n}" for n in range(100))
    selection = Selection(account_id="mailbox:a", seq=3, item_ids=many)
    command = Restore(selections=(selection,), target_account_id="mailbox:b", dry_run=True, reason="ticket 7")
    deed = deed_of(command, ANNA)
    assert deed is not None
    assert (deed.who, deed.uid, deed.origin) == ("anna", 1000, "pts/1, ssh from 192.0.2.7")
    assert (deed.action, deed.accounts, deed.reason) == ("restore", ("mailbox:a", "mailbox:b"), "ticket 7")
    assert json.loads(deed.detail) == {
        "selections": [{"account_id": "mailbox:a", "seq": 3, "item_ids": "100 items"}],
        "target_account_id": "mailbox:b", "dry_run": True,
    }  # fmt: skip


def test_no_secret_is_written_down() -> None:
    """That there was one is."""
    deed = deed_of(TENANT, ANNA)
    assert deed is not None
    assert "hush" not in deed.detail
    assert json.loads(deed.detail)["credential"] == "not told"
    assert json.loads(deed.detail)["credential_kind"] == "secret"


def test_what_is_not_audited() -> None:
    """An audit of every night's runs would hide what people did, and a prune that only counts does nothing."""
    assert deed_of(RunTasks(), ANNA) is None
    assert deed_of(Prune(dry_run=True), ANNA) is None
    assert deed_of(Prune(), ANNA) is not None


async def test_a_command_is_in_the_repository_when_the_engine_ends(tmp_path: Path) -> None:
    """With who asked; at once in the home, and with the next commit in the repository."""
    home = make_home(tmp_path)
    engine = Engine(home, "run", lambda _: SECRET, SystemClock(), Activity(SystemClock()))
    await engine.open()
    with asked_by(ANNA):
        await engine.execute(TENANT)
    entries, breaks = audit_of(home)
    assert breaks == []
    assert [(e.who, e.action, e.subject, e.reason) for e in entries] == [
        ("anna", "put-tenant", "acme", "a new customer")
    ]
    await engine.close()
    assert list(sealed_in(home)) == entries


async def test_what_fails_is_told_twice(engine: Engine) -> None:
    """That it was asked for, and why it came to nothing."""
    with pytest.raises(NoSuchThing):
        await engine.execute(EditTask(task="none", keep="30d"))
    entries, _ = audit_of(engine._home)
    assert [entry.action for entry in entries] == ["edit-task", "edit-task"]
    assert json.loads(entries[0].detail) == {"task": "none", "keep": "30d"}
    assert "no such task" in json.loads(entries[1].detail)["failed"]


async def test_what_others_note_is_sealed_too(rig: Rig) -> None:
    """Also after a failed commit took it along; segments are written once they are full, the last one anew."""
    auditing = Auditing({"main": rig.archive}, SystemClock())
    for number in range(SEGMENT_ENTRIES + 3):
        note_deed(rig.home, "main", SystemClock(), deed_by_hand("cat", f"mail {number}"))
    await auditing.seal()
    await rig.archive.committer.commit()
    assert len(sealed_in(rig.home)) == SEGMENT_ENTRIES + 3
    note_deed(rig.home, "main", SystemClock(), deed_by_hand("cat", "one more"))
    await auditing.seal()
    assert [row.name.rpartition("/")[2] for row in rig.archive.committer._staged.controls.values()] == ["00000001"]
    rig.archive.committer._staged.controls.clear()  # as when a commit fails
    again = Auditing({"main": rig.archive}, SystemClock())
    await again.seal()
    await rig.archive.committer.commit()
    entries, breaks = audit_of(rig.home)
    assert (len(entries), entries[-1].subject, breaks) == (SEGMENT_ENTRIES + 4, "one more", [])


async def test_a_bare_machine_has_the_audit_back(tmp_path: Path) -> None:
    """From the repository alone; the new home goes on with a log of its own."""
    home = make_home(tmp_path)
    rig = await Rig.open(home)
    auditing = Auditing({"main": rig.archive}, SystemClock())
    note_deed(home, "main", SystemClock(), deed_by_hand("cat", "a mail"))
    await auditing.seal()
    await rig.archive.close()
    before = sealed_in(home)
    for name in (home.catalog_path("main"), home.state_path("main")):
        for file in name.parent.glob(f"{name.name}*"):
            file.unlink()
    repository = open_repository(home.repository("main"), SECRET, SystemClock(), to_write=True)
    rebuild(home, "main", repository, SystemClock())
    assert sealed_in(home) == before
    note_deed(home, "main", SystemClock(), deed_by_hand("cat", "another"))
    entries, breaks = audit_of(home)
    assert breaks == []
    assert [entry.subject for entry in entries] == ["a mail", "another"]
    assert entries[0].log != entries[1].log


async def test_a_home_that_is_older_than_its_audit(tmp_path: Path) -> None:
    """A copy put back: what it has sealed since is taken in again, and what it noted meanwhile comes behind that."""
    home = make_home(tmp_path)
    rig = await Rig.open(home)
    auditing = Auditing({"main": rig.archive}, SystemClock())
    note_deed(home, "main", SystemClock(), deed_by_hand("cat", "first"))
    older = tmp_path / "older.db"
    with sqlite3.connect(home.state_path("main")) as connection:
        connection.execute("VACUUM INTO ?", (str(older),))
    connection.close()
    for number in range(SEGMENT_ENTRIES):
        note_deed(home, "main", SystemClock(), deed_by_hand("cat", f"later {number}"))
    await auditing.seal()
    await rig.archive.close()
    for file in home.state_path("main").parent.glob("state.db*"):
        file.unlink()
    older.rename(home.state_path("main"))
    note_deed(home, "main", SystemClock(), deed_by_hand("cat", "meanwhile"))
    assert audit_of(home)[1] != []
    rig = await Rig.open(home)
    await Auditing({"main": rig.archive}, SystemClock()).seal()
    await rig.archive.close()
    entries, breaks = audit_of(home)
    assert breaks == []
    assert [entries[0].subject, entries[-1].subject, len(entries)] == ["first", "meanwhile", SEGMENT_ENTRIES + 2]
    assert len(sealed_in(home)) == SEGMENT_ENTRIES + 2


async def test_what_was_changed_or_cut_off_in_the_home_is_told(tmp_path: Path) -> None:
    """The repository knows better."""
    home = make_home(tmp_path)
    rig = await Rig.open(home)
    auditing = Auditing({"main": rig.archive}, SystemClock())
    for subject in ("first", "second", "third"):
        note_deed(home, "main", SystemClock(), deed_by_hand("cat", subject))
    await auditing.seal()
    await rig.archive.close()
    connection = sqlite3.connect(home.state_path("main"))
    connection.execute("DELETE FROM audit_trail WHERE number = 3")
    connection.execute("UPDATE audit_trail SET entry = replace(entry, 'first', 'other') WHERE number = 1")
    connection.commit()
    connection.close()
    _, breaks = audit_of(home)
    state = State.open(home.state_path("main"))
    log = state.writer_id()
    state.close()
    assert breaks == [
        f"entry 1 of {log} is one thing in this home and another in the repository",
        f"entry 3 of {log} is in the repository and no longer in this home",
        f"entry 1 of {log} is not what was written",
    ]


def test_an_export_names_where_it_goes() -> None:
    """As its subject."""
    deed = deed_of(Export(selections=(Selection(account_id="drive:d", seq=1),), to="/tmp/out"), ANNA)
    assert deed is not None
    assert (deed.action, deed.subject, deed.accounts) == ("export", "/tmp/out", ("drive:d",))
