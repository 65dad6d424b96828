"""Every notice is delivered exactly once, however often its channel fails."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from tests.engine.receivers import TurnedClock
from tuiback.catalog import AlertBook
from tuiback.engine.activity import Activity
from tuiback.engine.settings.channels import Channel, Channels, WebhookChannel
from tuiback.engine.signalling.messenger import LONGEST_RETRY_SECONDS, Messenger, retry_seconds
from tuiback.engine.signalling.notices import Notice, trial_notice
from tuiback.engine.signalling.notify import Undelivered


class Post:
    """A postman who may be ill."""

    def __init__(self) -> None:
        self.ill: set[str] = set()
        self.brought: list[tuple[str, str]] = []
        self.tries: Counter[str] = Counter()
        self.gate: asyncio.Event | None = None

    async def deliver(self, channel: Channel, notice: Notice) -> None:
        """Bring it, unless ill for this channel."""
        self.tries[channel.name] += 1
        if self.gate is not None:
            await self.gate.wait()
        if channel.name in self.ill:
            raise Undelivered("the receiver answers 500", channel.name)
        self.brought.append((channel.name, notice.title))


class Office:
    """A messenger with a book and two channels."""

    def __init__(self, path: Path) -> None:
        self.clock = TurnedClock()
        self.activity = Activity(self.clock)
        self.channels = Channels(path)
        for name in ("a", "b"):
            self.channels.add(WebhookChannel(name=name, url="http://x"))
        self.book = AlertBook.open(path / "alerts.db")
        self.post = Post()
        self.messenger = Messenger(self.channels, self.book, self.post.deliver, self.activity, self.clock)

    def queue(self, *titles: str) -> None:
        """Queue these for both channels."""
        now = self.clock.now()
        payloads = [msgspec.json.encode(replace(trial_notice(now), title=title)) for title in titles]
        self.book.queue({"a": payloads, "b": payloads}, now)

    async def pass_hours(self, hours: float) -> None:
        """Look every half minute."""
        for _ in range(int(hours * 120)):
            await self.messenger.finish(60)
            self.clock.turn(30)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    """At work."""
    office = Office(tmp_path)
    yield office
    office.book.close()


def test_tries_grow_rarer() -> None:
    """1, 2, 4 minutes, and an hour at the most."""
    assert [retry_seconds(tries) for tries in (0, 1, 2, 6, 500)] == [60, 120, 240, 3600, LONGEST_RETRY_SECONDS]


async def test_a_channel_that_fails_holds_up_no_other(office: Office) -> None:
    """What it missed comes in order when it is back, each once; trouble is told once."""
    office.post.ill = {"a"}
    office.queue("one", "two")
    await office.pass_hours(2)
    assert office.post.brought == [("b", "one"), ("b", "two")]
    assert 6 <= office.post.tries["a"] <= 8
    office.queue("three")
    office.post.ill = set()
    await office.pass_hours(1.5)
    assert [title for name, title in office.post.brought if name == "a"] == ["one", "two", "three"]
    assert [title for name, title in office.post.brought if name == "b"] == ["one", "two", "three"]
    assert len([line for line in office.activity.recent() if line.level == "warn"]) == 1
    assert office.book.messages() == ()


async def test_what_is_under_way_is_not_sent_a_second_time(office: Office) -> None:
    """However often it is looked while a slow channel takes its time."""
    office.post.gate = asyncio.Event()
    office.queue("one")
    for _ in range(5):
        await office.messenger.start_due()
    assert office.post.tries == {"a": 1, "b": 1}
    office.post.gate.set()
    await office.messenger.finish(60)
    assert sorted(office.post.brought) == [("a", "one"), ("b", "one")]


async def test_old_news_is_given_up(office: Office) -> None:
    """After three days of failing, with a word in the log."""
    office.post.ill = {"a", "b"}
    office.queue("one")
    for _ in range(80):
        await office.messenger.finish(60)
        office.clock.turn(3600)
    assert office.book.messages() == ()
    assert len([line for line in office.activity.recent() if "given up" in line.text]) == 2


async def test_channels_come_and_go_while_it_runs(office: Office) -> None:
    """Another process removes one: what waits for it is forgotten."""
    office.queue("one")
    Channels(office.channels._path.parent).remove("a")
    await office.messenger.finish(60)
    assert office.post.brought == [("b", "one")]
    assert office.book.messages() == ()


async def test_a_clock_that_is_put_back_delays_nothing_for_days(office: Office) -> None:
    """What was put off by another clock is due at once."""
    office.clock.turn(2 * 86_400)
    office.post.ill = {"a", "b"}
    office.queue("one")
    await office.messenger.finish(60)
    office.post.ill = set()
    office.clock.turn(-2 * 86_400)
    await office.messenger.finish(60)
    assert sorted(office.post.brought) == [("a", "one"), ("b", "one")]
