"""A short run of what long_kills does for hours."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def killed(*options: str) -> str:
    """What the script says that was told to kill so; it ends with an error at the first loss."""
    command = [sys.executable, "-m", "tests.engine.long_kills", *options]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=190)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


@pytest.mark.timeout(200)
def test_processes_that_die_anywhere_lose_nothing() -> None:
    """Some twenty kills of real processes, some of them in repairs."""
    said = killed("--kills", "20", "--seed", "7", "--damage-from", "4")
    assert re.search(r"^2[0-9] kills, [0-9]+ proofs, 0 losses", said, re.MULTILINE)


@pytest.mark.timeout(200)
def test_processes_beside_that_die_lose_nothing() -> None:
    """A few more of processes that have one beside them, which is killed with them or alone and never left behind."""
    said = killed("--lane", "--kills", "5", "--seed", "5")
    assert re.search(r"^[5-9] kills, [0-9]+ proofs, 0 losses", said, re.MULTILINE)
    assert re.search(r"^ +[1-9][0-9]* orders to processes beside", said, re.MULTILINE)
