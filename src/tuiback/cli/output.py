"""Writes a verb's answer: documents and lines of JSON or tables to stdout, words for people to stderr."""

import errno
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, BinaryIO, TextIO

import msgspec

from tuiback.cli.wording import UNSAFE, cell_width, safe_line
from tuiback.errors import TuibackError

Row = Mapping[str, Any]

# In cron, trouble is told in at most so many lines: the rest is in the history.
MOST_TROUBLE_LINES = 20
# A table's widths are taken from its first rows, so that a list of millions starts at once and is never held.
_ROWS_MEASURED = 200
_WIDEST_CELL = 60


class Column(msgspec.Struct, frozen=True):
    """One column of a table: its title, what a row shows in it, and whether numbers line up on the right."""

    title: str
    text: Callable[[Row], str]
    right: bool = False


def field(title: str, name: str, *, right: bool = False) -> Column:
    """A column that shows one field of the row as it is, "-" where it is missing or None."""

    def text(row: Row) -> str:
        value = row.get(name)
        return "-" if value is None or value == "" else str(value)

    return Column(title, text, right)


def json_line(fields: object) -> bytes:
    """One line of JSON in which no character can act on a terminal or end the line early."""
    text = msgspec.json.encode(fields).decode()
    return UNSAFE.sub(lambda match: f"\\u{ord(match[0]):04x}", text).encode() + b"\n"


class Output:
    """Where a verb's answer goes. With `as_json` stdout carries JSON only."""

    def __init__(self, out: BinaryIO, err: TextIO, *, as_json: bool = False, quiet: bool = False) -> None:
        self._out = out
        self._err = err
        self.as_json = as_json
        self.quiet = quiet
        self._warnings: list[str] = []

    @property
    def watched(self) -> bool:
        """Whether somebody reads the words: stderr is a terminal and quiet wasn't asked for."""
        return self._err.isatty() and not self.quiet

    def document(self, verb: str, fields: Row) -> None:
        """Print the JSON document of the verb at once; its `warnings` stand in it where there are any."""
        warned = {"warnings": self._warnings} if self._warnings else {}
        self.raw(json_line({"schema": f"tuiback.{verb}/1", **fields, **warned}))
        self.flush()

    def lines(self, verb: str, rows: Iterable[Row], columns: Sequence[Column]) -> None:
        """Print a list whose size is the customer's: one JSON object a line, or a table."""
        if self.as_json:
            for row in rows:
                self.raw(json_line({"schema": f"tuiback.{verb}/1", **row}))
        else:
            self.table(rows, columns)

    def listing(self, verb: str, name: str, rows: Sequence[Row], columns: Sequence[Column]) -> None:
        """Print a short list: one JSON document with the rows under `name`, or a table."""
        if self.as_json:
            self.document(verb, {name: rows})
        else:
            self.table(rows, columns)

    def table(self, rows: Iterable[Row], columns: Sequence[Column]) -> None:
        """Print rows under their titles; without rows nothing, but for a word to whoever watches."""
        remaining = iter(rows)
        cells = [[safe_line(column.text(row)) for column in columns] for row in islice(remaining, _ROWS_MEASURED)]
        if not cells:
            self.note("Nothing to list")
            return
        widths = [
            min(_WIDEST_CELL, max(len(column.title), *(cell_width(row[number]) for row in cells)))
            for number, column in enumerate(columns)
        ]
        self.text(_aligned([column.title for column in columns], widths, columns))
        for row in _chained(cells, remaining, columns):
            self.text(_aligned(row, widths, columns))

    def text(self, line: str) -> None:
        """Print one line that was asked for to stdout."""
        self.raw(line.encode(errors="replace") + b"\n")

    def raw(self, data: bytes) -> None:
        """Print bytes to stdout as they are."""
        self._out.write(data)

    def flush(self) -> None:
        """Hand everything printed so far to whoever reads stdout."""
        self._out.flush()

    def added(self, verb: str, name: str, note: str) -> None:
        """Answer a verb that added, edited or removed `name`."""
        if self.as_json:
            self.document(verb, {"name": name})
        self.note(note)

    def note(self, line: str) -> None:
        """Tell people something on stderr; cron, which has no terminal, is told nothing."""
        if self.watched:
            self._say(safe_line(line))

    def progress(self, line: str) -> None:
        """Show a line that the next one replaces; an empty one takes it away."""
        if self.watched:
            self._err.write(f"\r\x1b[K{safe_line(line)}")
            self._err.flush()

    def prompt(self, line: str) -> None:
        """Tell on stderr, terminal or not, what somebody must do before this goes on."""
        self.progress("")
        self._say(safe_line(line))

    def warn(self, lines: Sequence[str]) -> None:
        """Tell what somebody must know though it ends no verb: on stderr, and in the verb's document."""
        self._warnings += lines
        self.trouble([f"Warning: {line}" for line in lines])

    def trouble(self, lines: Sequence[str]) -> None:
        """Tell what went wrong on stderr, terminal or not, in at most MOST_TROUBLE_LINES lines."""
        shown = lines if len(lines) <= MOST_TROUBLE_LINES else lines[: MOST_TROUBLE_LINES - 1]
        for line in shown:
            self._say(safe_line(line))
        if len(shown) < len(lines):
            self._say(f"... and {len(lines) - len(shown)} more")

    def error(self, error: TuibackError) -> None:
        """Tell the error in one line on stderr, and with as_json also as a document on stdout."""
        if self.as_json:
            fields = {"code": error.code, "exit": error.exit_code, "what": error.what}
            self.document("error", {**fields, "subject": error.subject, "remedy": error.remedy})
        self._say(f"tuiback: {safe_line(str(error))}")

    def _say(self, line: str) -> None:
        try:
            print(line, file=self._err, flush=True)
        except OSError as error:
            # A terminal that hung up can't be told anything; the exit code still is.
            if error.errno not in {errno.EIO, errno.EPIPE}:
                raise


def standard_output(*, as_json: bool, quiet: bool) -> Output:
    """The output on this process's stdout and stderr."""
    return Output(sys.stdout.buffer, sys.stderr, as_json=as_json, quiet=quiet)


def _chained(cells: list[list[str]], remaining: Iterator[Row], columns: Sequence[Column]) -> Iterator[list[str]]:
    yield from cells
    for row in remaining:
        yield [safe_line(column.text(row)) for column in columns]


def _aligned(cells: Sequence[str], widths: Sequence[int], columns: Sequence[Column]) -> str:
    texts: list[str] = []
    for cell, width, column in zip(cells, widths, columns, strict=True):
        space = " " * (width - cell_width(cell))
        texts.append(space + cell if column.right else cell + space)
    return "  ".join(texts).rstrip()
