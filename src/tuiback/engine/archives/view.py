"""Looks into a home without an engine: accounts, points, trees and content, read-only."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from tuiback.catalog import CatalogReader
from tuiback.engine.home import Home, RepositoryRef
from tuiback.errors import Ambiguous, EnvironmentFault, NoSuchThing
from tuiback.model import Account, Task, Tenant

if TYPE_CHECKING:
    from tuiback.store import Reader, Secret


class View:
    """Readers of all repositories of a home, opened when first asked for."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self._readers: dict[str, CatalogReader] = {}
        self._contents: dict[str, Reader] = {}

    def reader(self, repository: str) -> CatalogReader:
        """The catalog of a repository. Raises EnvironmentFault where it was never made or is lost."""
        if repository not in self._readers:
            path = self.home.catalog_path(repository)
            if not path.exists():
                raise EnvironmentFault("the catalog is missing", str(path), "run 'tuiback rebuild-catalog'")
            self._readers[repository] = CatalogReader(path)
        return self._readers[repository]

    def readers(self) -> Iterator[tuple[str, CatalogReader]]:
        """(name, catalog) of every repository."""
        return ((name, self.reader(name)) for name in self.home.repositories)

    def content(self, repository: str, secret_for: "Callable[[RepositoryRef], Secret]") -> "Reader":
        """Reads the parts of a repository's items. Raises WrongKey and RepositoryMissing."""
        if repository not in self._contents:
            # What only content needs takes longer to load than `status` may take.
            from tuiback.engine.archives.archive import open_repository
            from tuiback.engine.clock import SystemClock
            from tuiback.store import Reader

            ref = self.home.repository(repository)
            opened = open_repository(ref, secret_for(ref), SystemClock(), to_write=False)
            self._contents[repository] = Reader(opened, self.reader(repository))
        return self._contents[repository]

    def tasks(self) -> list[tuple[str, Task]]:
        """(repository, task) of all tasks."""
        return [(name, task) for name, reader in self.readers() for task in reader.tasks()]

    def tenants(self) -> list[tuple[str, Tenant]]:
        """(repository, tenant) of all tenants."""
        return [(name, tenant) for name, reader in self.readers() for tenant in reader.tenants()]

    def find_account(self, text: str, task: str | None = None) -> tuple[str, Account]:
        """(repository, account) that an ACCOUNT names. Raises NoSuchThing and Ambiguous with the candidates."""
        found = [(name, a) for name, reader in self.readers() for a in reader.find_accounts(text, task)]
        if not found:
            raise NoSuchThing("no such account", text, "see 'tuiback account list'")
        if len(found) > 1:
            names = sorted({f"{a.kind}:{a.address or a.name}" for _, a in found})
            if len(names) < len(found):
                # One address after the other had it, or two tenants: only the ids tell them apart.
                names = [f"{a.account_id} ({a.address or a.name})" for _, a in found]
            raise Ambiguous(f"this names several accounts: {', '.join(names)}", text, "write one of these")
        return found[0]

    def close(self) -> None:
        """Close all catalogs."""
        for reader in self._readers.values():
            reader.close()
        self._readers.clear()
        self._contents.clear()
