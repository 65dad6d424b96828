"""Tests of prune on a home filled by hand."""

from pathlib import Path

import pytest

from tests.cli.conftest import Tuiback
from tuiback.cli.pruning import pruned_text, would_text


def objects(home: Path) -> set[Path]:
    """The files of the home's repository."""
    return {path for packs in home.rglob("packs") for path in packs.parent.rglob("*") if path.is_file()}


def test_prune(tuiback: Tuiback, seeded: Path) -> None:
    """Two small packs become one; what they took is told as space that leaves later."""
    document = tuiback("--json", "--home", seeded, "prune").document
    assert document["schema"] == "tuiback.prune/1"
    assert (document["expired_versions"], document["freed_bytes"], document["retained_bytes"]) == (0, 0, 0)
    assert document["reclaimable_bytes"] > 0
    assert document["leaves_at"].endswith("Z")
    assert tuiback("--json", "--home", seeded, "check", "--read-data").document["ok"]
    again = tuiback("--home", seeded, "prune")
    assert (again.code, again.out, again.err) == (0, b"", "")


def test_a_dry_run_only_tells(tuiback: Tuiback, seeded: Path) -> None:
    """It prints what would go and leaves the repository as it is."""
    before = objects(seeded)
    assert before
    ended = tuiback("--home", seeded, "prune", "--dry-run")
    assert (ended.code, ended.out) == (0, b"Would expire 0 versions, 0 B\n")
    assert objects(seeded) == before


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ({"freed_bytes": 0}, "Freed 0 B; 0 versions expired"),
        (
            {"freed_bytes": 1_200_000_000, "reclaimable_bytes": 3_400_000_000, "retained_bytes": 5_000_000,
             "expired_versions": 1},
            "Freed 1.2 GB; 3.4 GB can leave at the next prune; the store retains 5.0 MB; 1 version expired",
        ),
    ],
)  # fmt: skip
def test_words(answer: dict[str, int], text: str) -> None:
    """What people are told."""
    nothing = {"reclaimable_bytes": 0, "retained_bytes": 0, "expired_versions": 0, "leaves_at": None}
    assert pruned_text({**nothing, **answer}) == text


def test_words_of_a_dry_run() -> None:
    """Versions, bytes, last copies and what could go."""
    answer = {"expired_versions": 9, "expired_bytes": 1500, "last_copies": 2, "reclaimable_bytes": 3_000}
    assert would_text(answer) == (
        "Would expire 9 versions, 1.5 KB; last copy of 2 items: kept; 3.0 KB that nothing would need could go"
    )
