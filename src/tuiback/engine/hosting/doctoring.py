"""Looks for what is wrong with a home and its repositories, or soon will be, each with its remedy; changes nothing."""

import asyncio
import contextlib
import fcntl
import os
import shutil
import stat
from collections.abc import Callable, Generator, Iterator
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path

from tuiback import __version__
from tuiback.catalog import Audit, CatalogReader, State
from tuiback.engine.home import (
    HOME_FILE,
    NETWORK_FILE_SYSTEMS,
    Home,
    RepositoryRef,
    file_system_of,
    mounted_file_systems,
)
from tuiback.engine.hosting.attach import attach
from tuiback.engine.hosting.findings import ERROR, INFO, WARNING, Finding
from tuiback.engine.hosting.glance import RESTART, SOCKET
from tuiback.engine.hosting.home_findings import database_findings, is_current, writable_findings
from tuiback.engine.ownership import refusal_of
from tuiback.engine.settings.channels import CHANNELS_FILE
from tuiback.errors import TuibackError
from tuiback.graph.server_time import find_server_time
from tuiback.model import Clock
from tuiback.store import KeySlots, Repository, Secret, gc, identify, open_backend

LOCK = "engine.lock"

# A run stops at 5 % or 50 GB free, whichever is smaller; the home needs room for a catalog written anew.
_LOW_SHARE = 0.05
_LOW_BYTES = 50_000_000_000
_HOME_LOW_BYTES = 1_000_000_000
# Entra refuses assertions that are off by more than five minutes, as most token services do; half of that is told.
# https://learn.microsoft.com/entra/identity-platform/certificate-credentials
_SKEW_ERROR = timedelta(minutes=5)
_SKEW_WARNING = timedelta(minutes=2)
# No clock that is right shows an earlier year than that in which this was written.
_EARLIEST = datetime(2026, 1, 1, tzinfo=UTC)
_EXPIRES_SOON = timedelta(days=30)


SecretsFor = Callable[[RepositoryRef], list[Secret]]


def examine_home(home: Home, secrets_for: SecretsFor, clock: Clock) -> Iterator[Finding]:
    """Everything about a home that opens; `secrets_for` gives the secrets at hand, asking nobody."""
    yield from _home_folder(home.path)
    engine_runs = yield from _engine(home.path)
    if not home.repositories:
        yield Finding(
            "init-unfinished", ERROR, "the home has no repository yet", str(home.path), "finish it with 'tuiback init'"
        )
    yield from told(partial(database_findings, home, engine_runs=engine_runs), "database", str(home.path))
    for ref in home.repositories.values():
        yield from told(partial(_repository, home, ref, secrets_for, clock), "repository", ref.url)
        yield from told(partial(_catalog, home, ref, clock, engine_runs=engine_runs), "catalog", ref.catalog)


def told(examine: Callable[[], Iterator[Finding]], kind: str, subject: str) -> Iterator[Finding]:
    """The findings; what stops the looking is the last one."""
    try:
        yield from examine()
    except TuibackError as error:
        yield Finding(f"{kind}-{error.code}", ERROR, error.what, error.subject or subject, error.remedy)
    except OSError as error:
        what = f"can't be looked at ({error.strerror})"
        yield Finding(f"{kind}-unreadable", ERROR, what, subject, "check its owner, and whether its volume is mounted")


def clock_findings(now: datetime, server: datetime | None, subject: str = "") -> Iterator[Finding]:
    """Judges the clock, by a server's where one answered."""
    if now < _EARLIEST:
        yield Finding("clock-unset", ERROR, f"the clock says {now:%Y-%m-%d}", remedy="set it, and turn NTP on")
    if server is None:
        return
    skew = abs(now - server)
    if skew >= _SKEW_WARNING:
        severity = ERROR if skew >= _SKEW_ERROR else WARNING
        what = f"the clock is {'ahead' if now > server else 'behind'} by {skew.total_seconds():.0f} s"
        yield Finding("clock-skew", severity, what, subject, "turn NTP on; Microsoft refuses sign-ins by a wrong clock")


def private_findings(path: Path, kind: str) -> Iterator[Finding]:
    """Judges who may read a file or folder that is for its owner only."""
    status = path.stat()
    if status.st_uid not in (os.getuid(), 0):
        what = f"belongs to another user (uid {status.st_uid})"
        yield Finding(f"{kind}-owner", WARNING, what, str(path), f"give it to the user who runs tuiback: chown {path}")
    # With an access control list the group bits are what any group may: to pass a folder shows nothing of it.
    allowed = 0o010 if stat.S_ISDIR(status.st_mode) else 0
    if status.st_mode & 0o077 & ~allowed:
        what = f"others may use it (mode {status.st_mode & 0o777:03o})"
        yield Finding(f"{kind}-permissions", WARNING, what, str(path), f"chmod go-rwx {path}")


def space_findings(free: int, total: int, low: int, kind: str, subject: str) -> Iterator[Finding]:
    """Judges the space of a volume; `total` is 0 where it is not known."""
    if total and free < low:
        severity = ERROR if free < low // 10 else WARNING
        what = f"{free / 1e9:.1f} GB of {total / 1e9:.1f} GB are free"
        remedy = "make room, or let less be kept: 'tuiback prune --dry-run'"
        yield Finding(f"{kind}-space", severity, what, subject, remedy)


def _home_folder(path: Path) -> Iterator[Finding]:
    kind = file_system_of(path, mounted_file_systems())
    if kind.lower() in NETWORK_FILE_SYSTEMS:
        remedy = "move it to a local disk; the repository may stay remote"
        yield Finding("home-network", ERROR, f"the home lies on a network file system ({kind})", str(path), remedy)
    yield from private_findings(path, "home")
    yield from writable_findings(path, "home")
    if (channels := path / CHANNELS_FILE).exists():
        yield from private_findings(channels, "channels")
    usage = shutil.disk_usage(path)
    yield from space_findings(usage.free, usage.total, _HOME_LOW_BYTES, "home", str(path))
    if (path / f"{HOME_FILE}.new").exists():
        what = "a change of the home was cut off; what it was before still holds"
        yield Finding("home-half-written", WARNING, what, str(path / f"{HOME_FILE}.new"), "make the change again")


def _engine(path: Path) -> Generator[Finding, None, bool]:
    """Whether an engine runs, and does so rightly; returns that."""
    link = None
    try:
        link = attach(path)
    except TuibackError as error:
        yield Finding("engine-mute", ERROR, error.what, str(path), error.remedy)
    if link is not None:
        link.close()
        if link.engine_version != __version__:
            what = f"the engine that runs is tuiback {link.engine_version}, this is {__version__}"
            yield Finding("engine-version", WARNING, what, str(path), RESTART)
        return True
    held = _is_locked(path / LOCK)
    if held:
        what = "a process holds the home and can't be attached to"
        remedy = "it starts or ends; if that lasts, find it with 'fuser -v' and end it"
        yield Finding("engine-stuck", ERROR, what, str(path / LOCK), remedy)
    elif (path / SOCKET).exists():
        what = "an engine ended without taking its socket away"
        yield Finding("engine-stale", INFO, what, str(path / SOCKET), "nothing to do: the next engine replaces it")
    return held


def _is_locked(lock: Path) -> bool:
    try:
        descriptor = os.open(lock, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _repository(home: Home, ref: RepositoryRef, secrets_for: SecretsFor, clock: Clock) -> Iterator[Finding]:
    backend = open_backend(ref.url)
    identify(backend, ref.repository_id)
    used, total = backend.free_bytes()
    low = min(int(total * _LOW_SHARE), _LOW_BYTES)
    yield from space_findings(total - used, total, low, "repository", ref.url)
    if "://" not in ref.url:
        yield from writable_findings(Path(ref.url), "repository")
    if ref.key_file is not None:
        yield from told(lambda: _key_file(home, ref, Path(str(ref.key_file))), "key-file", ref.key_file)
    slots = KeySlots(backend, bytes.fromhex(ref.repository_id), clock)
    for number, slot in slots.all().items():
        if slot.confirmed_at is None:
            what = f"slot {number} ({slot.kind}) is not proven yet to open it"
            yield Finding("key-unconfirmed", WARNING, what, ref.url, "prove it with 'tuiback key verify'")
    secrets = secrets_for(ref)
    opening = [secret for secret in secrets if slots.find(secret) is not None]
    if len(opening) < len(secrets):
        remedy = "name the right one, or see 'tuiback key list'"
        yield Finding("key-wrong", WARNING if opening else ERROR, "a secret at hand opens nothing", ref.url, remedy)
    if opening:
        repository = Repository.open(backend, opening[0], clock=clock, expected_id=ref.repository_id, probe=False)
        yield from _standing(home, ref, repository)
    elif not secrets:
        what = "its keys and the state of its prunes were not looked at: its passphrase has to be typed"
        yield Finding("key-not-at-hand", INFO, what, ref.url, "prove it with 'tuiback key verify'")


def _key_file(home: Home, ref: RepositoryRef, key_file: Path) -> Iterator[Finding]:
    yield from private_findings(key_file, "key-file")
    place = Path(ref.url)
    beside = [str(each) for each in (home.path, place) if key_file.is_relative_to(each)]
    if beside:
        what = f"it lies in {beside[0]}: whoever takes that has data and key"
        remedy = "make one elsewhere: 'tuiback key change --key-file FILE'"
        yield Finding("key-file-inside", WARNING, what, str(key_file), remedy)
    elif place.exists() and place.stat().st_dev == key_file.stat().st_dev:
        what = "it lies on the volume of the repository: who takes or loses that disk has or loses both"
        yield Finding("key-file-volume", WARNING, what, str(key_file), "keep it, or a copy of it, on another volume")


def _standing(home: Home, ref: RepositoryRef, repository: Repository) -> Iterator[Finding]:
    """How the catalog stands to the repository, and whether a prune was cut off."""
    state_path, path = home.state_path(ref.name), home.catalog_path(ref.name)
    if not (path.exists() and state_path.exists() and is_current(home, ref.name)):
        return
    audit = Audit(path)
    try:
        known = {head.writer: head for head in audit.heads()}
    finally:
        audit.close()
    behind = 0
    for head in repository.heads():
        mine = known.get(head.writer)
        behind += head.number - (mine.number if mine else 0)
        if mine is not None and mine.number > head.number:
            what = "the repository is older than the catalog: its volume was rolled back"
            remedy = "run 'tuiback run --all': it lists again what is missing and fetches what the repository lacks"
            yield Finding("repository-rolled-back", ERROR, what, ref.url, remedy)
    if behind > 0:
        what = f"the catalog is {behind} commits behind the repository"
        yield Finding("catalog-behind", INFO, what, str(path), "nothing to do: the next start brings it up to date")
    state = State.open(state_path)
    try:
        writer_id = state.writer_id()
    finally:
        state.close()
    if gc.find_undecided(gc.read_rounds(repository.objects), writer_id) is not None:
        yield Finding("prune-cut-off", WARNING, "a prune was cut off", ref.url, "run 'tuiback prune': it goes on there")


def _catalog(home: Home, ref: RepositoryRef, clock: Clock, *, engine_runs: bool) -> Iterator[Finding]:
    path = home.catalog_path(ref.name)
    kind = file_system_of(path, mounted_file_systems())
    if kind.lower() in NETWORK_FILE_SYSTEMS:
        what = f"the catalog lies on a network file system ({kind})"
        yield Finding("catalog-network", ERROR, what, str(path), "move it to a local disk")
    if path.with_suffix(".rebuilding").exists() and not engine_runs:
        what = "a rebuild of the catalog was cut off"
        yield Finding("rebuild-cut-off", WARNING, what, str(path), "run 'tuiback rebuild-catalog'")
    yield from _catalog_volume(home, path)
    if not is_current(home, ref.name):
        return
    reader = CatalogReader(path)
    try:
        if (refusal := refusal_of(reader.find_owner(), home.home_id, ref.url)) is not None:
            yield Finding("repository-taken-over", ERROR, refusal.what, refusal.subject, refusal.remedy)
        yield from _history(reader, ref, engine_runs=engine_runs)
        for tenant in reader.tenants():
            yield from _credential(tenant.name, tenant.credential_expires_on, clock.now())
            server = asyncio.run(find_server_time(tenant.graph_url))
            yield from clock_findings(clock.now(), server, tenant.name)
            if server is None:
                what = "Microsoft does not answer"
                remedy = "check network, proxy and firewall"
                yield Finding("tenant-unreachable", WARNING, what, tenant.graph_url, remedy)
    finally:
        reader.close()
    yield from _jobs(home.state_path(ref.name), engine_runs=engine_runs)


def _catalog_volume(home: Home, path: Path) -> Iterator[Finding]:
    folder = path.parent
    if folder.exists():
        yield from writable_findings(folder, "catalog")
    if folder.exists() and folder.stat().st_dev != home.path.stat().st_dev:
        usage = shutil.disk_usage(folder)
        yield from space_findings(usage.free, usage.total, _HOME_LOW_BYTES, "catalog", str(folder))


def _history(reader: CatalogReader, ref: RepositoryRef, *, engine_runs: bool) -> Iterator[Finding]:
    for task in reader.tasks():
        newest = next(iter(reader.runs(task.name, 1)), None)
        if newest is not None and newest.ended_at is None and not engine_runs:
            what = f"run {newest.run} was cut off; the next one goes on from its last checkpoint"
            yield Finding("run-cut-off", WARNING, what, task.name, f"tuiback run {task.name}")
    if not reader.tasks():
        yield Finding("no-task", INFO, "nothing is backed up yet", ref.name, "add a task with 'tuiback task add'")


def _jobs(state_path: Path, *, engine_runs: bool) -> Iterator[Finding]:
    if engine_runs or not state_path.exists():
        return
    state = State.open(state_path)
    try:
        cut_off = [job for job in state.jobs() if job.outcome is None]
    finally:
        state.close()
    for job in cut_off:
        what = f"{job.kind} job {job.job} was cut off"
        remedy = f"see 'tuiback job show {job.job}', and start it again"
        yield Finding("job-cut-off", WARNING, what, job.subject, remedy)


def _credential(tenant: str, expires_on: str | None, now: datetime) -> Iterator[Finding]:
    if expires_on is None:
        return
    with contextlib.suppress(ValueError):
        left = date.fromisoformat(expires_on[:10]) - now.date()
        if left <= _EXPIRES_SOON:
            severity = ERROR if left < timedelta(0) else WARNING
            what = f"the app's credential {'expired' if severity == ERROR else 'expires'} on {expires_on[:10]}"
            remedy = f"renew it with 'tuiback tenant renew {tenant}'"
            yield Finding("credential-expires", severity, what, tenant, remedy)
