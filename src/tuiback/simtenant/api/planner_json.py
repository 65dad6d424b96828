"""Shows plans, buckets and tasks as Planner does, and takes what is said of tasks.

https://learn.microsoft.com/graph/api/resources/plannertask
"""

from base64 import b64encode
from datetime import datetime
from typing import Any

from tuiback.simtenant.api.call import Fault
from tuiback.simtenant.api.cloud import Cloud
from tuiback.simtenant.state.clock import stamp
from tuiback.simtenant.state.planner import PlannerBucket, PlannerPlan, PlannerTask

_USUAL: dict[str, Any] = {
    "orderHint": "8585", "assigneePriority": "", "percentComplete": 0, "startDateTime": None, "dueDateTime": None,
    "previewType": "automatic", "conversationThreadId": None, "priority": 5, "appliedCategories": {},
}  # fmt: skip
_DONE = 100
_CATEGORIES = 25


def _tag(kind: str, version: int) -> str:
    """An etag as Planner makes them: the version and the kind in base64."""
    return f'W/"{b64encode(f"{version}-{kind:<5} {version:@>16}".encode()).decode()}"'


def _who(cloud: Cloud, index: int) -> dict[str, Any]:
    return {"user": {"displayName": None, "id": cloud.tenant.directory.accounts[index].person.object_id}}


def plan_json(cloud: Cloud, plan: PlannerPlan) -> dict[str, Any]:
    """A plan."""
    owner = plan.group.object_id
    url = f"https://graph.microsoft.com/v1.0/groups/{owner}"
    return {
        "@odata.etag": _tag("Plan", plan.version),
        "id": plan.mark,
        "title": plan.title,
        "owner": owner,
        "createdDateTime": stamp(plan.created),
        "createdBy": _who(cloud, plan.author),
        "container": {"containerId": owner, "type": "group", "url": url},
    }


def plan_details_json(plan: PlannerPlan) -> dict[str, Any]:
    """Whom a plan is shared with and how its categories are called."""
    names = plan.details.get("categoryDescriptions", {})
    return {
        "@odata.etag": _tag("PlanDetails", plan.details_version),
        "id": plan.mark,
        "sharedWith": plan.details.get("sharedWith", {}),
        "categoryDescriptions": {f"category{n}": names.get(f"category{n}") for n in range(1, _CATEGORIES + 1)},
    }


def bucket_json(plan: PlannerPlan, bucket: PlannerBucket) -> dict[str, Any]:
    """A bucket."""
    tag = _tag("Bucket", bucket.version)
    return {"@odata.etag": tag, "id": bucket.mark, "name": bucket.name, "planId": plan.mark, "orderHint": "8585"}


def task_json(cloud: Cloud, plan: PlannerPlan, task: PlannerTask) -> dict[str, Any]:
    """A task without its details."""
    checklist = task.details.get("checklist", {}).values()
    return {
        "@odata.etag": _tag("Task", task.version),
        "id": task.mark,
        "planId": plan.mark,
        "bucketId": task.bucket,
        "title": task.title,
        "createdDateTime": stamp(task.created),
        "createdBy": _who(cloud, task.author),
        "completedDateTime": stamp(task.completed) if task.completed else None,
        "completedBy": _who(cloud, task.author) if task.completed else None,
        "hasDescription": bool(task.details.get("description")),
        "referenceCount": len(task.details.get("references", {})),
        "checklistItemCount": len(checklist),
        "activeChecklistItemCount": sum(not each.get("isChecked") for each in checklist),
        "assignments": task.told.get("assignments", {}),
    } | {name: task.told.get(name, usual) for name, usual in _USUAL.items()}


def task_details_json(task: PlannerTask) -> dict[str, Any]:
    """The description of a task, its checklist and what it refers to."""
    usual: dict[str, Any] = {"description": "", "previewType": "automatic", "references": {}, "checklist": {}}
    return {"@odata.etag": _tag("TaskDetails", task.details_version), "id": task.mark} | usual | task.details


def check_task(plan: PlannerPlan, given: dict[str, Any]) -> None:
    """Refuse what can't be said of a task. Raises Fault 400."""
    if "bucketId" in given and given["bucketId"] not in plan.buckets:
        raise Fault(400, "", "The request is invalid: The bucket is not in the plan.")
    percent, priority = given.get("percentComplete", 0), given.get("priority", 0)
    if not isinstance(percent, int) or not 0 <= percent <= _DONE:
        raise Fault(400, "", "The request is invalid: PercentComplete must be between 0 and 100.")
    if not isinstance(priority, int) or not 0 <= priority <= 10:
        raise Fault(400, "", "The request is invalid: Priority must be between 0 and 10.")
    if not isinstance(given.get("assignments", {}), dict):
        raise Fault(400, "", "The request is invalid: Assignments must be an object.")


def with_changes(task: PlannerTask, given: dict[str, Any], now: datetime) -> None:
    """Take what is said of a task; an assignment that is null ends."""
    for name in _USUAL.keys() & given.keys():
        task.told[name] = given[name]
    task.title, task.bucket = str(given.get("title", task.title)), str(given.get("bucketId", task.bucket))
    assigned = dict(task.told.get("assignments", {}))
    for mark, each in given.get("assignments", {}).items():
        if each is None:
            assigned.pop(mark, None)
        else:
            kind = {"@odata.type": "#microsoft.graph.plannerAssignment", "assignedDateTime": stamp(now)}
            assigned[mark] = kind | {"orderHint": each.get("orderHint", "8585")}
    task.told["assignments"] = assigned
    is_done = task.told.get("percentComplete") == _DONE
    task.completed = (task.completed or now) if is_done else None
    task.version += 1
