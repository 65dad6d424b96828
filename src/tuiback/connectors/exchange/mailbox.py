"""Reaches mailboxes through Graph, each within its own limits."""

from tuiback.connectors.paths import path
from tuiback.graph import GraphClient, Lane
from tuiback.model import Account

# An id keeps its meaning when the message moves to another folder, and links made without this header refuse it
# later, so it goes with every request for messages (https://learn.microsoft.com/graph/outlook-immutable-id).
IMMUTABLE_IDS = 'IdType="ImmutableId"'
BY_IMMUTABLE_ID = {"Prefer": IMMUTABLE_IDS}


class MailboxAccess:
    """What both halves of the Exchange connector stand on."""

    def __init__(self, graph: GraphClient) -> None:
        self._graph = graph

    def _lane(self, account: Account) -> Lane:
        return self._graph.lane("outlook", account.owner_id)


def mailbox_path(account: Account, *segments: str) -> str:
    """The path of something in the account's mailbox: `mailbox_path(account, "messages", message_id)`."""
    return path("users", account.owner_id, *segments)
