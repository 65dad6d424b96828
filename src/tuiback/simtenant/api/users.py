"""Answers for users: lists, one, what changed, and who was deleted."""

from collections.abc import Iterator
from typing import Any

from tuiback.simtenant.api.call import Call, Reply, json_reply
from tuiback.simtenant.api.cloud import Cloud
from tuiback.simtenant.api.directory_delta import DirectoryState, Followed, delta_page, is_minimal
from tuiback.simtenant.api.directory_lists import counted, listed, narrowed
from tuiback.simtenant.api.groups import deleted_group
from tuiback.simtenant.api.odata import context_url, selected
from tuiback.simtenant.api.permissions import READ_USERS
from tuiback.simtenant.api.router import Route
from tuiback.simtenant.api.user_json import user_json
from tuiback.simtenant.api.user_lookup import account_of
from tuiback.simtenant.state.directory_log import EVERYTHING, DirectoryChange


def _list_users(cloud: Cloud, call: Call) -> Reply:
    return listed(cloud, call, "users", cloud.tenant.directory.users(), user_json)


def _count_users(cloud: Cloud, call: Call) -> Reply:
    return counted(call, cloud.tenant.directory.users(), user_json)


def _get_user(cloud: Cloud, call: Call) -> Reply:
    names = selected(call)
    document = {"@odata.context": context_url(call, "users/$entity")}
    return json_reply(document | narrowed(user_json(account_of(cloud, call), names), names))


def _list_deleted(cloud: Cloud, call: Call) -> Reply:
    return listed(cloud, call, "directoryObjects", list(cloud.tenant.directory.deleted()), user_json)


def _get_deleted(cloud: Cloud, call: Call) -> Reply:
    """A person, or a group."""
    account = cloud.tenant.directory.find_deleted(call.where["deleted"])
    if account is None:
        return deleted_group(cloud, call)
    names = selected(call)
    document = {
        "@odata.context": context_url(call, "directoryObjects/$entity"),
        "@odata.type": "#microsoft.graph.user",
    }
    return json_reply(document | narrowed(user_json(account, names), names))


def _delta(cloud: Cloud, call: Call) -> Reply:
    """Everybody, then who came, changed or left. With Prefer return=minimal only what changed is told."""
    directory = cloud.tenant.directory

    def show(serial: int, state: DirectoryState, changes: list[DirectoryChange]) -> Iterator[dict[str, Any]]:
        account = directory.accounts[serial]
        if not account.is_active:
            yield {"id": account.person.object_id, "@removed": {"reason": "deleted" if account.purged else "changed"}}
            return
        names = state.names
        changed = frozenset[str]().union(*(change.names for change in changes))
        if is_minimal(call) and changes and not changed & EVERYTHING:
            default = frozenset(user_json(account, None))
            names = changed & (default if names is None else names)
        yield narrowed(user_json(account, names), names)

    def everything() -> list[int]:
        return [account.index for account in directory.users()]

    return delta_page(cloud, call, Followed("users", "users", directory.changes, everything, show))


_DELETED = "/directory/deletedItems"
ROUTES = (
    Route("GET", "/users", _list_users, READ_USERS, filtered=True),
    Route("GET", "/users/$count", _count_users, READ_USERS, filtered=True),
    Route("GET", "/users/delta", _delta, READ_USERS, filtered=True),
    Route("GET", "/users/{user}", _get_user, READ_USERS),
    Route("GET", _DELETED + "/user", _list_deleted, READ_USERS, filtered=True),
    Route("GET", _DELETED + "/{deleted}", _get_deleted, READ_USERS),
)
