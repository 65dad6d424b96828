"""Microsoft's own SDK for Python takes the simulated tenant for Microsoft 365."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.acceptance.program import simulated

CHECKER = Path(__file__).resolve().parents[3] / "shared" / "tools" / "graphcheck.py"
SCRIPT = Path(__file__).with_name("official_sdk.py")
# The SDK takes 400 MB, so it may live in an environment of its own: this names that environment's Python.
VARIABLE = "TUIBACK_SDK_PYTHON"


def sdk_python() -> str:
    """An interpreter that has the SDK."""
    if importlib.util.find_spec("msgraph"):
        return sys.executable
    if VARIABLE not in os.environ:
        pytest.skip(f"needs msgraph-sdk: install it into an environment and name its Python in {VARIABLE}")
    return os.environ[VARIABLE]


def test_the_official_sdk_walks_the_tenant(tmp_path: Path) -> None:
    """Users, folders, mail by delta, drive delta, content, a batch, an upload of 12 MiB, errors, contacts and tasks."""
    python = sdk_python()
    capture = tmp_path / "capture.jsonl"
    with simulated("--capture", str(capture)) as ends:
        (tmp_path / "ends.json").write_text(json.dumps(ends))
        run = subprocess.run([python, SCRIPT, tmp_path / "ends.json"], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    found = json.loads(run.stdout)
    assert found["users"] == 5
    assert found["mail"]["messages"] == found["mail"]["stated"] > 0
    assert found["drive"]["items"] > 60
    assert (found["drive"]["read"], found["uploaded"]) == (3, True)
    assert found["batch"] == [200, 200, 200, 404]
    assert found["error"] == [404, "Request_ResourceNotFound"]
    assert found["folder"] == "From the SDK"
    assert found["outlook"] == {"contacts": 24, "tasks": 20, "made": "From the SDK", "sent": ["Sent by the SDK"]}
    if CHECKER.exists():
        command = [sys.executable, str(CHECKER), str(capture), "--quiet"]
        checked = subprocess.run(command, capture_output=True, text=True, check=False)
        assert checked.returncode == 0, checked.stdout
