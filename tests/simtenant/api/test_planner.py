"""The plans of groups: what they hold, how they change, and for whom."""

import pytest

from tests.simtenant.caller import Caller, code_of


@pytest.fixture
def group(caller: Caller) -> str:
    """The id of a Microsoft 365 group."""
    return str(next(each for each in caller.walk("/groups")[0] if each["groupTypes"])["id"])


def test_a_group_has_a_plan_of_buckets_of_tasks(caller: Caller, group: str) -> None:
    """The tasks of the buckets are together those of the plan; each tells its details apart."""
    (plan,) = caller.walk(f"/groups/{group}/planner/plans")[0]
    assert (plan["container"]["containerId"], len(plan["id"])) == (group, 28)
    one = f"/planner/plans/{plan['id']}"
    assert caller.get(one)["title"] == plan["title"]
    assert caller.get(f"{one}/details")["categoryDescriptions"]["category25"] is None
    tasks = caller.walk(f"{one}/tasks")[0]
    buckets = caller.walk(f"{one}/buckets")[0]
    below = [each["id"] for bucket in buckets for each in caller.walk(f"/planner/buckets/{bucket['id']}/tasks")[0]]
    assert sorted(below) == sorted(each["id"] for each in tasks)
    assert all((each["percentComplete"] == 100) == bool(each["completedDateTime"]) for each in tasks)
    described = next(each for each in tasks if each["hasDescription"])
    assert caller.get(f"/planner/tasks/{described['id']}/details")["description"] == described["title"]


def test_a_plan_is_made_anew(caller: Caller, group: str, user: str) -> None:
    """As a restore does it: plan, bucket, task, then the details, each against the version that was read."""
    url = f"https://graph.microsoft.com/v1.0/groups/{group}"
    plan = caller.post("/planner/plans", {"container": {"url": url}, "title": "Again"})["id"]
    bucket = caller.post("/planner/buckets", {"planId": plan, "name": "One", "orderHint": " !"})["id"]
    given = {"planId": plan, "bucketId": bucket, "title": "Do", "assignments": {user: {"orderHint": " !"}}}
    task = caller.post("/planner/tasks", given)
    assert [each["id"] for each in caller.walk(f"/users/{user}/planner/tasks")[0]] == [task["id"]]
    one = f"/planner/tasks/{task['id']}"
    assert caller.send("PATCH", one, json={"percentComplete": 100}).status_code == 400
    tag = {"If-Match": task["@odata.etag"]}
    done = {"percentComplete": 100, "assignments": {user: None}}
    assert caller.send("PATCH", one, json=done, headers=tag).status_code == 204
    assert caller.send("PATCH", one, json={"title": "x"}, headers=tag).status_code == 412
    assert (caller.get(one)["completedDateTime"] is not None, caller.get(one)["assignments"]) == (True, {})
    item = {"@odata.type": "microsoft.graph.plannerChecklistItem", "title": "step", "isChecked": False}
    told = {"If-Match": caller.get(f"{one}/details")["@odata.etag"], "Prefer": "return=representation"}
    more = caller.send("PATCH", f"{one}/details", json={"description": "how", "checklist": {"a1": item}}, headers=told)
    assert (more.status_code, more.json()["checklist"]["a1"]["title"]) == (200, "step")
    assert caller.get(one)["activeChecklistItemCount"] == 1
    held = f"/planner/buckets/{bucket}"
    gone = caller.send("DELETE", held, headers={"If-Match": caller.get(held)["@odata.etag"]})
    assert (gone.status_code, caller.send("GET", one).status_code) == (204, 404)
    assert caller.send("DELETE", f"/planner/plans/{plan}", headers={"If-Match": "*"}).status_code == 204


def test_plans_need_a_permission(caller: Caller, group: str) -> None:
    """Tasks.Read.All reads and does not write."""
    other = caller.control("/applications", {"secret": "s", "roles": ["Tasks.Read.All"]})["client_id"]
    caller.sign_in(other, "s")
    plan = caller.walk(f"/groups/{group}/planner/plans")[0][0]["id"]
    assert caller.send("POST", "/planner/buckets", json={"planId": plan, "name": "x"}).status_code == 403
    none = caller.control("/applications", {"secret": "s", "roles": ["User.Read.All"]})["client_id"]
    caller.sign_in(none, "s")
    refused = caller.send("GET", f"/planner/plans/{plan}")
    assert (refused.status_code, code_of(refused)) == (403, "")
