"""How much may go on at once: accounts and files in work, and bytes a second; kept with the home, changed at work."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec
import psutil

from tuiback.connectors import CONNECTORS
from tuiback.engine.activity import Activity
from tuiback.engine.settings.bandwidth import Bandwidth, parse_rate
from tuiback.engine.settings.easing import Ease, eased, eased_limit, parts_of
from tuiback.engine.settings.limits import ACCOUNTS_DEFAULT, FILES_DEFAULT, Gate, cap_for_ram
from tuiback.engine.timing.timetable import parse_zone
from tuiback.errors import EnvironmentFault, UsageError
from tuiback.model import Clock, ThrottleStatus

LIMITS_FILE = "limits.json"


class LimitSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What was set, as limits.json has it; `rate` is the text of --rate, read in the zone `tz` ("" is UTC)."""

    accounts: int = ACCOUNTS_DEFAULT
    files: int = FILES_DEFAULT
    rate: str = ""
    tz: str = ""


def machine_cap() -> int:
    """The most accounts or files at once on this machine."""
    return cap_for_ram(psutil.virtual_memory().total)


def load_limits(home: Path) -> LimitSettings:
    """What was set for this home, else the defaults. Raises EnvironmentFault."""
    path = home / LIMITS_FILE
    try:
        return msgspec.json.decode(path.read_bytes(), type=LimitSettings)
    except FileNotFoundError:
        return LimitSettings()
    except (OSError, msgspec.DecodeError) as error:
        raise EnvironmentFault(f"the limits can't be read ({error})", str(path), "remove or repair it") from error


def save_limits(home: Path, settings: LimitSettings) -> None:
    """Keep them. Raises EnvironmentFault."""
    path = home / LIMITS_FILE
    temporary = path.with_name(f"{LIMITS_FILE}.new")
    try:
        with temporary.open("wb") as file:
            file.write(msgspec.json.encode(settings) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise EnvironmentFault(f"the limits can't be written ({error.strerror})", str(path), "make room") from error


def changed_limits(
    before: LimitSettings, cap: int, *, accounts: int | None, files: int | None, rate: str | None, tz: str | None
) -> LimitSettings:
    """The settings with what is given; None leaves one as it is. Raises UsageError."""
    for wanted in (accounts, files):
        if wanted is not None and not 1 <= wanted <= cap:
            raise UsageError(f"choose a number from 1 to {cap}, this machine's cap", str(wanted))
    given = {"accounts": accounts, "files": files, "rate": rate, "tz": tz}
    after = msgspec.structs.replace(before, **{name: value for name, value in given.items() if value is not None})
    parse_rate(after.rate, parse_zone(after.tz))
    return after


def limit_fields(settings: LimitSettings) -> dict[str, object]:
    """The settings as `limits` tells them."""
    return {**msgspec.to_builtins(settings), "rate": settings.rate or "off", "cap": machine_cap()}


class Allotment:
    """The gates and the rate that all runs of an engine share. Restores pass through none of them."""

    def __init__(self, home: Path, activity: Activity, clock: Clock) -> None:
        self._home = home
        self._activity = activity
        self._clock = clock
        self._eases: dict[str, Ease] = {}
        self.settings = load_limits(home)
        self.accounts = Gate(min(self.settings.accounts, machine_cap()))
        self.files = Gate(min(self.settings.files, machine_cap()))
        self.bandwidth = Bandwidth(clock, parse_rate(self.settings.rate, parse_zone(self.settings.tz)))

    def change(
        self, *, accounts: int | None, files: int | None, rate: str | None, tz: str | None
    ) -> dict[str, object]:
        """Set what is given, from now on and after a restart; all of them. Raises UsageError, EnvironmentFault."""
        after = changed_limits(self.settings, machine_cap(), accounts=accounts, files=files, rate=rate, tz=tz)
        save_limits(self._home, after)
        self.settings = after
        self.accounts.set_limit(after.accounts)
        self.files.set_limit(after.files)
        self.bandwidth.plan = parse_rate(after.rate, parse_zone(after.tz))
        self._apply()
        return limit_fields(after)

    def look(self, throttles: Iterable[ThrottleStatus]) -> None:
        """Reduce or raise what services get, by what they say."""
        now = self._clock.monotonic()
        before = parts_of(self._eases)
        rows = list(throttles)
        for connector in CONNECTORS:
            mine = [row for row in rows if row.service == connector.throttled_as]
            throttled, waits = sum(row.throttled for row in mine), any(row.wait_seconds > 0 for row in mine)
            requests = sum(row.requests for row in mine)
            state = self._eases.get(connector.service, Ease())
            self._eases[connector.service] = eased(state, throttled, waits=waits, now=now, requests=requests)
        if parts_of(self._eases) != before:
            self._apply()
            self._tell(before, parts_of(self._eases))

    def _apply(self) -> None:
        for service, ease in self._eases.items():
            for gate, full in ((self.accounts, self.settings.accounts), (self.files, self.settings.files)):
                gate.ease(service, eased_limit(full, ease.part))

    def _tell(self, before: Mapping[str, float], after: Mapping[str, float]) -> None:
        for service in before.keys() | after.keys():
            part = after.get(service, 1.0)
            if part == 1.0 or part < before.get(service, 1.0):
                limits = f"{self.accounts.limit_for(service)} accounts, {self.files.limit_for(service)} files at once"
                self._activity.add("throttle", service, f"it {'is quiet' if part == 1.0 else 'throttles'}: {limits}")
