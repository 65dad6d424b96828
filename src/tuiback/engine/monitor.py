"""Counts what one run does, for its row in the catalog and for the screen."""

from collections import deque
from collections.abc import Callable

from msgspec.structs import replace

from tuiback.model import AtWork, Clock, RunCounters

COUNTERS = frozenset(RunCounters.__struct_fields__) - {"requests", "throttled"}
RATE_WINDOW_SECONDS = 10.0


class Rate:
    """Speed of a growing figure over the last seconds."""

    def __init__(self) -> None:
        self._samples: deque[tuple[float, int]] = deque()

    def sample(self, now: float, value: int) -> float:
        """Take the figure at this moment; its growth per second over the window."""
        self._samples.append((now, value))
        while len(self._samples) > 2 and now - self._samples[0][0] > RATE_WINDOW_SECONDS:
            self._samples.popleft()
        start, first = self._samples[0]
        return (value - first) / (now - start) if now - start > 0.2 else 0.0


class RunMonitor:
    """model.Monitor for one run: counters, and what each account at work is busy with."""

    def __init__(self, clock: Clock, traffic: Callable[[], tuple[int, int]]) -> None:
        """`traffic` tells the (requests, throttled replies) of the service since its client was made."""
        self._clock = clock
        self._traffic = traffic
        self._traffic_before = traffic()
        self._counts: dict[str, int] = dict.fromkeys(COUNTERS, 0)
        self._begun = clock.monotonic()
        self._at_work: dict[str, AtWork] = {}
        self._items = Rate()
        self._bytes = Rate()
        self.accounts_done = 0
        self.accounts_total = 0
        self.items_expected = 0

    def count(self, counter: str, by: int = 1) -> None:
        """Add to one of the counters of RunCounters."""
        self._counts[counter] += by

    def at_work(self, account_id: str, phase: str, what: str = "") -> None:
        """Say what an account is busy with."""
        before = self._at_work[account_id]
        self._at_work[account_id] = replace(before, phase=phase, what=what or before.what)

    def begin(self, account_id: str, address: str) -> None:
        """The account is in work from now on."""
        self._at_work[account_id] = AtWork(account_id, address, "list", "", 0, 0)

    def item_done(self, account_id: str) -> None:
        """One item of the account was dealt with."""
        before = self._at_work[account_id]
        self._at_work[account_id] = replace(before, items_done=before.items_done + 1)

    def read(self, account_id: str, bytes_read: int) -> None:
        """Content of the account came in."""
        self._counts["bytes_read"] += bytes_read
        before = self._at_work[account_id]
        self._at_work[account_id] = replace(before, bytes_read=before.bytes_read + bytes_read)

    def end(self, account_id: str) -> None:
        """The account is no longer in work."""
        del self._at_work[account_id]

    @property
    def accounts_at_work(self) -> tuple[AtWork, ...]:
        """All accounts in work, in the order they began."""
        return tuple(self._at_work.values())

    @property
    def counters(self) -> RunCounters:
        """The counts up to now."""
        requests, throttled = self._traffic()
        before = self._traffic_before
        return RunCounters(**self._counts, requests=requests - before[0], throttled=throttled - before[1])

    @property
    def seconds(self) -> float:
        """How long the run has been going."""
        return self._clock.monotonic() - self._begun

    @property
    def items_done(self) -> int:
        """Items dealt with, whatever came of them."""
        c = self._counts
        return c["items_new"] + c["items_changed"] + c["items_removed"] + c["items_unchanged"] + c["skipped"]

    def rates(self) -> tuple[float, float]:
        """(items a second, bytes a second) over the last seconds; call it about once a second."""
        now = self._clock.monotonic()
        return self._items.sample(now, self.items_done), self._bytes.sample(now, self._counts["bytes_read"])
