"""Proves a repository whole, or names everything in it that is not."""

from collections.abc import Callable
from dataclasses import dataclass

from tuiback.errors import Damage, FormatTooNew, NoSuchThing
from tuiback.model import CommitHead
from tuiback.store import twofold
from tuiback.store.commits import Chain, commit_name
from tuiback.store.envelope import KNOWN_FEATURES
from tuiback.store.keys import VERSION
from tuiback.store.mime_form import FORMS
from tuiback.store.repository import CONFIG, Repository, RepositoryConfig
from tuiback.store.slots import KeySet, generations, set_name

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Finding:
    """One damaged thing: kind is config, key, commit, pack or item, and `name` the object or item it is about."""

    kind: str
    name: str
    what: str


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What was looked at and what is wrong. `unreferenced_packs` are no damage: a crash leaves such packs."""

    packs: int
    chunks: int
    commits: int
    damaged: tuple[Finding, ...]
    unreferenced_packs: int

    @property
    def ok(self) -> bool:
        """Whether everything that was looked at is whole."""
        return not self.damaged


def check(repository: Repository, *, read_data: bool, progress: Progress | None = None) -> CheckReport:
    """Follow every commit to its packs and every version to its chunks; with read_data decrypt and hash all packs.

    Goes on after damage. progress(done, total) counts packs. Raises EnvironmentFault when the backend itself fails.
    """
    run = _Check(repository, read_data, progress or _ignore)
    run.settings()
    run.commits()
    run.packs()
    run.items()
    return run.report()


class _Check:
    def __init__(self, repository: Repository, read_data: bool, progress: Progress) -> None:
        self._repository = repository
        self._read_data = read_data
        self._progress = progress
        self._damaged: list[Finding] = []
        self._heads: list[CommitHead] = []
        self._pack_ids: dict[str, None] = {}
        # A keyed hash cut to 64 bits: among 10 million chunks one in 10^12 checks would miss a lost one.
        self._chunks: set[int] = set()

    def settings(self) -> None:
        """Both copies of the config and of the key slots; what a change that was cut short left is no damage."""
        for copy in twofold.copies(CONFIG):
            self._copy("config", copy, RepositoryConfig)
        for generation in generations(self._repository.backend)[:1]:
            for copy in twofold.copies(set_name(generation)):
                self._copy("key", copy, KeySet)

    def commits(self) -> None:
        """Every commit, in its chain; collects the packs they name."""
        for chain in self._repository.chains():
            self._chain(chain)

    def packs(self) -> None:
        """Every pack that a commit names; collects the chunks that can be read."""
        for done, pack_id in enumerate(self._pack_ids, start=1):
            try:
                self._pack(pack_id)
            except NoSuchThing:
                self._add("pack", pack_id, "it is missing")
            except (Damage, FormatTooNew) as damage:
                self._add("pack", pack_id, damage.what)
            self._progress(done, len(self._pack_ids))

    def items(self) -> None:
        """Every chunk that a version names, and the form it is kept in.

        A taken-apart mail needs no more: it was put together again and compared when it was stored, and its chunks
        and their order can't have changed since if they are there.
        """
        for head in self._heads:
            for version in self._repository.read_commit(head).body.versions:
                for form in sorted({part.form for part in version.parts} - FORMS):
                    what = f"it is stored in form {form!r}, which this version does not know"
                    self._add("item", f"{version.account_id} {version.item_id}", what)
                chunk_ids = (chunk_id for part in version.parts for chunk_id in part.chunks)
                missing = [chunk_id for chunk_id in chunk_ids if _short(chunk_id) not in self._chunks]
                if missing:
                    name = f"{version.account_id} {version.item_id}"
                    what = f"{len(missing)} of its chunks can't be read, the first is {missing[0].hex()}"
                    self._add("item", name, what)

    def report(self) -> CheckReport:
        """The outcome."""
        stored = {name.rpartition("/")[2] for name in self._repository.backend.list("packs/")}
        return CheckReport(
            packs=len(self._pack_ids),
            chunks=len(self._chunks),
            commits=len(self._heads),
            damaged=tuple(self._damaged),
            unreferenced_packs=len(stored - self._pack_ids.keys()),
        )

    def _copy(self, kind: str, copy: str, content: type[RepositoryConfig] | type[KeySet]) -> None:
        try:
            twofold.read_copy(self._repository.backend, copy, content, version=VERSION, features=KNOWN_FEATURES)
        except NoSuchThing:
            self._add(kind, copy, "it is missing")
        except (Damage, FormatTooNew) as damage:
            self._add(kind, copy, damage.what)

    def _pack(self, pack_id: str) -> None:
        lost: set[bytes] = set()
        if self._read_data:
            for flaw in self._repository.verify_pack(pack_id):
                self._add("pack", pack_id, flaw.what)
                lost |= flaw.lost
        table = self._repository.pack_table(pack_id)
        self._chunks.update(_short(entry.chunk_id) for entry in table.entries if entry.chunk_id not in lost)

    def _chain(self, chain: Chain) -> None:
        if chain.missing:
            self._add("commit", chain.missing, "it is missing")
        for name in chain.beyond_gap:
            self._add("commit", name, "a commit before it is missing")
        previous: str | None = ""
        for head in chain.heads:
            name = commit_name(head)
            try:
                commit = self._repository.read_commit(head)
            except (Damage, FormatTooNew) as damage:
                self._add("commit", name, damage.what)
                previous = None
                continue
            if previous not in (None, commit.previous):
                self._add("commit", name, "it does not follow the commit before it")
            previous = head.digest
            self._heads.append(head)
            self._pack_ids.update(dict.fromkeys(commit.packs))

    def _add(self, kind: str, name: str, what: str) -> None:
        self._damaged.append(Finding(kind, name, what))


def _short(chunk_id: bytes) -> int:
    return int.from_bytes(chunk_id[:8], "big")


def _ignore(_done: int, _total: int) -> None:
    return None
