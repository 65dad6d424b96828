"""What a command took, and commands that fail."""

import resource
import sys
from pathlib import Path

import pytest

from tuiback.cli.benching.measuring import Command, measure, read_through
from tuiback.errors import EnvironmentFault


def python(code: str, folder: Path) -> Command:
    """A command that runs this code."""
    return Command([sys.executable, "-c", code], folder, {"GIVEN": "value"})


def test_time_processor_and_memory_are_the_commands_own(tmp_path: Path) -> None:
    """The processor time covers what the command started in its turn; memory is its peak."""
    inner = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'sum(range(10_000_000))'])"
    working = measure(python(inner, tmp_path), log=tmp_path / "log")
    idle = measure(python("pass", tmp_path), log=tmp_path / "log", sync=True)
    assert working.cpu_seconds > idle.cpu_seconds > 0
    assert idle.seconds > 0
    # Linux counts a child's peak from its parent's on, so the child must need more than this process ever did.
    wanted = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 + 100_000_000
    filled = measure(python(f"b'x' * {wanted}", tmp_path), log=tmp_path / "log")
    assert filled.rss_bytes > wanted > idle.rss_bytes


def test_the_environment_is_added_to(tmp_path: Path) -> None:
    """A command sees the variables it was given, and runs in its folder."""
    measure(python("import os; open('told', 'w').write(os.environ['GIVEN'])", tmp_path), log=tmp_path / "log")
    assert (tmp_path / "told").read_text() == "value"


def test_a_failure_tells_the_last_line(tmp_path: Path) -> None:
    """The code and what the command said last become the error."""
    with pytest.raises(EnvironmentFault, match="ended with 3: no such repository"):
        measure(python("print('hello'); print('no such repository'); exit(3)", tmp_path), log=tmp_path / "log")


def test_all_is_read(tmp_path: Path) -> None:
    """Every file below the folder is read to its end."""
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "a").write_bytes(bytes(3_000_000))
    (tmp_path / "b").write_bytes(b"12345")
    assert read_through(tmp_path) == 3_000_005
