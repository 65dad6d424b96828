"""What prunes tell, of one repository and of several."""

from datetime import UTC, datetime, timedelta

from tuiback.engine.settings.retention import Figures
from tuiback.engine.upkeep.prune_report import PruneReport, prune_fields, summed
from tuiback.model import Outcome

LATER = datetime(2026, 11, 24, 10, tzinfo=UTC)


def test_fields() -> None:
    """Figures as they are, times as RFC 3339, and a line for each thing that could not be done."""
    report = PruneReport(Figures(versions=3, bytes=70, last_copies=2), 40, LATER, 30, 10, ["ab"], ["no space"])
    assert prune_fields(7, Outcome.PARTIAL, report) == {
        "job": 7, "outcome": "partial", "expired_versions": 3, "expired_bytes": 70, "last_copies": 2,
        "reclaimable_bytes": 40, "leaves_at": "2026-11-24T10:00:00Z", "freed_bytes": 30, "retained_bytes": 10,
        "errors": ["pack ab can't be read and stays; run tuiback check", "no space"],
    }  # fmt: skip


def test_several_repositories_are_summed() -> None:
    """Bytes and lines add up, the worst outcome and the latest time count; one that did not wait is told as it is."""
    one = prune_fields(1, Outcome.OK, PruneReport(Figures(versions=1), 5, LATER))
    other = prune_fields(2, Outcome.PARTIAL, PruneReport(Figures(versions=2), 6, LATER - timedelta(1), 8, notes=["x"]))
    total = summed([one, other])
    assert (total["job"], total["outcome"], total["leaves_at"]) == (1, "partial", "2026-11-24T10:00:00Z")
    assert (total["expired_versions"], total["reclaimable_bytes"], total["freed_bytes"]) == (3, 11, 8)
    assert total["errors"] == ["x"]
    assert summed([one]) == one
    assert summed([{"job": 3, "outcome": None}, {"job": 4, "outcome": None}]) == {"job": 3, "outcome": None}
