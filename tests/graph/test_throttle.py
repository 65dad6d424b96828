"""Tests of the throttle, on a clock that moves by hand."""

import asyncio
from collections.abc import Mapping

from tuiback.graph.gate import Cost
from tuiback.graph.limits import Limits, Measure, ServiceLimits, Window, published
from tuiback.graph.throttle import Throttle, ThrottleFigures

from .clocks import HandClock, settle

ONE = Cost()
_MAIL = {"outlook": ServiceLimits(Limits(3), Limits(2, (Window(10, 600),)))}
_FILES = {"sharepoint": ServiceLimits(Limits(8, (Window(20, 60),)))}


class Bench:
    """Requests that stay in their slot until they are told to end."""

    def __init__(self, limits: Mapping[str, ServiceLimits], *, lenient: bool = False) -> None:
        self.clock = HandClock()
        self.throttle = Throttle(limits, clock=self.clock, lenient=lenient)
        self.inside: list[str] = []
        self.order: list[str] = []
        self._ends: dict[str, asyncio.Event] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._service = next(iter(limits))

    async def start(
        self, name: str, account: str = "", *, refused: float | None = None, cost: Cost = ONE, urgent: bool = False
    ) -> None:
        """Begin a request; `refused`: the service will refuse it with so many seconds to wait."""
        self._ends[name] = asyncio.Event()
        self._tasks[name] = asyncio.create_task(self._request(name, account, refused, cost, urgent=urgent))
        await settle()

    async def end(self, *names: str) -> None:
        """Let requests end."""
        for name in names:
            self._ends[name].set()
        await settle()

    async def cancel(self, name: str) -> None:
        """Cancel a request wherever it is."""
        self._tasks[name].cancel()
        await settle()

    async def succeed(self, count: int, account: str = "") -> None:
        """So many requests in a row that the service answers willingly."""
        for number in range(count):
            await self.start(f"ok{number}", account)
            await self.end(f"ok{number}")

    @property
    def figures(self) -> ThrottleFigures:
        return self.throttle.figures()[0]

    async def _request(self, name: str, account: str, refused: float | None, cost: Cost, *, urgent: bool) -> None:
        async with self.throttle.slot(self._service, account, cost, urgent=urgent) as slot:
            self.inside.append(name)
            self.order.append(name)
            await self._ends[name].wait()
            self.inside.remove(name)
            if refused is None:
                slot.succeeded()
            else:
                slot.throttled(refused, 429)


async def test_an_account_has_no_more_in_flight_than_its_limit() -> None:
    """The third request of a mailbox waits for one of the first two; another mailbox does not."""
    bench = Bench(_MAIL)
    for name in ("a1", "a2", "a3"):
        await bench.start(name, "a")
    await bench.start("b1", "b")

    assert bench.inside == ["a1", "a2", "b1"]
    assert (bench.figures.in_flight, bench.figures.waiting) == (3, 1)

    await bench.end("a1")
    assert bench.inside == ["a2", "b1", "a3"]


async def test_a_service_has_no_more_in_flight_than_its_limit() -> None:
    """A free mailbox waits when the service as a whole is full."""
    bench = Bench(_MAIL)
    for name, account in (("a1", "a"), ("a2", "a"), ("b1", "b"), ("c1", "c")):
        await bench.start(name, account)

    assert "c1" not in bench.inside
    await bench.end("b1")
    assert "c1" in bench.inside


async def test_requests_are_let_in_in_the_order_they_came() -> None:
    """Nobody overtakes."""
    bench = Bench(_MAIL)
    names = [f"a{number}" for number in range(8)]
    for name in names:
        await bench.start(name, "a")
    await bench.end(*names)

    assert bench.order == names


async def test_a_cancelled_waiter_gives_its_turn_away() -> None:
    """Cancelling one that waits neither takes nor leaks a place."""
    bench = Bench(_MAIL)
    for name in ("a1", "a2", "a3", "a4"):
        await bench.start(name, "a")
    await bench.cancel("a3")
    await bench.end("a1")

    assert bench.inside == ["a2", "a4"]
    await bench.end("a2", "a4")
    assert (bench.figures.in_flight, bench.figures.waiting) == (0, 0)


async def test_cancelling_inside_the_service_queue_frees_the_account() -> None:
    """A request cancelled while the service is full gives its account's place back."""
    bench = Bench(_MAIL)
    for name, account in (("a1", "a"), ("a2", "a"), ("b1", "b"), ("c1", "c"), ("c2", "c")):
        await bench.start(name, account)
    await bench.cancel("c1")
    await bench.cancel("c2")
    await bench.end("a1", "a2", "b1")
    await bench.start("c3", "c")
    await bench.start("c4", "c")

    assert bench.inside == ["c3", "c4"]


async def test_a_fence_holds_the_refused_account_and_no_other() -> None:
    """After a mailbox was refused with 30 seconds, it stays out that long while others go on."""
    bench = Bench(_MAIL)
    await bench.start("a1", "a", refused=30)
    await bench.end("a1")
    await bench.start("a2", "a")
    await bench.start("b1", "b")

    assert bench.inside == ["b1"]
    assert bench.figures.wait_seconds == 30
    await bench.clock.advance(29.9)
    assert bench.inside == ["b1"]
    await bench.clock.advance(0.1)
    assert bench.inside == ["b1", "a2"]
    assert bench.figures.wait_seconds == 0


async def test_a_fence_holds_the_whole_service_where_limits_count_by_app() -> None:
    """SharePoint's refusal stops every request to it."""
    bench = Bench(_FILES)
    await bench.start("f1", "drive-1", refused=47)
    await bench.end("f1")
    await bench.start("f2", "drive-2")

    assert bench.inside == []
    await bench.clock.advance(20)
    assert bench.figures.wait_seconds == 27
    await bench.clock.advance(27)
    assert bench.inside == ["f2"]


async def test_a_longer_fence_extends_a_wait_under_way() -> None:
    """Who waits for the first fence also waits for the second."""
    bench = Bench(_FILES)
    await bench.start("f1", refused=10)
    await bench.start("f2", refused=40)
    await bench.end("f1")
    await bench.start("f3")
    await bench.end("f2")
    await bench.clock.advance(39)

    assert bench.inside == []
    await bench.clock.advance(1)
    assert bench.inside == ["f3"]


async def test_a_fence_that_comes_while_waiting_for_the_service_holds_too() -> None:
    """A request past its account's gate still obeys a fence raised before it was let out."""
    bench = Bench(_MAIL)
    await bench.start("a1", "a", refused=30)
    await bench.start("b1", "b")
    await bench.start("b2", "b")
    await bench.start("a2", "a")
    await bench.end("a1")

    assert bench.inside == ["b1", "b2"]
    await bench.clock.advance(30)
    assert bench.inside == ["b1", "b2", "a2"]


async def test_one_burst_of_refusals_halves_the_limit_once() -> None:
    """Four refusals of requests that were under way together are one piece of news; a later one is another."""
    bench = Bench(_FILES)
    names = ["f1", "f2", "f3", "f4"]
    for name in names:
        await bench.start(name, refused=1)
    await bench.clock.advance(0.5)
    await bench.end(*names)

    assert bench.figures.limit == 4
    assert bench.figures.throttled == 4
    await bench.clock.advance(1)
    await bench.start("f5", refused=1)
    await bench.end("f5")
    assert bench.figures.limit == 2


async def test_the_limit_never_falls_below_one_and_recovers_by_ones() -> None:
    """After as many successes as are allowed at once, one more is allowed, up to the published limit."""
    bench = Bench({"sharepoint": ServiceLimits(Limits(3))})
    for number in range(4):
        await bench.start(f"r{number}", refused=1)
        await bench.end(f"r{number}")
        await bench.clock.advance(1)
    assert bench.figures.limit == 1

    await bench.succeed(1)
    assert bench.figures.limit == 2
    await bench.succeed(1)
    assert bench.figures.limit == 2
    await bench.succeed(1)
    assert bench.figures.limit == 3
    await bench.succeed(9)
    assert bench.figures.limit == 3


async def test_the_limit_shown_for_accounts_is_the_sum_of_those_in_work() -> None:
    """Two mailboxes with two places each would make four, but the service has only three."""
    bench = Bench(_MAIL)
    await bench.start("a1", "a")
    assert bench.figures.limit == 2
    await bench.start("b1", "b")
    assert bench.figures.limit == 3


async def test_a_full_window_makes_the_next_wait() -> None:
    """The eleventh request of ten in ten minutes goes when the first leaves the window, and the figures say so."""
    bench = Bench(_MAIL)
    for number in range(10):
        await bench.start(f"a{number}", "a")
        await bench.end(f"a{number}")
    await bench.start("a10", "a")

    assert bench.inside == []
    assert 600 <= bench.figures.wait_seconds <= 610
    await bench.clock.advance(610)
    assert bench.inside == ["a10"]


async def test_what_the_service_says_is_left_counts() -> None:
    """With two units left for five seconds the third request waits."""
    bench = Bench(_FILES)
    async with bench.throttle.slot("sharepoint", "", ONE) as slot:
        slot.learn(None, 2, 5.0)
    for name in ("f1", "f2", "f3"):
        await bench.start(name)

    assert bench.inside == ["f1", "f2"]
    await bench.clock.advance(5)
    assert bench.inside == ["f1", "f2", "f3"]


async def test_accounts_out_of_work_are_forgotten() -> None:
    """A tenant's thousand mailboxes don't pile up: a gate goes when its windows are empty."""
    bench = Bench(_MAIL)
    for number in range(20):
        await bench.start(f"r{number}", f"mailbox-{number}")
        await bench.end(f"r{number}")
    gates = bench.throttle._services["outlook"].accounts
    assert len(gates) == 20

    await bench.clock.advance(620)
    await bench.start("last", "mailbox-x")
    assert list(bench.throttle._services["outlook"].accounts) == ["mailbox-x"]


async def test_a_rest_shows_as_waiting_and_holds_up_nobody() -> None:
    """One request that backs off is counted, while others pass."""
    bench = Bench(_FILES)
    rest = asyncio.create_task(bench.throttle.rest("sharepoint", 8))
    await bench.start("f1")

    assert bench.inside == ["f1"]
    assert bench.figures.waiting == 1
    await bench.clock.advance(8)
    await rest
    assert bench.figures.waiting == 0


async def test_urgent_requests_go_before_all_that_wait() -> None:
    """A restore overtakes the backups in the queue, even the one at its head, and restores keep their order."""
    bench = Bench(_FILES)
    names = [f"f{number}" for number in range(8)]
    for name in names:
        await bench.start(name)
    for name in ("b1", "b2"):
        await bench.start(name)
    for name in ("r1", "r2"):
        await bench.start(name, urgent=True)
    await bench.end(*names)

    assert bench.order[8:] == ["r1", "r2", "b1", "b2"]


async def test_who_gives_way_and_is_cancelled_leaves_the_queue_whole() -> None:
    """After a backup let a restore go first and was cancelled while it waited again, the next one still gets in."""
    bench = Bench({"sharepoint": ServiceLimits(Limits(1))})
    for name in ("f1", "b1", "b2"):
        await bench.start(name)
    await bench.start("r1", urgent=True)
    await bench.end("f1")
    assert bench.inside == ["r1"]
    await bench.cancel("b1")
    await bench.end("r1")

    assert bench.inside == ["b2"]
    await bench.end("b2")
    assert (bench.figures.in_flight, bench.figures.waiting) == (0, 0)


async def test_bytes_sent_have_a_window_of_their_own() -> None:
    """Two large uploads wait for each other, reads pass meanwhile."""
    windows = (Window(100, 600), Window(1000, 300, Measure.BYTES_UP))
    bench = Bench({"outlook": ServiceLimits(Limits(9), Limits(4, windows))})
    await bench.start("u1", "a", cost=Cost(1, 800))
    await bench.end("u1")
    await bench.start("u2", "a", cost=Cost(1, 800))
    await bench.start("u3", "b", cost=Cost(1, 800))
    assert bench.inside == ["u3"]
    await bench.clock.advance(310)
    assert bench.inside == ["u3", "u2"]


async def test_a_lenient_throttle_is_held_to_its_windows_from_the_first_sign_on() -> None:
    """Until then nothing waits; what was sent before counts afterwards."""
    bench = Bench(_FILES, lenient=True)
    for number in range(30):
        await bench.start(f"f{number}")
        await bench.end(f"f{number}")
    assert not bench.figures.ledger
    bench.throttle.hold()
    await bench.start("late")

    assert bench.inside == []
    assert bench.figures.ledger[0].used == 30
    await bench.clock.advance(62)
    assert bench.inside == ["late"]


async def test_the_service_may_state_a_larger_window() -> None:
    """RateLimit-Limit corrects what was thought of the tenant's size, and keeps a distance from its end."""
    bench = Bench({"sharepoint": published()["sharepoint"]})
    async with bench.throttle.slot("sharepoint", "", ONE) as slot:
        slot.learn(2_500, 500, 30.0)
    minute = bench.figures.ledger[0]
    assert (minute.units, minute.used) == (2_400, 2_000)


async def test_the_ledger_names_the_accounts_with_least_left() -> None:
    """Of many mailboxes those are told that are nearest to their limit, with their wait."""
    bench = Bench({"outlook": ServiceLimits(Limits(80), Limits(2, (Window(10, 600),)))})
    for number in range(9):
        for _ in range(number + 1):
            await bench.start("r", f"mailbox-{number}")
            await bench.end("r")
    for _ in range(2):
        await bench.start("r", "mailbox-8")
        await bench.end("r")
    told = bench.figures.ledger
    assert [entry.account for entry in told] == [f"mailbox-{number}" for number in (8, 7, 6, 5, 4)]
    assert (told[0].used, told[0].units, told[0].wait_seconds > 500) == (10, 10, True)


async def test_a_refusal_without_a_time_keeps_others_away_for_a_moment() -> None:
    """A quarter of a second, twice as long while nothing succeeds in between, and a moment again after a success."""
    clock = HandClock()
    throttle = Throttle(_FILES, clock=clock)
    waits = []
    for succeeds in (False, False, False, True, False):
        async with throttle.slot("sharepoint", "", ONE) as slot:
            if succeeds:
                slot.succeeded()
            slot.throttled(None, 429)
        waits.append(throttle.figures()[0].wait_seconds)
        await clock.advance(60)
    assert waits == [0.25, 0.5, 1.0, 0.25, 0.5]


async def test_a_wide_gate_opens_again_by_fifths() -> None:
    """By ones a service with room for fifty would be at a few for the rest of the run."""
    bench = Bench({"sharepoint": ServiceLimits(Limits(50))})
    await bench.start("r", refused=1)
    await bench.end("r")
    await bench.clock.advance(1)
    assert bench.figures.limit == 25
    await bench.succeed(25)
    assert bench.figures.limit == 35
    await bench.succeed(35 + 45)
    assert bench.figures.limit == 50


async def test_what_asks_nobody_to_wait_takes_nothing() -> None:
    """A 503 without a time may be one item that always fails: it is told, and as many go on as before."""
    told: list[int] = []
    throttle = Throttle(_FILES, clock=HandClock(), notice=lambda _service, _seconds, status: told.append(status))
    async with throttle.slot("sharepoint", "", ONE) as slot:
        slot.throttled(0.0, 503)
    figures = throttle.figures()[0]
    assert (figures.limit, figures.throttled, figures.wait_seconds, told) == (8, 1, 0.0, [503])


async def test_a_refusal_meant_for_one_request_stops_no_other() -> None:
    """After many answers on end: what came in behind the refused one is answered, so the mailbox is open."""
    bench = Bench(_MAIL)
    await bench.succeed(5, "a")
    await bench.start("a1", "a", refused=30)
    await bench.clock.advance(1)
    await bench.start("a2", "a")
    await bench.end("a1")
    await bench.start("a3", "a")
    assert bench.inside == ["a2"]
    await bench.end("a2")
    assert bench.inside == ["a3"]
    assert bench.figures.wait_seconds == 0


async def test_what_came_in_before_the_refused_request_shows_nothing() -> None:
    """The mailbox was open then, and is closed since."""
    bench = Bench(_MAIL)
    await bench.succeed(5, "a")
    await bench.start("a1", "a")
    await bench.clock.advance(1)
    await bench.start("a2", "a", refused=30)
    await bench.end("a2")
    await bench.start("a3", "a")
    await bench.end("a1")
    assert bench.inside == []
    await bench.clock.advance(30)
    assert bench.inside == ["a3"]


async def test_two_refusals_on_end_are_meant_for_all() -> None:
    """Nothing opens the fence before its time."""
    bench = Bench({"outlook": ServiceLimits(Limits(9), Limits(4, (Window(90, 600),)))})
    await bench.succeed(5, "a")
    for name in ("a1", "a2"):
        await bench.start(name, "a", refused=30)
    await bench.clock.advance(1)
    await bench.start("a3", "a")
    await bench.end("a1", "a2", "a3")
    await bench.start("a4", "a")
    assert bench.inside == []
    assert bench.figures.wait_seconds == 30


async def test_what_asks_nobody_to_wait_says_nothing_of_the_mailbox() -> None:
    """An error of one item between the refusal and the answer behind it leaves the fence in doubt."""
    bench = Bench({"outlook": ServiceLimits(Limits(9), Limits(4, (Window(90, 600),)))})
    await bench.succeed(5, "a")
    await bench.start("a1", "a", refused=30)
    await bench.clock.advance(1)
    await bench.start("a2", "a", refused=0)
    await bench.start("a3", "a")
    await bench.end("a1", "a2")
    await bench.start("a4", "a")
    assert bench.inside == ["a3"]
    await bench.end("a3")
    assert bench.inside == ["a4"]


async def test_few_refusals_among_many_answers_stay_in_doubt() -> None:
    """A refusal soon after another says little where most is answered; where a quarter is refused it is meant."""
    bench = Bench({"outlook": ServiceLimits(Limits(99), Limits(4, (Window(900, 600),)))})
    await bench.succeed(12, "a")
    stood = []
    for number in range(5):
        for name in ("refused", "behind"):
            await bench.start(f"{name}{number}", "a", refused=30 if name == "refused" else None)
            await bench.clock.advance(1)
        await bench.end(f"refused{number}", f"behind{number}")
        stood.append(bench.figures.wait_seconds > 0)
        await bench.clock.advance(30)
        await bench.succeed(1, "a")
    assert stood == [False, False, False, False, True]


async def test_an_opened_fence_gives_back_what_it_took() -> None:
    """The mailbox was open all the while, so as many go on at once as before."""
    bench = Bench({"outlook": ServiceLimits(Limits(9), Limits(4, (Window(90, 600),)))})
    await bench.succeed(5, "a")
    await bench.start("a1", "a", refused=30)
    await bench.clock.advance(1)
    await bench.start("a2", "a")
    await bench.end("a1")
    assert bench.figures.limit == 2
    await bench.end("a2")
    await bench.start("a3", "a")
    assert bench.figures.limit == 4


async def test_a_service_is_willing_while_it_answers_most() -> None:
    """Not before it has answered some, and no more when its last answer is a while ago."""
    clock = HandClock()
    throttle = Throttle(_MAIL, clock=clock)
    willing = []
    for seconds in (0, 0, 0, 0, 0, 11):
        await clock.advance(seconds)
        async with throttle.slot("outlook", "a", ONE) as slot:
            willing.append(slot.is_willing)
            slot.succeeded()
            slot.succeeded()
    assert willing == [False, False, False, True, True, False]
