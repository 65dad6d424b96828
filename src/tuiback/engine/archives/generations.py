"""Keeps a catalog's packs in step with the prunes that the repository tells of."""

import contextlib
from collections.abc import Iterable, Iterator

from tuiback.catalog import Catalog
from tuiback.catalog.bases import open_bases
from tuiback.errors import Damage, NoSuchThing, Overtaken
from tuiback.model import PackTable
from tuiback.store import Repository, gc
from tuiback.store.backend import store_time
from tuiback.store.losses import read_losses


def settle_prunes(catalog: Catalog, repository: Repository, writer_id: str) -> int:
    """Make the catalog know the packs that count, and only those; the generation to commit under from now on.

    What another engine is pruning at this moment still counts; commits made meanwhile will meet Overtaken until it has
    decided. Raises Damage, StorageFull.
    """
    rounds = gc.read_rounds(repository.objects)
    # What a repair has given up does not count either, whichever home has repaired.
    given_up = gc.packs_gone(rounds) | read_losses(repository.objects).packs
    if not (rounds or given_up):
        return 0
    running = is_pruned_elsewhere(repository, rounds, writer_id)
    with open_bases(catalog.path) as bases:
        known = frozenset(bases.pack_ids())
    gone = sorted(given_up & known)
    if gone:
        catalog.forget_packs(gone)
    again = sorted(gc.packs_counting_again(rounds) - given_up - known)
    if again:
        catalog.put_packs(list(_tables(repository, again)))
    return rounds[-1].generation - running if rounds else 0


def is_pruned_elsewhere(repository: Repository, rounds: Iterable[gc.Round], writer_id: str) -> bool:
    """Whether another engine prunes at this moment: it has announced what, and not decided it within the grace."""
    undecided = gc.find_undecided(rounds, writer_id)
    return undecided is not None and store_time(repository.backend) < undecided.since + gc.GRACE


def overtaken(repository: Repository, writer_id: str) -> Overtaken:
    """What a writer is told that has committed beside a prune: that it is over, or until when it may keep others out.

    Raises Damage when what prunes have left can't be read.
    """
    undecided = gc.find_undecided(gc.read_rounds(repository.objects), writer_id)
    if undecided is None:
        return Overtaken("another engine has pruned it meanwhile", repository.url, "run again")
    given_up_at = undecided.since + gc.GRACE
    remedy = f"run again when it has ended; if it died, its prune is given up at {given_up_at:%Y-%m-%d %H:%M} UTC"
    return Overtaken("another engine is pruning it", repository.url, remedy)


def _tables(repository: Repository, pack_ids: list[str]) -> Iterator[PackTable]:
    for pack_id in pack_ids:
        # What can not be read is for the check to tell.
        with contextlib.suppress(NoSuchThing, Damage):
            yield repository.pack_table(pack_id)
