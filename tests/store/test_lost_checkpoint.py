"""A checkpoint whose commit is lost: its table is found and named again."""

import pytest

from tests.store.checkpoints import checkpoint, drop_superseded
from tests.store.doubles import FixedClock, MemoryBackend, body, reopen, version
from tests.store.test_history import append, known_rows
from tests.store.test_repository import flip
from tuiback.errors import Damage
from tuiback.store import CheckpointTable, Repository, write_table
from tuiback.store.commits import commit_name
from tuiback.store.gc import Accept, put_accept
from tuiback.store.lost_checkpoint import name_table_again


def test_a_whole_checkpoint_is_left_alone(repository: Repository) -> None:
    """Where nothing is lost nothing is written: without a checkpoint, with one, and beside older commits."""
    append(repository, count=2)
    assert name_table_again(repository, FixedClock()) is None
    made = checkpoint(repository)
    assert name_table_again(reopen(repository), FixedClock()) is None
    repository.objects.delete(commit_name(made.head))
    assert name_table_again(reopen(repository), FixedClock()) is None


@pytest.mark.parametrize("gone", [False, True])
@pytest.mark.parametrize("pruned", [False, True])
def test_its_table_is_named_again(
    repository: Repository, backend: MemoryBackend, gone: bool, pruned: bool
) -> None:
    """All that it says is there again, after a prune too; later commits of its writer are lost.

    Those of others are not, unless the prune has made them void.
    """
    append(repository, count=2)
    checkpoint(repository)
    append(repository, item_id="n")
    if pruned:
        put_accept(repository.objects, Accept(1, "nas", (), (), repository.heads()))
    made = checkpoint(repository, generation=1)
    drop_superseded(repository)
    later = append(repository, item_id="later") + append(repository, "other", item_id="o")
    name = commit_name(made.head)
    if gone:
        backend.delete(name)
    else:
        backend.objects[name] = flip(backend.objects[name])
    commit = name_table_again(reopen(repository), FixedClock())
    assert commit is not None
    if not gone:
        backend.delete(name)
    again = reopen(repository)
    assert known_rows(again) == ["m0", "m1", "n0", *([] if pruned else ["o0"])]
    assert later[0].head not in again.heads()
    again.append("third", None, [], body(version("x")), generation=1)
    assert known_rows(reopen(repository))[-1] == "x"


def test_without_a_table_the_damage_is_met(repository: Repository) -> None:
    """A table that refers to what is gone is none; what can't be had is told as damage, never as nothing."""
    append(repository)
    made = checkpoint(repository)
    drop_superseded(repository)
    append(repository)
    newest = repository.newest_checkpoint()
    assert newest is not None
    repository.objects.delete(commit_name(made.head))
    for segment in list(repository.backend.list("segments/")):
        if segment.rpartition("/")[2] in newest[1].segments():
            repository.objects.delete(segment)
    assert name_table_again(reopen(repository), FixedClock()) is None
    with pytest.raises(Damage):
        reopen(repository).newest_checkpoint()


def test_a_damaged_prune_is_another_matter(repository: Repository, backend: MemoryBackend) -> None:
    """Only the loss of a commit is met like this."""
    append(repository)
    put_accept(repository.objects, Accept(1, "nas", (), (), repository.heads()))
    backend.objects["gc/0000000001-accept"] = flip(backend.objects["gc/0000000001-accept"])
    write_table(repository.objects, CheckpointTable(()))
    assert name_table_again(reopen(repository), FixedClock()) is None
