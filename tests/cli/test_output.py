"""Tests of where answers go and what they look like."""

import io
import json
from collections.abc import Iterator

import pytest

from tuiback.cli.output import MOST_TROUBLE_LINES, Column, Output, field, json_line
from tuiback.errors import NoSuchThing


class Terminal(io.StringIO):
    """A stderr that somebody watches."""

    def isatty(self) -> bool:
        return True


COLUMNS = (field("NAME", "name"), Column("SIZE", lambda row: f"{row['size']} B", right=True))
ROWS = [{"name": "short", "size": 7}, {"name": "rather longer", "size": 12345}]


def test_a_document_names_its_schema_first() -> None:
    """JSON documents say which verb's they are, on one line."""
    out = io.BytesIO()
    Output(out, io.StringIO(), as_json=True).document("init", {"home": "/h"})
    assert out.getvalue() == b'{"schema":"tuiback.init/1","home":"/h"}\n'


def test_json_lines_hold_nothing_that_acts() -> None:
    """Whatever a name contains, a line stays one line, is valid JSON, and obeys nobody."""
    name = "a\n\x1b[31m\x9b\u2028\u202eé"
    line = json_line({"name": name})
    assert json.loads(line) == {"name": name}
    assert line.count(b"\n") == 1
    assert not {"\x1b", "\x9b", "\u2028", "\u202e"} & set(line.decode())
    assert "é" in line.decode()


def test_tables_align() -> None:
    """Text lines up on the left, numbers on the right, below their titles."""
    out = io.BytesIO()
    Output(out, io.StringIO()).lines("ls", [*ROWS, {"name": "請求書 é", "size": 1}], COLUMNS)
    assert out.getvalue().decode().splitlines() == [
        "NAME              SIZE",
        "short              7 B",
        "rather longer  12345 B",
        "請求書 é           1 B",
    ]


def test_a_table_starts_before_its_rows_end() -> None:
    """A list of any length is printed as it comes, each row once and in order."""
    out = io.BytesIO()
    lines_before_the_last_row = 0

    def rows() -> Iterator[dict[str, object]]:
        nonlocal lines_before_the_last_row
        for number in range(1000):
            if number == 999:
                lines_before_the_last_row = out.getvalue().count(b"\n")
            yield {"name": f"n{number}", "size": number}

    Output(out, io.StringIO()).table(rows(), COLUMNS)
    assert lines_before_the_last_row > 900
    assert [line.split()[0] for line in out.getvalue().decode().splitlines()[1:]] == [f"n{n}" for n in range(1000)]


def test_an_empty_list_prints_nothing() -> None:
    """There is no title without rows."""
    out = io.BytesIO()
    Output(out, io.StringIO()).lines("ls", [], COLUMNS)
    assert out.getvalue() == b""


def test_whoever_watches_is_told_that_a_list_is_empty() -> None:
    """On a terminal no answer at all would look as if nothing had been looked for; stdout stays empty."""
    out, err = io.BytesIO(), Terminal()
    Output(out, err).lines("ls", [], COLUMNS)
    assert (out.getvalue(), err.getvalue()) == (b"", "Nothing to list\n")


def test_cron_is_told_nothing_but_trouble() -> None:
    """Where stderr is no terminal, notes and progress are dropped and trouble is kept."""
    err = io.StringIO()
    output = Output(io.BytesIO(), err)
    output.note("all is well")
    output.progress("half done")
    output.trouble(["mail: failed"])
    assert err.getvalue() == "mail: failed\n"


@pytest.mark.parametrize(("quiet", "told"), [(False, "done\n"), (True, "")])
def test_a_terminal_is_told_notes_unless_quiet(quiet: bool, told: str) -> None:
    """--quiet silences notes on a terminal too."""
    err = Terminal()
    Output(io.BytesIO(), err, quiet=quiet).note("done")
    assert err.getvalue() == told


def test_trouble_is_at_most_twenty_lines() -> None:
    """A night in which everything fails doesn't fill the mailbox of whoever gets cron's mail."""
    err = io.StringIO()
    Output(io.BytesIO(), err).trouble([f"account {number} failed" for number in range(500)])
    lines = err.getvalue().splitlines()
    assert len(lines) == MOST_TROUBLE_LINES == 20
    assert lines[-1] == "... and 481 more"


def test_a_warning_is_told_to_cron_and_stands_in_the_document() -> None:
    """What ends no verb must still be known; without any the document has no such field."""
    out, err = io.BytesIO(), io.StringIO()
    output = Output(out, err, as_json=True, quiet=True)
    output.document("run", {"runs": []})
    output.warn(["main: rolled back"])
    output.document("run", {"runs": []})
    assert err.getvalue() == "Warning: main: rolled back\n"
    assert [json.loads(line).get("warnings") for line in out.getvalue().splitlines()] == [None, ["main: rolled back"]]


def test_errors_are_one_line_and_with_json_a_document() -> None:
    """An error says what, to what and what to do, on stderr always and on stdout for programs."""
    error = NoSuchThing("no such\naccount", "eve", "see the list")
    out, err = io.BytesIO(), io.StringIO()
    Output(out, err, as_json=True).error(error)
    assert json.loads(out.getvalue()) == {
        "schema": "tuiback.error/1", "code": "not_found", "exit": 6, "what": "no such\naccount", "subject": "eve",
        "remedy": "see the list",
    }  # fmt: skip
    assert err.getvalue() == "tuiback: eve: no such\ufffdaccount; see the list\n"
