"""Decides which packs a prune drops, writes anew or leaves: pure functions."""

from collections.abc import Collection, Iterable

import msgspec

# Above this share of bytes that nobody needs, writing the rest anew costs less than keeping it.
DEAD_SHARE = 0.25
# Packs below this size are merged: every group commit ends one, whatever is in it.
SMALL_PACK_BYTES = 8 * 1024 * 1024


class PackUse(msgspec.Struct, frozen=True):
    """A pack that the catalog knows: its bytes in the repository, and how many of them are still needed."""

    pack_id: str
    stored_bytes: int
    live_bytes: int

    @property
    def dead_bytes(self) -> int:
        """Bytes that nobody needs."""
        return max(0, self.stored_bytes - self.live_bytes)


class PrunePlan(msgspec.Struct, frozen=True):
    """What becomes of each pack: `drop` holds nothing needed, `repack` and `merge` are written anew, `keep` stays.

    `dead_bytes` is what leaves with the first three.
    """

    drop: tuple[str, ...] = ()
    repack: tuple[str, ...] = ()
    merge: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    dead_bytes: int = 0

    @property
    def rewritten(self) -> tuple[str, ...]:
        """The packs whose needed chunks go into new ones."""
        return self.repack + self.merge


def plan_prune(
    uses: Iterable[PackUse], *, dead_share: float = DEAD_SHARE, small_bytes: int = SMALL_PACK_BYTES
) -> PrunePlan:
    """What to do with packs of these uses. A lone small pack stays, for there is nothing to merge it with.

    With `dead_share` 0 every pack that holds something nobody needs is written anew.
    """
    drop: list[PackUse] = []
    repack: list[PackUse] = []
    small: list[PackUse] = []
    keep: list[PackUse] = []
    for use in uses:
        if use.live_bytes <= 0:
            drop.append(use)
        elif use.dead_bytes > dead_share * use.stored_bytes:
            repack.append(use)
        else:
            (small if use.stored_bytes < small_bytes else keep).append(use)
    if len(small) + sum(use.live_bytes < small_bytes for use in repack) < 2:
        keep += small
        small = []
    going = (*drop, *repack, *small)
    return PrunePlan(_ids(drop), _ids(repack), _ids(small), _ids(keep), sum(use.dead_bytes for use in going))


def _ids(uses: Iterable[PackUse]) -> tuple[str, ...]:
    return tuple(use.pack_id for use in uses)


def orphaned(stored: Iterable[str], known: Collection[str], gone: Collection[str]) -> tuple[str, ...]:
    """Of the objects in the backend those that nothing names: left by a process that died before its commit.

    `gone` are those that an earlier prune has decided to delete.
    """
    return tuple(name for name in stored if name not in known and name not in gone)
