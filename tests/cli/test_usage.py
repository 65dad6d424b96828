"""Tests of usage on a home filled by hand."""

import shutil
from datetime import UTC, date, datetime
from pathlib import Path

from tests.cli.conftest import Tuiback
from tests.cli.seed import FIRST_HELLO, GONE, PLAN, SECOND_HELLO
from tuiback.catalog import DayGrowth
from tuiback.cli.usage import RepositoryUsage, reasons_text, usage_fields


def test_usage(tuiback: Tuiback, seeded: Path) -> None:
    """Sizes go down from all versions over what is unique; tasks and days add up."""
    fields = tuiback("usage", "--home", seeded, "--json").document
    contents = len(FIRST_HELLO) + len(SECOND_HELLO) + len(GONE) + len(PLAN) + len(b"Subject: x\r\n\r\n")
    assert fields["schema"] == "tuiback.usage/1"
    assert fields["logical_bytes"] > fields["unique_bytes"] > contents
    assert fields["stored_bytes"] > 0
    assert fields["catalog_bytes"] > 0
    assert fields["savings"] == {
        "dedup_bytes": fields["logical_bytes"] - fields["unique_bytes"],
        "compression_bytes": fields["unique_bytes"] - fields["stored_bytes"],
    }
    assert [(row["task"], row["accounts"], row["items"]) for row in fields["by_task"]] == [
        ("files", 1, 1), ("mail", 1, 2),
    ]  # fmt: skip
    assert sum(row["logical_bytes"] for row in fields["by_task"]) == fields["logical_bytes"]
    assert [(row["day"], row["runs"]) for row in fields["history"]] == [("2026-11-20", 1), ("2026-11-22", 1)]
    assert fields["full_on"] is None
    assert fields["repositories"][0]["free_bytes"] > 0


def test_usage_without_the_repository(tuiback: Tuiback, seeded: Path) -> None:
    """What the catalog knows is told while the volume is not mounted."""
    shutil.rmtree(seeded / "repository")
    ended = tuiback("usage", "--home", seeded, "--json")
    assert ended.code == 0
    assert ended.document["logical_bytes"] > 0
    assert ended.document["repositories"][0]["free_bytes"] is None


def test_usage_for_people(tuiback: Tuiback, seeded: Path) -> None:
    """Sizes in words, a table of tasks and one of days; a new home has neither."""
    told = tuiback("usage", "--home", seeded).out.decode()
    for word in ("All versions", "Stored", "not in sight", "TASK", "mail", "DAY", "2026-11-22"):
        assert word in told


def test_usage_of_a_new_home(tuiback: Tuiback, home: Path) -> None:
    """Nothing is kept yet, and nothing fails."""
    assert tuiback("usage", "--home", home, "--json").document["logical_bytes"] == 0
    assert b"TASK" not in tuiback("usage", "--home", home).out


def test_reasons_are_shares_of_what_was_read() -> None:
    """A saving that a few bytes of form outgrow is nothing, not less than nothing; a run without reading has none."""
    saved = {"read_bytes": 9000, "single_instance_bytes": 0, "block_bytes": 4500, "base64_bytes": -3}
    assert reasons_text({**saved, "stored_bytes": 2250}) == (
        "0% single instances, 50% equal blocks, 0% base64, the rest compressed by 50%"
    )
    assert reasons_text({**saved, "read_bytes": 0, "stored_bytes": 0}) == ""


def test_several_repositories_are_added_up() -> None:
    """Days are added, and the first volume to be full counts."""

    def one(name: str, full_on: datetime | None) -> RepositoryUsage:
        days = [DayGrowth(date(2026, 11, 20), 1, 10, 4)]
        return RepositoryUsage(name, 100, 50, 20, 7, 3, [{"task": name}], days, 1000, full_on)

    early, late = datetime(2027, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC)
    fields = usage_fields([one("a", late), one("b", None), one("c", early)])
    assert (fields["logical_bytes"], fields["unique_bytes"], fields["stored_bytes"]) == (300, 150, 60)
    assert fields["history"] == [{"day": "2026-11-20", "runs": 3, "bytes_read": 30, "bytes_stored": 12}]
    assert [row["task"] for row in fields["by_task"]] == ["a", "b", "c"]
    assert fields["full_on"] == early
