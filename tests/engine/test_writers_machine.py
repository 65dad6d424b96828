"""Two homes that write to one repository, whatever they do, sleep through or die in: every kept point reads back."""

import asyncio
import contextlib
import os
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.engine.rig import Rig, listing, now_in
from tests.engine.saboteur import KEPT_POINTS, Place, two_places
from tests.engine.test_prune_kills import DyingBackend, opened_through
from tests.engine.upkeep.test_pruning import Killed, a_day_passes, big, end, is_whole, prune
from tuiback.engine.archives.checkpointing import write_checkpoint
from tuiback.engine.archives.rebuilding import rebuild_catalog
from tuiback.errors import EnvironmentFault, Overtaken, TuibackError

# The same few examples each time; TUIBACK_EXAMPLES=200 tries as many others.
EXAMPLES = int(os.environ.get("TUIBACK_EXAMPLES", "8"))
WRITERS = st.sampled_from([0, 1])
MAILS = st.integers(0, 5)


class SleepyBackend(DyingBackend):
    """Also lets a writer fall asleep beside its next commit, until it is woken."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.sleeps: str = ""
        self.asleep = threading.Event()
        self.may_go_on = threading.Event()

    def create(self, name: str, data: Sequence[bytes]) -> None:
        """See Backend."""
        is_commit = name.startswith("commits/")
        if is_commit and self.sleeps == "before":
            self._sleep()
        super().create(name, data)
        if is_commit and self.sleeps == "after":
            self._sleep()

    def _sleep(self) -> None:
        self.sleeps = ""
        self.asleep.set()
        assert self.may_go_on.wait(60)
        self.asleep.clear()
        self.may_go_on.clear()


@dataclass
class Home:
    """One home as its engine has it open."""

    place: Place
    backend: SleepyBackend
    rig: Rig
    points: dict[int, dict[str, str]] = field(default_factory=dict)


class WritersMachine(RuleBasedStateMachine):
    """Each home backs up a mailbox of its own, does not know what the other does, and prunes for both."""

    @initialize()
    def start(self) -> None:
        """Two homes, each with a point."""
        self.folder = tempfile.TemporaryDirectory()
        self.runner = asyncio.Runner()
        self.version = 1000
        self.homes = []
        for place in self.runner.run(two_places(Path(self.folder.name))):
            backend = SleepyBackend(place.home.repository("main").url)
            rig = self.runner.run(place.open())
            self.homes.append(Home(place, backend, rig))
        for number in (0, 1):
            self.reopen(number)
            self.back_up(number)

    @rule(number=WRITERS, mails=st.lists(MAILS, min_size=1, max_size=3), seed=st.integers(0, 3))
    def put(self, number: int, mails: list[int], seed: int) -> None:
        """Mails are new or changed; both have the same few contents."""
        box = self.homes[number].rig.cloud.mailboxes[self.homes[number].place.owner]
        for mail in mails:
            self.version += 1
            box.put(f"x{mail}", "in", big(seed))
            box.mails[f"x{mail}"].version = self.version

    @rule(number=WRITERS, mail=MAILS)
    def remove(self, number: int, mail: int) -> None:
        """A mail goes, if it is there."""
        box = self.homes[number].rig.cloud.mailboxes[self.homes[number].place.owner]
        if f"x{mail}" in box.mails:
            box.delete(f"x{mail}")

    @rule(number=WRITERS)
    def back_up(self, number: int) -> None:
        """A run; when the other has pruned meanwhile, the next one."""
        home = self.homes[number]
        error = self.runner.run(home.rig.run()).error
        if error is not None:
            assert isinstance(error, Overtaken)
            self.runner.run(home.rig.archive.mend())
            error = self.runner.run(home.rig.run()).error
        if isinstance(error, Overtaken):
            # The other has died between announcing and deciding: it decides first.
            self.prune_it(1 - number, days=False)
            self.runner.run(home.rig.archive.mend())
            error = self.runner.run(home.rig.run()).error
        assert error is None
        newest = home.rig.archive.reader.points(home.place.account)[0].seq
        home.points[newest] = now_in(home.rig.cloud.mailboxes[home.place.owner])

    @rule(number=WRITERS, days=st.booleans())
    def prune_it(self, number: int, days: bool) -> None:
        """A prune, perhaps a day later. Another one that was announced and not decided keeps it from that."""
        if days:
            a_day_passes(self.homes[number].rig)
        with contextlib.suppress(EnvironmentFault, Overtaken):
            self.runner.run(prune(self.homes[number].rig))

    @rule(number=WRITERS, where=st.sampled_from(["before", "after"]), prunes=st.integers(1, 2))
    def sleep_through_prunes(self, number: int, where: str, prunes: int) -> None:
        """A writer pauses right before or behind its commit, while the other one prunes and deletes."""
        sleeper = self.homes[number]
        self.put(number, [0, 1], 3)

        async def sleep() -> TuibackError | None:
            sleeper.backend.sleeps = where
            running = asyncio.ensure_future(sleeper.rig.run())
            await asyncio.to_thread(sleeper.backend.asleep.wait, 60)
            for _ in range(prunes):
                with contextlib.suppress(EnvironmentFault, Overtaken):
                    await prune(self.homes[1 - number].rig)
                a_day_passes(sleeper.rig)
            sleeper.backend.may_go_on.set()
            return (await running).error

        error = self.runner.run(sleep())
        assert error is None or isinstance(error, Overtaken)
        self.runner.run(sleeper.rig.archive.mend())
        self.back_up(number)

    @rule(number=WRITERS)
    def make_checkpoint(self, number: int) -> None:
        """A checkpoint of what this one knows."""

        async def checkpoint() -> None:
            archive = self.homes[number].rig.archive
            segment_id = await asyncio.to_thread(write_checkpoint, archive.repository, archive.catalog_path)
            if segment_id is not None:
                async with archive.committer.alone() as commit:
                    await commit(checkpoint=segment_id)

        with contextlib.suppress(EnvironmentFault, Overtaken):
            self.runner.run(checkpoint())
        self.runner.run(self.homes[number].rig.archive.mend())

    @rule(number=WRITERS, chances=st.integers(0, 30), pruning=st.booleans())
    def die(self, number: int, chances: int, pruning: bool) -> None:
        """The process is killed at one of its writes or deletions."""
        home = self.homes[number]
        home.backend.left = chances
        with contextlib.suppress(Killed, TuibackError):
            self.runner.run(prune(home.rig) if pruning else home.rig.run())
        self.reopen(number)

    @rule(number=WRITERS)
    def lose_the_catalog(self, number: int) -> None:
        """It is made anew from the repository."""
        self.reopen(number, rebuilt=True)

    def reopen(self, number: int, *, rebuilt: bool = False) -> None:
        """What the next process does."""
        home = self.homes[number]

        async def again() -> Rig:
            await end(home.rig)
            if rebuilt:
                rebuild_catalog(home.rig.archive.catalog_path, home.rig.archive.repository)
            home.backend = SleepyBackend(home.backend.url)
            rig = opened_through(home.backend, home.rig)
            rig.task = home.place.task
            return rig

        home.rig = self.runner.run(again())

    @invariant()
    def every_kept_point_reads_back(self) -> None:
        """Byte for byte, through the catalog of the home that made it; the newest ones are kept."""
        for home in self.homes:
            archive, account = home.rig.archive, home.place.account
            there = [point.seq for point in archive.reader.points(account)]
            for seq in there:
                if seq in home.points:
                    assert listing(archive.reader, archive, account, seq) == home.points[seq]
            assert set(sorted(home.points)[-KEPT_POINTS:]) <= set(there)

    def teardown(self) -> None:
        """At the end the repository is whole, and a stranger finds every point that the homes have."""
        for number in (0, 1):
            self.back_up(number)
        assert is_whole(self.homes[0].rig)
        stranger = self.homes[0]
        self.reopen(0, rebuilt=True)
        for home in self.homes:
            account, archive = home.place.account, stranger.rig.archive
            for seq in sorted(home.points)[-KEPT_POINTS:]:
                assert listing(archive.reader, archive, account, seq) == home.points[seq]
        for home in self.homes:
            self.runner.run(home.rig.archive.close())
        self.runner.close()
        self.folder.cleanup()


WritersMachine.TestCase.settings = settings(
    max_examples=EXAMPLES, stateful_step_count=14, deadline=None, derandomize="TUIBACK_EXAMPLES" not in os.environ
)
TestWriters = pytest.mark.timeout(240 + 30 * EXAMPLES)(WritersMachine.TestCase)
