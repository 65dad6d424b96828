"""`limits` with and without a running engine, and `metrics` and `logs` of a home."""

import json
from pathlib import Path

import pytest

from tests.catalog.build import at
from tests.cli.conftest import Tuiback
from tuiback.cli.logs import Tail
from tuiback.cli.secret import read_key
from tuiback.engine.home import Home
from tuiback.engine.hosting.link import host
from tuiback.engine.log_file import LogFile, log_path
from tuiback.model import ActivityLine


def test_limits_are_kept_and_reach_a_running_engine(tuiback: Tuiback, home: Path, tmp_path: Path) -> None:
    """Set at rest, an engine begins with them; set while it runs, it uses them at once and keeps them."""

    def limits(*options: str) -> dict[str, object]:
        return tuiback("--json", "--home", home, "limits", *options).document

    assert (limits()["accounts"], limits()["files"], limits()["rate"]) == (10, 20, "off")
    limits("--accounts", "3")
    engine = host(Home.open(home), "run", lambda ref: read_key(Path(str(ref.key_file))))
    try:
        assert limits("--rate", "mon-fri 08-18 20mbit", "--tz", "Europe/Berlin")["accounts"] == 3
        assert tuiback("--home", home, "limits", "--files", "10000").code == 2
    finally:
        engine.close()
    assert limits()["rate"] == "mon-fri 08-18 20mbit"
    assert b"(Europe/Berlin)" in tuiback("--home", home, "limits").out
    assert limits("--rate", "off")["rate"] == "off"
    assert tuiback("--home", home, "limits", "--rate", "fast").code == 2


def test_metrics_of_a_home_at_rest(tuiback: Tuiback, seeded: Path, tmp_path: Path) -> None:
    """Printed, or written whole where the exporter may read it."""
    out = tuiback("--home", seeded, "metrics").out
    assert b"tuiback_engine_up 0.0\n" in out
    assert b'tuiback_task_owed_items{service="exchange",task="mail",tenant="acme"} 1.0\n' in out
    target = tmp_path / "tuiback.prom"
    ended = tuiback("--home", seeded, "metrics", "--textfile", target)
    assert (ended.code, ended.out) == (0, b"")
    assert b"tuiback_task_owed_items" in target.read_bytes()
    assert [path.name for path in tmp_path.iterdir() if "prom" in path.name] == ["tuiback.prom"]
    assert tuiback("--home", seeded, "metrics", "--textfile", tmp_path / "no" / "x.prom").code == 7


def line(number: int, level: str = "info", text: str = "hello") -> ActivityLine:
    """Something happened."""
    return ActivityLine(number, at(number), level, "mail", text)


@pytest.fixture
def log(home: Path) -> LogFile:
    """A log that is turned over after a few lines."""
    return LogFile(home, most_bytes=1500)


def test_the_newest_lines(tuiback: Tuiback, home: Path, log: LogFile) -> None:
    """Over both files, filtered by level; control characters do nothing to the terminal."""
    for number in range(12):
        log(line(number, "warn" if number % 3 == 0 else "info", f"line {number} \x1b[2J [request r-{number}]"))
    rows = tuiback("--json", "--home", home, "logs", "-n", "4").rows
    assert [row["text"] for row in rows] == [f"line {number} \x1b[2J" for number in range(8, 12)]
    assert rows[-1]["request_id"] == "r-11"
    warned = tuiback("--home", home, "logs", "--level", "warn", "-n", "2")
    assert [words.split()[-1] for words in warned.out.decode().splitlines()] == ["r-6]", "r-9]"]
    assert b"\x1b" not in warned.out


def test_a_log_that_is_followed_over_its_turning(home: Path, log: LogFile) -> None:
    """Every line comes once; one that a power cut tore is left out."""
    tail = Tail(log_path(home))
    seen: list[str] = []
    for number in range(40):
        log(line(number, text=f"line {number}"))
        seen += [each.text for each in tail.new()]
    assert seen == [f"line {number}" for number in range(40)]
    with log_path(home).open("ab") as file:
        file.write(b'{"torn')
    assert tail.new() == []
    assert json.loads(log_path(home).with_name("engine.jsonl.1").read_text().splitlines()[0])["subject"] == "mail"
