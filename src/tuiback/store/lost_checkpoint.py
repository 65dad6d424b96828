"""Finds a checkpoint's table where the commit that named it is lost, and has another commit name it."""

import contextlib
import os
from collections.abc import Iterator

from tuiback.errors import Damage, FormatTooNew
from tuiback.model import Clock, Commit, CommitBody
from tuiback.store import gc
from tuiback.store.checkpoint import TABLE, CheckpointTable, read_table
from tuiback.store.commits import PREFIX as COMMITS
from tuiback.store.repository import Repository
from tuiback.store.segment import PREFIX as SEGMENTS
from tuiback.store.segment import read_table as entries_of


def name_table_again(repository: Repository, clock: Clock) -> Commit | None:
    """Where commits are lost that a whole table covers, and none names it that can be read: name it by a new writer's.

    What the lost commit said beside its table stays lost, and so do later ones of its writer. None where nothing is to
    be done or no such table is left: whoever asks for the checkpoint meets the damage as before. Raises StorageFull.
    """
    reached = _reached(repository)
    if reached is None:
        return None
    tables = [(table, segment_id) for segment_id, table in _whole_tables(repository)]
    table, segment_id = max(tables, key=lambda one: _reach(one[0]), default=(None, ""))
    if table is None or _reach(table) <= reached:
        return None
    generation = gc.newest_generation(repository.backend)
    body = CommitBody(clock.now())
    return repository.append(os.urandom(8).hex(), None, [], body, generation=generation, checkpoint=segment_id)


def _reached(repository: Repository) -> int | None:
    """How far the checkpoint that is found reaches; None where no commit is lost, or another object."""
    try:
        found = repository.newest_checkpoint()
        if not any(chain.missing for chain in repository.chains()):
            return None
    except Damage as damage:
        return 0 if damage.subject.startswith(COMMITS) else None
    return _reach(found[1]) if found else 0


def _whole_tables(repository: Repository) -> Iterator[tuple[str, CheckpointTable]]:
    """Tables with all segments that they refer to, each with the id of its own."""
    ids = [name.rpartition("/")[2] for name in repository.backend.list(SEGMENTS)]
    for segment_id in ids:
        with contextlib.suppress(Damage, FormatTooNew):
            # Only the trailers of all others are read.
            if any(entry.what == TABLE for entry in entries_of(repository.objects, segment_id)):
                table = read_table(repository.objects, segment_id)
                if table.segments() <= set(ids):
                    yield segment_id, table


def _reach(table: CheckpointTable) -> int:
    # A later checkpoint covers all that an earlier one does, and more.
    return sum(head.number for head in table.covers)
