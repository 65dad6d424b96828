"""kill -9 in the middle of the first run."""

import shutil
import signal
import time
from pathlib import Path

import pytest

from tests.acceptance.comparing import compare_exports, content_requests
from tests.acceptance.plain import Plain
from tests.acceptance.program import Installation, simulated
from tuiback.catalog import same_content


@pytest.mark.parametrize("share", [0.15, 0.45, 0.8])
def test_kill_in_the_first_run_loses_nothing(tmp_path: Path, mail: Path, files: Path, share: float) -> None:
    """Killed in mid-run, the next run finishes; check is clean; the rebuilt catalog equals the old one."""
    with simulated("--mail", str(mail), "--files", str(files), "--users", "3", "--latency", "20") as tenant:
        installed = Installation(tmp_path / "nas")
        installed.set_up(tenant)
        plain = Plain(tenant)
        given = sum(p.is_file() for p in (*mail.rglob("*"), *files.rglob("*")))
        run = installed.start("run", "--all")
        deadline = time.monotonic() + 60
        while content_requests(plain) < given * share:
            assert run.poll() is None, "the run ended before it could be killed"
            assert time.monotonic() < deadline
            time.sleep(0.01)
        run.send_signal(signal.SIGKILL)
        run.communicate()
        runs = installed.ask("run", "--all")["runs"]
        assert [r["outcome"] for r in runs] == ["ok", "ok"]
        assert installed.ask("check", "--read-data")["ok"]
        assert compare_exports(installed, plain) == given
        catalog = next(installed.home.rglob("catalog.db"))
        kept = tmp_path / "kept.db"
        shutil.copy(catalog, kept)
        installed.ask("rebuild-catalog")
        assert same_content(kept, catalog) == []
