"""The databases behind an archive: one thread for both, and what is remembered when they are let go."""

import threading
from pathlib import Path

from tests.engine.rig import SECRET, make_home
from tuiback.catalog import State
from tuiback.engine.archives.archive import open_repository
from tuiback.engine.archives.databases import Databases
from tuiback.engine.clock import SystemClock
from tuiback.engine.home import Home
from tuiback.model import CommitBody


async def opened(home: Home) -> Databases:
    """The databases of the home's repository."""
    repository = open_repository(home.repository("main"), SECRET, SystemClock(), to_write=True)
    return await Databases.open(home, "main", repository, SystemClock(), lambda *_: None)


async def test_both_are_written_on_one_thread(tmp_path: Path) -> None:
    """SQLite's writers never meet, and the loop waits for neither."""
    databases = await opened(make_home(tmp_path))
    threads = {
        await databases.with_state(lambda _: threading.get_ident()),
        await databases.with_catalog(lambda _: threading.get_ident()),
    }
    assert len(threads) == 1
    assert threading.get_ident() not in threads
    await databases.let_go()


async def test_closing_remembers_what_was_seen_and_whether_somebody_else_writes_under_its_name(tmp_path: Path) -> None:
    """The heads tell a rollback later; a cloned writer takes another name."""
    home = make_home(tmp_path)
    databases = await opened(home)
    writer_id = await databases.with_state(State.writer_id)
    repository = open_repository(home.repository("main"), SECRET, SystemClock(), to_write=True)
    commit = repository.append(writer_id, None, [], CommitBody(SystemClock().now()))
    await databases.replay(repository)
    await databases.close(cloned=False)
    databases = await opened(home)
    assert await databases.with_state(State.heads_seen) == (commit.head,)
    assert await databases.with_state(State.writer_id) == writer_id
    await databases.close(cloned=True)
    databases = await opened(home)
    assert await databases.with_state(State.writer_id) != writer_id
    await databases.close(cloned=False)
