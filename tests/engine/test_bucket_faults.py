"""Prunes, checks and rebuilds through an object store that fails at any request: late at worst, never wrong."""

import random
from pathlib import Path

import pytest

from tests.engine.rig import Rig, anna, now_in
from tests.engine.test_prune_bucket import ADayLater, home_with
from tests.engine.test_prune_kills import opened_through
from tests.engine.upkeep.test_pruning import end, grown, is_whole, keep, prune
from tests.seaweed import SeaweedFS, environment_for
from tests.store import faulty_proxy as faults
from tests.store.faulty_proxy import Act, Proxy, proxy_before
from tuiback.catalog import same_content
from tuiback.engine.archives.rebuilding import rebuild_catalog
from tuiback.store.objects import ObjectBackend, Patience, open_bucket

SPOILED = 20
_ACTS: tuple[Act, ...] = (
    faults.answer(500, "InternalError"), faults.answer(503, "SlowDown"), faults.drop, faults.lose_answer,
    faults.lose_answer_and_fail, faults.pass_on, faults.pass_on, faults.pass_on,
)  # fmt: skip


def spoil(proxy: Proxy, chance: random.Random) -> None:
    """Of the next requests of every method, more than half fail, each in some way."""
    for method in ("PUT", "GET", "HEAD", "POST"):
        proxy.spoil(method, *(chance.choice(_ACTS) for _ in range(SPOILED)))


def go_to(monkeypatch: pytest.MonkeyPatch, port: int) -> None:
    """Whoever opens the bucket from now on finds it at this port."""
    for name, value in environment_for(port).items():
        monkeypatch.setenv(name, value)


def unhurried() -> Patience:
    """Never pauses and never gives up, for no time passes: how busy the machine is decides nothing."""
    return Patience(monotonic=lambda: 0, sleep=lambda _: None)


def hasty(url: str) -> ObjectBackend:
    """The bucket for somebody who never pauses."""
    return open_bucket(url, unhurried())


def through(backend_class: type[ObjectBackend], url: str) -> ObjectBackend:
    """The bucket at a later time."""
    return backend_class(open_bucket(url)._store, url, unhurried())


@pytest.mark.timeout(120)
async def test_every_second_request_fails(
    tmp_path: Path, seaweed: SeaweedFS, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Backup, prune, deletion, check and rebuild come to the same as without."""
    chance = random.Random(5)
    with proxy_before(seaweed.port) as proxy:
        go_to(monkeypatch, proxy.port)
        url = seaweed.new_place()
        rig = await Rig.open(home_with(hasty(url), tmp_path))
        rig.cloud.mailboxes["anna"] = anna()
        await end(rig)
        rig = opened_through(hasty(url), rig)
        spoil(proxy, chance)
        await grown(rig)
        await keep(rig, "1v")
        first = await prune(rig)
        assert first.reclaimable_bytes
        await end(rig)
        rig = opened_through(through(ADayLater, url), rig)
        spoil(proxy, chance)
        second = await prune(rig)
        assert second.freed_bytes + second.retained_bytes >= first.reclaimable_bytes
        spoil(proxy, chance)
        assert is_whole(rig)
        assert rig.listing() == now_in(rig.cloud.mailboxes["anna"])
        fresh = tmp_path / "fresh.db"
        rebuild_catalog(fresh, rig.archive.repository)
        assert same_content(rig.archive.catalog_path, fresh) == []
        await rig.archive.close()


async def test_what_is_locked_is_retained(tmp_path: Path, seaweed: SeaweedFS, monkeypatch: pytest.MonkeyPatch) -> None:
    """A deletion that the store denies is told as retained, the rest is freed, and a later prune frees it."""
    with proxy_before(seaweed.port) as proxy:
        go_to(monkeypatch, seaweed.port)
        url = seaweed.new_place()
        rig = await Rig.open(home_with(hasty(url), tmp_path))
        rig.cloud.mailboxes["anna"] = anna()
        await grown(rig)
        await keep(rig, "1v")
        first = await prune(rig)
        await end(rig)
        go_to(monkeypatch, proxy.port)
        rig = opened_through(through(ADayLater, url), rig)
        # The first deletion of all is that of the probe's object that asks for the store's time.
        proxy.spoil("POST", faults.pass_on, faults.answer(403, "AccessDenied"))
        second = await prune(rig)
        assert second.retained_bytes > 0
        assert second.freed_bytes + second.retained_bytes >= first.reclaimable_bytes
        assert is_whole(rig)
        third = await prune(rig)
        assert third.freed_bytes >= second.retained_bytes
        assert third.retained_bytes == 0
        assert is_whole(rig)
        assert rig.listing() == now_in(rig.cloud.mailboxes["anna"])
        await rig.archive.close()
