"""A simulated tenant as the tests see it: through plain urllib, which shares nothing with tuiback's client."""

import asyncio
import json
import time
import urllib.error
import urllib.parse
import urllib.request
from datetime import UTC, datetime, timedelta
from typing import Any

from tuiback.simtenant import Server

IMMUTABLE = {"Prefer": 'IdType="ImmutableId"'}


class SwiftClock:
    """Real time, but sleeping only moves the clock on."""

    def __init__(self) -> None:
        self._slept = 0.0

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self._slept)

    def monotonic(self) -> float:
        return time.monotonic() + self._slept

    @property
    def slept_seconds(self) -> float:
        """How much of the time was only slept through."""
        return self._slept

    async def sleep(self, seconds: float) -> None:
        self._slept += seconds
        await asyncio.sleep(0)


class Tenant:
    """Asks the served tenant, and its control, one request at a time."""

    def __init__(self, server: Server) -> None:
        self._ends = server.endpoints
        self._token = ""

    def ask(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Any:
        """The answer's JSON, or None when it has no body. `body` is JSON unless it is bytes."""
        answer = self.raw(method, path, body, headers)
        return json.loads(answer) if answer else None

    def raw(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> bytes:
        """The answer's bytes; redirects are followed."""
        if not self._token:
            self._token = self._sign_in()
        url = f"{self._ends.graph_url}/v1.0{path}"
        return _send(method, url, body, {"Authorization": f"Bearer {self._token}", **(headers or {})})

    def listed(self, path: str) -> list[dict[str, Any]]:
        """All members of a collection, over all its pages."""
        members: list[dict[str, Any]] = []
        link: str | None = path
        while link:
            page = self.ask("GET", link, headers=IMMUTABLE)
            members += page["value"]
            rest: str = page.get("@odata.nextLink", "")
            link = rest.partition("/v1.0")[2] or None
        return members

    def control(self, verb: str, body: Any = None) -> Any:
        """What the control answers: POST with a body, GET without."""
        url = f"{self._ends.control_url.rstrip('/')}/{verb}"
        answer = _send("GET" if body is None else "POST", url, body, {})
        return json.loads(answer) if answer else None

    def requests(self) -> int:
        """How many requests the tenant has answered."""
        return int(self.control("stats")["requests"])

    def carried_out(self) -> int:
        """How many requests the tenant has carried out or refused, each member of a batch by itself."""
        routes = self.control("stats")["by_route"]
        return sum(count for route, count in routes.items() if not route.endswith("/$batch"))

    def _sign_in(self) -> str:
        form = {
            "client_id": self._ends.client_id,
            "client_secret": self._ends.client_secret,
            "grant_type": "client_credentials",
            "scope": f"{self._ends.graph_url}/.default",
        }
        data = urllib.parse.urlencode(form).encode()
        answer = _send("POST", f"{self._ends.authority}/oauth2/v2.0/token", data, {})
        return str(json.loads(answer)["access_token"])


def _send(method: str, url: str, body: Any, headers: dict[str, str]) -> bytes:
    data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    if data is not None and data is not body:
        headers = {"Content-Type": "application/json", **headers}
    request = urllib.request.Request(url, data=data, method=method, headers=headers)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return bytes(answer.read())
