"""What a check says: each damaged thing by name, and how much was looked at."""

from dataclasses import dataclass

from tuiback.store.needs import LostVersion
from tuiback.store.pack_checks import Depth


@dataclass(frozen=True, slots=True)
class Finding:
    """One damaged thing: `name` is the object or item it is about.

    `kind` is config, key, gc, checkpoint, commit, segment, pack, loss, catalog, index (the catalog's) or item. The name
    of an item is its account and its id.
    """

    kind: str
    name: str
    what: str


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What was looked at and what is wrong. `unreferenced_packs` are no damage: a crash leaves such packs.

    `packs` and `chunks` count what the repository holds, `looked_into` the packs that were looked into as deep as
    `depth` says. `lost` are the versions that can't be read whole; those that an earlier repair has told of are no
    damage any more.
    """

    packs: int
    chunks: int
    commits: int
    damaged: tuple[Finding, ...]
    unreferenced_packs: int
    segments: int = 0
    depth: Depth = Depth.STRUCTURE
    looked_into: int = 0
    bytes_read: int = 0
    lost: tuple[LostVersion, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether everything that was looked at is whole, but for what was given up before."""
        return not self.damaged

    def names_of(self, kind: str) -> tuple[str, ...]:
        """The names of all damaged things of a kind, each once."""
        return tuple(dict.fromkeys(finding.name for finding in self.damaged if finding.kind == kind))
