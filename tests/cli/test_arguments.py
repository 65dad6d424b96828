"""Tests of names and lists."""

import io
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest

from tuiback.cli.arguments import check_name, expand_lists


def parse(callback: Callable[..., Any], *values: str, multiple: bool = False) -> Any:
    """What the callback makes of an option's values."""
    option = click.Option(["--it"], multiple=multiple)
    context = click.Context(click.Command("test", params=[option]))
    return callback(context, option, values if multiple else values[0])


@pytest.mark.parametrize("name", ["a", "0", "mail-2026", "a" * 63])
def test_names(name: str) -> None:
    """Names are short, lower-case and safe in every shell and file system."""
    assert parse(check_name, name) == name


@pytest.mark.parametrize("name", ["", "-a", "A", "a_b", "a/b", "a" * 64, "ä", "a\n"])
def test_no_names(name: str) -> None:
    """Everything else is refused."""
    with pytest.raises(click.BadParameter, match="is no name"):
        parse(check_name, name)


def test_lists_come_from_files_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """@FILE and @- give one value a line; the order stays."""
    file = tmp_path / "accounts"
    file.write_bytes("\ufeffeve@x.example\r\n\n  bob@x.example  \n".encode())
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"ann@x.example\n"), encoding="utf-8"))
    values = parse(expand_lists, "zoe@x.example", f"@{file}", "@-", multiple=True)
    assert values == ("zoe@x.example", "eve@x.example", "bob@x.example", "ann@x.example")


def test_a_list_that_cannot_be_read(tmp_path: Path) -> None:
    """A missing or binary list is said to be so, by its name."""
    with pytest.raises(click.BadParameter, match=r"nowhere.*No such file"):
        parse(expand_lists, f"@{tmp_path}/nowhere", multiple=True)
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(click.BadParameter, match="not UTF-8"):
        parse(expand_lists, f"@{tmp_path}/binary", multiple=True)
