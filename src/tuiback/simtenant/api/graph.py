"""Answers below /v1.0: finds the route, checks the token and its roles, calls the handler."""

from collections.abc import Callable

from tuiback.simtenant.api import (
    applications,
    attachments,
    drive_writes,
    drives,
    groups,
    item_permissions,
    item_versions,
    mail_folders,
    message_writes,
    messages,
    organization,
    reports,
    users,
)
from tuiback.simtenant.api.call import Call, Fault, Reply
from tuiback.simtenant.api.cloud import Cloud
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
        *drives.ROUTES,
        *drive_writes.ROUTES,
        *item_versions.ROUTES,
        *item_permissions.ROUTES,
    ]
)
_UNKNOWN_OPTIONS = frozenset({"$filter", "$search", "$apply", "changeType"})
_VERSION = "/v1.0"


def resolve_graph(cloud: Cloud, call: Call) -> tuple[str, Callable[[], Reply]]:
    """The template of the URL and what answers it. Raises Fault 400, 404 and 405."""
    if not call.path.startswith(_VERSION + "/"):
        raise Fault(404, "BadRequest", "Invalid version.")
    route = _find(call)

    def answer() -> Reply:
        _check_options(route, call)
        call.app_id, roles = cloud.signin.who(call.headers.get("authorization", ""))
        if route.permission.roles and not route.permission.roles & roles:
            raise Fault(403, route.permission.code, route.permission.message)
        return route.handler(cloud, call)

    return route.template, answer


def _check_options(route: Route, call: Call) -> None:
    """Refuse what would otherwise be ignored in silence. Raises Fault 501."""
    for name in _UNKNOWN_OPTIONS & call.query.keys():
        if name != "$filter" or not route.filtered:
            raise Fault(501, "NotImplemented", f"The simulated tenant takes no {name} here.")


def _find(call: Call) -> Route:
    try:
        routes, call.where = _ROUTER.find(call.path.removeprefix(_VERSION))
    except UnknownSegment as unknown:
        text = f"Resource not found for the segment '{unknown}'."
        raise Fault(400, "BadRequest", text) from unknown
    if not routes:
        raise Fault(400, "BadRequest", f"Resource not found for the segment '{call.path.rpartition('/')[2]}'.")
    route = routes.get(call.method)
    if route is None:
        raise Fault(405, "Request_BadRequest", "Specified HTTP method is not allowed for the request target.")
    return route
