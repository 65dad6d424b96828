"""Answers below /v1.0 and /beta: finds the route, checks the token and its roles, calls the handler."""

from collections.abc import Callable

from tuiback.simtenant.api import (
    applications,
    attachments,
    calendars,
    drive_writes,
    drives,
    exchange_ids,
    groups,
    item_copies,
    item_permissions,
    item_versions,
    lists,
    mail_folders,
    mailbox_folders,
    mailbox_imports,
    mailbox_items,
    message_writes,
    messages,
    notebooks,
    organization,
    posts,
    reports,
    sites,
    teams,
    users,
)
from tuiback.simtenant.api.call import VERSIONS, Call, Fault, Reply
from tuiback.simtenant.api.cloud import Cloud
from tuiback.simtenant.api.permissions import is_permitted
from tuiback.simtenant.api.router import Route, Router, UnknownSegment

_ROUTER = Router(
    [
        *users.ROUTES,
        *groups.ROUTES,
        *organization.ROUTES,
        *reports.ROUTES,
        *applications.ROUTES,
        *mail_folders.ROUTES,
        *messages.ROUTES,
        *message_writes.ROUTES,
        *attachments.ROUTES,
        *calendars.ROUTES,
        *mailbox_folders.ROUTES,
        *mailbox_items.ROUTES,
        *mailbox_imports.ROUTES,
        *exchange_ids.ROUTES,
        *drives.ROUTES,
        *drive_writes.ROUTES,
        *item_versions.ROUTES,
        *item_permissions.ROUTES,
        *item_copies.ROUTES,
        *notebooks.ROUTES,
        *sites.ROUTES,
        *lists.ROUTES,
        *teams.ROUTES,
        *posts.ROUTES,
    ]
)
_UNKNOWN_OPTIONS = frozenset({"$filter", "$search", "$apply", "changeType"})


def resolve_graph(cloud: Cloud, call: Call) -> tuple[str, Callable[[], Reply]]:
    """The template of the URL and what answers it. Raises Fault 400, 404 and 405."""
    if call.version not in VERSIONS or call.path[5:6] != "/":
        raise Fault(404, "BadRequest", "Invalid version.")
    route = _find(cloud, call)

    def answer() -> Reply:
        _check_options(route, call)
        bearer = cloud.signin.bearer(call.headers.get("authorization", ""))
        call.app_id = bearer.client_id
        if not is_permitted(route.permission, cloud, call, bearer):
            raise Fault(403, route.permission.code, route.permission.message)
        return route.handler(cloud, call)

    return route.template, answer


def _check_options(route: Route, call: Call) -> None:
    """Refuse what would otherwise be ignored in silence. Raises Fault 501."""
    for name in _UNKNOWN_OPTIONS & call.query.keys():
        if not (name == "$filter" and route.filtered) and not (name == "$search" and route.searched):
            raise Fault(501, "NotImplemented", f"The simulated tenant takes no {name} here.")


def _path(cloud: Cloud, call: Call) -> str:
    """The path behind the version; `/me` is who has signed in. Raises Fault 400 and 401."""
    path = call.path[5:]
    if path.partition("/me")[0] or path[3:4] not in ("", "/"):
        return path
    person_id = cloud.signin.bearer(call.headers.get("authorization", "")).person_id
    if not person_id:
        raise Fault(400, "BadRequest", "/me request is only valid with delegated authentication flow.")
    return f"/users/{person_id}{path[3:]}"


def _find(cloud: Cloud, call: Call) -> Route:
    try:
        routes, call.where = _ROUTER.find(_path(cloud, call))
    except UnknownSegment as unknown:
        text = f"Resource not found for the segment '{unknown}'."
        raise Fault(400, "BadRequest", text) from unknown
    if not routes:
        raise Fault(400, "BadRequest", f"Resource not found for the segment '{call.path.rpartition('/')[2]}'.")
    route = routes.get(call.method)
    if route is not None and route.in_beta and call.version != "/beta":
        raise Fault(400, "BadRequest", f"Resource not found for the segment '{call.path.rpartition('/')[2]}'.")
    if route is None:
        raise Fault(405, "Request_BadRequest", "Specified HTTP method is not allowed for the request target.")
    return route
