"""A repository opens with its secrets only, never appears by itself, and keeps its commits in one line."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.store.doubles import (
    KEY_FILE,
    PASSPHRASE,
    SCRYPT_N,
    TIME,
    FailingBackend,
    FixedClock,
    MemoryBackend,
    body,
    new_repository,
    reopen,
    version,
)
from tuiback.errors import Damage, EnvironmentFault, FormatTooNew, RepositoryMissing, StorageFull, UsageError, WrongKey
from tuiback.model import Commit, CommitBody, CommitHead, StoredPart
from tuiback.store import Repository, Secret, open_backend
from tuiback.store.check import check
from tuiback.store.commits import commit_name
from tuiback.store.repository import RepositoryConfig
from tuiback.store.twofold import write_twice


def open_with(backend: MemoryBackend, secret: Secret, expected_id: str | None = None) -> Repository:
    """The repository in `backend`."""
    return Repository.open(backend, secret, clock=FixedClock(), expected_id=expected_id)


def flip(data: bytes) -> bytes:
    """The bytes with one bit changed in the middle."""
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]


def append(repository: Repository, previous: CommitHead | None = None, writer: str = "nas") -> Commit:
    """A commit with one version."""
    return repository.append(writer, previous, ["ab" * 32], body(version("m1")))


def test_each_secret_opens_the_same_repository(backend: MemoryBackend) -> None:
    """A passphrase and a key file made together open the same keys."""
    made = Repository.create(backend, [PASSPHRASE, KEY_FILE], clock=FixedClock(), scrypt_n=SCRYPT_N)
    sealed = made.seal(b"client secret", "tenant contoso")
    for secret in (PASSPHRASE, KEY_FILE):
        opened = open_with(backend, secret, made.repository_id)
        assert opened.repository_id == made.repository_id
        assert opened.unseal(sealed, "tenant contoso") == b"client secret"


def test_what_is_handed_over_needs_no_secret(tmp_path: Path) -> None:
    """Another process reads the same repository with the same keys, from where it lies."""
    made = new_repository(open_backend(str(tmp_path)))
    commit = append(made)
    taken = Repository.take_over(made.hand_over(), FixedClock())
    assert (taken.repository_id, taken.url) == (made.repository_id, made.url)
    assert list(taken.commits()) == [commit]
    assert taken.unseal(made.seal(b"client secret", "tenant contoso"), "tenant contoso") == b"client secret"


@pytest.mark.parametrize("secret", [Secret("passphrase", b"wrong"), KEY_FILE])
def test_wrong_secret_is_told(repository: Repository, secret: Secret) -> None:
    """Another passphrase, or a key file where only a passphrase was set."""
    with pytest.raises(WrongKey, match=secret.kind):
        Repository.open(repository.backend, secret, clock=FixedClock())


def test_repository_without_secret_is_refused(backend: MemoryBackend) -> None:
    """There is no unencrypted repository."""
    with pytest.raises(UsageError):
        Repository.create(backend, [], clock=FixedClock())
    assert not backend.objects


def test_empty_mount_point_stays_empty(tmp_path: Path) -> None:
    """Where the volume is not mounted nothing is created and the remedy says so."""
    with pytest.raises(RepositoryMissing, match="mount it"):
        Repository.open(open_backend(str(tmp_path)), PASSPHRASE, clock=FixedClock(), expected_id="0" * 32)
    assert list(tmp_path.iterdir()) == []


def test_foreign_repository_is_refused(repository: Repository) -> None:
    """Another repository in the expected one's place is named and not opened."""
    with pytest.raises(RepositoryMissing, match=repository.repository_id):
        Repository.open(repository.backend, PASSPHRASE, clock=FixedClock(), expected_id="f" * 32)


def test_create_never_touches_an_existing_repository(backend: MemoryBackend) -> None:
    """A second creation in the same place is refused and changes nothing."""
    new_repository(backend)
    before = dict(backend.objects)
    with pytest.raises(UsageError, match="lies there already"):
        new_repository(backend)
    assert backend.objects == before


def test_interrupted_creation_can_be_repeated() -> None:
    """Whatever creation had written when it died, either nothing is there or a whole repository."""
    writes = 0

    def count(name: str, written: bool) -> None:
        nonlocal writes
        writes += 1

    backend = FailingBackend()
    backend.fault = count
    new_repository(backend)
    for last in range(1, writes + 1):
        backend = FailingBackend()
        backend.fault = die_at(last)
        with pytest.raises(KeyboardInterrupt):
            new_repository(backend)
        backend.fault = die_at(0)
        try:
            opened = open_with(backend, PASSPHRASE)
        except RepositoryMissing:
            opened = new_repository(backend)
        assert reopen(opened).repository_id == opened.repository_id


def die_at(moment: int) -> Callable[[str, bool], None]:
    """A fault that kills the process at its n-th chance (0: never)."""
    seen = 0

    def fault(name: str, written: bool) -> None:
        nonlocal seen
        seen += 1
        if seen == moment:
            raise KeyboardInterrupt

    return fault


@pytest.mark.parametrize("name", ["config", "keys/1"])
@pytest.mark.parametrize("harm", ["lost", "changed"])
@pytest.mark.parametrize("copy", ["", ".2"])
def test_one_copy_of_config_and_keys_is_enough(
    repository: Repository, backend: MemoryBackend, name: str, harm: str, copy: str
) -> None:
    """Either copy may be lost or damaged."""
    if harm == "lost":
        del backend.objects[name + copy]
    else:
        backend.objects[name + copy] = flip(backend.objects[name + copy])
    assert reopen(repository).repository_id == repository.repository_id


def test_both_copies_damaged_is_damage(repository: Repository, backend: MemoryBackend) -> None:
    """Without a whole copy nothing is guessed."""
    for name in ("config", "config.2"):
        backend.objects[name] = flip(backend.objects[name])
    with pytest.raises(Damage):
        reopen(repository)


def test_content_without_config_is_damage_not_absence(repository: Repository, backend: MemoryBackend) -> None:
    """Packs or commits without config are never taken for an empty place."""
    append(repository)
    for name in ("config", "config.2"):
        backend.delete(name)
    with pytest.raises(Damage, match="config"):
        reopen(repository)
    with pytest.raises(UsageError):
        new_repository(backend)


@pytest.mark.parametrize("newer", [{"version": 2}, {"required_features": 4}])
def test_newer_format_is_refused(backend: MemoryBackend, newer: dict[str, int]) -> None:
    """A later version or an unknown required feature is left alone."""
    config = RepositoryConfig(repository_id="ab" * 16, created_at=TIME)
    write_twice(backend, "config", replace(config, **newer))
    with pytest.raises(FormatTooNew, match="update tuiback"):
        open_with(backend, PASSPHRASE)


def test_format_that_was_never_released_is_refused(backend: MemoryBackend) -> None:
    """A repository of version 0 is told what it is, not taken for damaged."""
    config = RepositoryConfig(repository_id="ab" * 16, created_at=TIME)
    write_twice(backend, "config", replace(config, version=0))
    with pytest.raises(EnvironmentFault, match="version 0, which was never released; make a new repository"):
        open_with(backend, PASSPHRASE)


def test_commits_come_back_as_written(repository: Repository) -> None:
    """Every field of a commit survives, times with their zone, and the heads follow."""
    part = StoredPart("mime", 5, b"d" * 32, (b"c" * 32,))
    first = repository.append("nas", None, ["ab" * 32], body(version("m1", part)))
    second = repository.append("nas", first.head, [], CommitBody(time=TIME + timedelta(seconds=30)))
    again = reopen(repository)
    assert list(again.commits()) == [first, second]
    assert list(again.commits([first.head])) == [second]
    assert list(again.commits([second.head])) == []
    assert again.heads() == (second.head,)


def test_writers_are_merged_by_time(repository: Repository) -> None:
    """The commits of several writers come oldest first, each writer's in its order."""
    times = {}
    heads: dict[str, CommitHead | None] = {"a": None, "b": None}
    for second, writer in enumerate("abbab"):
        time = TIME + timedelta(seconds=second)
        commit = repository.append(writer, heads[writer], [], CommitBody(time=time))
        heads[writer] = commit.head
        times[commit.head] = time
    assert [commit.head for commit in repository.commits()] == list(times)
    assert set(repository.heads()) == set(heads.values())


def test_cloned_writer_is_noticed(repository: Repository, backend: MemoryBackend) -> None:
    """A second successor of the same commit is refused and leaves nothing."""
    first = append(repository)
    second = append(repository, first.head)
    before = set(backend.objects)
    with pytest.raises(Damage, match="another copy of this home"):
        append(repository, first.head)
    assert set(backend.objects) == before
    assert repository.heads() == (second.head,)


def test_clones_that_race_leave_no_fork() -> None:
    """When the other clone's commit appears while ours is written, ours is taken back."""
    backend = FailingBackend()
    repository = new_repository(backend)
    first = append(repository)

    def other_clone_commits(name: str, written: bool) -> None:
        backend.fault = lambda name, written: None
        append(repository, first.head)

    backend.fault = other_clone_commits
    with pytest.raises(Damage, match="another copy of this home"):
        append(repository, first.head)
    assert len(list(repository.commits())) == 2


def test_leftover_of_a_dead_clone_is_void(repository: Repository, backend: MemoryBackend) -> None:
    """Of two commits with one number the one that was built upon counts, in every process."""
    first = append(repository)
    second = append(repository, first.head)
    third = append(repository, second.head)
    kept = {name: backend.objects.pop(name) for name in map(commit_name, (second.head, third.head))}
    void = append(repository, first.head)
    backend.objects.update(kept)
    assert [commit.head for commit in repository.commits()] == [first.head, second.head, third.head]
    assert [chain.void for chain in repository.chains()] == [(commit_name(void.head),)]


def test_missing_number_ends_the_line(repository: Repository, backend: MemoryBackend) -> None:
    """A copy taken while commits were written may lack one: what lies behind it does not count."""
    first = append(repository)
    second = append(repository, first.head)
    third = append(repository, second.head)
    backend.delete(commit_name(second.head))
    assert repository.heads() == (first.head,)
    assert [chain.beyond_gap for chain in repository.chains()] == [(commit_name(third.head),)]


def test_rolled_back_repository_is_noticed(repository: Repository, backend: MemoryBackend) -> None:
    """A known commit that is another one here means that the volume was rolled back and went on."""
    first = append(repository)
    second = append(repository, first.head)
    backend.delete(commit_name(second.head))
    append(repository, first.head)
    with pytest.raises(Damage, match="rolled back"):
        list(repository.commits([second.head]))


@pytest.mark.parametrize("harm", ["changed", "cut", "of another place"])
def test_damaged_commit_is_named(repository: Repository, backend: MemoryBackend, harm: str) -> None:
    """A changed, cut or misplaced commit is never applied."""
    first = append(repository)
    second = append(repository, first.head)
    name = commit_name(second.head)
    data = backend.objects[name]
    backend.objects[name] = {
        "changed": flip(data), "cut": data[:-1], "of another place": backend.objects[commit_name(first.head)],
    }[harm]  # fmt: skip
    with pytest.raises(Damage, match=name):
        list(repository.commits())


def test_commit_under_another_name_is_damage(repository: Repository, backend: MemoryBackend) -> None:
    """A commit is what its name says or nothing."""
    head = append(repository).head
    other = CommitHead(head.writer, head.number, "0" * 64)
    backend.objects[commit_name(other)] = backend.objects.pop(commit_name(head))
    with pytest.raises(Damage, match="not what its name says"):
        list(repository.commits())


def test_commit_of_another_writer_is_damage(repository: Repository, backend: MemoryBackend) -> None:
    """A whole commit that was copied into another writer's folder says nothing there."""
    head = append(repository).head
    other = CommitHead("other", head.number, head.digest)
    backend.objects[commit_name(other)] = backend.objects[commit_name(head)]
    with pytest.raises(Damage, match="it is commit 1 of nas"):
        repository.read_commit(other)


def test_commit_that_follows_another_one_is_damage(repository: Repository) -> None:
    """A sound commit with the next number that was built on something else is not applied, and check names it."""
    append(repository)
    stray = append(repository, CommitHead("nas", 1, "0" * 64))
    with pytest.raises(Damage, match="does not follow"):
        list(repository.commits())
    what = {finding.name: finding.what for finding in check(repository, read_data=False).damaged}
    assert what[commit_name(stray.head)] == "it does not follow the commit before it"


def test_full_disk_leaves_no_commit() -> None:
    """An append that fails raises StorageFull and the line goes on from the commit before."""
    backend = FailingBackend()
    repository = new_repository(backend)
    first = append(repository)

    def full(name: str, written: bool) -> None:
        raise StorageFull("no space left", backend.url)

    backend.fault = full
    with pytest.raises(StorageFull):
        append(repository, first.head)
    backend.fault = die_at(0)
    second = append(repository, first.head)
    assert repository.heads() == (second.head,)


@pytest.mark.parametrize("writer", ["", "a/b", "../x", "x" * 65])
def test_impossible_writer_id_is_refused(repository: Repository, writer: str) -> None:
    """A writer id is a plain name, because it becomes a folder."""
    with pytest.raises(UsageError):
        append(repository, writer=writer)


def test_stored_bytes_grow_with_what_is_stored(repository: Repository, backend: MemoryBackend) -> None:
    """The figure is the size of packs and commits, kept up to date without listing again."""
    assert repository.stored_bytes() == 0
    append(repository)
    expected = sum(len(data) for name, data in backend.objects.items() if name.startswith("commits/"))
    assert repository.stored_bytes() == expected == reopen(repository).stored_bytes()
