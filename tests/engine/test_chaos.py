"""A backup while everything goes wrong now and then; `python -m tests.engine.chaos 20` tries more seeds."""

from pathlib import Path

from tests.engine.chaos import PLAN, backed_up, served
from tuiback.model import Outcome
from tuiback.simtenant import Server

SEEDS = (4, 5)


async def test_chaos_ends_as_a_good_day_does(tmp_path: Path) -> None:
    """With each fault at 2 % all of the tenant is there, byte for byte, for at most twice the requests."""
    with Server(PLAN) as server:
        plain = await backed_up(server, tmp_path / "plain", None)
        assert plain.kept == served(server)
        for seed in SEEDS:
            outcome = await backed_up(server, tmp_path / str(seed), seed)
            assert outcome.report.outcome is Outcome.OK, outcome.told
            assert outcome.kept == served(server)
            assert outcome.carried_out <= 2 * plain.carried_out
