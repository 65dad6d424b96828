"""The watch over a real catalog: it writes down what opens and closes, and queues one message for each."""

from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest
from msgspec.structs import replace

from tests.engine.receivers import TurnedClock
from tests.engine.rig import TASK, Rig
from tuiback.catalog import AlertBook
from tuiback.engine.settings.channels import Channels, PingChannel, WebhookChannel
from tuiback.engine.settings.registry import Registry
from tuiback.engine.signalling.notices import Notice
from tuiback.engine.signalling.past import Past, at_rest
from tuiback.engine.signalling.rollbacks import note_rollback
from tuiback.engine.signalling.watching import ASK_EVERY_SECONDS, Watch
from tuiback.errors import TuibackError, Unreachable
from tuiback.model import AccountState, EngineInfo, EngineStatus, Outcome, Tenant, ThrottleStatus

TENANT = Tenant("acme", "t", "c", "global", "https://g", "https://l", "secret", b"", "2026-12-20")


class Post:
    """A watch with its book, and what it queued."""

    def __init__(self, rig: Rig, path: Path) -> None:
        self.rig = rig
        self.path = path
        self.clock = TurnedClock()
        self.channels = Channels(path)
        self.channels.add(WebhookChannel(name="hook", url="http://x"))
        self.channels.add(PingChannel(name="hc", url="http://x"))
        self.reasons: dict[str, TuibackError] = {}
        self.past = Past(last_outcome=Outcome.OK)
        self.throttles: tuple[ThrottleStatus, ...] = ()
        self.open()

    def open(self) -> None:
        """As a new engine does."""
        self.book = AlertBook.open(self.path / "alerts.db")
        registry = cast("Registry", SimpleNamespace(tasks=(TASK,), tenants=(TENANT,)))
        self.watch = Watch(
            {"main": self.rig.archive}, registry, self.reasons, self.book, self.channels, self.rig.activity, self.clock
        )

    async def look(self, **changed: Any) -> list[str]:
        """Look once; which alerts are open then."""
        engine = EngineInfo("idle", 1, "serve", self.clock.now(), "0")
        tasks = (replace(at_rest(TASK, self.past), **changed),)
        await self.watch.look(
            EngineStatus(1, self.clock.now(), engine, tasks=tasks, throttles=self.throttles)
        )
        return [row.alert for row in self.watch.alerts]

    def queued(self) -> list[str]:
        """What was queued, by event and alert."""
        notices = [msgspec.json.decode(message.payload, type=Notice) for message in self.book.messages()]
        assert all(message.channel == "hook" for message in self.book.messages())
        return [f"{notice.event} {notice.alert.id}" for notice in notices if notice.alert is not None]


@pytest.fixture
async def post(rig: Rig, tmp_path: Path) -> AsyncIterator[Post]:
    """A watch over an archive with one account."""
    await rig.run()
    post = Post(rig, tmp_path)
    yield post
    post.book.close()


async def test_one_message_for_each_change_over_restarts(post: Post) -> None:
    """A restart sends nothing twice, and ends nothing."""
    assert await post.look() == ["credential:acme"]
    post.past, post.reasons["mail"] = Past(last_outcome=Outcome.FAILED), Unreachable("no network", "host")
    for _ in range(3):
        assert await post.look() == ["credential:acme", "failed:mail"]
    assert "no network" in post.watch.alerts[1].text
    post.book.close()
    post.open()
    assert [row.alert for row in post.watch.alerts] == ["credential:acme", "failed:mail"]
    post.reasons.clear()
    await post.look()
    assert "no network" in post.watch.alerts[1].text
    await post.look(run=7, last_outcome=Outcome.PARTIAL)
    post.past = Past(last_outcome=Outcome.OK)
    assert await post.look() == ["credential:acme"]
    assert post.queued() == ["opened credential:acme", "opened failed:mail", "closed failed:mail"]


async def test_accounts_that_left_are_news_for_a_week(post: Post) -> None:
    """All that left on one day are one alert, which closes by itself."""
    (account,) = post.rig.archive.reader.accounts()
    gone = replace(account, state=AccountState.GONE, gone_at=post.clock.now(), gone_reason="left the tenant")
    post.rig.archive.committer.stage_account(gone)
    await post.rig.archive.committer.commit()
    assert await post.look() == ["credential:acme", "gone:mail:2026-11-23"]
    assert post.watch.alerts[1].text.startswith("1 account left on 2026-11-23")
    post.clock.turn(7 * 86_400)
    assert "gone:mail:2026-11-23" in await post.look()
    post.clock.turn(86_400)
    assert "gone:mail:2026-11-23" not in await post.look()


async def test_a_repository_that_went_away(post: Post, tmp_path: Path) -> None:
    """It is asked every minute; the alert closes when it is back."""
    (tmp_path / "repository").rename(tmp_path / "elsewhere")
    post.clock.turn(ASK_EVERY_SECONDS)
    assert "missing:main" in await post.look()
    (tmp_path / "elsewhere").rename(tmp_path / "repository")
    post.clock.turn(ASK_EVERY_SECONDS)
    assert "missing:main" not in await post.look()
    assert post.queued()[1:] == ["opened missing:main", "closed missing:main"]


async def test_a_repository_that_keeps_the_engine_from_starting(post: Post) -> None:
    """Only that is told: nothing else can be known."""
    await post.look()
    await post.watch.note_unreachable("main", "it is not mounted")
    await post.watch.note_unreachable("main", "it is not mounted")
    assert post.queued() == ["opened credential:acme", "opened missing:main"]


async def test_a_block_that_lasts(post: Post) -> None:
    """A quarter of an hour without a break; a break begins anew."""
    blocked = (ThrottleStatus("acme", "outlook", 0, 1, 5, 30.0, 10, 3, 0.0),)
    post.throttles = blocked
    await post.look()
    post.clock.turn(14 * 60)
    assert "throttle:acme:outlook" not in await post.look()
    post.throttles = ()
    await post.look()
    post.throttles = blocked
    await post.look()
    post.clock.turn(14 * 60)
    assert "throttle:acme:outlook" not in await post.look()
    post.clock.turn(60)
    assert "throttle:acme:outlook" in await post.look()


async def test_a_channel_that_takes_nothing(post: Post) -> None:
    """After an hour the others are told."""
    await post.look()
    post.clock.turn(3600)
    assert "channel:hook" in await post.look()


async def test_a_rolled_back_repository_is_an_alert_until_all_is_listed_again(post: Post) -> None:
    """However soon that is, it is told; and told again where it happens again."""
    note_rollback(post.path / "alerts.db", post.clock, "main", "was rolled back")
    assert await post.look() == ["credential:acme", "rolled-back:main"]
    committer = post.rig.archive.committer
    committer.stage_container(replace(post.rig.archive.reader.containers("mailbox:anna")[0], cursor="", relisting=True))
    await committer.commit()
    post.watch.forget()
    assert await post.look() == ["credential:acme", "rolled-back:main"]
    assert (await post.rig.run()).outcome is Outcome.OK
    post.watch.forget()
    assert await post.look() == ["credential:acme"]
    note_rollback(post.path / "alerts.db", post.clock, "main", "was rolled back")
    assert await post.look() == ["credential:acme", "rolled-back:main"]
    assert post.queued()[1:] == ["opened rolled-back:main", "closed rolled-back:main", "opened rolled-back:main"]
