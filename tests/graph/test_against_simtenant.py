"""Tests of the client against the simulated tenant, which shares no code with it."""

import hashlib
import random
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest

from tuiback.errors import CursorExpired, MicrosoftRefuses
from tuiback.graph import AppIdentity, GraphClient
from tuiback.simtenant import Plan, Server

from .clocks import InstantClock

_CONFLICT = {"item": {"@microsoft.graph.conflictBehavior": "fail"}}


@pytest.fixture(scope="module")
def tenant(certificate_pem: str) -> Iterator[Server]:
    """A small tenant that knows our certificate."""
    certificate = certificate_pem[certificate_pem.index("-----BEGIN CERTIFICATE") :]
    plan = Plan(users=2, messages=30, files_per_user=20, message_page=7, certificates=(certificate,))
    with Server(plan) as server:
        yield server


@pytest.fixture
async def client(tenant: Server, clock: InstantClock) -> AsyncIterator[GraphClient]:
    """A client of the tenant with its secret; faults of earlier tests are gone."""
    tenant.reset()
    client = _client(tenant, clock, "secret", tenant.endpoints.client_secret)
    yield client
    await client.close()


def _client(tenant: Server, clock: InstantClock, kind: str, credential: str) -> GraphClient:
    at = tenant.endpoints
    app = AppIdentity(at.tenant_id, at.client_id, at.authority, at.graph_url, kind, credential)
    return GraphClient(app, clock=clock, chance=random.Random(5))


async def _control(tenant: Server, path: str, body: dict[str, Any]) -> None:
    async with httpx.AsyncClient() as control:
        (await control.post(f"{tenant.endpoints.control_url}{path}", json=body)).raise_for_status()


async def _users(client: GraphClient) -> list[dict[str, Any]]:
    pages = client.lane("directory").pages("/users", params={"$select": "id,userPrincipalName"})
    return [user async for page in pages for user in page.items]


async def _drive(client: GraphClient) -> tuple[str, list[dict[str, Any]], str]:
    """A drive's id, its items and the delta link."""
    lane = client.lane("sharepoint")
    drive = (await lane.get(f"/users/{(await _users(client))[0]['id']}/drive"))["id"]
    items: list[dict[str, Any]] = []
    link = ""
    async for page in lane.pages(f"/drives/{drive}/root/delta"):
        items += page.items
        link = page.delta_link or link
    return drive, items, link


async def test_a_certificate_signs_in(tenant: Server, clock: InstantClock, certificate_pem: str) -> None:
    """The tenant verifies the assertion with the certificate alone."""
    client = _client(tenant, clock, "certificate", certificate_pem)
    assert len(await _users(client)) >= 2
    await client.close()


async def test_a_wrong_secret_is_refused(tenant: Server, clock: InstantClock) -> None:
    """Entra's code for a wrong secret leads to the remedy."""
    client = _client(tenant, clock, "secret", "wrong")
    with pytest.raises(MicrosoftRefuses, match=r"AADSTS7000215.*enter the client secret's value"):
        await client.sign_in()
    await client.close()


async def test_a_folder_is_listed_by_pages_and_its_mail_streamed(client: GraphClient) -> None:
    """Every message of the folder comes once, over several pages, and its MIME as a whole."""
    user = (await _users(client))[0]["id"]
    lane = client.lane("outlook", user)
    folder = await lane.get(f"/users/{user}/mailFolders/inbox")
    headers = {"Prefer": 'odata.maxpagesize=7, IdType="ImmutableId"'}
    pages = [page async for page in lane.pages(f"/users/{user}/mailFolders/inbox/messages/delta", headers=headers)]

    ids = [message["id"] for page in pages for message in page.items]
    assert len(ids) == len(set(ids)) == folder["totalItemCount"]
    assert pages[-1].delta_link is not None
    assert all(page.next_link for page in pages[:-1])
    mime = b"".join([piece async for piece in lane.stream(f"/users/{user}/messages/{ids[0]}/$value", headers=headers)])
    assert b"\r\nSubject:" in mime or mime.startswith(b"Subject:")


async def test_an_expired_cursor_is_told(tenant: Server, client: GraphClient) -> None:
    """The tenant forgets its tokens; the link then raises CursorExpired."""
    _, _, link = await _drive(client)
    await _control(tenant, "/expire-deltas", {})
    with pytest.raises(CursorExpired):
        [page async for page in client.lane("sharepoint").pages(link)]


async def test_a_broken_download_is_finished(tenant: Server, client: GraphClient) -> None:
    """Each reply of the download host breaks after some bytes once; the file still comes whole."""
    drive, items, _ = await _drive(client)
    file = max((item for item in items if "file" in item), key=lambda item: item["size"])
    path = f"/drives/{drive}/items/{file['id']}/content"
    lane = client.lane("sharepoint")
    whole = b"".join([piece async for piece in lane.download(path, etag=file["eTag"], size=file["size"])])
    assert len(whole) == file["size"] > 2000

    await _control(tenant, "/fault", {"match": "GET .*download", "drop_after_bytes": 1000, "times": 2})
    again = b"".join([piece async for piece in lane.download(path, etag=file["eTag"], size=file["size"])])
    assert hashlib.sha256(again).digest() == hashlib.sha256(whole).digest()


async def test_throttling_is_waited_out(tenant: Server, client: GraphClient, clock: InstantClock) -> None:
    """Three refusals with a time cost three such waits and nothing else."""
    user = (await _users(client))[0]["id"]
    await _control(tenant, "/fault", {"match": "GET .*/mailFolders", "status": 429, "retry_after": 21, "times": 3})
    assert await client.lane("outlook", user).get(f"/users/{user}/mailFolders/inbox")
    assert clock.slept == [21, 21, 21]


@pytest.mark.parametrize("fault", [None, {"match": "PUT .*", "status": 503, "times": 2}])
async def test_a_file_goes_up_and_comes_down(tenant: Server, client: GraphClient, fault: dict[str, Any] | None) -> None:
    """What an upload session made, a download gives back; also when the host is in trouble meanwhile."""
    drive, items, link = await _drive(client)
    root = next(item for item in items if "root" in item)["id"]
    lane = client.lane("sharepoint")
    data = random.Random(3).randbytes(1_500_000)

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(data), 99_999):
            yield data[start : start + 99_999]

    if fault is not None:
        await _control(tenant, "/fault", fault)
    path = f"/drives/{drive}/items/{root}:/tuiback%20test.bin:/createUploadSession"
    made = await lane.upload(path, _CONFLICT, pieces(), len(data), fragment_bytes=400_000)

    content = lane.download(f"/drives/{drive}/items/{made['id']}/content")
    assert b"".join([piece async for piece in content]) == data
    changed = [item["id"] async for page in lane.pages(link) for item in page.items]
    assert made["id"] in changed


async def test_a_small_file_is_put_and_deleted(client: GraphClient) -> None:
    """An empty file can only be put whole; deleting it twice is fine."""
    drive, items, _ = await _drive(client)
    root = next(item for item in items if "root" in item)["id"]
    lane = client.lane("sharepoint")
    made = await lane.put_bytes(f"/drives/{drive}/items/{root}:/empty.txt:/content", b"")
    assert made["size"] == 0
    assert b"".join([piece async for piece in lane.download(f"/drives/{drive}/items/{made['id']}/content")]) == b""
    await lane.delete(f"/drives/{drive}/items/{made['id']}")
    await lane.delete(f"/drives/{drive}/items/{made['id']}")
