"""What posts of channels hold: files, pictures, mentions, cards, reactions; and what became of them."""

import json
from base64 import b64encode
from typing import Any
from urllib.parse import unquote

import pytest

from tests.simtenant.caller import Caller

PIXEL = b64encode(b"\x89PNG\r\n\x1a\n" + b"x" * 40).decode()


@pytest.fixture
def team(caller: Caller) -> str:
    """The path of a team without a very long conversation."""
    return f"/teams/{caller.walk('/teams?$select=id')[0][1]['id']}"


@pytest.fixture
def posts(caller: Caller, team: str) -> list[dict[str, Any]]:
    """Every post and reply of the team's own channels."""
    return caller.walk(f"{team}/channels/getAllMessages?$top=250&model=A")[0]


def path_of(post: dict[str, Any]) -> str:
    """Where a post is read alone."""
    place = post["channelIdentity"]
    below = f"{post['replyToId']}/replies/{post['id']}" if post["replyToId"] else post["id"]
    return f"/teams/{place['teamId']}/channels/{place['channelId']}/messages/{below}"


def test_posts_hold_what_people_put_in(caller: Caller, posts: list[dict[str, Any]]) -> None:
    """Mentions and attachments have their places in the text, cards their JSON, reactions who thought so and when."""
    for each in posts:
        html = each["body"]["content"]
        for mention in each["mentions"]:
            assert f'<at id="{mention["id"]}">{mention["mentionText"]}</at>' in html
        for attachment in each["attachments"]:
            assert f'<attachment id="{attachment["id"]}"></attachment>' in html
        for reaction in each["reactions"]:
            assert each["createdDateTime"] < reaction["createdDateTime"] <= each["lastModifiedDateTime"]
    found = [attachment for each in posts for attachment in each["attachments"]]
    card = next(each for each in found if each["contentType"] == "application/vnd.microsoft.card.adaptive")
    assert json.loads(card["content"])["type"] == "AdaptiveCard"
    assert any(each["reactions"] for each in posts)
    assert any(each["mentions"] for each in posts)
    assert {each["importance"] for each in posts} == {"normal", "high"}


def test_files_on_posts_lie_in_the_library(caller: Caller, posts: list[dict[str, Any]]) -> None:
    """The address of a reference leads to a driveItem of that name through /shares."""
    references = [
        attachment for each in posts for attachment in each["attachments"] if attachment["contentType"] == "reference"
    ]
    for each in references[:5]:
        share = "u!" + b64encode(each["contentUrl"].encode()).decode().rstrip("=").replace("/", "_").replace("+", "-")
        item = caller.get(f"/shares/{share}/driveItem")
        assert (item["name"], "file" in item) == (each["name"], True)
        assert unquote(item["webUrl"]) == each["contentUrl"]
    assert references
    assert caller.send("GET", "/shares/u!bm93aGVyZQ/driveItem").status_code == 404


def test_pictures_are_kept_beside_the_text(caller: Caller, posts: list[dict[str, Any]]) -> None:
    """The list tells ids only; the address in the text gives the bytes; an unknown id is 404."""
    post = next(each for each in posts if "<img" in each["body"]["content"])
    path = path_of(post)
    hosted = caller.get(f"{path}/hostedContents")["value"]
    assert [(each["contentBytes"], each["contentType"]) for each in hosted] == [(None, None)]
    source = post["body"]["content"].partition('src="')[2].partition('"')[0]
    picture = caller.send("GET", source)
    assert picture.headers["content-type"] == "image/png"
    assert picture.content == caller.send("GET", f"{path}/hostedContents/{hosted[0]['id']}/$value").content
    assert picture.content.startswith(b"\x89PNG")
    assert caller.get(f"{path}/hostedContents/{hosted[0]['id']}")["id"] == hosted[0]["id"]
    assert caller.send("GET", f"{path}/hostedContents/bm8=/$value").status_code == 404


def test_the_system_tells_who_came(caller: Caller, team: str) -> None:
    """The first entry is nobody's, and of a kind to come for who does not say to know it."""
    channel = f"{team}/channels/{caller.get(f'{team}/primaryChannel')['id']}/messages?$top=50"
    event = caller.walk(channel)[0][-1]
    assert (event["messageType"], event["from"]) == ("unknownFutureValue", None)
    assert event["body"]["content"] == "<systemEventMessage/>"
    members = {each["userId"] for each in caller.walk(f"{team}/members")[0]}
    assert {each["id"] for each in event["eventDetail"]["members"]} == members
    known = caller.walk(channel, headers={"Prefer": "include-unknown-enum-members"})[0][-1]
    assert known["messageType"] == "systemEventMessage"


def test_replies_are_taken_back_and_written_anew(caller: Caller) -> None:
    """What was taken back is empty and told for three weeks by exports; lists tell it for good."""
    found: list[dict[str, Any]] = []
    for team in caller.walk("/teams?$select=id")[0][1:]:
        for channel in caller.walk(f"/teams/{team['id']}/channels?$select=id")[0]:
            url = f"/teams/{team['id']}/channels/{channel['id']}/messages?$top=50&$expand=replies"
            found += [reply for post in caller.walk(url)[0] for reply in post["replies"]]
    gone = [each for each in found if each["deletedDateTime"]]
    assert {(each["body"]["content"], len(each["attachments"])) for each in gone} == {("", 0)}
    assert any(each["lastEditedDateTime"] == each["lastModifiedDateTime"] for each in found)
    team_id = gone[0]["channelIdentity"]["teamId"]
    exported = caller.walk(f"/teams/{team_id}/channels/getAllMessages?$top=250")[0]
    assert gone[0]["id"] not in {each["id"] for each in exported}
    private = {each["channelIdentity"]["channelId"] for each in exported}
    retained = caller.walk(f"/teams/{team_id}/channels/getAllRetainedMessages?$top=250")[0]
    assert {each["channelIdentity"]["channelId"] for each in retained} < private


def test_pictures_and_files_are_imported_too(caller: Caller, team: str) -> None:
    """Hosted contents come with the post, under addresses of their own; a malformed one is refused."""
    channel = f"{team}/channels/{caller.get(f'{team}/primaryChannel')['id']}"
    caller.send("POST", f"{channel}/startMigration", json={})
    user = {"id": caller.users()[0], "userIdentityType": "aadUser"}
    hosted = {"@microsoft.graph.temporaryId": "1", "contentBytes": PIXEL, "contentType": "image/png"}
    file = {"id": "f1", "contentType": "reference", "contentUrl": "https://x.example/a.docx", "name": "a.docx"}
    body = {
        "createdDateTime": "2026-02-03T04:05:06.008Z", "from": {"user": user}, "hostedContents": [hosted],
        "attachments": [file], "body": {"contentType": "html", "content": '<img src="../hostedContents/1/$value">'},
    }  # fmt: skip
    made = caller.post(f"{channel}/messages", body)
    source = made["body"]["content"].partition('src="')[2].partition('"')[0]
    assert b64encode(caller.send("GET", source).content).decode() == PIXEL
    assert [(each["contentUrl"], each["name"]) for each in made["attachments"]] == [(file["contentUrl"], "a.docx")]
    wrong = body | {"hostedContents": [hosted | {"contentBytes": "?"}], "createdDateTime": "2026-02-03T04:05:06.009Z"}
    assert caller.send("POST", f"{channel}/messages", json=wrong).status_code == 400
