"""Whoever watches over the engine hears from it in time, and of trouble at once."""

from pathlib import Path

from tests.engine.receivers import TurnedClock
from tuiback.engine.activity import Activity
from tuiback.engine.settings.channels import Channels, PingChannel
from tuiback.engine.signalling.heartbeat import Heartbeat
from tuiback.engine.signalling.notify import Undelivered


class Watcher:
    """Hears pings of a heart whose health a test decides."""

    def __init__(self, path: Path) -> None:
        self.clock = TurnedClock()
        self.activity = Activity(self.clock)
        self.heard: list[tuple[str, str]] = []
        self.well = True
        self.deaf = False
        channels = Channels(path)
        channels.add(PingChannel(name="five", url="http://x"))
        channels.add(PingChannel(name="one", url="http://y", every_seconds=60))
        self.heart = Heartbeat(channels, lambda: self.well, self.hear, self.activity, self.clock)

    async def hear(self, channel: PingChannel, signal: str) -> None:
        """A ping arrives."""
        if self.deaf:
            raise Undelivered("no connection", channel.name)
        self.heard.append((channel.name, signal))

    async def pass_minutes(self, minutes: int) -> None:
        """Beat every second."""
        for _ in range(minutes * 60):
            await self.heart.beat()
            self.clock.turn(1)


async def test_each_channel_has_its_own_pace(tmp_path: Path) -> None:
    """Start first, then every five minutes and every minute."""
    watcher = Watcher(tmp_path)
    await watcher.heart.begin()
    assert sorted(watcher.heard) == [("five", "start"), ("one", "start")]
    watcher.heard.clear()
    await watcher.pass_minutes(10)
    assert (watcher.heard.count(("five", "")), watcher.heard.count(("one", ""))) == (2, 10)


async def test_trouble_is_told_at_once(tmp_path: Path) -> None:
    """And that it is over; the end of a run says how it stands."""
    watcher = Watcher(tmp_path)
    await watcher.pass_minutes(1)
    watcher.heard.clear()
    watcher.well = False
    await watcher.heart.beat()
    assert sorted(watcher.heard) == [("five", "fail"), ("one", "fail")]
    watcher.well = True
    watcher.clock.turn(1)
    await watcher.heart.beat()
    assert sorted(watcher.heard[2:]) == [("five", ""), ("one", "")]
    watcher.well = False
    await watcher.heart.end()
    assert watcher.heard[4:] == [("five", "fail"), ("one", "fail")]


async def test_a_deaf_watcher_is_told_of_once(tmp_path: Path) -> None:
    """Once for each outage."""
    watcher = Watcher(tmp_path)
    watcher.deaf = True
    await watcher.pass_minutes(10)
    assert len(watcher.activity.recent()) == 2
    watcher.deaf = False
    await watcher.pass_minutes(5)
    watcher.deaf = True
    await watcher.pass_minutes(5)
    assert len(watcher.activity.recent()) == 4
