"""Run by hand, never collected: python -m tests.engine.benchmarks.idle_bench FOLDER [ACCOUNTS] [SECONDS].

Makes a home with 40 tasks over ACCOUNTS accounts (5,000 unless given) that were backed up for thirty days, unless it is
there already, serves it, and prints what the idle engine costs over SECONDS (30) and how long `status --json` takes.
"""

import json
import os
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import psutil

from tests.catalog.benchmarks.measuring import figures, say, since
from tests.engine.rig import make_home
from tuiback.catalog import Catalog, State
from tuiback.engine.archives.archive import open_repository
from tuiback.engine.clock import SystemClock
from tuiback.engine.home import Home
from tuiback.engine.settings.registry import CREDENTIAL_PURPOSE
from tuiback.model import (
    Account,
    AccountKind,
    CommitBody,
    CommitHead,
    ControlRow,
    Kind,
    Outcome,
    RunCounters,
    RunRow,
    SnapshotRow,
    Task,
    Tenant,
    VersionOpened,
)
from tuiback.store import Repository, Secret

TASKS, DAYS, ITEMS = 40, 30, 20
PASSPHRASE = "correct horse battery staple"


def fill(folder: Path, accounts: int) -> Home:
    """The home as thirty nights leave it, a commit a night."""
    home = make_home(folder)
    repository = open_repository(
        home.repository("main"), Secret("passphrase", PASSPHRASE.encode()), SystemClock(), to_write=True
    )
    path = home.catalog_path("main")
    path.parent.mkdir(parents=True, exist_ok=True)
    state = State.open(home.state_path("main"))
    catalog = Catalog.create(path, repository.repository_id)
    head: CommitHead | None = None
    begin = datetime.now(UTC) - timedelta(days=DAYS)
    for day in range(DAYS):
        body = night(repository, day, begin + timedelta(days=day), accounts)
        commit = repository.append(state.writer_id(), head, [], body)
        catalog.apply(commit, ())
        head = commit.head
    catalog.close()
    state.close()
    return home


def night(repository: Repository, day: int, moment: datetime, accounts: int) -> CommitBody:
    """Everything that the runs of one night commit."""
    ids = [f"mailbox:{number:08d}-0000-4000-8000-000000000000" for number in range(accounts)]
    controls: tuple[ControlRow, ...] = ()
    rows: tuple[Account, ...] = ()
    if day == 0:
        controls = tuple(configured(repository, moment))
        rows = tuple(
            Account(each, AccountKind.MAILBOX, "acme", f"task-{n % TASKS:02}", each[8:], f"User {n}", f"u{n}@x.example")
            for n, each in enumerate(ids)
        )
    runs = tuple(
        RunRow(day * TASKS + n + 1, f"task-{n:02}", "schedule", moment, moment, Outcome.OK, RunCounters(accounts=125))
        for n in range(TASKS)
    )
    closed = tuple(
        SnapshotRow(each, day + 1, day * TASKS + n % TASKS + 1, moment, moment, Outcome.OK, moment)
        for n, each in enumerate(ids)
    )
    versions = tuple(
        VersionOpened(
            each, 1, f"{each[8:16]}-{item}", "folders", Kind.FOLDER, "", f"Folder {item}", 0, "2026-01-01T00:00:00Z",
            "e", "", (), (),
        )
        for each in ids for item in range(ITEMS)
    ) if day == 0 else ()  # fmt: skip
    return CommitBody(
        time=moment, controls=controls, accounts=rows, runs=runs, versions=versions, snapshots_closed=closed
    )


def configured(repository: Repository, now: datetime) -> list[ControlRow]:
    """A tenant, and tasks that aren't due for months."""
    sealed = repository.seal(b"hush", CREDENTIAL_PURPOSE)
    place = "http://127.0.0.1:9"
    tenant = Tenant("acme", "11111111-2222", "c", "custom", place, f"{place}/t", "secret", sealed)
    tasks = [
        Task(
            f"task-{n:02}", "acme", "exchange", everything=True, mode="scheduled", created_at=now,
            cron=f"0 3 1 {(now.month + 5) % 12 + 1} *", tz="Europe/Berlin", window="mon-fri 20:00-06:00,sat-sun",
        )
        for n in range(TASKS)
    ]  # fmt: skip
    rows = [ControlRow("task", task.name, msgspec.json.encode(task)) for task in tasks]
    return [ControlRow("tenant", "acme", msgspec.json.encode(tenant)), *rows]


def measure(home: Home, folder: Path, seconds: float) -> None:
    """Serve the home and look on."""
    secret = folder / "passphrase"
    secret.write_text(PASSPHRASE)
    environment = {**os.environ, "TUIBACK_HOME": str(home.path), "TUIBACK_PASSPHRASE_FILE": str(secret)}
    program = [sys.executable, "-m", "tuiback", "--json"]
    with subprocess.Popen([*program, "serve"], env=environment, stdout=subprocess.DEVNULL) as service:
        try:
            while not (home.path / "engine.sock").exists():
                assert service.poll() is None
                time.sleep(0.1)
            # What is done once after the start is no idling.
            time.sleep(20)
            process = psutil.Process(service.pid)
            used, begun = sum(process.cpu_times()[:2]), time.perf_counter()
            time.sleep(seconds)
            spent = sum(process.cpu_times()[:2]) - used
            share = spent / (time.perf_counter() - begun)
            say(f"idle: {share:.2%} of a core, {process.memory_info().rss / 1e6:.0f} MB")
            walls, cores = [], []
            for _ in range(9):
                before, begun = os.times(), time.perf_counter()
                answer = subprocess.run([*program, "status"], env=environment, capture_output=True, check=True)
                walls.append(since(begun))
                after = os.times()
                cores.append((after.children_user + after.children_system - before[2] - before[3]) * 1000)
            assert json.loads(answer.stdout)["health"]["accounts"]
            say(f"status --json: {figures(walls)}; processor: {figures(cores)}")
        finally:
            service.terminate()


def main() -> None:
    """Fill, then measure."""
    folder = Path(sys.argv[1])
    accounts = int(sys.argv[2]) if len(sys.argv) > 2 else 5_000
    home = Home.open(folder / "home") if (folder / "home").exists() else fill(folder, accounts)
    measure(home, folder, float(sys.argv[3]) if len(sys.argv) > 3 else 30.0)


if __name__ == "__main__":
    main()
