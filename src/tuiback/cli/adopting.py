"""`adopt`: makes a home from a repository that another machine wrote."""

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tuiback.cli.engaging import secret_source
from tuiback.cli.invocation import Invocation
from tuiback.cli.secret import get_secret, read_key, terminal_ask
from tuiback.cli.setup import place_warnings
from tuiback.cli.wording import count_text
from tuiback.errors import UsageError

if TYPE_CHECKING:
    from tuiback.engine.home import Home, RepositoryRef
    from tuiback.engine.upkeep.adoption import Shortfall
    from tuiback.store import Backend, Repository, Secret

NEXT = "If the machine that wrote it still runs, stop the backup there. Next: tuiback run --all"
NEXT_AFTER_TAKE_OVER = "The home that wrote it refuses to from its next start on. Next: tuiback run --all"


@click.command()
@click.argument("place", metavar="PATH|URL")
@click.option("--catalog", metavar="PATH", help="Where the catalog is kept, on a fast local disk; below the home.")
@click.option(
    "--key-file", type=click.Path(dir_okay=False, path_type=Path), help="The key file, or a typed recovery sheet."
)
@click.option("--take-over", is_flag=True, help="The home that wrote it refuses to write from now on.")
@click.pass_obj
def adopt(call: Invocation, place: str, catalog: str | None, key_file: Path | None, take_over: bool) -> None:
    """Open an existing repository on this machine: its tenants, tasks and points in time come back."""
    from tuiback.engine.clock import SystemClock
    from tuiback.engine.home import Home, make_local_folder
    from tuiback.engine.settings.channels import Channels
    from tuiback.store import Repository, open_backend

    if take_over and (known := find_adopted_home(call.home_path, place)) is not None:
        claim(known, secret_source())
        call.output.added("adopt", str(known.path), f"{known.path} writes to the repository again")
        return
    unfinished = find_unfinished_home(call.home_path)
    backend = open_backend(place if "://" in place else str(Path(place).absolute()))
    secret = _secret_of(backend, key_file)
    begun = time.monotonic()
    # Opened before anything is made, so that a wrong passphrase or path leaves nothing behind.
    repository = Repository.open(backend, secret, clock=SystemClock(), probe=False)
    if catalog is not None:
        make_local_folder(Path(catalog).absolute(), "catalog")
    home = unfinished or Home.create(call.home_path)
    call.output.progress("reading the commits")
    ref, shortfall = adopt_into(
        home, repository, catalog, key_file, lambda done, total: call.output.progress(f"{done:,} of {total:,} steps")
    )
    if take_over:
        claim(home, lambda _: secret)
    channels = len(Channels(home.path).all())
    fields = {"repository_id": ref.repository_id, **adopted_counts(home, ref), "channels": channels}
    seconds = round(time.monotonic() - begun, 3)
    call.output.progress("")
    if call.output.as_json:
        call.output.document("adopt", {**fields, "seconds": seconds, **shortfall_fields([shortfall])})
    call.output.trouble(shortfall_warnings([shortfall]))
    counts = ", ".join(count_text(int(fields[f"{word}s"]), word) for word in ("tenant", "task", "account", "item"))
    call.output.note(f"This home has the repository now: {counts} in {seconds:.1f} s")
    if channels:
        call.output.note(f"{count_text(channels, 'channel')} of notices came back: 'tuiback notify list'")
    for line in place_warnings(home, ref):
        call.output.note(line)
    call.output.note(NEXT_AFTER_TAKE_OVER if take_over else NEXT)


def find_adopted_home(path: Path, place: str) -> "Home | None":
    """The home at `path` where the repository of this place is known already."""
    from tuiback.engine.home import HOME_FILE, MAIN, Home

    if not (path / HOME_FILE).exists():
        return None
    home = Home.open(path)
    url = place if "://" in place else str(Path(place).absolute())
    return home if MAIN in home.repositories and home.repository(MAIN).url == url else None


def claim(home: "Home", secret_for: "Callable[[RepositoryRef], Secret]") -> None:
    """Let no other home write to the repositories of this one any more."""
    from tuiback.engine.commands import TakeOver
    from tuiback.engine.hosting.link import attach_or_host

    link = attach_or_host(home, "run", secret_for)
    try:
        link.submit(TakeOver()).result()
    finally:
        link.close()


def find_unfinished_home(path: Path) -> "Home | None":
    """The home at `path` where an adoption was cut off. Raises UsageError where a whole home is already."""
    from tuiback.engine.home import HOME_FILE, MAIN, Home

    if not (path / HOME_FILE).exists():
        return None
    home = Home.open(path)
    if MAIN in home.repositories:
        raise UsageError("a home is here already", str(path), "use it, or choose another folder with --home")
    return home


def adopt_into(
    home: "Home",
    repository: "Repository",
    catalog: str | None,
    key_file: Path | None,
    progress: Callable[[int, int], None] = lambda *_: None,
) -> "tuple[RepositoryRef, Shortfall]":
    """Make the repository the main one of the home. Raises HomeBusy where another process does so."""
    from tuiback.engine.clock import SystemClock
    from tuiback.engine.home import MAIN, RepositoryRef
    from tuiback.engine.hosting.host import HomeLock
    from tuiback.engine.upkeep.adoption import adopt as adopt_repository

    ref = RepositoryRef(
        name=MAIN,
        url=repository.url,
        repository_id=repository.repository_id,
        catalog=str(Path(catalog or home.default_catalog_folder(MAIN)).absolute()),
        key_file=str(key_file.absolute()) if key_file else None,
    )
    lock = HomeLock(home.path)
    try:
        return ref, adopt_repository(home, ref, repository, SystemClock(), progress)
    finally:
        lock.release()


def adopted_counts(home: "Home", ref: "RepositoryRef") -> dict[str, int | str]:
    """How much came back with the repository."""
    from tuiback.catalog import CatalogReader

    reader = CatalogReader(home.catalog_path(ref.name))
    try:
        return {
            "tenants": len(reader.tenants()),
            "tasks": len(reader.tasks()),
            "accounts": len(reader.accounts()),
            "items": reader.totals().items,
        }
    finally:
        reader.close()


def shortfall_fields(shortfalls: "Sequence[Shortfall]") -> dict[str, list[str] | int]:
    """What the repositories lack, as `adopt` and `rebuild-catalog` tell it in their documents."""
    return {
        "missing_commits": [gap.missing for shortfall in shortfalls for gap in shortfall.gaps],
        "lost_packs": [pack_id for shortfall in shortfalls for pack_id in shortfall.lost_packs],
        "owed": sum(shortfall.owed for shortfall in shortfalls),
        "lost_accounts": [account_id for shortfall in shortfalls for account_id in shortfall.lost_accounts],
        "put_aside": [name for shortfall in shortfalls for name in shortfall.put_aside],
    }


def shortfall_warnings(shortfalls: "Sequence[Shortfall]") -> list[str]:
    """What people are told about what is not there."""
    remedy = "copy it from another copy of the repository, then run 'tuiback rebuild-catalog'"
    lines = [
        f"Warning: {count_text(gap.commits, 'commit')} left out, for this is missing: {gap.missing}*; {remedy}"
        for shortfall in shortfalls
        for gap in shortfall.gaps
    ]
    lines += [
        f"Warning: {name} is damaged and was put aside, below quarantine/; {remedy}"
        for shortfall in shortfalls
        for name in shortfall.put_aside
    ]
    lost = sum(len(shortfall.lost_packs) for shortfall in shortfalls)
    owed = sum(shortfall.owed for shortfall in shortfalls)
    if lost:
        lines.append(
            f"Warning: {count_text(lost, 'pack')} can't be read; 'tuiback check' names them and what needs them;"
            " copy them from another copy of the repository, then run 'tuiback rebuild-catalog'"
        )
    lines += [
        f"Warning: not all that was known of {account_id or 'runs and settings'} can be read;"
        " what the service still has is listed and fetched again by the next run"
        for shortfall in shortfalls
        for account_id in shortfall.lost_accounts
    ]
    if owed:
        lines.append(f"{count_text(owed, 'item')} without content: owed, and fetched again by the next run")
    return lines


def _secret_of(backend: "Backend", key_file: Path | None) -> "Secret":
    from tuiback.store import identify

    # Looked for first: nobody is to type a passphrase for a path that is wrong.
    identify(backend)
    if key_file is not None:
        return read_key(key_file)
    return get_secret(None, backend.url, os.environ, terminal_ask())
