"""Users read from Graph's JSON."""

import pytest

from tests.connectors.scripted import ScriptedLane, client_of
from tuiback.connectors.people import people, person_of
from tuiback.errors import GraphError
from tuiback.graph import Page


def test_addresses_and_aliases() -> None:
    """The mail address is the address; proxies and the sign-in name are aliases, each once and without case."""
    person = person_of(
        {
            "id": "u1",
            "displayName": "Ada",
            "mail": "ada@contoso.com",
            "userPrincipalName": "Ada.L@contoso.com",
            "accountEnabled": False,
            "proxyAddresses": ["SMTP:Ada@contoso.com", "smtp:ada.old@contoso.com", "x500:/o=x", "SIP:ada@contoso.com"],
        }
    )
    assert (person.user_id, person.name, person.address, person.enabled) == ("u1", "Ada", "ada@contoso.com", False)
    assert person.aliases == ("ada.old@contoso.com", "Ada.L@contoso.com")


def test_a_user_without_mail() -> None:
    """Who has no mail address is known by the sign-in name, and counts as enabled unless the directory says no."""
    person = person_of({"id": "u2", "displayName": None, "mail": None, "userPrincipalName": "bo@contoso.com"})
    assert (person.name, person.address) == ("bo@contoso.com", "bo@contoso.com")
    assert person.aliases == ()
    assert person.enabled


async def test_an_empty_directory_is_an_error() -> None:
    """Nobody may be taken for gone because of an answer that lists no user at all."""
    lane = ScriptedLane({"/users": [Page([], None, None)]})
    with pytest.raises(GraphError, match="no user at all"):
        async for _ in people(client_of(lane)):
            pass
