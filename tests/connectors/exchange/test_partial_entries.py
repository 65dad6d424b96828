"""Feeds that tell no more of a changed folder or message than what changed."""

from typing import Any

import pytest

from tests.connectors.scripted import Answer, ScriptedLane, client_of
from tuiback.connectors.base import Changed, Checkpoint
from tuiback.connectors.delta import Position
from tuiback.connectors.exchange import ExchangeConnector
from tuiback.connectors.exchange.entries import folder_item, message_item
from tuiback.errors import ItemGone
from tuiback.graph import Page
from tuiback.model import Account, AccountKind, Container

ACCOUNT = Account("mailbox:u1", AccountKind.MAILBOX, "contoso", "mail", "u1", "Ada", "ada@contoso.com")
NOTES = {"msgfolderroot": "R", "inbox": "I"}
MESSAGE = {"id": "m1", "changeKey": "C2", "subject": "Minutes", "isRead": True}
FOLDER = {"id": "I", "displayName": "Inbox", "parentFolderId": "R", "totalItemCount": 3}

CASES = [
    ("messages", "I", {"id": "m1", "isRead": True}, "/users/u1/messages/m1", MESSAGE, message_item(MESSAGE, "I")),
    (
        "folders", "folders", {"id": "I", "totalItemCount": 3}, "/users/u1/mailFolders/I", FOLDER,
        folder_item(FOLDER, NOTES),
    ),
]


cases = pytest.mark.parametrize(
    ("kind", "container_id", "entry", "path", "whole", "expected"), CASES, ids=["message", "folder"]
)


def container(kind: str, container_id: str) -> Container:
    """A container that was listed before."""
    return Container("mailbox:u1", container_id, kind, "x", Position("d1", NOTES).cursor())


def lane_for(entry: dict[str, Any], path: str, answer: Answer) -> ScriptedLane:
    """A feed of one entry, and what is said when the whole is asked for."""
    return ScriptedLane({"d1": [Page([entry], None, "d2")], path: [answer]})


@cases
async def test_the_whole_is_asked_for(
    kind: str, container_id: str, entry: dict[str, Any], path: str, whole: dict[str, Any], expected: Any
) -> None:
    """An entry that lacks what every listing has is completed by one request."""
    connector = ExchangeConnector(client_of(lane_for(entry, path, whole)))
    changes = [change async for change in connector.changes(ACCOUNT, container(kind, container_id))]
    assert changes == [Changed(expected), Checkpoint(Position("d2", NOTES).cursor(), complete=True)]


@cases
async def test_what_is_gone_meanwhile_is_passed_over(
    kind: str, container_id: str, entry: dict[str, Any], path: str, whole: dict[str, Any], expected: Any
) -> None:
    """An entry whose item no longer exists tells nothing: its removal comes with the next page or run."""
    connector = ExchangeConnector(client_of(lane_for(entry, path, ItemGone("gone", status=404))))
    changes = [change async for change in connector.changes(ACCOUNT, container(kind, container_id))]
    assert [type(change) for change in changes] == [Checkpoint]
