"""Answers for which applications may reach a site or a list of it, beside those that may reach all.

https://learn.microsoft.com/graph/api/site-list-permissions, .../site-post-permissions, and for lists
https://learn.microsoft.com/graph/permissions-selected-overview
"""

from base64 import b64decode, b64encode
from typing import Any

from tuiback.simtenant.api.call import Call, Fault, Reply, json_reply, no_content
from tuiback.simtenant.api.cloud import Cloud
from tuiback.simtenant.api.drive_lookup import not_found
from tuiback.simtenant.api.list_json import list_of
from tuiback.simtenant.api.odata import collection, context_url
from tuiback.simtenant.api.permissions import CONTROL_SITES, SELECTED_ROLES
from tuiback.simtenant.api.router import Route
from tuiback.simtenant.api.sites import site_of
from tuiback.simtenant.state.sites import SiteGrant

_DEPRECATED = "GrantedToIdentities has been deprecated. Refer to GrantedToIdentitiesV2"


def _grants_of(cloud: Cloud, call: Call) -> dict[str, SiteGrant]:
    """What was granted on the list, or on the site where the URL names none, by application. Raises Fault 404."""
    mark = list_of(cloud, call).held.list_id if "list" in call.where else site_of(cloud, call).site_id
    return cloud.tenant.sites.grants.setdefault(mark, {})


def _list(cloud: Cloud, call: Call) -> Reply:
    """Without the roles, which each tells for itself."""
    rows = [_json(cloud, app_id, grant) for app_id, grant in _grants_of(cloud, call).items()]
    for each in rows:
        del each["roles"]
    return json_reply(collection("Collection(permission)", rows, None, call))


def _grant(cloud: Cloud, call: Call) -> Reply:
    grants, given = _grants_of(cloud, call), call.json()
    named = given.get("grantedToIdentitiesV2") or given.get("grantedToIdentities") or [given.get("grantedToV2") or {}]
    application = (named[0] or {}).get("application") or {}
    app_id = str(application.get("id", "")).lower()
    if not app_id:
        raise Fault(400, "invalidRequest", "The application that it is granted to is required.")
    grants[app_id] = SiteGrant(_role(given), str(application.get("displayName") or app_id))
    return _shown(cloud, call, app_id, grants[app_id], 201)


def _get(cloud: Cloud, call: Call) -> Reply:
    app_id, grant = _named(cloud, call)
    return _shown(cloud, call, app_id, grant)


def _change(cloud: Cloud, call: Call) -> Reply:
    app_id, grant = _named(cloud, call)
    changed = _grants_of(cloud, call)[app_id] = SiteGrant(_role(call.json()), grant.name)
    return _shown(cloud, call, app_id, changed)


def _revoke(cloud: Cloud, call: Call) -> Reply:
    del _grants_of(cloud, call)[_named(cloud, call)[0]]
    return no_content()


def _role(given: dict[str, Any]) -> str:
    """Raises Fault 400."""
    roles = given.get("roles")
    if not isinstance(roles, list) or len(roles) != 1 or roles[0] not in SELECTED_ROLES:
        raise Fault(400, "invalidRequest", "One role is required: " + ", ".join(SELECTED_ROLES) + ".")
    return str(roles[0])


def _named(cloud: Cloud, call: Call) -> tuple[str, SiteGrant]:
    """The application and what it was granted. Raises Fault 404."""
    try:
        app_id = b64decode(call.where["permission"] + "==").decode().rpartition("|")[2].partition("@")[0]
    except ValueError:
        app_id = ""
    grant = _grants_of(cloud, call).get(app_id)
    if grant is None:
        raise not_found()
    return app_id, grant


def _json(cloud: Cloud, app_id: str, grant: SiteGrant) -> dict[str, Any]:
    mark = b64encode(f"i:0i.t|ms.sp.ext|{app_id}@{cloud.plan.tenant_id}".encode()).decode().rstrip("=")
    granted = [{"application": {"displayName": grant.name, "id": app_id}}]
    return {
        "id": mark,
        "@deprecated.GrantedToIdentities": _DEPRECATED,
        "roles": [grant.role],
        "grantedToIdentitiesV2": granted,
        "grantedToIdentities": granted,
    }


def _shown(cloud: Cloud, call: Call, app_id: str, grant: SiteGrant, status: int = 200) -> Reply:
    context = {"@odata.context": context_url(call, "permission")}
    return json_reply(context | _json(cloud, app_id, grant), status)


ROUTES = tuple(
    route
    for base in ("/sites/{site}/permissions", "/sites/{site}/lists/{list}/permissions")
    for route in (
        Route("GET", base, _list, CONTROL_SITES),
        Route("POST", base, _grant, CONTROL_SITES),
        Route("GET", base + "/{permission}", _get, CONTROL_SITES),
        Route("PATCH", base + "/{permission}", _change, CONTROL_SITES),
        Route("DELETE", base + "/{permission}", _revoke, CONTROL_SITES),
    )
)
