"""Tests of hold on a home filled by hand."""

from pathlib import Path

import pytest

from tests.cli.conftest import Tuiback
from tests.cli.seed import ADDRESS, MAILBOX


def test_hold(tuiback: Tuiback, seeded: Path) -> None:
    """A hold is listed with its account, reason and end until it is removed."""
    added = tuiback(
        "--json", "--home", seeded, "hold", "add", f"mailbox:{ADDRESS}", "--until", "2099-12-31", "--reason", "case 7"
    )
    name = added.document["name"]
    (hold,) = tuiback("--json", "--home", seeded, "hold", "list").document["holds"]
    assert (hold["id"], hold["account_id"], hold["account"], hold["task"]) == (name, MAILBOX, ADDRESS, None)
    assert (hold["reason"], hold["state"], hold["until"][:4]) == ("case 7", "held", "2099")
    assert tuiback("--home", seeded, "hold", "add", "--task", "files", "--reason", "all of it").code == 0
    assert len(tuiback("--home", seeded, "hold", "list").out.splitlines()) == 3
    assert tuiback("--json", "--home", seeded, "hold", "remove", name).document["name"] == name
    assert tuiback("--home", seeded, "hold", "remove", name).code == 6


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--reason", "x"], 2),
        ([ADDRESS, "--task", "mail", "--reason", "x"], 2),
        (["--task", "mail"], 2),
        (["--task", "mail", "--reason", "x", "--until", "2020-01-01"], 2),
        (["--task", "none", "--reason", "x"], 6),
        ([ADDRESS, "--reason", "x"], 6),
    ],
)
def test_holds_that_can_not_be(tuiback: Tuiback, seeded: Path, words: list[str], code: int) -> None:
    """Wrong words, what is not there, and an address that names two accounts."""
    assert tuiback("--home", seeded, "hold", "add", *words).code == code


def test_held_data_is_not_dropped(tuiback: Tuiback, seeded: Path) -> None:
    """The refusal names the hold and the way out."""
    tuiback("--home", seeded, "hold", "add", "--task", "mail", "--reason", "law")
    refused = tuiback("--json", "--home", seeded, "task", "remove", "mail", "--data", "drop")
    assert refused.code == 2
    assert "law" in refused.document["what"]
    assert "hold remove" in refused.document["remedy"]
    assert tuiback("--home", seeded, "task", "remove", "mail", "--data", "keep").code == 0
