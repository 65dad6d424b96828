"""`logs`: what the engine of this home has said."""

import time
from collections import deque
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from tuiback.cli.engaging import open_home
from tuiback.cli.invocation import Invocation
from tuiback.cli.output import Output, json_line
from tuiback.cli.wording import safe_line

if TYPE_CHECKING:
    from tuiback.engine.log_file import LogLine

_LOOK_SECONDS = 0.5
_LINES_SHOWN = 100


@click.command()
@click.option("-f", "--follow", is_flag=True, help="Go on with what comes.")
@click.option("-n", "--lines", type=click.IntRange(0), default=_LINES_SHOWN, show_default=True, metavar="N")
@click.option("--level", "levels", multiple=True, type=click.Choice(["ok", "info", "warn", "error", "throttle"]),
              help="Only these; repeatable.")  # fmt: skip
@click.pass_obj
def logs(call: Invocation, follow: bool, lines: int, levels: tuple[str, ...]) -> None:
    """Show the newest lines of the log."""
    from tuiback.engine.log_file import log_path

    path = log_path(open_home(call).path)
    tail = Tail(path)
    newest: deque[LogLine] = deque(maxlen=lines)
    newest.extend(line for line in [*tail.older(), *tail.new()] if not levels or line.level in levels)
    for line in newest:
        _show(call.output, line)
    while follow:
        call.output.flush()
        time.sleep(_LOOK_SECONDS)
        for line in tail.new():
            if not levels or line.level in levels:
                _show(call.output, line)


class Tail:
    """Reads a log that grows, and goes on in the next file when it is turned over."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._inode = 0
        self._offset = 0

    def older(self) -> Iterator["LogLine"]:
        """The lines of the file before."""
        yield from _lines(_read(self._path.with_name(f"{self._path.name}.1"), 0)[1])

    def new(self) -> list["LogLine"]:
        """What was written since the last call; at the first call, the whole file."""
        inode, data = _read(self._path, self._offset if self._inode else 0)
        found: list[LogLine] = []
        if inode != self._inode and self._inode:
            _, rest = _read(self._path.with_name(f"{self._path.name}.1"), self._offset)
            found, self._offset = _lines(rest), 0
            inode, data = _read(self._path, 0)
        whole = data[: data.rfind(b"\n") + 1]
        self._inode, self._offset = inode, self._offset + len(whole)
        return found + _lines(whole)


def _read(path: Path, offset: int) -> tuple[int, bytes]:
    """The file's number and its bytes from there on; (0, nothing) where there is none."""
    try:
        with path.open("rb") as file:
            file.seek(offset)
            return path.stat().st_ino, file.read()
    except FileNotFoundError:
        return 0, b""


def _lines(data: bytes) -> list["LogLine"]:
    from tuiback.engine.log_file import LogLine

    found = []
    for line in data.splitlines():
        try:
            found.append(msgspec.json.decode(line, type=LogLine))
        except msgspec.DecodeError:
            continue  # a line that a power cut tore
    return found


def _show(output: Output, line: "LogLine") -> None:
    if output.as_json:
        fields = {name: getattr(line, name) for name in line.__struct_fields__}
        output.raw(json_line({"schema": "tuiback.logs/1", **fields}))
        return
    moment = datetime.fromisoformat(line.time).astimezone()
    request = f" [request {line.request_id}]" if line.request_id else ""
    output.text(safe_line(f"{moment:%Y-%m-%d %H:%M:%S} {line.level:8} {line.subject}: {line.text}{request}"))
