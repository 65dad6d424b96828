"""Answers for Planner: the plans of groups, their buckets and tasks, read and written.

https://learn.microsoft.com/graph/api/resources/planner-overview: whoever changes or deletes must say which version.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from tuiback.simtenant.api.call import Call, Fault, Reply, json_reply, no_content
from tuiback.simtenant.api.cloud import Cloud
from tuiback.simtenant.api.directory_lists import narrowed
from tuiback.simtenant.api.groups import group_of
from tuiback.simtenant.api.odata import collection, context_url, page, page_size, selected
from tuiback.simtenant.api.permissions import READ_PLANS, WRITE_PLANS
from tuiback.simtenant.api.planner_json import (
    bucket_json,
    check_task,
    plan_details_json,
    plan_json,
    task_details_json,
    task_json,
    with_changes,
)
from tuiback.simtenant.api.router import Route
from tuiback.simtenant.api.user_lookup import account_of
from tuiback.simtenant.state.planner import PlannerBucket, PlannerPlan, PlannerTask

T = TypeVar("T")
_PAGE = 400
_MISSING = "The requested item is not found."


def _plan_at(cloud: Cloud, mark: str) -> PlannerPlan:
    return _only([each for each in cloud.tenant.planner.all() if each.mark == mark])


def _bucket_at(cloud: Cloud, mark: str) -> tuple[PlannerPlan, PlannerBucket]:
    return _only([(each, each.buckets[mark]) for each in cloud.tenant.planner.all() if mark in each.buckets])


def _task_at(cloud: Cloud, mark: str) -> tuple[PlannerPlan, PlannerTask]:
    return _only([(each, each.tasks[mark]) for each in cloud.tenant.planner.all() if mark in each.tasks])


def _only(found: list[T]) -> T:
    """Raises Fault 404."""
    if not found:
        raise Fault(404, "", _MISSING)
    return found[0]


def _check_tag(call: Call, document: dict[str, Any]) -> None:
    """Raises Fault 400 and 412."""
    given = call.headers.get("if-match")
    if not given:
        raise Fault(400, "", "The If-Match header must be specified for this type of request.")
    if given not in ("*", document["@odata.etag"]):
        raise Fault(412, "", "The If-Match header does not match the current etag of the requested item.")


def _list_of_group(cloud: Cloud, call: Call) -> Reply:
    group = group_of(cloud, call)
    plans = cloud.tenant.planner.of_group(group).values() if group.is_unified else ()
    return _listed(call, "planner/plans", [plan_json(cloud, each) for each in plans])


def _list_of_person(cloud: Cloud, call: Call) -> Reply:
    """The plans of the groups that somebody is in."""
    member = ("user", account_of(cloud, call).index)
    plans = [each for each in cloud.tenant.planner.all() if member in each.group.members]
    return _listed(call, "planner/plans", [plan_json(cloud, each) for each in plans])


def _list_assigned(cloud: Cloud, call: Call) -> Reply:
    mark = account_of(cloud, call).person.object_id
    plans = cloud.tenant.planner.all()
    held = [(plan, each) for plan in plans for each in plan.tasks.values() if mark in each.told.get("assignments", {})]
    return _listed(call, "planner/tasks", [task_json(cloud, *each) for each in held])


def _list_buckets(cloud: Cloud, call: Call) -> Reply:
    plan = _plan_at(cloud, call.where["plan"])
    return _listed(call, "planner/buckets", [bucket_json(plan, each) for each in plan.buckets.values()])


def _list_tasks(cloud: Cloud, call: Call) -> Reply:
    """Those of a plan, or of one of its buckets."""
    if "bucket" in call.where:
        plan, bucket = _bucket_at(cloud, call.where["bucket"])
        tasks = [each for each in plan.tasks.values() if each.bucket == bucket.mark]
    else:
        plan = _plan_at(cloud, call.where["plan"])
        tasks = list(plan.tasks.values())
    return _listed(call, "planner/tasks", [task_json(cloud, plan, each) for each in tasks])


def _plan(cloud: Cloud, call: Call) -> dict[str, Any]:
    return plan_json(cloud, _plan_at(cloud, call.where["plan"]))


def _plan_details(cloud: Cloud, call: Call) -> dict[str, Any]:
    return plan_details_json(_plan_at(cloud, call.where["plan"]))


def _bucket(cloud: Cloud, call: Call) -> dict[str, Any]:
    return bucket_json(*_bucket_at(cloud, call.where["bucket"]))


def _task(cloud: Cloud, call: Call) -> dict[str, Any]:
    return task_json(cloud, *_task_at(cloud, call.where["task"]))


def _task_details(cloud: Cloud, call: Call) -> dict[str, Any]:
    return task_details_json(_task_at(cloud, call.where["task"])[1])


def _get(show: Callable[[Cloud, Call], dict[str, Any]], context: str) -> Callable[[Cloud, Call], Reply]:
    def answer(cloud: Cloud, call: Call) -> Reply:
        return _shown(call, context, show(cloud, call))

    return answer


def _create_plan(cloud: Cloud, call: Call) -> Reply:
    """In a group that the container or, as before 2022, the owner names."""
    given = call.json()
    container = given.get("container") or {}
    mark = container.get("containerId") or str(container.get("url", "")).rpartition("/")[2] or given.get("owner")
    group = cloud.tenant.groups.find(str(mark))
    if group is None or not group.is_unified:
        raise Fault(403, "", "You do not have the required permissions to access this item, or the item may not exist.")
    author = (cloud.tenant.groups.owners(group) or [0])[0]
    made = cloud.tenant.planner.add_plan(group, _text(given, "title"), cloud.clock.now(), author)
    return _shown(call, "planner/plans", plan_json(cloud, made), 201)


def _create_bucket(cloud: Cloud, call: Call) -> Reply:
    given = call.json()
    plan = _plan_at(cloud, str(given.get("planId")))
    made = cloud.tenant.planner.add_bucket(plan, _text(given, "name"))
    return _shown(call, "planner/buckets", bucket_json(plan, made), 201)


def _create_task(cloud: Cloud, call: Call) -> Reply:
    given = call.json()
    plan = _plan_at(cloud, str(given.get("planId")))
    bucket = str(given.get("bucketId") or next(iter(plan.buckets), ""))
    check_task(plan, given | {"bucketId": bucket})
    made = cloud.tenant.planner.add_task(plan, bucket, _text(given, "title"), cloud.clock.now(), plan.author)
    with_changes(made, given, cloud.clock.now())
    made.version = 1
    return _shown(call, "planner/tasks", task_json(cloud, plan, made), 201)


def _change_plan(cloud: Cloud, call: Call) -> Reply:
    plan = _plan_at(cloud, call.where["plan"])
    _check_tag(call, plan_json(cloud, plan))
    plan.title, plan.version = _text(call.json(), "title"), plan.version + 1
    return _changed(cloud, call, _plan, "planner/plans")


def _change_plan_details(cloud: Cloud, call: Call) -> Reply:
    plan = _plan_at(cloud, call.where["plan"])
    _check_tag(call, plan_details_json(plan))
    for name in ("sharedWith", "categoryDescriptions"):
        plan.details[name] = plan.details.get(name, {}) | (call.json().get(name) or {})
    plan.details_version += 1
    return _changed(cloud, call, _plan_details, "planner/plans/details")


def _change_bucket(cloud: Cloud, call: Call) -> Reply:
    plan, bucket = _bucket_at(cloud, call.where["bucket"])
    _check_tag(call, bucket_json(plan, bucket))
    bucket.name, bucket.version = str(call.json().get("name", bucket.name)), bucket.version + 1
    return _changed(cloud, call, _bucket, "planner/buckets")


def _change_task(cloud: Cloud, call: Call) -> Reply:
    plan, task = _task_at(cloud, call.where["task"])
    _check_tag(call, task_json(cloud, plan, task))
    check_task(plan, call.json())
    with_changes(task, call.json(), cloud.clock.now())
    return _changed(cloud, call, _task, "planner/tasks")


def _change_task_details(cloud: Cloud, call: Call) -> Reply:
    _, task = _task_at(cloud, call.where["task"])
    _check_tag(call, task_details_json(task))
    for name, value in call.json().items():
        if name in ("checklist", "references"):
            merged = task.details.get(name, {}) | value
            task.details[name] = {mark: each for mark, each in merged.items() if each is not None}
        elif name in ("description", "previewType"):
            task.details[name] = value
    task.details_version += 1
    return _changed(cloud, call, _task_details, "planner/tasks/details")


def _delete_plan(cloud: Cloud, call: Call) -> Reply:
    plan = _plan_at(cloud, call.where["plan"])
    _check_tag(call, plan_json(cloud, plan))
    del cloud.tenant.planner.of_group(plan.group)[plan.mark]
    return no_content()


def _delete_bucket(cloud: Cloud, call: Call) -> Reply:
    """Its tasks go too."""
    plan, bucket = _bucket_at(cloud, call.where["bucket"])
    _check_tag(call, bucket_json(plan, bucket))
    del plan.buckets[bucket.mark]
    plan.tasks = {mark: each for mark, each in plan.tasks.items() if each.bucket != bucket.mark}
    return no_content()


def _delete_task(cloud: Cloud, call: Call) -> Reply:
    plan, task = _task_at(cloud, call.where["task"])
    _check_tag(call, task_json(cloud, plan, task))
    del plan.tasks[task.mark]
    return no_content()


def _text(given: dict[str, Any], name: str) -> str:
    """Raises Fault 400."""
    found = given.get(name)
    if not isinstance(found, str) or not found:
        raise Fault(400, "", f"The request is invalid: The '{name}' property must be specified.")
    return found


def _listed(call: Call, context: str, rows: list[dict[str, Any]]) -> Reply:
    shown, next_link = page(rows, call, page_size(call, _PAGE, _PAGE))
    return json_reply(collection(context, [narrowed(each, selected(call)) for each in shown], next_link, call))


def _shown(call: Call, context: str, document: dict[str, Any], status: int = 200) -> Reply:
    heading = {"@odata.context": context_url(call, f"{context}/$entity")}
    return json_reply(heading | narrowed(document, selected(call)), status)


def _changed(cloud: Cloud, call: Call, show: Callable[[Cloud, Call], dict[str, Any]], context: str) -> Reply:
    """204, or 200 with what it is now for who prefers that."""
    if call.preferences.get("return") == "representation":
        return _shown(call, context, show(cloud, call))
    return no_content()


_PLAN, _BUCKET, _TASK = "/planner/plans/{plan}", "/planner/buckets/{bucket}", "/planner/tasks/{task}"
ROUTES = (
    Route("GET", "/groups/{group}/planner/plans", _list_of_group, READ_PLANS),
    Route("GET", "/users/{user}/planner/plans", _list_of_person, READ_PLANS),
    Route("GET", "/users/{user}/planner/tasks", _list_assigned, READ_PLANS),
    Route("POST", "/planner/plans", _create_plan, WRITE_PLANS),
    Route("GET", _PLAN, _get(_plan, "planner/plans"), READ_PLANS),
    Route("PATCH", _PLAN, _change_plan, WRITE_PLANS),
    Route("DELETE", _PLAN, _delete_plan, WRITE_PLANS),
    Route("GET", _PLAN + "/details", _get(_plan_details, "planner/plans/details"), READ_PLANS),
    Route("PATCH", _PLAN + "/details", _change_plan_details, WRITE_PLANS),
    Route("GET", _PLAN + "/buckets", _list_buckets, READ_PLANS),
    Route("GET", _PLAN + "/tasks", _list_tasks, READ_PLANS),
    Route("POST", "/planner/buckets", _create_bucket, WRITE_PLANS),
    Route("GET", _BUCKET, _get(_bucket, "planner/buckets"), READ_PLANS),
    Route("PATCH", _BUCKET, _change_bucket, WRITE_PLANS),
    Route("DELETE", _BUCKET, _delete_bucket, WRITE_PLANS),
    Route("GET", _BUCKET + "/tasks", _list_tasks, READ_PLANS),
    Route("POST", "/planner/tasks", _create_task, WRITE_PLANS),
    Route("GET", _TASK, _get(_task, "planner/tasks"), READ_PLANS),
    Route("PATCH", _TASK, _change_task, WRITE_PLANS),
    Route("DELETE", _TASK, _delete_task, WRITE_PLANS),
    Route("GET", _TASK + "/details", _get(_task_details, "planner/tasks/details"), READ_PLANS),
    Route("PATCH", _TASK + "/details", _change_task_details, WRITE_PLANS),
)
