"""A short run of what long_kills does for hours."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.timeout(200)
def test_processes_that_die_anywhere_lose_nothing() -> None:
    """Some twenty kills of real processes, some of them in repairs; the script ends with an error at the first loss."""
    command = [sys.executable, "-m", "tests.engine.long_kills", "--kills", "20", "--seed", "7", "--damage-from", "4"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=190)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert re.search(r"^2[0-9] kills, [0-9]+ proofs, 0 losses", ended.stdout, re.MULTILINE)
