"""Chats of two, of a few and beside meetings, and everything in them at once."""

import json
from typing import Any

import pytest

from tests.simtenant.caller import Caller, code_of


@pytest.fixture
def chats(caller: Caller, user: str) -> list[dict[str, Any]]:
    """The chats that the user is in."""
    return caller.walk(f"/users/{user}/chats?$expand=members,lastMessagePreview&$top=50")[0]


def test_a_person_sees_chats_of_every_kind(caller: Caller, user: str, chats: list[dict[str, Any]]) -> None:
    """Those with the newest message come first; two people have one chat, whose id names both."""
    assert {each["chatType"] for each in chats} == {"oneOnOne", "group", "meeting"}
    latest = [each["lastMessagePreview"]["createdDateTime"] for each in chats]
    assert latest == sorted(latest, reverse=True)
    for each in chats:
        members = {member["userId"] for member in each["members"]}
        assert user in members
        assert (each["topic"] is None, each["onlineMeetingInfo"] is not None) == (
            each["chatType"] == "oneOnOne", each["chatType"] == "meeting",
        )  # fmt: skip
        if each["chatType"] == "oneOnOne":
            assert each["id"] == f"19:{'_'.join(sorted(members))}@unq.gbl.spaces"
    pairs = [each["id"] for each in chats if each["chatType"] == "oneOnOne"]
    assert len(set(pairs)) == len(pairs) == 3
    only = caller.walk(f"/users/{user}/chats?$filter=chatType eq 'meeting'")[0]
    assert {each["chatType"] for each in only} == {"meeting"}
    assert caller.send("GET", f"/users/{user}/chats?$top=51").status_code == 400
    assert caller.send("GET", "/chats/19:none@thread.v2").status_code == 404


def test_messages_come_by_when_they_changed(caller: Caller, chats: list[dict[str, Any]]) -> None:
    """Newest first; a filter counts only beside a sorting by the same property."""
    path = f"/chats/{chats[0]['id']}/messages"
    messages = caller.walk(f"{path}?$top=5")[0]
    changed = [each["lastModifiedDateTime"] for each in messages]
    assert changed == sorted(changed, reverse=True)
    assert {each["chatId"] for each in messages} == {chats[0]["id"]}
    assert {each["channelIdentity"] for each in messages} == {None}
    middle = sorted(each["createdDateTime"] for each in messages)[len(messages) // 2]
    newer = caller.walk(f"{path}?$orderby=createdDateTime desc&$filter=createdDateTime gt {middle}")[0]
    assert {each["id"] for each in newer} == {each["id"] for each in messages if each["createdDateTime"] > middle}
    ignored = caller.walk(f"{path}?$filter=createdDateTime gt {middle}")[0]
    assert len(ignored) == len(messages)
    assert caller.send("GET", f"{path}?$orderby=createdDateTime asc").status_code == 400
    assert caller.get(f"{path}/{messages[0]['id']}")["id"] == messages[0]["id"]
    assert caller.walk(caller.walk(f"{path}/delta")[1])[0] == []


def test_messages_quote_earlier_ones(caller: Caller, user: str) -> None:
    """A reference to a message of the same chat, with who wrote it and how it began."""
    everything = caller.walk(f"/users/{user}/chats/getAllMessages?$top=250")[0]
    authors = {each["id"]: each["from"]["user"]["id"] for each in everything if each["from"]}
    quotes = [json.loads(attachment["content"]) for each in everything for attachment in each["attachments"]
              if attachment["contentType"] == "messageReference"]  # fmt: skip
    assert quotes
    for each in quotes:
        assert authors[each["messageId"]] == each["messageSender"]["user"]["id"]
        assert each["messagePreview"]


def test_exports_hold_all_chats_of_a_person(caller: Caller, user: str, chats: list[dict[str, Any]]) -> None:
    """Flat, between two moments, whatever way of payment is named."""
    everything = caller.walk(f"/users/{user}/chats/getAllMessages?$top=50&model=B")[0]
    assert {each["chatId"] for each in everything} == {each["id"] for each in chats}
    span = "lastModifiedDateTime gt 2025-01-01T00:00:00Z and lastModifiedDateTime lt 2026-01-01T00:00:00Z"
    some = caller.walk(f"/users/{user}/chats/getAllMessages?$filter={span}")[0]
    assert {each["createdDateTime"][:4] for each in some} == {"2025"}
    caller.control("/fault", {"id": "protected-api"})
    assert code_of(caller.send("GET", f"/users/{user}/chats/getAllMessages")) == "Forbidden"


def test_changes_of_all_chats_come_together(caller: Caller, user: str, chats: list[dict[str, Any]]) -> None:
    """Recent messages first, then those that were written, changed or taken back; a link of another is refused."""
    url = f"/users/{user}/chats/getAllMessages/delta"
    recent, link = caller.walk(url)
    assert 0 < len(recent) < len(caller.walk(f"/users/{user}/chats/getAllMessages?$top=250")[0])
    assert caller.walk(link)[0] == []
    before = {each["id"]: each["etag"] for each in caller.walk(f"/users/{user}/chats/getAllMessages?$top=250")[0]}
    caller.control("/mutate", {"changes": 150, "seed": 9, "also": ["teams"]})
    changed = caller.walk(link)[0]
    assert any(each["deletedDateTime"] for each in changed)
    after = {each["id"]: each["etag"] for each in caller.walk(f"/users/{user}/chats/getAllMessages?$top=250")[0]}
    assert {each["id"] for each in changed} == {name for name, tag in after.items() if before.get(name) != tag}
    stolen = link.replace(user, caller.users()[1])
    assert caller.send("GET", stolen).status_code == 410


def test_a_chat_is_made_once(caller: Caller, user: str, chats: list[dict[str, Any]]) -> None:
    """The same two people get the chat that they have; a group is a new one each time."""
    def bound(name: str) -> dict[str, Any]:
        kind = "#microsoft.graph.aadUserConversationMember"
        place = f"https://graph.microsoft.com/v1.0/users('{name}')"
        return {"@odata.type": kind, "roles": ["owner"], "user@odata.bind": place}

    other = caller.users()[1]
    pair = {"chatType": "oneOnOne", "members": [bound(user), bound(other)]}
    assert caller.post("/chats", pair)["id"] in {each["id"] for each in chats}
    group = {"chatType": "group", "topic": "Move", "members": [bound(user), bound(other)]}
    made = caller.post("/chats", group)
    assert made["id"] not in {each["id"] for each in chats}
    assert caller.walk(f"/chats/{made['id']}/members")[0][0]["roles"] == ["owner"]
    assert caller.walk(f"/users/{other}/chats/{made['id']}/messages")[0] == []
    assert caller.send("POST", "/chats", json=pair | {"members": [bound(user)]}).status_code == 400
    assert caller.send("POST", "/chats", json=pair | {"members": [bound("nobody")] * 2}).status_code == 400
