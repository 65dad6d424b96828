"""A short run of what long_runs does ten thousand times."""

from pathlib import Path

from tests.engine.long_runs import run_often


async def test_known_troubles_never_wake_anybody(tmp_path: Path) -> None:
    """However often a task runs, an account without a mailbox and debts that are known end it with 0."""
    await run_often(tmp_path, 40)
