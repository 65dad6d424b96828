"""Tests of what requests cost."""

import pytest

from tuiback.graph.limits import Measure, published, request_units

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
    """A mailbox takes 4 at once, 10,000 in ten minutes and 150 MB in five; SharePoint 1,250 units a minute."""
    limits = published()
    mailbox = limits["outlook"].account
    assert mailbox is not None
    assert mailbox.at_once == 4
    requests, sent = mailbox.windows
    assert (requests.units <= 10_000, requests.seconds, requests.measure) == (True, 600, Measure.UNITS)
    assert (sent.units <= 150_000_000, sent.seconds, sent.measure) == (True, 300, Measure.BYTES_UP)
    minute, day = limits["sharepoint"].service.windows
    assert (minute.units <= 1_250, minute.seconds, day.units <= 1_200_000, day.seconds) == (True, 60, True, 86_400)


@pytest.mark.parametrize(
    ("users", "directory", "minute"),
    [(0, 3_500, 1_250), (49, 3_500, 1_250), (50, 5_000, 1_250), (501, 8_000, 1_250), (1_001, 8_000, 2_500),
     (15_000, 8_000, 3_750), (50_000, 8_000, 5_000), (50_001, 8_000, 6_250)],
)  # fmt: skip
def test_larger_tenants_have_more(users: int, directory: int, minute: int) -> None:
    """Each tier is used to nine tenths and more, and never in full."""
    limits = published(users)
    for service, most in (("directory", directory), ("sharepoint", minute)):
        assert 0.9 * most < limits[service].service.windows[0].units < most
