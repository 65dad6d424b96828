"""A signed-in client for tests of the simulated tenant, which knows nothing but HTTP."""

from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self

import httpx

from tuiback.simtenant import Endpoints

# "Microsoft Graph Command Line Tools", known in every tenant.
COMMAND_LINE = "14d82eec-204b-4c2f-b7e8-296a70dab67e"
SCOPE = "https://graph.microsoft.com/.default"
IMMUTABLE = {"Prefer": 'IdType="ImmutableId", odata.maxpagesize=7'}


class Caller:
    """Sends requests with the tenant's own application, and remembers each exchange."""

    def __init__(self, endpoints: Endpoints) -> None:
        self.endpoints = endpoints
        self.root = f"{endpoints.graph_url}/v1.0"
        self.exchanges: list[dict[str, Any]] = []
        self.plain = httpx.Client(verify=False)
        self._signed = httpx.Client(verify=False)
        self.sign_in(endpoints.client_id, endpoints.client_secret)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.plain.close()
        self._signed.close()

    def sign_in(self, client_id: str, secret: str) -> None:
        """Use another application from now on."""
        form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret, "scope": SCOPE}
        token = self.plain.post(f"{self.endpoints.authority}/oauth2/v2.0/token", data=form).json()["access_token"]
        self._signed.headers["Authorization"] = f"Bearer {token}"

    def sign_in_person(self, account: str, scope: str) -> None:
        """Act on behalf of somebody from now on, who has entered a device code; the first person may consent to all."""
        started = self.plain.post(
            f"{self.endpoints.authority}/oauth2/v2.0/devicecode", data={"client_id": COMMAND_LINE, "scope": scope}
        ).json()
        page = self.plain.get(started["verification_uri"]).url
        self.plain.post(page, data={"user_code": started["user_code"], "account": account})
        form = {"grant_type": "urn:ietf:params:oauth:grant-type:device_code", "client_id": COMMAND_LINE}
        form["device_code"] = started["device_code"]
        token = self.plain.post(f"{self.endpoints.authority}/oauth2/v2.0/token", data=form).json()["access_token"]
        self._signed.headers["Authorization"] = f"Bearer {token}"

    @property
    def authorization(self) -> dict[str, str]:
        """The header of signed requests, for a client of one's own."""
        return {"Authorization": self._signed.headers["Authorization"]}

    def send(self, method: str, url: str, **options: Any) -> httpx.Response:
        """One request to Graph; `url` is absolute or begins behind /v1.0."""
        reply = self._signed.request(method, url if url.startswith("http") else self.root + url, **options)
        is_json = "json" in reply.headers.get("content-type", "") and reply.content
        self.exchanges.append(
            {
                "method": method,
                "url": str(reply.request.url),
                "request_headers": dict(reply.request.headers),
                "status": reply.status_code,
                "body": reply.json() if is_json else None,
            }
        )
        return reply

    def get(self, url: str, **options: Any) -> dict[str, Any]:
        """The JSON of a GET that must succeed."""
        return self._document(self.send("GET", url, **options))

    def post(self, url: str, document: object, **options: Any) -> dict[str, Any]:
        """The JSON of a POST that must succeed."""
        return self._document(self.send("POST", url, json=document, **options))

    def walk(self, url: str, **options: Any) -> tuple[list[dict[str, Any]], str]:
        """All entries of a listing or delta round, and the deltaLink ("" for a listing)."""
        found: list[dict[str, Any]] = []
        document: dict[str, Any] = {"@odata.nextLink": url}
        while "@odata.nextLink" in document:
            document = self.get(document["@odata.nextLink"], **options)
            found += document["value"]
        return found, document.get("@odata.deltaLink", "")

    def control(self, path: str, document: object = None) -> dict[str, Any]:
        """POST to the control, or GET where there is nothing to say."""
        url = self.endpoints.control_url + path
        reply = self.plain.get(url) if document is None else self.plain.post(url, json=document)
        return self._document(reply)

    def users(self) -> list[str]:
        """The ids of all users."""
        return [each["id"] for each in self.walk("/users?$select=id")[0]]

    def folder(self, user: str, name: str) -> str:
        """The id of a top-level folder."""
        return str(self.get(f"/users/{user}/mailFolders/{name}")["id"])

    def messages(self, user: str) -> Iterator[dict[str, Any]]:
        """Every message of a mailbox by its immutable id."""
        yield from self.walk(f"/users/{user}/messages?$select=id,subject,changeKey&$top=200", headers=IMMUTABLE)[0]

    @staticmethod
    def _document(reply: httpx.Response) -> dict[str, Any]:
        assert reply.status_code < 300, reply.text
        found = reply.json()
        assert isinstance(found, dict)
        return found


def code_of(reply: httpx.Response) -> str:
    """The error code in an answer."""
    return str(reply.json()["error"]["code"])
