"""Knows which folders and files of an account a task leaves out, by patterns of their paths."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from tuiback.errors import UsageError
from tuiback.model import FOLDER_KINDS, Container, Kind, Known, RemoteItem

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

_SHAPE = "write it like '*.iso' or 'Documents/old/'"


class LeftOut:
    """Patterns as in a .gitignore file (https://git-scm.com/docs/gitignore#_pattern_format), without regard to case.

    Raises UsageError for what is no pattern.
    """

    def __init__(self, patterns: Sequence[str]) -> None:
        self._spec = _spec_of([pattern.casefold() for pattern in patterns]) if patterns else None

    def __bool__(self) -> bool:
        return self._spec is not None

    def covers(self, path: str) -> bool:
        """Whether it is left out, alone or with a folder around it. A folder's path ends with a slash."""
        return self._spec is not None and self._spec.match_file(path.casefold())


def _spec_of(patterns: Sequence[str]) -> "GitIgnoreSpec":
    # Imported only where there are patterns: it costs every start 36 ms.
    from pathspec import GitIgnoreSpec
    from pathspec.patterns.gitignore import GitIgnorePatternError

    for pattern in patterns:
        try:
            spec = GitIgnoreSpec.from_lines([pattern])
        except GitIgnorePatternError as error:
            raise UsageError("is no pattern of paths", pattern, _SHAPE) from error
        if not any(each.include is not None for each in spec.patterns):
            raise UsageError("the pattern says nothing", pattern, _SHAPE)
    return GitIgnoreSpec.from_lines(patterns)


class Exclusions:
    """What one pass over an account leaves out; learns where things are as it sees them.

    `known` answers for items that the catalog has. Without patterns everything is cheap, and nothing is left out.
    """

    def __init__(self, patterns: Sequence[str], known: Callable[[list[str]], Awaitable[Mapping[str, Known]]]) -> None:
        self._patterns = LeftOut(patterns)
        self._known = known
        self._places: dict[str, tuple[str, str]] = {}
        self._relist: set[str] = set()
        # How many items that were backed up before stay as they were.
        self.kept_as_they_were = 0

    async def learn(self, items: Iterable[RemoteItem | None]) -> None:
        """These are listed: know where they and all folders around them are."""
        if not self._patterns:
            return
        wanted = set()
        for item in filter(None, items):
            if item.kind in FOLDER_KINDS:
                self._places[item.item_id] = item.parent_id, item.name
            wanted.add(item.parent_id)
        while missing := sorted(wanted - self._places.keys() - {""}):
            found = await self._known(missing)
            for folder_id in missing:
                before = found.get(folder_id)
                self._places[folder_id] = (before.parent_id, before.name) if before else ("", folder_id)
            wanted = {self._places[folder_id][0] for folder_id in missing}

    async def covers_container(self, container: Container) -> bool:
        """Whether the container is a folder that is left out."""
        if not self._patterns:
            return False
        if container.container_id not in self._places:
            before = (await self._known([container.container_id])).get(container.container_id)
            if before is None or before.kind not in FOLDER_KINDS:
                return False
            self._places[container.container_id] = before.parent_id, before.name
            for folder_id in {before.parent_id} - {""}:
                await self.covers_container(Container(container.account_id, folder_id, "", ""))
        return self._patterns.covers(self._path(*self._places[container.container_id]) + "/")

    def covers(self, item: RemoteItem, known: Known | None) -> bool:
        """Whether the learnt item is left out. A message never is by itself: its subject is no name."""
        if not self._patterns or item.kind is Kind.MESSAGE:
            return False
        path = self._path(item.parent_id, item.name)
        covered = self._patterns.covers(f"{path}/" if item.kind in FOLDER_KINDS else path)
        if covered and item.kind not in FOLDER_KINDS and known is not None and known.live:
            self.kept_as_they_were += 1
        return covered

    async def covers_debt(self, item: RemoteItem, container: Container) -> bool:
        """Whether the learnt item is left out, by itself or with its container."""
        return self.covers(item, None) or await self.covers_container(container)

    def note_move(self, container_id: str, item: RemoteItem, known: Known | None) -> None:
        """A folder that moved may bring in what was left out, and what lies in it is in no list of changes."""
        if not self._patterns or item.kind not in FOLDER_KINDS or known is None:
            return
        if (known.parent_id, known.name) != (item.parent_id, item.name):
            self._relist.add(container_id)

    def must_relist(self, container_id: str) -> bool:
        """Whether the container's next walk has to list it whole."""
        return container_id in self._relist

    def _path(self, parent_id: str, name: str) -> str:
        names = [name]
        seen: set[str] = set()
        while parent_id in self._places and parent_id not in seen:
            seen.add(parent_id)
            parent_id, name = self._places[parent_id]
            names.append(name)
        # As in the PATHs of the command line a slash within a name separates nothing.
        return "/".join(name.replace("/", "%2F") for name in reversed(names))
