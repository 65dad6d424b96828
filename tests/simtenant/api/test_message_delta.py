"""Delta of messages by kind of change, from the newest on, and filtered."""

import pytest

from tests.simtenant.caller import IMMUTABLE, Caller, code_of
from tuiback.simtenant import Plan, Server


@pytest.fixture
def inbox(user: str) -> str:
    """The path of a delta."""
    return f"/users/{user}/mailFolders/inbox/messages/delta"


def test_one_kind_of_change_alone(caller: Caller, user: str, inbox: str) -> None:
    """What came, what changed and what went are told by three links; the first round is all that came."""
    held = [each["id"] for each in caller.walk(f"{inbox}?$select=id", headers=IMMUTABLE)[0]]
    links = {}
    for kind in ("created", "updated", "deleted"):
        entries, links[kind] = caller.walk(f"{inbox}?changeType={kind}&$select=id", headers=IMMUTABLE)
        assert [each["id"] for each in entries] == (held if kind == "created" else [])
    one, other = held[:2]
    caller.send("PATCH", f"/users/{user}/messages/{one}", json={"isRead": True})
    caller.send("POST", f"/users/{user}/messages/{other}/permanentDelete")
    made = caller.post(f"/users/{user}/mailFolders/inbox/messages", {"subject": "new"}, headers=IMMUTABLE)["id"]
    caller.send("PATCH", f"/users/{user}/messages/{made}", json={"isRead": False})
    found = {kind: [each["id"] for each in caller.walk(link, headers=IMMUTABLE)[0]] for kind, link in links.items()}
    assert found == {"created": [made], "updated": [one], "deleted": [other]}
    assert caller.send("GET", f"{inbox}?changeType=moved").status_code == 400
    assert caller.send("GET", f"/users/{user}/messages?changeType=created").status_code == 501


def test_the_newest_come_first_where_that_is_asked_for(caller: Caller, inbox: str) -> None:
    """The same messages as without an order, page by page; only this order is known."""
    url = f"{inbox}?$select=receivedDateTime"
    found, link = caller.walk(f"{url}&$orderby=receivedDateTime desc", headers=IMMUTABLE)
    moments = [each["receivedDateTime"] for each in found]
    assert moments == sorted(moments, reverse=True)
    assert {each["id"] for each in found} == {each["id"] for each in caller.walk(url, headers=IMMUTABLE)[0]}
    assert caller.walk(link, headers=IMMUTABLE)[0] == []
    assert code_of(caller.send("GET", f"{url}&$orderby=subject")) == "ErrorInvalidUrlQuery"


def test_a_filtered_walk_is_cut_off() -> None:
    """It gives the newest up to the limit and a link, as if there were no more."""
    plan = Plan(users=1, messages=30, files_per_user=1, filtered_messages=9)
    with Server(plan) as server, Caller(server.endpoints) as caller:
        inbox = f"/users/{caller.users()[0]}/mailFolders/inbox/messages/delta?$select=receivedDateTime"
        whole = [each["receivedDateTime"] for each in caller.walk(inbox)[0]]
        assert len(whole) > 9
        large = {"Prefer": "odata.maxpagesize=4"}
        found, link = caller.walk(f"{inbox}&$filter=receivedDateTime ge 2024-01-01T00:00:00Z", headers=large)
        assert [each["receivedDateTime"] for each in found] == sorted(whole, reverse=True)[:9]
        assert caller.walk(link)[0] == []


def test_changes_are_followed_by_folder(caller: Caller, user: str) -> None:
    """All messages of a mailbox together have no delta."""
    reply = caller.send("GET", f"/users/{user}/messages/delta")
    assert reply.status_code == 400
    assert "Change tracking is not supported" in reply.text
