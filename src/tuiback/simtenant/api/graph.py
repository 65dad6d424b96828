"""Answers below /v1.0 and /beta: finds the route, checks the token and its roles, calls the handler."""

import re
from collections.abc import Callable

from tuiback.simtenant.api import (
    applications,
    attachments,
    calendar_changes,
    calendars,
    chat_migration,
    chats,
    check_outs,
    contacts,
    conversations,
    deleted_teams,
    drive_views,
    drive_writes,
    drives,
    event_files,
    event_responses,
    event_writes,
    exchange_ids,
    group_creation,
    group_members,
    groups,
    item_copies,
    item_permissions,
    item_versions,
    library_items,
    list_columns,
    list_items,
    lists,
    mail_folders,
    mailbox_folders,
    mailbox_imports,
    mailbox_items,
    mailbox_settings,
    message_delta,
    message_writes,
    messages,
    note_writes,
    notebooks,
    organization,
    pages,
    planner,
    posts,
    reports,
    search_query,
    sending,
    shares,
    shifts,
    site_permissions,
    sites,
    subscriptions,
    task_parts,
    tasks,
    team_apps,
    team_changes,
    team_tags,
    teams,
    term_store,
    user_relations,
    users,
)
from tuiback.simtenant.api.call import VERSIONS, Call, Fault, Reply
from tuiback.simtenant.api.cloud import Cloud
from tuiback.simtenant.api.permissions import is_permitted
from tuiback.simtenant.api.plain_paths import plain_path
from tuiback.simtenant.api.router import Route, Router, UnknownSegment

_ROUTER = Router(
    [
        *users.ROUTES,
        *user_relations.ROUTES,
        *groups.ROUTES,
        *group_members.ROUTES,
        *group_creation.ROUTES,
        *organization.ROUTES,
        *reports.ROUTES,
        *search_query.ROUTES,
        *applications.ROUTES,
        *mail_folders.ROUTES,
        *messages.ROUTES,
        *message_delta.ROUTES,
        *message_writes.ROUTES,
        *sending.ROUTES,
        *attachments.ROUTES,
        *calendars.ROUTES,
        *calendar_changes.ROUTES,
        *event_writes.ROUTES,
        *event_files.ROUTES,
        *event_responses.ROUTES,
        *contacts.ROUTES,
        *tasks.ROUTES,
        *task_parts.ROUTES,
        *mailbox_settings.ROUTES,
        *mailbox_folders.ROUTES,
        *mailbox_items.ROUTES,
        *mailbox_imports.ROUTES,
        *exchange_ids.ROUTES,
        *drives.ROUTES,
        *drive_views.ROUTES,
        *drive_writes.ROUTES,
        *conversations.ROUTES,
        *item_versions.ROUTES,
        *item_permissions.ROUTES,
        *item_copies.ROUTES,
        *notebooks.ROUTES,
        *note_writes.ROUTES,
        *shares.ROUTES,
        *sites.ROUTES,
        *site_permissions.ROUTES,
        *term_store.ROUTES,
        *lists.ROUTES,
        *list_items.ROUTES,
        *library_items.ROUTES,
        *list_columns.ROUTES,
        *check_outs.ROUTES,
        *pages.ROUTES,
        *teams.ROUTES,
        *posts.ROUTES,
        *team_apps.ROUTES,
        *team_changes.ROUTES,
        *deleted_teams.ROUTES,
        *chats.ROUTES,
        *chat_migration.ROUTES,
        *team_tags.ROUTES,
        *shifts.ROUTES,
        *subscriptions.ROUTES,
        *planner.ROUTES,
    ]
)
# A mail folder may be named below those that it lies in: https://learn.microsoft.com/graph/api/mailfolder-get
_NESTED = re.compile(
    r"/mailFolders/[^/]+(?:/childFolders/[^/$]+)*/childFolders/(?!delta)(?P<folder>[^/$]+)"
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
        taken = {"$filter": route.filtered, "$search": route.searched, "changeType": route.typed}
        if not taken.get(name):
            raise Fault(501, "NotImplemented", f"The simulated tenant takes no {name} here.")


def _path(cloud: Cloud, call: Call) -> str:
    """The path behind the version; `/me` is who has signed in, a nested folder itself. Raises Fault 400 to 404."""
    path = call.path[5:]
    if not path.partition("/me")[0] and path[3:4] in ("", "/"):
        person_id = cloud.signin.bearer(call.headers.get("authorization", "")).person_id
        if not person_id:
            raise Fault(400, "BadRequest", "/me request is only valid with delegated authentication flow.")
        path = f"/users/{person_id}{path[3:]}"
    if "/childFolders/" in path:
        path = _NESTED.sub(r"/mailFolders/\g<folder>", path)
    if "/drive" not in path and ":/" not in path:
        return path
    try:
        return plain_path(cloud, path)
    except Fault:
        # Who has no token is not told what is there.
        cloud.signin.bearer(call.headers.get("authorization", ""))
        raise


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
