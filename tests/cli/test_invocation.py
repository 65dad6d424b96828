"""Tests of the options accepted anywhere on the line."""

import pytest

from tuiback.cli.invocation import CommonOptions, take_common_options
from tuiback.errors import UsageError


@pytest.mark.parametrize(
    "line",
    [
        ["--home", "/h", "--json", "tenant", "list"],
        ["tenant", "--json", "list", "--home=/h"],
        ["tenant", "list", "--home", "/h", "--json"],
    ],
)
def test_they_stand_anywhere(line: list[str]) -> None:
    """Before the verb, between its words and after them."""
    assert take_common_options(line) == (CommonOptions("/h", frozenset({"--json"})), ["tenant", "list"])


def test_options_end_at_two_hyphens() -> None:
    """Behind -- stands what is called like an option, a folder named --json for example."""
    options, rest = take_common_options(["ls", "a", "--quiet", "--", "--json", "--home"])
    assert rest == ["ls", "a", "--", "--json", "--home"]
    assert options.quiet
    assert not options.as_json


@pytest.mark.parametrize("line", [["run", "--home"], ["--home="], ["--home", "--json", "run"]])
def test_a_home_needs_a_folder(line: list[str]) -> None:
    """--home without a folder is wrong usage, whatever follows."""
    with pytest.raises(UsageError, match="--home names no folder"):
        take_common_options(line)
