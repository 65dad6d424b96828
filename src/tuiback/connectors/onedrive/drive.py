"""Reaches drives through Graph within SharePoint's limits."""

from tuiback.connectors.paths import path
from tuiback.graph import GraphClient, Lane
from tuiback.model import Account


class DriveAccess:
    """What both halves of the OneDrive connector stand on."""

    def __init__(self, graph: GraphClient) -> None:
        self._graph = graph

    def _lane(self, account: Account) -> Lane:
        return self._graph.lane("sharepoint", drive_id_of(account))

    async def _root_id(self, account: Account) -> str:
        root = await self._lane(account).get(drive_path(account, "root"), params={"$select": "id"})
        return str(root["id"])


def drive_id_of(account: Account) -> str:
    """The drive behind an account id like "drive:b!xA9h…"."""
    return account.account_id.partition(":")[2]


def drive_path(account: Account, *segments: str) -> str:
    """The path of something in the account's drive: `drive_path(account, "items", item_id)`."""
    return path("drives", drive_id_of(account), *segments)
