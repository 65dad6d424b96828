"""Limits are set at once, kept over restarts, and eased by what services say."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.engine.receivers import TurnedClock
from tuiback.engine.activity import Activity
from tuiback.engine.settings.allotment import LIMITS_FILE, Allotment, load_limits, machine_cap
from tuiback.errors import EnvironmentFault, UsageError
from tuiback.model import ThrottleStatus

OUTLOOK = ThrottleStatus("acme", "outlook", 4, 8, 0, 0.0, 100, 0, 1.0)


@pytest.fixture
def clock() -> TurnedClock:
    """A clock to turn."""
    return TurnedClock()


@pytest.fixture
def allotment(tmp_path: Path, clock: TurnedClock) -> Allotment:
    """Of a new home."""
    return Allotment(tmp_path, Activity(clock), clock)


def change(allotment: Allotment, **given: object) -> dict[str, object]:
    """Set only what is given."""
    wanted = {"accounts": None, "files": None, "rate": None, "tz": None, **given}
    return allotment.change(**wanted)  # type: ignore[arg-type]


def test_what_is_set_lasts(allotment: Allotment, tmp_path: Path, clock: TurnedClock) -> None:
    """The gates and the rate change at once, and the next engine begins with them."""
    answer = change(allotment, accounts=3, rate="8mbit")
    assert answer == {"accounts": 3, "files": 20, "rate": "8mbit", "tz": "", "cap": machine_cap()}
    assert (allotment.accounts.limit, allotment.files.limit) == (3, 20)
    assert allotment.bandwidth.plan.bytes_per_second(clock.now()) == 1_000_000
    again = Allotment(tmp_path, Activity(clock), clock)
    assert (again.accounts.limit, again.bandwidth.plan.bytes_per_second(clock.now())) == (3, 1_000_000)


@pytest.mark.parametrize("wrong", [{"accounts": 0}, {"files": 10_000}, {"rate": "fast"}, {"tz": "Moon/Base"}])
def test_what_is_refused_changes_nothing(allotment: Allotment, tmp_path: Path, wrong: dict[str, object]) -> None:
    """Beyond the machine's cap, or not readable."""
    with pytest.raises(UsageError):
        change(allotment, **wrong)
    assert not (tmp_path / LIMITS_FILE).exists()


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    """It is not silently replaced by the defaults."""
    (tmp_path / LIMITS_FILE).write_text("{")
    with pytest.raises(EnvironmentFault, match="limits"):
        load_limits(tmp_path)


def test_a_service_that_throttles_gets_less(allotment: Allotment, clock: TurnedClock) -> None:
    """Only that service, down to one, and all again after a quiet time; both are told."""
    allotment.look([OUTLOOK])
    for number in range(20):
        allotment.look([replace(OUTLOOK, throttled=number)])
        clock.turn(31)
    assert (allotment.accounts.limit_for("exchange"), allotment.accounts.limit_for("onedrive")) == (1, 10)
    assert allotment.accounts.limit == 10
    for _ in range(40):
        clock.turn(31)
        allotment.look([replace(OUTLOOK, throttled=19)])
    assert (allotment.accounts.limit_for("exchange"), allotment.files.limit_for("exchange")) == (10, 20)
    told = [line.text for line in allotment._activity.recent()]
    assert told[0] == "it throttles: 5 accounts, 10 files at once"
    assert told[-1] == "it is quiet: 10 accounts, 20 files at once"


def test_a_change_while_a_service_throttles(allotment: Allotment, clock: TurnedClock) -> None:
    """The new limit is eased by the same part."""
    allotment.look([OUTLOOK])
    clock.turn(31)
    allotment.look([replace(OUTLOOK, throttled=1)])
    change(allotment, accounts=16)
    assert allotment.accounts.limit_for("exchange") == 8
