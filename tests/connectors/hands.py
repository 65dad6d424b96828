"""What people do with their mail and files, service by service, done by plain urllib."""

from collections.abc import Sequence
from typing import Protocol
from urllib.parse import quote

from tests.connectors.backed_up import Listed
from tests.connectors.tenant import IMMUTABLE, Tenant
from tuiback.connectors import ConnectorType
from tuiback.connectors.exchange import ExchangeConnector
from tuiback.connectors.onedrive import OneDriveConnector
from tuiback.model import Account, Kind


class Hands(Protocol):
    """One service's owner at work."""

    connector: ConnectorType

    def content(self, tenant: Tenant, account: Account, item_id: str) -> bytes:
        """The bytes of the item."""
        ...

    def edit(self, tenant: Tenant, account: Account, item_id: str) -> None:
        """Change the item where it lies."""
        ...

    def move(self, tenant: Tenant, account: Account, item_id: str, folder_id: str) -> None:
        """Move the item to another folder."""
        ...

    def remove(self, tenant: Tenant, account: Account, item_id: str) -> None:
        """Delete the item for good."""
        ...

    def folder_for(self, listing: Listed, item_id: str) -> str:
        """A folder in which the item does not lie."""
        ...

    def containers_touched(self, listing: Listed, item_id: str, folder_id: str) -> Sequence[str]:
        """The containers that tell of a move, the old one first."""
        ...


class MailHands:
    """Somebody at a mailbox."""

    connector: ConnectorType = ExchangeConnector

    def content(self, tenant: Tenant, account: Account, item_id: str) -> bytes:
        return tenant.raw("GET", f"{_message(account, item_id)}/$value", headers=IMMUTABLE)

    def edit(self, tenant: Tenant, account: Account, item_id: str) -> None:
        tenant.ask("PATCH", _message(account, item_id), {"isRead": False, "categories": ["edited"]}, IMMUTABLE)

    def move(self, tenant: Tenant, account: Account, item_id: str, folder_id: str) -> None:
        tenant.ask("POST", f"{_message(account, item_id)}/move", {"destinationId": folder_id}, IMMUTABLE)

    def remove(self, tenant: Tenant, account: Account, item_id: str) -> None:
        tenant.raw("POST", f"{_message(account, item_id)}/permanentDelete", {}, IMMUTABLE)

    def folder_for(self, listing: Listed, item_id: str) -> str:
        return _other_folder(listing, item_id)

    def containers_touched(self, listing: Listed, item_id: str, folder_id: str) -> Sequence[str]:
        return [listing.places[item_id], folder_id]


class FileHands:
    """Somebody at a drive."""

    connector: ConnectorType = OneDriveConnector

    def content(self, tenant: Tenant, account: Account, item_id: str) -> bytes:
        return tenant.raw("GET", f"{_file(account, item_id)}/content")

    def edit(self, tenant: Tenant, account: Account, item_id: str) -> None:
        tenant.ask("PUT", f"{_file(account, item_id)}/content", b"edited", {"Content-Type": "text/plain"})

    def move(self, tenant: Tenant, account: Account, item_id: str, folder_id: str) -> None:
        tenant.ask("PATCH", _file(account, item_id), {"parentReference": {"id": folder_id}})

    def remove(self, tenant: Tenant, account: Account, item_id: str) -> None:
        tenant.raw("DELETE", _file(account, item_id))

    def folder_for(self, listing: Listed, item_id: str) -> str:
        return _other_folder(listing, item_id)

    def containers_touched(self, listing: Listed, item_id: str, folder_id: str) -> Sequence[str]:
        return [listing.places[item_id]]


ALL_HANDS: tuple[Hands, ...] = (MailHands(), FileHands())


def _other_folder(listing: Listed, item_id: str) -> str:
    parent_id = listing.items[item_id].parent_id
    return next(i.item_id for i in listing.items.values() if i.kind is Kind.FOLDER and i.item_id != parent_id)


def _message(account: Account, item_id: str) -> str:
    return f"/users/{account.owner_id}/messages/{quote(item_id)}"


def _file(account: Account, item_id: str) -> str:
    return f"/drives/{account.account_id.partition(':')[2]}/items/{quote(item_id)}"
