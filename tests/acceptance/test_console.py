"""The console in a real terminal, over a demo that really runs."""

import re
import time
from collections import defaultdict
from pathlib import Path

import pytest

from tests.acceptance.program import PROGRAM
from tests.acceptance.terminal import Line, Terminal, terminal

DEMO = [*PROGRAM, "demo", "--users", "4", "--messages", "150", "--files-per-user", "60"]
# What is drawn as a gauge: a name, and what stands in its brackets.
GAUGE = re.compile(r"(CPU\d*|RAM|Disk|Acct|File|Thr|EXO|OD|SPO) *\[([^\]]*)\]")


def gauges(screen: list[str]) -> dict[str, str]:
    """Every gauge of the header by its row and place."""
    return {f"{row}:{m.group(1)}": m.group(2) for row, text in enumerate(screen[:5]) for m in GAUGE.finditer(text)}


def leave(window: Terminal) -> None:
    """Quit with F10 and choose to stop the engine that this terminal hosts."""
    window.press("F10")
    window.until(lambda text: "Stop the engine" in text)
    window.press("Left", "Enter")
    deadline = time.monotonic() + 30
    while not window.gone():
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.mark.parametrize("shown", [b"F10", b"RUN"])
def test_hang_up_ends_cleanly(tmp_path: Path, shown: bytes) -> None:
    """When the connection is gone, at the first frame or in mid-backup, the demo ends and leaves nothing behind."""
    line = Line(DEMO, {"TERM": "xterm-256color", "TMPDIR": str(tmp_path)})
    line.read_until(shown)
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith("tuiback-demo-")]
    line.hang_up()
    assert line.wait() in {0, 143}
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("width", "height"), [(80, 24), (140, 40)])
def test_demo_comes_alive(tmp_path: Path, width: int, height: int) -> None:
    """Tasks run, at least three gauges keep changing, no line is longer than the screen, nothing is a traceback."""
    with terminal(tmp_path, DEMO, width, height) as window:
        window.until(lambda text: len(re.findall(r"\bRUN\b", text)) >= 2)
        changes: defaultdict[str, int] = defaultdict(int)
        before: dict[str, str] = {}
        deadline = time.monotonic() + 30
        while sum(n >= 3 for n in changes.values()) < 3:
            assert time.monotonic() < deadline, dict(changes)
            screen = window.screen()
            assert all(len(line) <= width for line in screen)
            assert "Traceback" not in "\n".join(screen)
            now = gauges(screen)
            for name, value in now.items():
                changes[name] += name in before and before[name] != value
            before = now
            time.sleep(1)
        window.until(lambda text: len(re.findall(r"\bIDLE\b", text)) >= 2, 90)
        window.press("F1")
        window.until(lambda text: "WHAT IT DOES" in text)
        window.press("Escape")
        window.until(lambda text: "WHAT IT DOES" not in text)
        window.press("3")
        window.until(lambda text: re.search(r"> ▸ (EXO|OD) ", text) is not None)
        window.press("Enter")
        window.until(lambda text: re.search(r"> ▾ (EXO|OD) .*\n.* ▸ ", text) is not None)
        window.press("1")
        window.until(lambda text: "ACTIVITY" in text)
        leave(window)
