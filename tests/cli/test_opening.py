"""Tests of what stands between the command line and the console."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from tests.cli.conftest import Tuiback
from tests.cli.seed import MAILBOX, SECOND_HELLO
from tests.engine.rig import SECRET, make_home
from tuiback.catalog import State, Upkeep
from tuiback.cli.engaging import secret_source
from tuiback.cli.opening import Sight, go_on_alone, remembered
from tuiback.cli.secret import must_ask
from tuiback.engine.commands import PutTask, PutTenant
from tuiback.engine.home import Home, RepositoryRef
from tuiback.engine.hosting.link import host
from tuiback.simtenant import Plan, Server
from tuiback.store import Secret

LIMIT_SECONDS = 60


def ref(name: str = "main", key_file: str | None = None) -> RepositoryRef:
    """A repository as the home knows it."""
    return RepositoryRef(name=name, url="/r", repository_id="id", catalog="/c", key_file=key_file)


def test_a_passphrase_is_asked_for_once() -> None:
    """Engine and preview open the same repository with what was typed once."""
    asked: Iterator[bytes] = iter([b"one", b"two"])
    secret_for = remembered(lambda _: Secret("passphrase", next(asked)))
    assert [secret_for(ref()).value, secret_for(ref()).value, secret_for(ref("b")).value] == [b"one", b"one", b"two"]


def test_who_must_be_asked() -> None:
    """Nobody, where every repository has a key file or a passphrase file is named for all."""
    assert must_ask([ref(key_file="/k"), ref("b")], {})
    assert not must_ask([ref(key_file="/k")], {})
    assert not must_ask([ref()], {"TUIBACK_PASSPHRASE_FILE": "/p"})


def test_the_console_reads_catalog_and_content(seeded: Path) -> None:
    """What the console browses and previews comes from the same home, with the key that opened it."""
    sight = Sight(Home.open(seeded), secret_source())
    ((name, reader),) = sight.readers()
    entry = reader.find_entry(MAILBOX, "m-hello", None)
    assert entry is not None
    parts = {part.name: part for part in reader.parts(MAILBOX, entry.item_id, entry.from_seq)}
    assert sight.content(name).read_all(parts["mime"]) == SECOND_HELLO


def test_the_console_reads_jobs_and_upkeep(tmp_path: Path) -> None:
    """Before there is a state nothing; then what is kept, the newest job first."""
    home = make_home(tmp_path)
    sight = Sight(home, secret_source())
    assert (list(sight.jobs()), list(sight.chores())) == ([], [])
    now = datetime(2026, 11, 23, 8, tzinfo=UTC)
    home.state_path("main").parent.mkdir(parents=True)
    state = State.open(home.state_path("main"))
    for kind in ("restore", "prune"):
        state.new_job(kind, "main", b"{}", now)
    state.close()
    upkeep = Upkeep.open(home.state_path("main"))
    upkeep.learn(["prune"], now)
    upkeep.close()
    assert [job.kind for job in sight.jobs()] == ["prune", "restore"]
    assert [chore.chore for chore in sight.chores()] == ["prune"]


def test_runs_go_on_without_the_terminal(tuiback: Tuiback, tmp_path: Path) -> None:
    """A process of its own finishes the task; the passphrase typed at the terminal reaches it through no file."""
    home = make_home(tmp_path)
    with Server(Plan(users=1, messages=2, files_per_user=1)) as server:
        at = server.endpoints
        link = host(home, "console", lambda _: SECRET)
        tenant = PutTenant(
            name="acme", tenant_id=at.tenant_id, client_id=at.client_id, cloud="custom", graph_url=at.graph_url,
            authority=at.authority, credential_kind="secret", credential=at.client_secret,
        )  # fmt: skip
        for command in (tenant, PutTask(name="mail", tenant="acme", service="exchange", everything=True)):
            link.submit(command).result(LIMIT_SECONDS)
        link.close()
        process = go_on_alone(home, ["mail"], lambda _: SECRET)
        assert process.wait(LIMIT_SECONDS) == 0
    assert [row["outcome"] for row in tuiback("--json", "--home", home.path, "runs").rows] == ["ok"]
