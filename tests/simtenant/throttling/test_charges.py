"""Requests cost what Microsoft's tables say."""

import pytest

from tuiback.simtenant.throttling.charges import Request, charge_of
from tuiback.simtenant.throttling.table import Measure, Service

SELECT = (("$select", "id"),)


@pytest.mark.parametrize(
    ("method", "template", "options", "service", "units"),
    [
        ("GET", "/drives/{drive}/items/{item}", (), Service.FILES, 1),
        ("GET", "/drives/{drive}/items/{item}/content", (), Service.FILES, 1),
        ("GET", "/drives/{drive}/root/delta", (), Service.FILES, 2),
        ("GET", "/drives/{drive}/root/delta", (("token", "x"),), Service.FILES, 1),
        ("GET", "/users/{user}/drive/root/children", (), Service.FILES, 2),
        ("GET", "/drives/{drive}/items/{item}/permissions", (), Service.FILES, 5),
        ("GET", "/drives/{drive}/items/{item}", (("$expand", "permissions"),), Service.FILES, 5),
        ("PUT", "/drives/{drive}/items/{item}/content", (), Service.FILES, 2),
        ("GET", "/users", (), Service.IDENTITY, 2),
        ("GET", "/users", SELECT, Service.IDENTITY, 1),
        ("GET", "/users/{user}", SELECT, Service.IDENTITY, 1),
        ("GET", "/groups/{group}/transitiveMembers", (), Service.IDENTITY, 5),
        ("GET", "/groups/{group}/transitiveMembers", (("$select", "id"), ("$top", "5")), Service.IDENTITY, 3),
        ("GET", "/users", (("$expand", "manager"),), Service.IDENTITY, 3),
        ("GET", "/users/{user}/mailFolders/{folder}/messages/delta", (), Service.OUTLOOK, 0),
        ("GET", "/users/{user}/messages/{message}/$value", (), Service.OUTLOOK, 0),
        ("GET", "/teams/{team}/channels", (), Service.TEAMS, 0),
        ("GET", "/users/{user}/chats", (), Service.TEAMS, 0),
        ("GET", "/appCatalogs/teamsApps", (), Service.TEAMS, 0),
        ("GET", "/groups/{group}/threads", (), Service.OUTLOOK, 0),
        ("GET", "/sites/{site}/pages", (), Service.FILES, 2),
        ("GET", "/sites/{site}/lists/{list}/items/{item}/versions", (), Service.FILES, 2),
        ("GET", "/_api/web", (), Service.FILES, 1),
        ("GET", "/sites/{site}/onenote/pages", (), Service.NOTES, 0),
        ("GET", "/users/{user}/planner/tasks", (), Service.OTHER, 0),
        ("POST", "/subscriptions", (), Service.OTHER, 0),
    ],
)
def test_resource_units(
    method: str, template: str, options: tuple[tuple[str, str], ...], service: Service, units: int
) -> None:
    """Each kind of request has its service and its cost."""
    charge = charge_of(Request(method, template, "app", options=options))
    assert (charge.service, charge.amounts[Measure.UNITS]) == (service, units)


def test_only_writes_pay_for_writes_and_bytes() -> None:
    """A GET with a body is no upload."""
    read = charge_of(Request("GET", "/users/{user}/messages/{message}", "app", body_bytes=9)).amounts
    written = charge_of(Request("PATCH", "/users/{user}/messages/{message}", "app", body_bytes=9)).amounts
    assert (read[Measure.WRITES], read[Measure.BYTES_IN]) == (0, 0)
    assert (written[Measure.WRITES], written[Measure.BYTES_IN]) == (1, 9)


@pytest.mark.parametrize(
    ("method", "template", "operation"),
    [
        ("GET", "/teams/{team}", "read"),
        ("GET", "/teams/{team}/channels", "read members or channels"),
        ("GET", "/teams/{team}/channels/{channel}/messages", "read message"),
        ("GET", "/teams/{team}/channels/getAllMessages", "read all messages"),
        ("POST", "/teams/{team}/channels/{channel}/messages", "write message"),
        ("POST", "/teams/{team}/channels", "write"),
        ("POST", "/teams", "make team"),
        ("DELETE", "/teams/{team}/channels/{channel}", "delete"),
        ("GET", "/chats/{chat}/messages", "read chat message"),
        ("GET", "/users/{user}/chats/getAllMessages", "read all messages"),
    ],
)
def test_teams_operations(method: str, template: str, operation: str) -> None:
    """Teams counts each kind of operation by the second."""
    assert charge_of(Request(method, template, "app", team="t")).operation == operation
