"""Tests of what requests cost."""

import pytest

from tuiback.graph.limits import PUBLISHED, UNLIMITED, request_units

_ROOT = "https://graph.microsoft.com/v1.0"


@pytest.mark.parametrize(
    ("service", "method", "path", "units"),
    [
        ("outlook", "GET", "/users/1/messages/2/$value", 1),
        ("outlook", "POST", "/users/1/mailFolders/2/messages", 1),
        ("sharepoint", "GET", "/drives/b!1/items/2", 1),
        ("sharepoint", "GET", "/drives/b!1/items/2/content", 1),
        ("sharepoint", "GET", "/drives/b!1/root/delta", 2),
        ("sharepoint", "GET", "/drives/b!1/root/delta?$top=500", 2),
        ("sharepoint", "GET", "/drives/b!1/root/delta?token=abc", 1),
        ("sharepoint", "GET", "/drives/b!1/root/delta(token='abc')", 1),
        ("sharepoint", "GET", "/drives/b!1/items/2/children", 2),
        ("sharepoint", "GET", "/drives/b!1/items/2/permissions", 5),
        ("sharepoint", "GET", "/drives/b!1/items/2?$expand=permissions", 5),
        ("sharepoint", "PATCH", "/drives/b!1/items/2", 2),
        ("directory", "GET", "/users", 2),
        ("directory", "GET", "/users?$select=id&$top=999", 1),
        ("directory", "GET", "/users/1", 1),
        ("directory", "GET", "/groups/1/transitiveMembers", 5),
        ("directory", "GET", "/groups/1/members?$expand=x", 4),
        ("directory", "PATCH", "/users/1", 1),
    ],
)
def test_cost_of_a_request(service: str, method: str, path: str, units: int) -> None:
    """Each kind of request costs what Microsoft publishes."""
    assert request_units(service, method, _ROOT + path) == units


def test_published_limits_stay_below_the_published_figures() -> None:
    """A mailbox takes 4 at once and 10,000 in ten minutes; SharePoint 1,250 units a minute and 1.2 million a day."""
    mailbox = PUBLISHED["outlook"].account
    assert mailbox is not None
    assert mailbox.at_once == 4
    assert [(window.units <= 10_000, window.seconds) for window in mailbox.windows] == [(True, 600)]
    minute, day = PUBLISHED["sharepoint"].service.windows
    assert (minute.units <= 1_250, minute.seconds, day.units <= 1_200_000, day.seconds) == (True, 60, True, 86_400)


def test_unlimited_still_bounds_the_requests_at_once() -> None:
    """Without budgets the concurrency of each scope stays."""
    assert UNLIMITED["outlook"].account is not None
    assert UNLIMITED["outlook"].account.at_once == 4
    assert all(not limits.service.windows for limits in UNLIMITED.values())
