"""A disk that can't sync, as the kernel tells it to the real program: nothing half done is ever taken for durable."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.acceptance.comparing import compare_exports
from tests.acceptance.plain import Plain
from tests.acceptance.program import Installation, simulated

# A line begins with the thread, then comes the call with the file behind the descriptor's number.
_SYNC = re.compile(r"^\d+ +fsync\(\d+<([^>]*)>")


def require_strace(folder: Path) -> None:
    """Skip where there is no strace, or where it may not look."""
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    tried = subprocess.run(
        ["strace", "-o", str(folder / "tried"), "-e", "inject=fsync:error=EIO", "true"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if tried.returncode:
        pytest.skip(f"strace can't look here: {tried.stderr.strip()}")


def files_synced(log: Path) -> list[str]:
    """The temporary files of the repository whose sync was asked for, each as often as it was."""
    paths = [match[1] for match in map(_SYNC.match, log.read_text().splitlines()) if match]
    return [path for path in paths if "/repository/tmp/" in path]


# Which of each thread's syncs fail, of objects of the repository and of SQLite's files. One task is run, so that the
# exit code is that of the disk and not of two tasks of which one ended before.
FAULTS = (("fsync", "2+"), ("fdatasync", "1+"), ("fsync", "2"))


def test_failing_syncs(tmp_path: Path) -> None:
    """A run ends well or with the disk's exit code, no file is ever synced again, and a later run has everything."""
    require_strace(tmp_path)
    with simulated("--users", "1", "--messages", "12") as tenant:
        installed = Installation(tmp_path / "nas")
        installed.set_up(tenant)
        for call, when in FAULTS:
            log = tmp_path / f"{call} {when}"
            ended = installed.run_under(
                "strace", "-f", "-y", "-o", str(log), "-e", f"trace={call}",
                "-e", f"inject={call}:error=EIO:when={when}", arguments=("run", "exchange"),
            )  # fmt: skip
            assert "(INJECTED)" in log.read_text()
            assert ended.returncode in ((0, 7) if when == "2" else (7,)), ended.stderr
            files = files_synced(log)
            assert len(files) == len(set(files))
            assert installed.ask("check", "--read-data")["ok"]
        assert [run["outcome"] for run in installed.ask("run", "--all")["runs"]] == ["ok", "ok"]
        assert installed.ask("check", "--read-data")["ok"]
        assert compare_exports(installed, Plain(tenant)) > 10
