"""What a home remembers of its chores."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from tuiback.catalog import ChoreRow, Upkeep
from tuiback.model import Outcome

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)


def test_chores_are_remembered(tmp_path: Path) -> None:
    """A chore is known from the first time on, and how it ended last survives; what is new is added beside it."""
    upkeep = Upkeep.open(tmp_path / "state.db")
    upkeep.learn(["prune"], NOW)
    assert upkeep.chores() == (ChoreRow("prune", NOW),)
    later = NOW + timedelta(hours=1)
    upkeep.note("prune", later, Outcome.PARTIAL, "a pack can't be read")
    upkeep.close()
    upkeep = Upkeep.open(tmp_path / "state.db")
    upkeep.learn(["prune", "sample"], later)
    assert upkeep.chores() == (
        ChoreRow("prune", NOW, later, Outcome.PARTIAL, "a pack can't be read"), ChoreRow("sample", later),
    )  # fmt: skip
    upkeep.note("prune", later, Outcome.OK)
    assert upkeep.chores()[0] == ChoreRow("prune", NOW, later, Outcome.OK, "")
    upkeep.close()
