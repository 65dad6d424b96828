"""Changes of tasks as the engine carries them out: names, holds, runs in progress, and many at once."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.engine.rig import SECRET, make_home
from tuiback.catalog import CatalogReader
from tuiback.engine.activity import Activity
from tuiback.engine.clock import SystemClock
from tuiback.engine.commands import (
    AddHold,
    ChangeTasks,
    EditTask,
    PutTask,
    PutTenant,
    RenameTask,
    RunTasks,
    StopTask,
)
from tuiback.engine.home import Home
from tuiback.engine.hosting.core import Engine
from tuiback.errors import NoSuchThing, UsageError

NOBODY = "http://127.0.0.1:9"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home with an empty repository."""
    return make_home(tmp_path)


@pytest.fixture
async def engine(home: Home) -> AsyncIterator[Engine]:
    """An engine that knows a tenant where nobody answers, and a task."""
    engine = Engine(home, "run", lambda _: SECRET, SystemClock(), Activity(SystemClock()))
    await engine.open()
    await engine.execute(
        PutTenant(
            name="acme", tenant_id="t", client_id="c", cloud="custom", graph_url=NOBODY, authority=f"{NOBODY}/t",
            credential_kind="secret", credential="x",
        )
    )  # fmt: skip
    await engine.execute(put("mail"))
    yield engine
    await engine.close()


def put(name: str) -> PutTask:
    """A new task over all mailboxes."""
    return PutTask(name=name, tenant="acme", service="exchange", everything=True)


def reader(home: Home) -> CatalogReader:
    """What is committed."""
    return CatalogReader(home.catalog_path("main"))


def names(home: Home) -> dict[str, tuple[str, ...]]:
    """The tasks and the names they had."""
    found = reader(home)
    try:
        return {task.name: task.former_names for task in found.tasks()}
    finally:
        found.close()


async def test_a_hold_follows_the_name(engine: Engine, home: Home) -> None:
    """What a hold keeps is kept under the task's new name."""
    await engine.execute(AddHold(task="mail", reason="lawsuit"))
    await engine.execute(RenameTask(task="mail", name="letters"))
    found = reader(home)
    assert [hold.task for hold in found.holds()] == ["letters"]
    found.close()
    assert names(home) == {"letters": ("mail",)}


async def test_names_are_never_mixed_up(engine: Engine, home: Home) -> None:
    """Neither a task's name nor one it had is given to another; its own it may have again."""
    await engine.execute(put("files"))
    with pytest.raises(UsageError, match="exists already"):
        await engine.execute(RenameTask(task="mail", name="files"))
    await engine.execute(RenameTask(task="mail", name="letters"))
    for refused in (put("mail"), RenameTask(task="files", name="mail")):
        with pytest.raises(UsageError, match="former name of task letters"):
            await engine.execute(refused)
    await engine.execute(RenameTask(task="letters", name="mail"))
    assert names(home) == {"files": (), "mail": ("letters",)}


async def test_a_task_that_runs_keeps_its_name_and_paths(engine: Engine) -> None:
    """What would pull the ground from under a run is refused until it has ended."""
    await engine.execute(RunTasks(tasks=("mail",), wait=False))
    for refused in (RenameTask(task="mail", name="letters"), EditTask(task="mail", exclude_paths=("!a",))):
        with pytest.raises(UsageError, match="is running"):
            await engine.execute(refused)
    await engine.execute(EditTask(task="mail", priority=3))
    await engine.execute(StopTask(task="mail"))
    await engine.execute(RenameTask(task="mail", name="letters"))


async def test_many_at_once_or_none(engine: Engine, home: Home) -> None:
    """One that is wrong leaves everything as it was; else all of them are one commit."""
    good = ChangeTasks(add=(put("a"), put("b")), edit=(EditTask(task="mail", paused=True),), remove=())
    for wrong, error in (
        (ChangeTasks(add=(put("a"), put("a"))), UsageError),
        (ChangeTasks(add=(put("a"), put("mail"))), UsageError),
        (ChangeTasks(add=(put("a"),), remove=("nothing",)), NoSuchThing),
        (ChangeTasks(add=(put("a"),), edit=(EditTask(task="mail", keep="7x"),)), UsageError),
    ):
        with pytest.raises(error):
            await engine.execute(wrong)
        assert names(home) == {"mail": ()}
    await engine.execute(good)
    assert names(home) == {"a": (), "b": (), "mail": ()}
    await engine.execute(ChangeTasks(remove=("a", "b")))
    assert names(home) == {"mail": ()}
