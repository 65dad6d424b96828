"""The directory lists everybody page by page."""

import pytest

from tests.simtenant.caller import Caller, code_of


def test_pages_join_to_all_users(caller: Caller) -> None:
    """Following nextLink gives each user once, with the selected properties only."""
    users, _ = caller.walk("/users?$select=displayName,userPrincipalName&$top=3")
    assert len({each["id"] for each in users}) == 4
    assert all(each.keys() == {"id", "displayName", "userPrincipalName"} for each in users)


def test_a_user_is_found_by_id_and_by_address_in_any_case(caller: Caller, user: str) -> None:
    """Both names lead to the same user."""
    found = caller.get(f"/users/{user}")
    assert caller.get(f"/users/{found['userPrincipalName'].upper()}")["id"] == user
    assert caller.get(f"/users('{user}')")["id"] == user


def test_unknown_users_are_404(caller: Caller) -> None:
    """The directory says which resource does not exist."""
    reply = caller.send("GET", "/users/nobody@northwind.example/drive")
    assert (reply.status_code, code_of(reply)) == (404, "Request_ResourceNotFound")


def test_count_needs_eventual_consistency(caller: Caller) -> None:
    """$count=true works with the header and is refused without."""
    assert caller.get("/users?$count=true", headers={"ConsistencyLevel": "eventual"})["@odata.count"] == 4
    assert code_of(caller.send("GET", "/users?$count=true")) == "Request_UnsupportedQuery"


@pytest.mark.parametrize("path", ["/nothing", "/users/x/unheardOf", "/drives"])
def test_what_graph_does_not_have_is_400(caller: Caller, path: str) -> None:
    """An unknown segment is named in the message."""
    reply = caller.send("GET", path)
    assert reply.status_code == 400
    assert reply.json()["error"]["message"].startswith("Resource not found for the segment")


def test_answers_carry_ids_and_date(caller: Caller) -> None:
    """request-id is there, client-request-id is what the client sent, errors repeat both."""
    reply = caller.send("GET", "/users/nobody", headers={"client-request-id": "mine"})
    assert reply.headers["client-request-id"] == reply.json()["error"]["innerError"]["client-request-id"] == "mine"
    assert reply.headers["request-id"] == reply.json()["error"]["innerError"]["request-id"]
    assert "date" in reply.headers


def test_organization_and_settings(caller: Caller, user: str) -> None:
    """The tenant names itself, and a mailbox its purpose."""
    assert caller.get("/organization")["value"][0]["id"] == caller.endpoints.tenant_id
    assert caller.get(f"/users/{user}/mailboxSettings")["userPurpose"] == "user"
