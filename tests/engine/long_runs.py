"""Runs a task again and again over a tenant with known troubles, and ends with 1 where a run is anything but ok.

Not collected: run it with `python -m tests.engine.long_runs --runs 10000`. A user without a mailbox, a message that
Microsoft holds for malware and one that somebody has put up with are there all the time.
"""

import argparse
import asyncio
import tempfile
import time
from pathlib import Path

from tests.catalog.benchmarks.measuring import say
from tests.engine.cloud import Mailbox
from tests.engine.rig import Rig, anna, make_home
from tuiback.cli.waiting import exit_code_of
from tuiback.engine.backups.acknowledging import Debts
from tuiback.engine.commands import AckOwed


async def run_often(folder: Path, runs: int) -> float:
    """The seconds that a run took; raises AssertionError at the first that was not ok, or knew of other troubles."""
    rig = await Rig.open(make_home(folder))
    try:
        rig.cloud.mailboxes |= {"anna": anna(), "bert": Mailbox()}
        rig.cloud.unlicensed.add("bert")
        rig.cloud.flagged |= {"m1", "m2"}
        assert exit_code_of((await rig.run()).outcome) == 3
        await Debts({"main": rig.archive}).acknowledge(AckOwed(owed_id="m2", reason="known"))
        begun = time.perf_counter()
        for _ in range(runs):
            report = await rig.run()
            assert exit_code_of(report.outcome) == 0, report
            assert (report.counters.skipped, report.counters.owed, report.error) == (1, 2, None), report
        assert len(rig.archive.reader.owed()) == 2
        return (time.perf_counter() - begun) / runs
    finally:
        await rig.archive.close()


def main() -> None:
    """So many runs."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--runs", type=int, default=10_000)
    runs = options.parse_args().runs
    with tempfile.TemporaryDirectory() as folder:
        seconds = asyncio.run(run_often(Path(folder), runs))
    say(f"{runs} runs, each ok, {seconds * 1000:.1f} ms a run")


if __name__ == "__main__":
    main()
