"""A prune of a repository in a bucket of a real object store."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.engine.rig import SECRET, Rig, anna, now_in
from tests.engine.test_prune_kills import opened_through
from tests.engine.upkeep.test_pruning import end, grown, is_whole, keep, prune
from tests.seaweed import SeaweedFS
from tuiback.engine.clock import SystemClock
from tuiback.engine.home import Home, RepositoryRef
from tuiback.store import Backend, Repository, open_backend
from tuiback.store.objects import ObjectBackend, open_bucket


class ADayLater(ObjectBackend):
    """The same bucket when everything in it is a day older."""

    def modified(self, name: str) -> datetime:
        """See Backend; what is asked for the present time is new."""
        return super().modified(name) - (timedelta(0) if name.startswith("tmp/") else timedelta(hours=25))


def home_with(backend: Backend, path: Path) -> Home:
    """A home on a new repository there."""
    home = Home.create(path / "home", mounts=(("/", "ext4"),))
    repository = Repository.create(backend, [SECRET], clock=SystemClock(), scrypt_n=2**4)
    catalog = str(home.default_catalog_folder("main"))
    home.add_repository(
        RepositoryRef(name="main", url=backend.url, repository_id=repository.repository_id, catalog=catalog)
    )
    return home


async def test_a_bucket_is_pruned(tmp_path: Path, seaweed: SeaweedFS, monkeypatch: pytest.MonkeyPatch) -> None:
    """Decided by the store's own time, freed a day later; what is kept reads back."""
    for name, value in seaweed.environment.items():
        monkeypatch.setenv(name, value)
    url = seaweed.new_place()
    rig = await Rig.open(home_with(open_backend(url), tmp_path))
    rig.cloud.mailboxes["anna"] = anna()
    await grown(rig)
    await keep(rig, "1v")
    first = await prune(rig)
    assert (first.expired.versions, first.freed_bytes) == (7, 0)
    assert (await prune(rig)).freed_bytes == 0
    await end(rig)
    rig = opened_through(ADayLater(open_bucket(url)._store, url), rig)
    second = await prune(rig)
    assert (second.freed_bytes >= first.reclaimable_bytes, second.retained_bytes) == (True, 0)
    assert is_whole(rig)
    assert rig.listing() == now_in(rig.cloud.mailboxes["anna"])
    await rig.archive.close()
