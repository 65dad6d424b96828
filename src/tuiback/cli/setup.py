"""`init` and `repository`: makes homes and repositories."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tuiback.cli.arguments import check_name
from tuiback.cli.engaging import open_home, open_view
from tuiback.cli.groups import WholeGroup
from tuiback.cli.invocation import Invocation
from tuiback.cli.output import Column, Row, field
from tuiback.cli.secret import new_secrets, terminal_ask
from tuiback.cli.sheet import PrintedKey, sheet_text, write_sheet
from tuiback.cli.wording import bytes_text
from tuiback.errors import UsageError

if TYPE_CHECKING:
    from tuiback.engine.home import Home, RepositoryRef
    from tuiback.store import Secret

_FILE = click.Path(dir_okay=False, path_type=Path)
_COLUMNS = (
    field("NAME", "name"),
    field("URL", "url"),
    field("REPOSITORY ID", "repository_id"),
    Column("TENANTS", lambda row: ", ".join(row["tenants"]) or "-"),
    Column("STORED", lambda row: bytes_text(row["stored_bytes"]), right=True),
)


@click.command()
@click.option("--repository", "place", metavar="PATH|URL", help="Where the data goes; below the home without it.")
@click.option("--catalog", metavar="PATH", help="Where the catalog is kept, on a fast local disk; below the home.")
@click.option("--key-file", type=_FILE, help="A file with the key, made if it is missing.")
@click.option("--sheet", type=_FILE, help="Write a recovery sheet to print; it holds the key file, if there is one.")
@click.option("--if-missing", is_flag=True, help="Do nothing where a home is already.")
@click.pass_obj
def init(
    call: Invocation,
    place: str | None,
    catalog: str | None,
    key_file: Path | None,
    sheet: Path | None,
    if_missing: bool,
) -> None:
    """Make a home and its repository."""
    if sheet is not None and sheet.exists() and not if_missing:
        raise UsageError("the sheet would replace a file", str(sheet), "name another one")
    home, ref, created = find_or_make(call, place, catalog, key_file, if_missing=if_missing)
    if sheet is not None and created:
        write_sheet(sheet, make_sheet(ref))
    if call.output.as_json:
        fields = {"home": str(home.path), "repository": ref.url, "repository_id": ref.repository_id}
        call.output.document("init", {**fields, "created": created})
    if created:
        for line in (*_WHAT_IS_SAFE, *key_warnings(home, ref), *place_warnings(home, ref)):
            call.output.note(line)


_WHAT_IS_SAFE = (
    "Everything in the repository is sealed: it is safe with strangers. The home is as safe as the disk it lies on.",
    "Without its passphrase or key file nothing can ever be read again: keep a copy elsewhere.",
    "Next: tuiback tenant register NAME, where an admin signs in at a browser; or tenant add, with an app made by hand",
)


def find_or_make(
    call: Invocation, place: str | None, catalog: str | None, key_file: Path | None, *, if_missing: bool
) -> "tuple[Home, RepositoryRef, bool]":
    """The home of the line with its main repository, and whether that was made now.

    An init that was cut off is taken up again. Raises UsageError where a whole home is already.
    """
    from tuiback.engine.home import HOME_FILE, MAIN, Home

    path = call.home_path
    home = Home.open(path) if (path / HOME_FILE).exists() else None
    if home is not None and MAIN in home.repositories:
        if if_missing:
            return home, home.repository(MAIN), False
        raise UsageError("a home is here already", str(path), "use it, or choose another folder with --home")
    # Asked for before anything is made, so that a missing passphrase leaves nothing behind.
    secrets = new_secrets(key_file, os.environ, terminal_ask())
    home = home or Home.create(path)
    return home, make_repository(home, MAIN, place, catalog, secrets=secrets, key_file=key_file), True


def make_repository(
    home: "Home",
    name: str,
    place: str | None,
    catalog: str | None,
    *,
    secrets: "list[Secret]",
    key_file: Path | None,
) -> "RepositoryRef":
    """Create a repository, opened by any of the secrets, and make it known to the home."""
    from tuiback.catalog import Catalog, State
    from tuiback.engine.clock import SystemClock
    from tuiback.engine.home import CATALOG, STATE, RepositoryRef, make_local_folder
    from tuiback.store import Repository, open_backend

    url = place if place and "://" in place else str(Path(place or home.default_repository_path).absolute())
    catalog_folder = Path(catalog or home.default_catalog_folder(name)).absolute()
    make_local_folder(catalog_folder, "catalog")
    repository = Repository.create(open_backend(url), secrets, clock=SystemClock())
    Catalog.create(catalog_folder / CATALOG, repository.repository_id).close()
    State.open(catalog_folder / STATE).close()
    ref = RepositoryRef(
        name=name,
        url=repository.url,
        repository_id=repository.repository_id,
        catalog=str(catalog_folder),
        key_file=str(key_file.absolute()) if key_file else None,
    )
    home.add_repository(ref)
    return ref


def make_sheet(ref: "RepositoryRef") -> str:
    """The recovery sheet of a repository, with its key file where the home has one that opens it."""
    from tuiback.cli.secret import read_key
    from tuiback.engine.clock import SystemClock
    from tuiback.store import KeySlots, identify, open_backend

    backend = open_backend(ref.url)
    identify(backend, ref.repository_id)
    clock = SystemClock()
    slots = KeySlots(backend, bytes.fromhex(ref.repository_id), clock)
    key = None
    if ref.key_file is not None:
        secret = read_key(Path(ref.key_file))
        number = slots.find(secret)
        key = PrintedKey(number, secret.value) if number is not None else None
    return sheet_text(ref, slots.all(), key, clock.now())


def key_warnings(home: "Home", ref: "RepositoryRef") -> list[str]:
    """What is unwise about where the key lies: whoever gets the data with it can read the data."""
    if ref.key_file is None:
        return []
    key_file = Path(ref.key_file)
    beside = [str(place) for place in (home.path, Path(ref.url)) if key_file.is_relative_to(place)]
    return [f"Warning: the key file lies in {beside[0]}: whoever takes that has data and key"] if beside else []


def place_warnings(home: "Home", ref: "RepositoryRef") -> list[str]:
    """Which of home, catalog and repository lie where they will not last."""
    from tuiback.engine.home import find_short_life

    places = {"home": home.path, "catalog": Path(ref.catalog)}
    if "://" not in ref.url:
        places["repository"] = Path(ref.url)
    lives = {what: find_short_life(path) for what, path in places.items()}
    return [f"Warning: the {what} lies {life} ({places[what]})" for what, life in lives.items() if life]


@click.group(cls=WholeGroup)
def repository() -> None:
    """Add and list the repositories of this home."""


@repository.command("add")
@click.argument("name", callback=check_name)
@click.argument("place", metavar="PATH|URL")
@click.option("--catalog", metavar="PATH", help="Where the catalog is kept; below the home without it.")
@click.option("--key-file", type=_FILE, help="A file with the key, made if it is missing.")
@click.pass_obj
def add_repository(call: Invocation, name: str, place: str, catalog: str | None, key_file: Path | None) -> None:
    """Make a further repository, with keys of its own."""
    home = open_home(call)
    if name in home.repositories:
        raise UsageError("a repository of this name is there already", name, "choose another name")
    secrets = new_secrets(key_file, os.environ, terminal_ask())
    ref = make_repository(home, name, place, catalog, secrets=secrets, key_file=key_file)
    for line in place_warnings(home, ref):
        call.output.note(line)
    call.output.added("repository-add", name, f"Repository {name} added.")


@repository.command("list")
@click.pass_obj
def list_repositories(call: Invocation) -> None:
    """List the repositories."""
    with open_view(call) as view:
        rows: list[Row] = [
            {
                "name": name,
                "url": view.home.repository(name).url,
                "repository_id": view.home.repository(name).repository_id,
                "tenants": [tenant.name for tenant in view.reader(name).tenants()],
                "stored_bytes": view.reader(name).totals().stored_bytes,
            }
            for name in view.home.repositories
        ]
    call.output.listing("repository-list", "repositories", rows, _COLUMNS)
