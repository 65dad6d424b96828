"""Leads from items to paths and back, and walks whole trees."""

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import groupby

from tuiback.catalog.paths import WELL_KNOWN, ends_like_short_id, read_segment, short_id, split, unescape, write_segment
from tuiback.catalog.rows import Entry
from tuiback.catalog.tree import TreeQuestions, page_key
from tuiback.catalog.versioning import sort_key
from tuiback.errors import Ambiguous, NoSuchThing
from tuiback.model import FOLDER_KINDS, Kind

_PAGE = 1000


class PathQuestions(TreeQuestions):
    """The part of CatalogReader about PATH texts. They have no `/` at either end; the root is ""."""

    def path_of(self, account_id: str, item_id: str, seq: int) -> str:
        """The path of the item's newest version at or before snapshot seq, through the folders as they were then.

        A folder that the catalog doesn't know ends the path: what lies in it counts as lying in the root. Raises
        NoSuchThing when there is no such version.
        """
        segments: list[str] = []
        passed: set[str] = set()
        while item_id and item_id not in passed:
            passed.add(item_id)
            entry = self._newest_until(account_id, item_id, seq, or_oldest=bool(segments))
            if entry is None:
                break
            namesakes = [other for other, _ in self._namesakes(account_id, seq, entry.parent_id, entry.name)]
            segments.append(write_segment(entry.name, item_id, alone=namesakes in ([], [item_id])))
            item_id = entry.parent_id
        if not segments:
            raise NoSuchThing(f"is not in the catalog at #{seq}", item_id, "look with tuiback ls --deleted")
        return "/".join(reversed(segments))

    def resolve_path(self, account_id: str, path: str, seq: int) -> Entry | None:
        """The item that the path names at snapshot seq, None for the root.

        Raises NoSuchThing, or Ambiguous with the candidates' paths.
        """
        segments, must_be_folder = split(path)
        entry: Entry | None = None
        for depth, segment in enumerate(segments):
            inner = depth < len(segments) - 1
            parent_id = entry.item_id if entry else ""
            item_id = self._well_known(account_id, seq, segment) if depth == 0 else None
            if item_id is None:
                item_id = self._one_of(account_id, seq, parent_id, segment, path, folders=inner or must_be_folder)
            entry = self.find_entry(account_id, item_id, seq)
            if entry is None:
                raise _no_such(path, seq)
        return entry

    def walk(self, account_id: str, seq: int, item_id: str = "") -> Iterator[tuple[str, Entry]]:
        """Everything below the folder at snapshot seq with its path, depth first; a folder before its content.

        The item itself comes first, unless it is the root. A walk from the root ends with what lies in folders that
        it could not reach, so that it always yields everything that the snapshot holds. Raises NoSuchThing.
        """
        if item_id:
            entry = self.find_entry(account_id, item_id, seq)
            if entry is None:
                raise NoSuchThing(f"is not there at #{seq}", item_id, "choose another snapshot with --at")
            path = self.path_of(account_id, item_id, seq)
            yield path, entry
            if entry.kind in FOLDER_KINDS:
                yield from self._below(account_id, seq, item_id, path, {item_id})
            return
        entered = {""}
        yield from self._below(account_id, seq, "", "", entered)
        for parent_id in self._parent_ids(account_id, seq):
            if parent_id not in entered:
                entered.add(parent_id)
                yield from self._below(account_id, seq, parent_id, self._last_path(account_id, seq, parent_id), entered)

    def stored_below(self, account_id: str, seq: int, item_id: str = "") -> Iterator[Entry]:
        """What walk() yields below the folder, a folder before its content, each folder's in the order of its storing.

        That is the order of the content in the packs, so whoever reads it all comes by every pack once.
        """
        entered = {item_id}
        yield from self._stored_below(account_id, seq, item_id, entered)
        for parent_id in self._parent_ids(account_id, seq) if not item_id else ():
            if parent_id not in entered:
                entered.add(parent_id)
                yield from self._stored_below(account_id, seq, parent_id, entered)

    def _stored_below(self, account_id: str, seq: int, item_id: str, entered: set[str]) -> Iterator[Entry]:
        waiting = [item_id]
        while waiting:
            folders = []
            for entry in self._stored_in(account_id, seq, waiting.pop()):
                yield entry
                if entry.kind in FOLDER_KINDS and entry.item_id not in entered:
                    entered.add(entry.item_id)
                    folders.append(entry.item_id)
            waiting += reversed(folders)

    def _below(
        self, account_id: str, seq: int, parent_id: str, prefix: str, entered: set[str]
    ) -> Iterator[tuple[str, Entry]]:
        levels = [self._named(account_id, seq, parent_id, prefix)]
        while levels:
            found = next(levels[-1], None)
            if found is None:
                levels.pop()
                continue
            yield found
            path, entry = found
            if entry.kind in FOLDER_KINDS and entry.item_id not in entered:
                entered.add(entry.item_id)
                levels.append(self._named(account_id, seq, entry.item_id, path))

    def _last_path(self, account_id: str, seq: int, item_id: str) -> str:
        """Where the folder was when it was last there; a folder never seen goes by its short id alone."""
        try:
            return self.path_of(account_id, item_id, seq)
        except NoSuchThing:
            return write_segment("", item_id, alone=True)

    def _named(self, account_id: str, seq: int, parent_id: str, prefix: str) -> Iterator[tuple[str, Entry]]:
        for _, group in groupby(self._all_children(account_id, seq, parent_id), lambda entry: sort_key(entry.name)):
            entries = list(group)
            times = Counter(entry.name for entry in entries)
            for entry in entries:
                segment = write_segment(entry.name, entry.item_id, alone=times[entry.name] == 1)
                yield f"{prefix}/{segment}" if prefix else segment, entry

    def _all_children(self, account_id: str, seq: int, parent_id: str) -> Iterator[Entry]:
        after = None
        while page := self.children(account_id, seq, parent_id, after=after, limit=_PAGE):
            yield from page
            after = page_key(page[-1])

    def _newest_until(self, account_id: str, item_id: str, seq: int, *, or_oldest: bool) -> Entry | None:
        """For folders also the oldest version kept: the one that held an item then may have expired before it."""
        versions = self.versions(account_id, item_id)
        oldest = versions[-1] if or_oldest and versions else None
        return next((entry for entry in versions if entry.from_seq <= seq), oldest)

    def _well_known(self, account_id: str, seq: int, segment: str) -> str | None:
        wanted = WELL_KNOWN.get(segment)
        if wanted is None:
            return None
        folders = self.children(account_id, seq, "", kinds=(Kind.FOLDER,), limit=_PAGE)
        return next((folder.item_id for folder in folders if folder.attrs.get("well_known") == wanted), None)

    def _one_of(self, account_id: str, seq: int, parent_id: str, text: str, path: str, *, folders: bool) -> str:
        """The id of the one item that the segment names; folders only where something must lie in it."""

        def named(name: str, ending: str = "") -> list[str]:
            found = self._namesakes(account_id, seq, parent_id, name)
            return [
                item_id
                for item_id, kind in found
                if (kind in FOLDER_KINDS or not folders) and short_id(item_id).startswith(ending)
            ]

        segment = read_segment(text)
        candidates = named(segment.name, segment.short_id)
        if not candidates and ends_like_short_id(text):
            candidates = named(unescape(text))
        if not candidates:
            raise _no_such(path, seq)
        if len(candidates) > 1:
            raise Ambiguous(
                f"names several items: {', '.join(_told_apart(segment.name, candidates))}", path, "give one of these"
            )
        return candidates[0]


def _told_apart(name: str, item_ids: Iterable[str]) -> list[str]:
    return [write_segment(name, item_id, alone=False) for item_id in item_ids]


def _no_such(path: str, seq: int) -> NoSuchThing:
    return NoSuchThing(f"is not there at #{seq}", path, "look with tuiback ls, or choose another snapshot with --at")
