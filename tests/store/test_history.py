"""Which commits count: from the newest checkpoint on, whatever is there of those that it replaced."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.store.checkpoints import checkpoint, drop_superseded
from tests.store.doubles import TIME, MemoryBackend, ReadLog, body, new_repository, reopen, version
from tests.store.test_commits_spilled import large_body
from tests.store.test_repository import flip
from tuiback.errors import Damage
from tuiback.model import Commit, CommitBody, CommitHead
from tuiback.store import CheckpointTable, Repository, SegmentReader, Superseded, decode_bodies, write_table
from tuiback.store.commits import commit_name
from tuiback.store.gc import Accept, put_accept
from tuiback.store.segment import segment_name


def append(repository: Repository, writer: str = "nas", item_id: str = "m", count: int = 1) -> list[Commit]:
    """Commits of one version each, behind the writer's newest."""
    made: list[Commit] = []
    head = next((head for head in repository.heads() if head.writer == writer), None)
    for number in range(count):
        made.append(repository.append(writer, head, [f"{number:02x}" * 32], body(version(f"{item_id}{number}"))))
        head = made[-1].head
    return made


def known_rows(repository: Repository) -> list[str]:
    """The items that the newest checkpoint and the commits after it tell of."""
    newest = repository.newest_checkpoint()
    reader = SegmentReader(repository.objects)
    refs = [ref for subject in newest[1].subjects.values() for ref in subject.deltas] if newest else []
    bodies = [rows for ref in refs for rows in decode_bodies(reader.read(ref))]
    bodies += [commit.body for commit in repository.commits()]
    return [row.item_id for rows in bodies for row in rows.versions]


def test_history_begins_behind_the_checkpoint(repository: Repository) -> None:
    """With and without the commits that it replaced, every row is there once, in every process."""
    append(repository, count=3)
    made = checkpoint(repository)
    after = append(repository, item_id="n", count=2)
    expected = ["m0", "m1", "m2", "n0", "n1"]
    for _ in ("all there", "replaced ones gone"):
        again = reopen(repository)
        found = again.newest_checkpoint()
        assert found is not None
        assert (found[0], found[1].covers) == (made, (CommitHead("nas", 3, made.previous),))
        assert list(again.commits()) == [made, *after]
        assert again.heads() == (after[-1].head,)
        assert known_rows(again) == expected
        drop_superseded(again)
    assert [chain.superseded for chain in repository.chains()] == [()]


def test_every_later_commit_names_the_checkpoint(repository: Repository) -> None:
    """So whoever reads any of them finds it; a process that did not make it names it too."""
    (before,) = append(repository)
    first = checkpoint(repository)
    assert (before.base, first.base) == (None, None)
    assert append(repository)[0].base == first.head
    (later,) = append(reopen(repository), "other")
    assert later.base == first.head
    second = checkpoint(reopen(repository))
    assert second.base == first.head
    assert append(repository, "other")[0].base in (first.head, second.head)
    assert append(reopen(repository), "other")[0].base == second.head


def test_checkpoint_of_another_process_is_named(repository: Repository) -> None:
    """A process that goes on behind commits of another one looks whether that made a checkpoint."""
    append(repository)
    waiting = reopen(repository)
    assert waiting.newest_checkpoint() is None
    made = checkpoint(repository)
    (last,) = append(repository)
    assert waiting.append("nas", last.head, [], body()).base == made.head


@given(kept=st.sets(st.integers(1, 6)))
def test_replaced_commits_may_be_partly_there(kept: set[int]) -> None:
    """A prune that was killed while it deleted changes nothing."""
    repository = new_repository()
    append(repository, count=3)
    checkpoint(repository)
    append(repository, item_id="n", count=2)
    newest = checkpoint(repository)
    append(repository, item_id="p")
    for name in [name for chain in repository.chains() for name in chain.superseded]:
        if int(name.split("/")[2].split("-")[0]) not in kept:
            repository.objects.delete(name)
    again = reopen(repository)
    assert known_rows(again) == ["m0", "m1", "m2", "n0", "n1", "p0"]
    assert next(again.commits()) == newest
    (chain,) = again.chains()
    assert (chain.missing, chain.beyond_gap, len(chain.superseded)) == ("", (), len(kept))


def test_start_reads_only_what_it_must() -> None:
    """With heads that are known, one commit and the checkpoint are read; without, those behind it too."""
    backend = ReadLog()
    repository = new_repository(backend)
    append(repository, count=20)
    made = checkpoint(repository)
    append(repository, count=10)
    again = reopen(repository)
    heads = again.heads()
    again = reopen(repository)
    backend.names.clear()
    assert again.heads(heads) == heads
    assert {name for name in backend.names if name.startswith("commits/")} == set(map(commit_name, (*heads, made.head)))
    again = reopen(repository)
    backend.names.clear()
    assert again.heads() == heads
    assert len({name for name in backend.names if name.startswith("commits/")}) == 11


def test_known_commits_go_on_while_they_are_there(repository: Repository) -> None:
    """A catalog that is older than the checkpoint is replayed from the surviving commits, else it is told to be old."""
    old = append(repository, count=3)
    (other,) = append(repository, "other")
    made = checkpoint(repository)
    (after,) = append(repository)
    late = reopen(repository)
    assert list(late.commits([old[0].head, other.head])) == [old[1], old[2], made, after]
    assert list(late.commits([old[0].head])) == [old[1], old[2], made, after, other]
    assert list(late.commits([old[2].head, other.head])) == [made, after]
    drop_superseded(repository)
    assert list(late.commits([old[2].head, other.head])) == [made, after]
    assert list(late.commits([made.head, other.head])) == [after]
    for known in ([old[0].head, other.head], [old[2].head]):
        with pytest.raises(Superseded, match="rebuild-catalog"):
            late.commits(known)


def test_known_commits_go_on_where_only_older_ones_are_gone(repository: Repository) -> None:
    """What a killed prune has deleted before them does not matter."""
    old = append(repository, count=4)
    made = checkpoint(repository)
    for commit in old[:2]:
        repository.objects.delete(commit_name(commit.head))
    assert list(repository.commits([old[1].head])) == [old[2], old[3], made]
    with pytest.raises(Superseded):
        repository.commits([old[0].head])


def test_fork_at_the_checkpoint_is_noticed(repository: Repository) -> None:
    """A catalog whose commit is another one than the checkpoint covers does not go on."""
    (old,) = append(repository)
    append_made = checkpoint(repository)
    drop_superseded(repository)
    assert list(repository.commits([old.head])) == [append_made]
    with pytest.raises(Damage, match="rolled back or forked"):
        list(repository.commits([replace(old.head, digest="0" * 64)]))


def test_writer_whose_commits_are_all_replaced_is_known(repository: Repository) -> None:
    """Its head is what the checkpoint covers, and its next commit follows that."""
    append(repository)
    (gone,) = append(repository, "other")
    made = checkpoint(repository)
    drop_superseded(repository)
    again = reopen(repository)
    assert set(again.heads()) == {gone.head, made.head}
    (follower,) = append(again, "other")
    assert (follower.head.number, follower.previous) == (2, gone.head.digest)
    assert list(reopen(repository).commits()) == [made, follower]


def test_idle_writer_may_name_an_older_checkpoint(repository: Repository) -> None:
    """The checkpoint that covers the others' counts, also where the older one is gone."""
    append(repository)
    first = checkpoint(repository)
    (idle,) = append(repository, "idle")
    assert idle.base == first.head
    second = checkpoint(repository)
    (last,) = append(repository)
    assert list(reopen(repository).commits()) == [second, last]
    drop_superseded(repository)
    repository.objects.delete(segment_name(first.checkpoint))
    assert list(reopen(repository).commits()) == [second, last]


def test_commit_without_its_segment_ends_the_line(repository: Repository, backend: MemoryBackend) -> None:
    """A copy taken while it was written has the commit and not its segment: the commit counts as missing."""
    (first,) = append(repository)
    second = repository.append("nas", first.head, [], large_body(4_000, 2, 400))
    append(repository, item_id="n")
    backend.delete(segment_name(second.segments[0]))
    again = reopen(repository)
    assert again.heads() == (first.head,)
    assert list(again.commits()) == [first]
    (chain,) = again.chains()
    assert (chain.missing, chain.lacks) == (commit_name(second.head)[:-64], segment_name(second.segments[0]))
    assert len(chain.beyond_gap) == 2
    with pytest.raises(Damage, match="missing"):
        again.read_commit(second.head)


def _lose(repository: Repository, segment_id: str) -> None:
    repository.objects.delete(segment_name(segment_id))


def _flip(repository: Repository, segment_id: str) -> None:
    _replace(repository, segment_id, flip)


def _cut(repository: Repository, segment_id: str) -> None:
    _replace(repository, segment_id, lambda data: data[:-1])


def _swap(repository: Repository, segment_id: str) -> None:
    other = write_table(repository.objects, CheckpointTable(()))
    _replace(repository, segment_id, lambda _: repository.backend.read(segment_name(other)))


def _lose_tables(repository: Repository, made: Commit) -> None:
    for segment_id in (made.checkpoint, made.checkpoint_copy):
        _lose(repository, segment_id)


def _replace(repository: Repository, segment_id: str, change: Callable[[bytes], bytes]) -> None:
    name = segment_name(segment_id)
    data = change(repository.backend.read(name))
    repository.objects.delete(name)
    repository.objects.create(name, (data,))


def _lose_rows(repository: Repository, made: Commit) -> None:
    found = repository.newest_checkpoint()
    assert found is not None
    repository.objects.delete(segment_name(found[1].subjects["mailbox:ann"].deltas[-1].segment_id))


def _lose_commit(repository: Repository, made: Commit) -> None:
    repository.objects.delete(commit_name(made.head))


@pytest.mark.parametrize("lose", [_lose_tables, _lose_rows, _lose_commit])
@pytest.mark.parametrize("older", [False, True])
def test_unfinished_checkpoint_is_passed_over(
    repository: Repository, lose: Callable[[Repository, Commit], None], older: bool
) -> None:
    """While the replaced commits are there, a checkpoint that lacks something costs nothing."""
    if older:
        append(repository, item_id="o", count=2)
        checkpoint(repository)
    append(repository, count=3)
    made = checkpoint(repository)
    append(repository, item_id="n", count=2)
    lose(repository, made)
    again = reopen(repository)
    found = again.newest_checkpoint()
    assert (found is not None) == older
    behind = [] if lose is _lose_commit else ["n0", "n1"]
    assert known_rows(again) == [*(["o0", "o1"] if older else []), "m0", "m1", "m2", *behind]


@pytest.mark.parametrize("lose", [_lose_tables, _lose_commit])
def test_lost_checkpoint_is_never_an_empty_repository(
    repository: Repository, lose: Callable[[Repository, Commit], None]
) -> None:
    """Where the commits that it replaced are gone, its loss is told as damage."""
    append(repository, count=3)
    made = checkpoint(repository)
    drop_superseded(repository)
    append(repository, item_id="n")
    lose(repository, made)
    for ask in (Repository.heads, Repository.chains, Repository.commits, Repository.newest_checkpoint):
        with pytest.raises(Damage, match="run tuiback check"):
            ask(reopen(repository))


@pytest.mark.parametrize("harm", [_lose, _flip, _cut, _swap])
@pytest.mark.parametrize("copy", [False, True])
def test_one_copy_of_the_table_is_enough(
    repository: Repository, harm: Callable[[Repository, str], None], copy: bool
) -> None:
    """Everything hangs on it: either copy may be lost, changed, cut or another one's."""
    append(repository, count=3)
    made = checkpoint(repository)
    drop_superseded(repository)
    harm(repository, made.checkpoint_copy if copy else made.checkpoint)
    again = reopen(repository)
    assert again.newest_checkpoint() == repository.newest_checkpoint()
    assert known_rows(again) == ["m0", "m1", "m2"]
    harm(repository, made.checkpoint if copy else made.checkpoint_copy)
    with pytest.raises(Damage, match=made.checkpoint):
        reopen(repository).heads()


def test_lost_rows_of_a_checkpoint_are_contained(repository: Repository) -> None:
    """A checkpoint that lost a segment for good still gives the rest."""
    append(repository, count=3)
    made = checkpoint(repository)
    drop_superseded(repository)
    (after,) = append(repository, item_id="n")
    _lose_rows(repository, made)
    again = reopen(repository)
    found = again.newest_checkpoint()
    assert found is not None
    assert found[0] == made
    assert list(again.commits()) == [made, after]


def test_damaged_newest_commit_does_not_hide_the_checkpoint(repository: Repository, backend: MemoryBackend) -> None:
    """The one before it names the checkpoint too; the damage is met when the commit is read."""
    append(repository, count=2)
    made = checkpoint(repository)
    drop_superseded(repository)
    (after,) = append(repository, item_id="n")
    name = commit_name(append(repository, item_id="p")[0].head)
    backend.objects[name] = flip(backend.objects[name])
    commits = reopen(repository).commits()
    assert [next(commits), next(commits)] == [made, after]
    with pytest.raises(Damage, match=name):
        next(commits)


def test_void_commit_comes_empty(repository: Repository, backend: MemoryBackend) -> None:
    """What a prune made void is a link of its chain that says nothing, whatever became of its segments."""
    (first,) = append(repository)
    void = repository.append("nas", first.head, ["cd" * 32], large_body(4_000, 2, 400))
    aware = repository.append("nas", void.head, [], body(version("n")), generation=1)
    put_accept(repository.objects, Accept(1, "nas", (), (), (first.head,)))
    backend.delete(segment_name(void.segments[0]))
    again = reopen(repository)
    commits = list(again.commits())
    assert [commit.head for commit in commits] == [first.head, void.head, aware.head]
    assert (commits[1].packs, commits[1].body, commits[2]) == ((), CommitBody(TIME), aware)
    assert again.heads() == (aware.head,)


def test_void_checkpoint_is_none(repository: Repository) -> None:
    """A checkpoint made without knowing of a prune rests on what the prune deletes."""
    (first,) = append(repository)
    checkpoint(repository)
    put_accept(repository.objects, Accept(1, "nas", (), (), (first.head,)))
    assert reopen(repository).newest_checkpoint() is None
    assert known_rows(reopen(repository)) == ["m0"]
