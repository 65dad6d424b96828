"""What groups work with, and OneNote, agree with Microsoft's own entity model and URL templates."""

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.simtenant.caller import Caller
from tests.simtenant.receiver import Receiver
from tests.simtenant.test_graphcheck import CHECKER, complaints


def exercise_groups(caller: Caller, group: str) -> None:
    """Call everything once about new groups and plans."""
    given = {"displayName": "New", "mailEnabled": True, "mailNickname": "new", "securityEnabled": False}
    user = caller.users()[0]
    bound = {"groupTypes": ["Unified"], "owners@odata.bind": [f"{caller.root}/users/{user}"]}
    made = caller.post("/groups", given | bound)["id"]
    caller.send("PUT", f"/groups/{made}/team", json={})
    caller.get(f"/groups/{made}/team")
    plan = caller.walk(f"/groups/{group}/planner/plans")[0][0]["id"]
    for path in ("", "/details", "/buckets", "/tasks"):
        caller.get(f"/planner/plans/{plan}{path}")
    task = caller.get(f"/planner/plans/{plan}/tasks")["value"][0]
    person = {user: {"@odata.type": "#microsoft.graph.plannerAssignment", "orderHint": " !"}}
    tag = {"If-Match": task["@odata.etag"], "Prefer": "return=representation"}
    caller.send("PATCH", f"/planner/tasks/{task['id']}", json={"assignments": person}, headers=tag)
    caller.get(f"/planner/tasks/{task['id']}/details")
    caller.get(f"/planner/buckets/{task['bucketId']}")
    caller.walk(f"/users/{user}/planner/tasks")
    caller.walk(f"/users/{user}/planner/plans")
    assert caller.send("GET", "/planner/tasks/nothing").status_code == 404


def exercise_notes(caller: Caller) -> None:
    """Call everything once about OneNote; changes on behalf of whom the caller acts."""
    mail = caller.get(f"/users/{caller.users()[0]}")["mail"]
    caller.sign_in_person(mail, "https://graph.microsoft.com/Notes.ReadWrite.All")
    notes = "/me/onenote"
    books = caller.walk(f"{notes}/notebooks?$expand=sections,sectionGroups($expand=sections)&$orderby=displayName")[0]
    caller.walk(f"{notes}/notebooks/{books[0]['id']}/sectionGroups")
    caller.walk(f"{notes}/sections?$filter=displayName eq 'Old'")
    for name in ("sections", "pages"):
        caller.get(f"{notes}/{name}/{caller.walk(f'{notes}/{name}?$top=3')[0][0]['id']}")
    caller.post(f"{notes}/notebooks", {"displayName": "Checked"})
    caller.send("GET", f"{notes}/pages/nothing")


def test_structure_is_microsofts(caller: Caller, receiver: Receiver, tmp_path: Path) -> None:
    """Paths, query options, property names, types and envelopes pass the checker without a complaint."""
    if not CHECKER.exists():
        pytest.skip(f"needs {CHECKER.parent.name}/{CHECKER.name} beside the project")
    group = next(each for each in caller.walk("/groups")[0] if each["groupTypes"])["id"]
    soon = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    wanted = {"changeType": "updated", "notificationUrl": receiver.url, "resource": "users", "expirationDateTime": soon}
    caller.get(f"/subscriptions/{caller.post('/subscriptions', wanted)['id']}")
    exercise_groups(caller, group)
    exercise_notes(caller)
    capture = tmp_path / "capture.jsonl"
    capture.write_text("".join(json.dumps(each) + "\n" for each in caller.exchanges))
    checked = subprocess.run([sys.executable, CHECKER, capture, "--quiet"], capture_output=True, text=True, check=False)
    assert complaints(checked.stdout) == []
