"""An administrator of the simulated tenant at a browser, and a clock that takes the tenant's time along."""

import asyncio
import re
from datetime import UTC, datetime, timedelta
from typing import Any, Self
from urllib.parse import urljoin

import httpx

from tuiback.simtenant import Endpoints


class Administrator:
    """Signs in where a code or an address leads; `number` 0 is the tenant's Global Administrator."""

    def __init__(self, endpoints: Endpoints, number: int = 0) -> None:
        self._endpoints = endpoints
        self._number = number
        # All of the tenant is plain HTTP: no authorities have to be read.
        self.browser = httpx.Client(verify=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.browser.close()

    def control(self, path: str, document: object = None) -> dict[str, Any]:
        """Ask the tenant's control, or tell it something."""
        url = self._endpoints.control_url + path
        reply = self.browser.get(url) if document is None else self.browser.post(url, json=document)
        assert reply.status_code < 300, reply.text
        found: dict[str, Any] = reply.json()
        return found

    def graph(self, method: str, path: str, document: object = None) -> httpx.Response:
        """A request to Graph with all rights."""
        ends = self._endpoints
        form = {
            "grant_type": "client_credentials", "client_id": ends.client_id, "client_secret": ends.client_secret,
            "scope": "https://graph.microsoft.com/.default",
        }  # fmt: skip
        token = self.browser.post(f"{ends.authority}/oauth2/v2.0/token", data=form).json()["access_token"]
        headers = {"Authorization": f"Bearer {token}"}
        return self.browser.request(method, f"{ends.graph_url}/v1.0{path}", json=document, headers=headers)

    @property
    def address(self) -> str:
        """Whom the administrator signs in as."""
        users: list[dict[str, Any]] = self.graph("GET", "/users?$select=id,mail").json()["value"]
        return str(users[self._number]["mail"])

    def enter(self, url: str, user_code: str) -> httpx.Response:
        """Enter a device code and sign in."""
        return self.browser.post(url, data={"user_code": user_code, "account": self.address})

    def decline(self, url: str, user_code: str) -> None:
        """Enter a device code and decline."""
        self.browser.post(url, data={"user_code": user_code, "account": self.address, "action": "cancel"})

    def consent(self, url: str) -> httpx.Response:
        """Grant everything that the page shows."""
        page = self.browser.get(url)
        assert page.status_code == 200, page.text
        found = re.search(r'<form method="post" action="([^"]*)"', page.text)
        assert found is not None
        action = urljoin(url, found[1].replace("&amp;", "&"))
        return self.browser.post(action, data={"account": self.address})

    def apps(self) -> dict[str, dict[str, Any]]:
        """The registrations in the tenant, by name."""
        return {app["displayName"]: app for app in self.graph("GET", "/applications").json()["value"]}

    def roles_of(self, client_id: str) -> int:
        """How many permissions an app was granted."""
        path = f"/servicePrincipals(appId='{client_id}')/appRoleAssignments"
        return len(self.graph("GET", path).json()["value"])


class TenantClock:
    """Sleeping takes no time: the tenant's clock jumps instead, and this one with it."""

    def __init__(self, administrator: Administrator) -> None:
        self._administrator = administrator
        self.ahead_seconds = 0.0

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.ahead_seconds)

    def monotonic(self) -> float:
        return self.ahead_seconds

    async def sleep(self, seconds: float) -> None:
        self.ahead_seconds += seconds
        await asyncio.to_thread(self._administrator.control, "/clock", {"seconds": seconds})
