"""Run by hand, never collected: python -m tests.engine.benchmarks.fair_bench [LARGE] [LATENCY_MS].

Backs 20 mailboxes of a thousand messages up from a simulated tenant with Microsoft's limits, and once more where one of
them has LARGE messages (a million unless given). Prints after how many seconds the others were through: the first, the
middle and the last of them, and how much longer that took beside the large one.
"""

import signal
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import sleep

from tests.acceptance.program import Installation
from tests.catalog.benchmarks.measuring import say
from tuiback.simtenant import Plan, Server
from tuiback.simtenant.api import cloud
from tuiback.simtenant.content.chance import Chance
from tuiback.simtenant.content.correspondence import draw_pattern
from tuiback.simtenant.content.letters import Letters
from tuiback.simtenant.state.mail_sources import GeneratedMailbox
from tuiback.simtenant.state.mailbox import Mailbox
from tuiback.simtenant.state.tenant import Tenant

USERS, MESSAGES = 20, 1_000
_POLL_SECONDS = 2


class Uneven(Tenant):
    """A tenant whose first mailbox has `first` messages."""

    first = MESSAGES
    first_address = ""

    def __init__(self, plan: Plan) -> None:
        super().__init__(plan)
        Uneven.first_address = self.company.people[0].address

    def _make_mailbox(self, owner: int) -> Mailbox:
        if owner or self.first == MESSAGES:
            return super()._make_mailbox(owner)
        letters = Letters(Chance(self.plan.seed + 2), self.company, draw_pattern(self.plan.seed + 2, 1, self.first))
        return Mailbox(owner, GeneratedMailbox(self.company.people[owner], letters, self.chance))


def seconds_until_through(first: int, latency_seconds: float, folder: Path) -> list[float]:
    """After how many seconds each of the other mailboxes was backed up."""
    Uneven.first = first
    plan = Plan(users=USERS, messages=MESSAGES, files_per_user=0, latency_seconds=latency_seconds, throttled=True)
    with Server(plan) as server:
        installation = Installation(folder, cold=True)
        installation.set_up(asdict(server.endpoints), ["exchange"])
        begun = datetime.now(UTC)
        run = installation.start("--json", "run", "exchange")
        while len(through := _through(installation)) < USERS - 1 and run.poll() is None:
            sleep(_POLL_SECONDS)
        run.send_signal(signal.SIGTERM)
        run.communicate(timeout=60)
    return sorted((moment - begun).total_seconds() for moment in through)


def _through(installation: Installation) -> list[datetime]:
    rows = installation.rows("account", "list")
    others = [row["last_ok_at"] for row in rows if row["address"] != Uneven.first_address]
    return [datetime.fromisoformat(moment) for moment in others if moment]


def main() -> None:
    """Measure both and compare."""
    large, latency_ms = (int(given) for given in (*sys.argv[1:], "1000000", "50")[:2])
    cloud.Tenant = Uneven  # type: ignore[attr-defined]
    figures = {}
    for first in (MESSAGES, large):
        with TemporaryDirectory() as folder:
            seconds = seconds_until_through(first, latency_ms / 1000, Path(folder))
        figures[first] = seconds
        figure = f"{seconds[0]:.1f}, {median(seconds):.1f}, {seconds[-1]:.1f} s"
        say(f"{len(seconds)} mailboxes, one of the company's with {first} messages: {figure}")
    say(f"the last one took {figures[large][-1] / figures[MESSAGES][-1]:.2f} x as long")


if __name__ == "__main__":
    main()
