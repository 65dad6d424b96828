"""Limits: order, change while waiting, cancellation, and caps by memory."""

import asyncio

import pytest

from tuiback.engine.settings.limits import GIB, Gate, SharedPlace, cap_for_ram


async def settle() -> None:
    """Let everything that can run do so."""
    for _ in range(10):
        await asyncio.sleep(0)


class Crowd:
    """Holders that enter a gate and stay until told to go."""

    def __init__(self, gate: Gate) -> None:
        self.gate = gate
        self.inside: list[str] = []
        self.go: dict[str, asyncio.Event] = {}
        self.tasks: dict[str, asyncio.Task[None]] = {}

    def send(self, name: str, service: str = "mail") -> None:
        """Somebody asks to enter."""
        self.go[name] = asyncio.Event()
        self.tasks[name] = asyncio.ensure_future(self._visit(name, service))

    async def _visit(self, name: str, service: str) -> None:
        async with self.gate.hold(service):
            self.inside.append(name)
            try:
                await self.go[name].wait()
            finally:
                self.inside.remove(name)

    async def close(self) -> None:
        """Send everybody home."""
        for task in self.tasks.values():
            task.cancel()
        await asyncio.gather(*self.tasks.values(), return_exceptions=True)


async def test_first_come_first_served() -> None:
    """No more than the limit are inside; who leaves makes room for who waited longest."""
    crowd = Crowd(Gate(2))
    for name in "abcd":
        crowd.send(name)
    await settle()
    assert crowd.inside == ["a", "b"]
    crowd.go["a"].set()
    await settle()
    assert crowd.inside == ["b", "c"]
    assert crowd.gate.used("mail") == 2
    await crowd.close()
    assert crowd.gate.used("mail") == 0


async def test_services_do_not_wait_for_each_other() -> None:
    """A service at its limit leaves the others theirs."""
    crowd = Crowd(Gate(1))
    crowd.send("a")
    crowd.send("b")
    crowd.send("f", "files")
    await settle()
    assert crowd.inside == ["a", "f"]
    await crowd.close()


async def test_limit_changes_while_others_wait() -> None:
    """A raised limit lets waiting ones in at once; a lowered one lets nobody in before enough have left."""
    crowd = Crowd(Gate(1))
    for name in "abc":
        crowd.send(name)
    await settle()
    crowd.gate.set_limit(3)
    await settle()
    assert crowd.inside == ["a", "b", "c"]
    crowd.gate.set_limit(1)
    crowd.send("d")
    crowd.go["a"].set()
    crowd.go["b"].set()
    await settle()
    assert crowd.inside == ["c"]
    crowd.go["c"].set()
    await settle()
    assert crowd.inside == ["d"]
    await crowd.close()


async def test_cancelled_ones_leave_no_hole() -> None:
    """Whoever is cancelled while waiting, or in the moment of being let in, keeps no place."""
    crowd = Crowd(Gate(1))
    for name in "abcd":
        crowd.send(name)
    await settle()
    crowd.tasks["b"].cancel()
    await settle()
    crowd.go["a"].set()
    crowd.tasks["a"].add_done_callback(lambda _: crowd.tasks["c"].cancel())
    await settle()
    assert crowd.inside == ["d"]
    await crowd.close()
    assert crowd.gate.used("mail") == 0


@pytest.mark.parametrize(("gib", "cap"), [(1, 20), (2, 40), (3.9, 40), (4, 50), (64, 50)])
def test_caps(gib: float, cap: int) -> None:
    """The caps that users of Active Backup know."""
    assert cap_for_ram(int(gib * GIB)) == cap


async def test_who_takes_long_lends_its_place() -> None:
    """A fifth of the places may be lent; the lender stays, and the next who leaves makes no room for a lent one."""
    gate = Gate(5)
    crowd = Crowd(gate)
    async with gate.hold("mail") as large, gate.hold("mail") as other:
        large.lend()
        for name in "abcde":
            crowd.send(name)
        await settle()
        assert crowd.inside == ["a", "b", "c"], "nobody waited when it was offered"
        large.lend()
        large.lend()
        other.lend()
        await settle()
        assert crowd.inside == ["a", "b", "c", "d"]
        assert gate.used("mail") == 6
        assert (large.is_lent, other.is_lent) == (True, False)
    await settle()
    assert crowd.inside == ["a", "b", "c", "d", "e"]
    await crowd.close()
    assert gate.used("mail") == 0


async def test_who_waits_for_its_service_lends_its_place() -> None:
    """Waiting uses nothing of what the limit protects, so every place may be lent, and each but once."""
    gate = Gate(3)
    crowd = Crowd(gate)
    async with gate.hold("mail") as first, gate.hold("mail") as second, gate.hold("mail") as third:
        for name in "abcd":
            crowd.send(name)
        await settle()
        for place in (first, second):
            place.lend_waiting()
        await settle()
        assert crowd.inside == ["a", "b"]
        assert gate.used("mail") == 5
        for place in (first, second, third):
            place.lend_waiting()
        await settle()
        assert crowd.inside == ["a", "b", "c"]
        assert gate.used("mail") == 6
    await settle()
    assert crowd.inside == ["a", "b", "c"]
    await crowd.close()
    assert gate.used("mail") == 0


async def test_one_at_a_time_stays_one_at_a_time() -> None:
    """Few places are meant as they are set."""
    gate = Gate(1)
    crowd = Crowd(gate)
    async with gate.hold("mail") as place:
        crowd.send("a")
        await settle()
        place.lend()
        place.lend_waiting()
        await settle()
        assert crowd.inside == []
    await crowd.close()


async def test_a_shared_place_is_one_for_all_in_it() -> None:
    """It is taken by the first, waited for by nobody else, and given back by the last."""
    gate = Gate(1)
    place = SharedPlace(gate, "mail")
    async with place:
        async with place:
            assert gate.used("mail") == 1
        assert gate.used("mail") == 1
        assert gate.used("mail") == gate.limit
    assert gate.used("mail") == 0
    async with place:
        assert gate.used("mail") == 1


async def test_who_shares_a_place_waits_for_it_together() -> None:
    """Nobody is inside before the gate let the first one in."""
    gate = Gate(1)
    place = SharedPlace(gate, "mail")
    entered: list[int] = []

    async def enter(number: int) -> None:
        async with place:
            entered.append(number)
            await asyncio.sleep(0)

    async with gate.hold("mail"):
        waiting = [asyncio.ensure_future(enter(number)) for number in range(3)]
        await asyncio.sleep(0)
        assert entered == []
    await asyncio.gather(*waiting)
    assert sorted(entered) == [0, 1, 2]
    assert gate.used("mail") == 0
