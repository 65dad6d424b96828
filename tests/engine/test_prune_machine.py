"""Whatever is backed up, removed, pruned, rebuilt or cut off, in any order: every kept point reads back as it was."""

import asyncio
import contextlib
import tempfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.engine.rig import Rig, anna, make_home, now_in
from tests.engine.upkeep.test_pruning import STEPS, Killed, a_day_passes, big, end, is_whole, keep, prune
from tuiback.engine.archives.rebuilding import rebuild_catalog

MAILS = st.integers(0, 5)


class PruneMachine(RuleBasedStateMachine):
    """A person changes a mailbox with few contents, so that what was removed comes back; two points are kept."""

    @initialize()
    def start(self) -> None:
        """A home with a first point."""
        self.folder = tempfile.TemporaryDirectory()
        self.runner = asyncio.Runner()
        self.rig = self.runner.run(Rig.open(make_home(Path(self.folder.name))))
        self.rig.cloud.mailboxes["anna"] = anna()
        self.gone: Counter[int] = Counter()
        self.points: dict[int, dict[str, str]] = {}
        self.run_task()
        self.runner.run(keep(self.rig, "2v"))

    @rule(mails=st.lists(MAILS, min_size=1, max_size=3), seed=st.integers(0, 3))
    def put(self, mails: list[int], seed: int) -> None:
        """Mails are new or changed."""
        for number in mails:
            self.rig.cloud.mailboxes["anna"].put(self.name_of(number), "in", big(seed))

    @rule(number=MAILS)
    def remove(self, number: int) -> None:
        """A mail goes, if it is there."""
        box = self.rig.cloud.mailboxes["anna"]
        if self.name_of(number) in box.mails:
            box.delete(self.name_of(number))
            # No service gives an id twice.
            self.gone[number] += 1

    @rule()
    def run_task(self) -> None:
        """A backup."""
        assert self.runner.run(self.rig.run()).error is None
        newest = self.rig.archive.reader.points("mailbox:anna")[0].seq
        self.points[newest] = now_in(self.rig.cloud.mailboxes["anna"])

    @rule(days=st.booleans())
    def prune_it(self, days: bool) -> None:
        """A prune, perhaps a day later."""
        if days:
            a_day_passes(self.rig)
        self.runner.run(prune(self.rig))

    @rule(last=st.sampled_from(STEPS))
    def die_in_prune(self, last: str) -> None:
        """The process is killed behind one of the steps, where the prune comes to it."""

        def step(name: str) -> None:
            if name == last:
                raise Killed

        with contextlib.suppress(Killed):
            self.runner.run(prune(self.rig, step))
        self.reopen(rebuilt=False)

    @rule()
    def lose_the_catalog(self) -> None:
        """It is made anew from the repository."""
        self.reopen(rebuilt=True)

    def name_of(self, number: int) -> str:
        """The mail's id."""
        return f"x{number}-{self.gone[number]}"

    def reopen(self, *, rebuilt: bool) -> None:
        """What the next process does."""
        self.runner.run(end(self.rig))
        if rebuilt:
            rebuild_catalog(self.rig.archive.catalog_path, self.rig.archive.repository)
        self.rig = self.runner.run(Rig.open(self.rig.home, self.rig.cloud))

    @invariant()
    def every_kept_point_reads_back(self) -> None:
        """Byte for byte, through the catalog that is in use."""
        for point in self.rig.archive.reader.points("mailbox:anna"):
            assert self.rig.listing(seq=point.seq) == self.points[point.seq]

    def teardown(self) -> None:
        """At the end the repository is whole."""
        assert is_whole(self.rig)
        self.runner.run(self.rig.archive.close())
        self.runner.close()
        self.folder.cleanup()


PruneMachine.TestCase.settings = settings(max_examples=6, stateful_step_count=14, deadline=None)
TestPrune = pytest.mark.timeout(240)(PruneMachine.TestCase)
