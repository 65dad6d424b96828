"""Files brought back into simulated drives, and drives that refuse."""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import msgspec
import pytest
from msgspec.structs import replace

from tests.connectors.backed_up import Stored, accounts_of, listed, stored
from tests.connectors.tenant import Tenant
from tuiback.connectors.onedrive import OneDriveConnector
from tuiback.connectors.onedrive.entries import drive_item
from tuiback.connectors.onedrive.quickxor import QuickXor
from tuiback.errors import AccountAbsent, GraphError, ItemGone
from tuiback.graph import GraphClient
from tuiback.model import Account, Kind, Owed, RemoteItem


@pytest.fixture
def connector(graph: GraphClient) -> OneDriveConnector:
    """The connector under test."""
    return OneDriveConnector(graph)


@pytest.fixture
async def accounts(connector: OneDriveConnector) -> list[Account]:
    """All drives of the company."""
    return await accounts_of(connector)


def drive(account: Account) -> str:
    """The path of the account's drive."""
    return f"/drives/{account.account_id.partition(':')[2]}"


def shown(tenant: Tenant, account: Account, item_id: str) -> dict[str, Any]:
    """The item as Graph shows it."""
    found: dict[str, Any] = tenant.ask("GET", f"{drive(account)}/items/{quote(item_id)}")
    return found


def content(tenant: Tenant, account: Account, item_id: str) -> bytes:
    """The file's bytes as Graph serves them."""
    return tenant.raw("GET", f"{drive(account)}/items/{quote(item_id)}/content")


def backup_of(name: str, data: bytes) -> Stored:
    """A file as a backup holds it, last modified in the last century."""
    hashed = QuickXor()
    hashed.update(data)
    listing = {
        "id": "01OLD", "name": name, "size": len(data), "eTag": '"{X},1"',
        "fileSystemInfo": {"createdDateTime": "1999-01-01T00:00:00Z", "lastModifiedDateTime": "1999-12-31T00:00:00Z"},
        "file": {"mimeType": "text/plain", "hashes": {"quickXorHash": hashed.hash()}},
    }
    return Stored(drive_item(listing, "R"), {"file": data, "properties": msgspec.json.encode(listing)})


async def test_restored_files_are_the_originals(
    connector: OneDriveConnector, accounts: list[Account], tenant: Tenant
) -> None:
    """Bytes, names and times of restored files are those of the originals, and the service confirms the bytes."""
    source, target = accounts[:2]
    root = await connector.restore_root(target, "restore")
    for item in (await listed(connector, source)).contents():
        backup = await stored(connector, source, item)
        written = await connector.restore_item(target, root, backup, on_conflict="keep-both", replaces=None)
        assert written.verified
        assert written.degraded == ()
        assert content(tenant, target, written.item_id) == content(tenant, source, item.item_id)
        times = shown(tenant, source, item.item_id)["fileSystemInfo"]
        assert shown(tenant, target, written.item_id)["fileSystemInfo"] == times


@pytest.mark.parametrize("size", [0, 1, 327_680, 10 * 1024 * 1024 + 1])
async def test_files_of_any_size(
    connector: OneDriveConnector, accounts: list[Account], tenant: Tenant, size: int
) -> None:
    """No byte, one byte, one whole unit and more than one fragment come back with their times."""
    data = (b"0123456789abcdef" * (size // 16 + 1))[:size]
    root = await connector.restore_root(accounts[0], "restore")
    written = await connector.restore_item(
        accounts[0], root, backup_of("data.bin", data), on_conflict="skip", replaces=None
    )
    assert written.verified
    assert content(tenant, accounts[0], written.item_id) == data
    times = shown(tenant, accounts[0], written.item_id)["fileSystemInfo"]
    assert times["lastModifiedDateTime"] == "1999-12-31T00:00:00Z"


async def test_conflicts(connector: OneDriveConnector, accounts: list[Account], tenant: Tenant) -> None:
    """Of two files of one name the second is refused, gets a name of its own, or replaces the first, as asked."""
    root = await connector.restore_root(accounts[0], "restore")
    old, new = backup_of("plan #1 100%.txt", b"old"), backup_of("Plan #1 100%.txt", b"new")
    first = await connector.restore_item(accounts[0], root, old, on_conflict="skip", replaces=None)
    existing = await connector.existing(accounts[0], root, new)
    assert existing is not None
    assert (existing.item_id, existing.identical) == (first.item_id, False)
    with pytest.raises(GraphError) as refused:
        await connector.restore_item(accounts[0], root, new, on_conflict="skip", replaces=None)
    assert refused.value.status == 409
    both = await connector.restore_item(accounts[0], root, new, on_conflict="keep-both", replaces=first.item_id)
    assert shown(tenant, accounts[0], both.item_id)["name"] not in {old.name, new.name}
    assert content(tenant, accounts[0], first.item_id) == b"old"
    over = await connector.restore_item(accounts[0], root, new, on_conflict="overwrite", replaces=first.item_id)
    assert over.item_id == first.item_id
    assert content(tenant, accounts[0], first.item_id) == b"new"


async def test_hostile_names(connector: OneDriveConnector, accounts: list[Account], tenant: Tenant) -> None:
    """A name that SharePoint refuses is changed to one it takes, found under that name again, and told."""
    root = await connector.restore_root(accounts[0], "restore")
    backup = backup_of("../a:b?.txt ", b"x")
    written = await connector.restore_item(accounts[0], root, backup, on_conflict="skip", replaces=None)
    assert shown(tenant, accounts[0], written.item_id)["name"] == ".._a_b_.txt"
    assert written.degraded == ("its name is not accepted there: it is called '.._a_b_.txt' now",)
    existing = await connector.existing(accounts[0], root, backup)
    assert existing is not None
    assert existing.identical


async def test_a_notebook_comes_back_as_a_folder(
    connector: OneDriveConnector, accounts: list[Account], tenant: Tenant
) -> None:
    """Notebooks are made as folders; a file that bears a folder's name does not stop it."""
    root = await connector.restore_root(accounts[0], "restore")
    notebook = Stored(RemoteItem("01N", Kind.NOTEBOOK, "", "Notes", 0, "", "", has_content=False), {})
    folder_id = await connector.restore_folder(accounts[0], root, notebook)
    assert folder_id is not None
    assert "folder" in shown(tenant, accounts[0], folder_id)
    await connector.restore_item(accounts[0], root, backup_of("Data", b"x"), on_conflict="skip", replaces=None)
    data = Stored(RemoteItem("01F", Kind.FOLDER, "", "Data", 0, "", "", has_content=False), {})
    assert await connector.restore_folder(accounts[0], root, data, make=False) is None
    beside = await connector.restore_folder(accounts[0], root, data)
    assert beside is not None
    assert shown(tenant, accounts[0], beside)["name"] != "Data"


async def test_users_without_a_drive(connector: OneDriveConnector, accounts: list[Account], tenant: Tenant) -> None:
    """Who has no drive is told with the reason, and everybody else is found all the same."""
    refusal = {"error": {"code": "itemNotFound", "message": "User's mysite not found."}}
    tenant.control("fault", {
        "match": f"/users/{accounts[0].owner_id}/drive", "status": 404, "times": -1,
        "body": msgspec.json.encode(refusal).decode(),
    })
    found = [found async for found in connector.discover({})]
    assert [f.reason for f in found] == ["has no OneDrive", "", ""]
    assert [f.object_id for f in found[1:]] == [a.account_id.partition(":")[2] for a in accounts[1:]]


async def test_bytes_that_do_not_fit_the_hash(
    connector: OneDriveConnector, accounts: list[Account], tenant: Tenant
) -> None:
    """A file that changed since it was listed is an error, and never stored as what was listed."""
    item = (await listed(connector, accounts[0])).contents()[0]
    path = f"{drive(accounts[0])}/items/{quote(item.item_id)}/content"
    tenant.ask("PUT", path, b"changed meanwhile", {"Content-Type": "text/plain"})
    with pytest.raises(GraphError, match="quickXorHash"):
        await stored(connector, accounts[0], item)


@pytest.mark.parametrize(("name", "rewritten"), [("Plan.DOCX", True), ("data.bin", False)])
async def test_a_service_that_holds_other_bytes(
    connector: OneDriveConnector, accounts: list[Account], tenant: Tenant, name: str, rewritten: bool
) -> None:
    """Office files that SharePoint wrote into are restored and marked; any other file that differs is an error."""
    root = await connector.restore_root(accounts[0], "restore")
    hashes = {"quickXorHash": "SgAAAAAAAAAAAAAAAQAAAAAAAAA="}
    held = {"id": "01HELD", "name": name, "size": 9, "file": {"hashes": hashes}}
    tenant.control("fault", {"match": "PUT /uploadSession", "status": 201, "body": held})
    restoring = connector.restore_item(accounts[0], root, backup_of(name, b"x"), on_conflict="skip", replaces=None)
    if rewritten:
        written = await restoring
        assert (written.item_id, written.rewritten, written.verified) == ("01HELD", True, False)
    else:
        with pytest.raises(GraphError, match="not the one that was sent"):
            await restoring


async def test_files_of_a_drive_that_is_no_more_are_not_deleted(
    connector: OneDriveConnector, accounts: list[Account], tenant: Tenant
) -> None:
    """A file that alone is gone is gone; without a drive to hold it, it is the drive that is missing."""
    account = accounts[0]
    item = replace((await listed(connector, account)).contents()[0], link="")
    since = datetime(2026, 11, 23, tzinfo=UTC)
    debt = Owed(account.account_id, "drive", item.item_id, item.kind, "", since, 1, "failed")
    tenant.ask("DELETE", f"{drive(account)}/items/{quote(item.item_id)}")
    with pytest.raises(ItemGone):
        await stored(connector, account, item)
    assert await connector.refresh(account, debt) is None
    refusal = {"error": {"code": "itemNotFound", "message": "The resource could not be found."}}
    tenant.control("fault", {
        "match": drive(account), "status": 404, "times": -1, "body": msgspec.json.encode(refusal).decode()
    })
    with pytest.raises(AccountAbsent, match="no drive"):
        await stored(connector, account, item)
    with pytest.raises(AccountAbsent, match="no drive"):
        await connector.refresh(account, debt)
