"""Kills processes that back up, check point, prune, rebuild and repair, as often as it is told, and counts.

Not collected: run it with `python -m tests.engine.long_kills --kills 1000 --seed 1`. It ends with 1 at the first loss.
With --lane each of them has a process beside it that stores short mails, and either of the two or both die.
"""

import argparse
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.engine.lane_saboteur import LaneDeath, LaneWorld
from tests.engine.saboteur import Death, Place, Work, World, backup, checkpoint, prune, rebuild

# What a process comes to with the disk in one piece of work, at most, and how long that takes at most.
_MOMENTS = {"backup": 40, "checkpoint": 40, "prune": 220, "rebuild": 12, "repair": 60}
_SECONDS = {"backup": 0.25, "checkpoint": 0.2, "prune": 0.7, "rebuild": 0.2, "repair": 0.4}
# What a process beside one of these comes to, at most; and how much longer that takes.
_LANE_ORDERS = 30
_LANE_SECONDS = 0.5
_WORKS: tuple[tuple[Work, int], ...] = ((backup, 4), (checkpoint, 2), (prune, 6), (rebuild, 1))
# So many rounds a world lives before the next one begins.
_ROUNDS = 60


class Tally:
    """What has happened so far."""

    def __init__(self) -> None:
        self.steps: Counter[str] = Counter()
        self.works: Counter[str] = Counter()
        self.completed: Counter[str] = Counter()
        self.proofs = 0

    @property
    def kills(self) -> int:
        """How many processes died."""
        return self.works.total()

    def note(self, work: str, step: str | None) -> None:
        """One process has come to its end or to that step."""
        if step is None:
            self.completed[work] += 1
        else:
            self.works[work] += 1
            self.steps[step if ":" in step else f"{work}: {step}"] += 1

    def tell(self, started: float) -> None:
        """Print the figures."""
        seconds = time.monotonic() - started
        _say(f"{self.kills} kills, {self.proofs} proofs, 0 losses, {seconds:.0f} s")
        for work, count in sorted(self.works.items()):
            _say(f"  {work}: {count} killed, {self.completed[work]} completed")
        for step, count in self.steps.most_common():
            _say(f"    {count:5d}  {step}")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def death(work: str, chance: random.Random) -> Death:
    """At a moment with the disk or at any other."""
    if chance.random() < 0.6:
        return Death(moments=chance.randrange(_MOMENTS[work]))
    return Death(seconds=chance.uniform(0.005, _SECONDS[work]))


def lane_death(work: str, chance: random.Random) -> Death:
    """Of the process beside alone, which may also only be stopped, of both at once, or of the other one."""
    lot = chance.random()
    if lot < 0.4:
        died = death(work, chance)
        return died if died.seconds is None else Death(seconds=died.seconds + _LANE_SECONDS)
    both, stopped = lot < 0.6, lot > 0.8
    if chance.random() < 0.6:
        return LaneDeath(lane_orders=chance.randrange(_LANE_ORDERS), both=both, stopped=stopped)
    return LaneDeath(lane_seconds=chance.uniform(0, _LANE_SECONDS), both=both, stopped=stopped)


def one_round(world: World, chance: random.Random, tally: Tally) -> None:
    """One piece of work that dies, perhaps another one on top, and the proof."""
    place = world.second if chance.random() < 0.2 else world.first
    world.change(place)
    for _ in range(1 if chance.random() < 0.7 else 2):
        # One home prunes: an announced prune that died keeps other homes waiting for a day.
        works = _WORKS if place is world.first else _WORKS[:1]
        (work,) = chance.choices([work for work, _ in works], [weight for _, weight in works])
        die = lane_death if isinstance(world, LaneWorld) and work in (backup, prune) else death
        tally.note(work.__name__, world.do(place, work, die(work.__name__, chance)))
    if chance.random() < 0.3:
        world.days_pass()
    _lose_something(world, place, chance)
    if place is world.second:
        _decide(world)
    world.prove(place)
    tally.proofs += 1
    if chance.random() < 0.15:
        world.prove_equal(place)
    if chance.random() < 0.15:
        world.keep_catalog(place)


def _decide(world: World) -> None:
    """What the first home has announced it must decide before another one can commit."""
    assert world.do(world.first, prune, Death()) is None


def _lose_something(world: World, place: Place, chance: random.Random) -> None:
    lot = chance.random()
    if lot < 0.06:
        world.lose_catalog(place)
    elif lot < 0.12 and place.home.catalog_path("main").with_suffix(".old").exists():
        world.bring_catalog_back(place)


def damage_and_repair(world: World, chance: random.Random, tally: Tally) -> None:
    """Damage, a repair that dies, one that does not, and what the service has is all there again."""
    harm = world.damage()
    step = world.repair(world.first, death("repair", chance))
    tally.note("repair", step)
    assert world.repair(world.first, Death()) is None
    try:
        world.prove_repaired(world.first)
        _decide(world)
        world.prove_equal(world.first)
        # A catalog from before may know what a lost commit said, which the repository does not know any more.
        world.drop_old_catalogs()
        assert world.do(world.second, rebuild, Death()) is None
        world.prove_repaired(world.second)
    except AssertionError:
        _say(f"after: {harm}, killed at {step}")
        raise
    tally.proofs += 2


def main() -> int:
    """Kill until there were enough."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=float("inf"))
    parser.add_argument("--damage-from", type=int, default=_ROUNDS // 2, help="the round of a world's first damage")
    parser.add_argument("--lane", action="store_true", help="with a process beside each that stores")
    given = parser.parse_args()
    chance, tally, started = random.Random(given.seed), Tally(), time.monotonic()
    worlds = 0
    while tally.kills < given.kills and time.monotonic() - started < given.seconds:
        worlds += 1
        # It stays where something was lost.
        folder = Path(tempfile.mkdtemp(prefix="long-kills-"))
        world = LaneWorld(folder, chance) if given.lane else World(folder, chance)
        for number in range(_ROUNDS):
            if tally.kills >= given.kills or time.monotonic() - started >= given.seconds:
                break
            try:
                one_round(world, chance, tally)
                if number >= given.damage_from and number % 2 == 0:
                    damage_and_repair(world, chance, tally)
            except AssertionError:
                _say(f"LOST at seed {given.seed}, world {worlds}, round {number}, see {folder}")
                tally.tell(started)
                raise
        shutil.rmtree(folder)
        tally.tell(started)
        if isinstance(world, LaneWorld):
            _say(f"  {world.orders} orders to processes beside in this world")
    return 0


if __name__ == "__main__":
    sys.exit(main())
