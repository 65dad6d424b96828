"""Mail folders and messages read from Graph's JSON."""

from typing import Any

import msgspec

from tuiback.connectors.exchange.entries import content_tag, folder_item, message_item, says_the_same
from tuiback.model import Kind

MESSAGE: dict[str, Any] = {
    "@odata.type": "#microsoft.graph.message",
    "@odata.etag": 'W/"CQAA1"',
    "id": "AAkA1",
    "changeKey": "CQAA1",
    "subject": "Minutes",
    "from": {"emailAddress": {"name": "Ada", "address": "ada@contoso.com"}},
    "toRecipients": [
        {"emailAddress": {"name": "Bo", "address": "bo@contoso.com"}},
        {"emailAddress": {"name": "cy@contoso.com", "address": "cy@contoso.com"}},
    ],
    "receivedDateTime": "2026-02-03T04:05:06Z",
    "lastModifiedDateTime": "2026-03-01T00:00:00Z",
    "isRead": True,
    "hasAttachments": False,
    "internetMessageId": "<1@contoso.com>",
    "parentFolderId": "F1",
}


def test_a_message() -> None:
    """The catalog's display fields come from the listing, the order is by receipt."""
    item = message_item(MESSAGE, "F1")
    assert (item.kind, item.parent_id, item.name, item.etag) == (Kind.MESSAGE, "F1", "Minutes", "CQAA1")
    assert item.modified == "2026-02-03T04:05:06Z"
    assert dict(item.attrs) == {
        "subject": "Minutes",
        "from": "Ada <ada@contoso.com>",
        "to": "Bo <bo@contoso.com>, cy@contoso.com",
        "date": "2026-02-03T04:05:06Z",
        "read": "1",
        "attachments": "0",
        "message_id": "<1@contoso.com>",
    }


def test_a_bare_message() -> None:
    """A message with nothing but an id is an item all the same, with a name to show."""
    item = message_item({"id": "AAkA2"}, "F1")
    assert (item.name, item.modified, item.etag) == ("(no subject)", "", "")


def test_properties_are_the_listing_without_annotations() -> None:
    """The stored properties keep the type and every property; the etag annotation only repeats the changeKey."""
    stored = msgspec.json.decode(message_item(MESSAGE, "F1").properties)
    assert stored == {name: value for name, value in MESSAGE.items() if name != "@odata.etag"}


def test_the_tag_survives_a_move_and_nothing_else() -> None:
    """A move changes folder, changeKey and times; reading or editing changes the tag, and only editing what it says."""
    tag = content_tag(MESSAGE)
    moved = MESSAGE | {"parentFolderId": "F2", "changeKey": "CQAA2", "lastModifiedDateTime": "2026-04-01T00:00:00Z"}
    unread = MESSAGE | {"isRead": False}
    edited = MESSAGE | {"subject": "Minutes, corrected"}
    assert content_tag(moved) == tag
    assert content_tag(unread) != tag
    assert says_the_same(content_tag(unread), tag)
    assert not says_the_same(content_tag(edited), tag)
    assert not says_the_same("", "")


def test_the_dates_of_a_draft_say_nothing() -> None:
    """A draft that was restored has new dates and is the same; a sent message with other dates is another."""
    later = MESSAGE | {"receivedDateTime": "2026-05-01T00:00:00Z"}
    assert not says_the_same(content_tag(later), content_tag(MESSAGE))
    assert says_the_same(content_tag(later | {"isDraft": True}), content_tag(MESSAGE | {"isDraft": True}))


WELL_KNOWN = {"msgfolderroot": "R", "inbox": "I"}


def test_folders() -> None:
    """Folders below the root have parent "", and well-known ones say which they are."""
    named = {"id": "I", "displayName": "Posteingang"}
    inbox = folder_item(named | {"parentFolderId": "R", "totalItemCount": 7}, WELL_KNOWN)
    project = folder_item({"id": "P", "displayName": "Project", "parentFolderId": "I"}, WELL_KNOWN)
    assert (inbox.kind, inbox.parent_id, inbox.has_content) == (Kind.FOLDER, "", False)
    assert dict(inbox.attrs) == {"well_known": "inbox", "total": "7"}
    assert (project.parent_id, dict(project.attrs)) == ("I", {})


def test_a_count_is_no_change_of_a_folder() -> None:
    """A folder that received mail is unchanged; one that was renamed is not."""
    folder = {"id": "P", "displayName": "Project", "parentFolderId": "I", "totalItemCount": 1}
    etag = folder_item(folder, WELL_KNOWN).etag
    assert folder_item(folder | {"totalItemCount": 2}, WELL_KNOWN).etag == etag
    assert folder_item(folder | {"displayName": "Projects"}, WELL_KNOWN).etag != etag
