"""Exchanges with the tenant agree with Microsoft's own entity model and URL templates."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.simtenant.caller import IMMUTABLE, Caller

CHECKER = Path(__file__).resolve().parents[3] / "shared" / "tools" / "graphcheck.py"


def exercise(caller: Caller) -> None:
    """Call everything once that gives or takes JSON."""
    user = caller.users()[0]
    caller.get("/organization")
    caller.get(f"/users/{user}/mailboxSettings")
    caller.walk(f"/users/{user}/mailFolders?includeHiddenFolders=true")
    caller.walk(f"/users/{user}/mailFolders/delta")
    folder = caller.post(f"/users/{user}/mailFolders", {"displayName": "Checked"})["id"]
    link = caller.walk(f"/users/{user}/mailFolders/{folder}/messages/delta?$select=subject", headers=IMMUTABLE)[1]
    for each in list(caller.messages(user))[::5]:
        caller.get(f"/users/{user}/messages/{each['id']}?$expand=attachments")
    made = caller.post(f"/users/{user}/mailFolders/{folder}/messages", {"subject": "x"}, headers=IMMUTABLE)["id"]
    caller.post(f"/users/{user}/messages/{made}/attachments/createUploadSession",
                {"AttachmentItem": {"attachmentType": "file", "name": "x", "size": 9}})  # fmt: skip
    caller.post(f"/users/{user}/messages/{made}/move", {"destinationId": "archive"})
    caller.walk(link, headers=IMMUTABLE)
    drive = "/drives/" + caller.get(f"/users/{user}/drive")["id"]
    items, link = caller.walk(drive + "/root/delta?$top=9")
    file = next(each["id"] for each in items if "file" in each)
    caller.get(f"{drive}/items/{file}")
    caller.walk(f"{drive}/items/{items[0]['id']}/children")
    caller.post(f"{drive}/items/{items[0]['id']}/children", {"name": "New", "folder": {}})
    caller.post(f"{drive}/items/{items[0]['id']}:/a.bin:/createUploadSession", {"item": {}})
    caller.send("PUT", f"{drive}/items/{file}/content", content=b"x")
    caller.send("DELETE", f"{drive}/items/{file}")
    caller.walk(link)
    for path in (f"{drive}/items/{file}", "/users/nobody", f"/users/{user}/mailFolders/x"):
        assert caller.send("GET", path).status_code >= 400


def test_structure_is_microsofts(caller: Caller, tmp_path: Path) -> None:
    """Paths, query options, property names, types and envelopes pass the checker without a complaint."""
    if not CHECKER.exists():
        pytest.skip(f"needs {CHECKER.parent.name}/{CHECKER.name} beside the project")
    exercise(caller)
    capture = tmp_path / "capture.jsonl"
    capture.write_text("".join(json.dumps(each) + "\n" for each in caller.exchanges))
    checked = subprocess.run([sys.executable, CHECKER, capture, "--quiet"], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout
    assert len(caller.exchanges) > 40
