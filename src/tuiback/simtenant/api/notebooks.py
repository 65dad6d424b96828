"""Refuses applications the OneNote API, which has been for signed-in people only since 31 March 2025.

https://learn.microsoft.com/graph/integrate-with-onenote
"""

from tuiback.simtenant.api.call import Call, Fault, Reply
from tuiback.simtenant.api.cloud import Cloud
from tuiback.simtenant.api.permissions import ANY_APPLICATION
from tuiback.simtenant.api.router import Route


def _refuse(cloud: Cloud, call: Call) -> Reply:
    if cloud.signin.bearer(call.headers.get("authorization", "")).person_id:
        raise Fault(501, "NotImplemented", "The simulated tenant keeps notebooks as files of the drive only.")
    raise Fault(403, "Forbidden", "App-only authentication is no longer supported by the OneNote API.")


ROUTES = tuple(
    Route("GET", f"{owner}/onenote/{name}", _refuse, ANY_APPLICATION)
    for owner in ("/users/{user}", "/groups/{group}", "/sites/{site}")
    for name in ("notebooks", "sections", "sectionGroups", "pages")
)
