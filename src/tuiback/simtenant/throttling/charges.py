"""Says what a request costs and whose budgets pay for it."""

import re
from dataclasses import dataclass

from tuiback.simtenant.throttling.table import Measure, Service

_FILES = re.compile(
    r"/(drives|sites|shares)(/|$)|/users/\{user\}/drives?(/|$)|/groups/\{group\}/(drives?|sites)(/|$)|/_layouts/|/_api/"
)
_OUTLOOK = re.compile(
    r"/users/\{user\}/(mailFolders|messages|mailboxSettings|calendar|events|contact|todo|outlook|sendMail|settings)"
    r"|/groups/\{group\}/(conversations|threads)|/translateExchangeIds|/admin/exchange/|/api/gv1\.0/Mailboxes",
    re.IGNORECASE,
)
_NOTES = re.compile(r"/(users|groups|sites)/\{\w+\}/onenote(/|$)")
_OTHER = re.compile(r"/(planner|subscriptions)(/|$)|/(users|groups)/\{\w+\}/planner/")
_REPORTS = "/reports/"
_TEAMS = re.compile(r"/(teams|teamwork|chats|appCatalogs)(/|$)|/users/\{user\}/(chats|joinedTeams|teamwork)")
_SIGN_IN = re.compile(r"/\{tenant\}/|/common/")

# Identity: the cost of a request that is not 1 resource unit.
_IDENTITY_UNITS = {
    "/users": 2,
    "/groups/{group}/members": 3,
    "/groups/{group}/transitiveMembers": 5,
    "/applications": 2,
    "/subscribedSkus": 3,
    "/users/{user}/memberOf": 2,
    "/users/{user}/licenseDetails": 2,
    "/directoryObjects/getByIds": 3,
    "/servicePrincipals/{principal}/appRoleAssignments": 2,
}
_FEW = 20
# Files: what gives many things at once.
_LISTS = frozenset({
    "children", "drives", "lists", "items", "versions", "sites", "pages", "columns", "contentTypes", "webParts",
    "recent", "sharedWithMe", "AttachmentFiles",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Request:
    """What of a request decides its cost: the route's template, not the address itself.

    `app_id` is "" where no token came along, `person` where it asks on nobody's behalf; `options` are the query
    options with `$` in lower case.
    """

    method: str
    template: str
    app_id: str = ""
    mailbox: str = ""
    team: str = ""
    chat: str = ""
    person: str = ""
    options: tuple[tuple[str, str], ...] = ()
    body_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Charge:
    """What a request takes from which budgets; `operation` is what a budget's `only` names."""

    service: Service
    app_id: str
    mailbox: str
    team: str
    chat: str
    operation: str
    person: str
    amounts: dict[Measure, int]


def charge_of(request: Request) -> Charge:
    """The charge for a request."""
    service = service_of(request.template)
    is_write = request.method not in ("GET", "HEAD")
    units = 0
    if service is Service.FILES:
        units = _file_units(request, is_write)
    elif service is Service.IDENTITY:
        units = _identity_units(request, is_write)
    amounts = {
        Measure.REQUESTS: 1,
        Measure.UNITS: units,
        Measure.WRITES: int(is_write),
        Measure.BYTES_IN: request.body_bytes if is_write else 0,
    }
    operation = _OPERATIONS[service](request) if service in _OPERATIONS else ""
    return Charge(
        service, request.app_id, request.mailbox, request.team, request.chat, operation, request.person, amounts
    )


def service_of(template: str) -> Service:
    """Who answers a route."""
    if _SIGN_IN.match(template) or _OTHER.match(template):
        return Service.OTHER
    if _NOTES.match(template):
        return Service.NOTES
    if _FILES.match(template):
        return Service.FILES
    if _TEAMS.match(template):
        return Service.TEAMS
    if template.startswith(_REPORTS):
        return Service.REPORTS
    return Service.OUTLOOK if _OUTLOOK.match(template) else Service.IDENTITY


def _file_units(request: Request, is_write: bool) -> int:
    """One item, a delta with a token and a download cost 1, lists and writes 2, anything with permissions 5."""
    options = dict(request.options)
    last = request.template.rpartition("/")[2]
    if last in ("permissions", "invite", "createLink") or "permissions" in options.get("$expand", ""):
        return 5
    if is_write:
        return 2
    if last == "delta":
        return 1 if "token" in options or "$skiptoken" in options else 2
    if last == "{token}":
        return 1
    return 2 if last in _LISTS else 1


def _identity_units(request: Request, is_write: bool) -> int:
    if is_write:
        return 1
    options = dict(request.options)
    units = _IDENTITY_UNITS.get(request.template, 1)
    units -= "$select" in options
    units += "$expand" in options
    units -= options.get("$top", "").isdigit() and int(options["$top"]) < _FEW
    return max(units, 1)


def _team_operation(request: Request) -> str:
    last = request.template.rpartition("/")[2]
    about_messages = "/messages" in request.template
    if request.method == "DELETE":
        return "delete"
    if request.method == "GET":
        if last.startswith("getAllMessages"):
            return "read all messages"
        if about_messages:
            return "read chat message" if "/{chat}" in request.template else "read message"
        return "read members or channels" if last in ("members", "channels") else "read"
    if request.template == "/teams":
        return "make team"
    return "write message" if about_messages else "write"


def _file_operation(request: Request) -> str:
    last = request.template.rpartition("/")[2]
    if last in ("invite", "createLink"):
        return "share"
    return "search" if "/search/" in request.template else ""


def _report(request: Request) -> str:
    return request.template.split("/")[2]


_OPERATIONS = {Service.TEAMS: _team_operation, Service.FILES: _file_operation, Service.REPORTS: _report}
