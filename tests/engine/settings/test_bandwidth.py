"""Downloads keep to the rate of the hour."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from tests.engine.receivers import TurnedClock
from tests.engine.rig import Rig
from tuiback.engine.settings.bandwidth import BURST_SECONDS, Bandwidth, parse_rate
from tuiback.errors import UsageError

UTC_ZONE = ZoneInfo("UTC")
MBIT = 1_000_000 / 8
MONDAY_NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
MONDAY_NIGHT = datetime(2026, 11, 23, 22, tzinfo=UTC)
SUNDAY = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "noon", "night", "sunday"),
    [
        ("", None, None, None),
        ("off", None, None, None),
        ("50mbit", 50, 50, 50),
        ("1.5 Gbit", 1500, 1500, 1500),
        ("mon-fri 08-18 20mbit", 20, None, None),
        ("mon-fri 08-18 20mbit; 100mbit", 20, 100, 100),
        ("mon-fri 08:30-18:00 500kbit; sat-sun off; 100mbit", 0.5, 100, None),
    ],
)
def test_rates_by_the_hour(text: str, noon: float | None, night: float | None, sunday: float | None) -> None:
    """The first entry that is open counts; none is no limit."""
    plan = parse_rate(text, UTC_ZONE)
    for moment, wanted in ((MONDAY_NOON, noon), (MONDAY_NIGHT, night), (SUNDAY, sunday)):
        assert plan.bytes_per_second(moment) == (None if wanted is None else wanted * MBIT)


@pytest.mark.parametrize("text", ["fast", "50", "50mb", "0mbit", "mon-fri 20mbit 08-18", "moon 08-18 20mbit"])
def test_what_is_no_rate(text: str) -> None:
    """Each is refused with the way to write it."""
    with pytest.raises(UsageError):
        parse_rate(text, UTC_ZONE)


async def test_the_rate_holds_over_time() -> None:
    """After the first burst exactly so many bytes a second pass, in whatever pieces they come."""
    clock = TurnedClock()
    bandwidth = Bandwidth(clock, parse_rate("8mbit", UTC_ZONE))
    begun = clock.monotonic()
    for _ in range(100):
        await bandwidth.take(250_000)
    assert clock.monotonic() - begun == pytest.approx(25, abs=1)
    clock.turn(3600)
    begun = clock.monotonic()
    for _ in range(40):
        await bandwidth.take(250_000)
    assert clock.monotonic() - begun == pytest.approx(10 - BURST_SECONDS, abs=0.5)


async def test_a_rate_that_is_lifted_lets_everybody_go() -> None:
    """A change counts at once, for those who wait too."""

    class Lifting(TurnedClock):
        async def sleep(self, seconds: float) -> None:
            await super().sleep(seconds)
            bandwidth.plan = parse_rate("off", UTC_ZONE)

    clock = Lifting()
    bandwidth = Bandwidth(clock, parse_rate("1kbit", UTC_ZONE))
    begun = clock.monotonic()
    for _ in range(10):
        await bandwidth.take(1_000_000)
    assert clock.monotonic() - begun <= 1


async def test_runs_read_at_the_rate(rig: Rig) -> None:
    """Every byte of content that a run reads has passed the rate before."""

    class Counting(Bandwidth):
        taken = 0

        async def take(self, size: int) -> None:
            self.taken += size
            await super().take(size)

    bandwidth = Counting(TurnedClock(), parse_rate("1mbit", UTC_ZONE))
    run = rig.new_run()
    run._crew = replace(run._crew, bandwidth=bandwidth)
    report = await run.execute()
    assert bandwidth.taken == report.counters.bytes_read > 0
