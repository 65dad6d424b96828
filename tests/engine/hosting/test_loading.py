"""An engine that only backs up loads nothing of what restores, exports, prunes and checks."""

import subprocess
import sys

LOADED = """
import sys
import tuiback.engine.hosting.host
print(*sorted(name for name in sys.modules if name.startswith("tuiback.")))
"""
ON_DEMAND = {
    "tuiback.engine.restores.export", "tuiback.engine.restores.restore", "tuiback.engine.upkeep.checking",
    "tuiback.engine.upkeep.pruning", "tuiback.store.check", "tuiback.store.repack",
}  # fmt: skip


def test_what_carries_jobs_out_loads_with_the_first_of_them() -> None:
    """Most engines never start any of them, and need not wait for their modules."""
    run = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True)
    loaded = set(run.stdout.split())
    assert "tuiback.engine.restores.jobs" in loaded
    assert not ON_DEMAND & loaded
