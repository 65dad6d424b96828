"""A second reader of the simulated tenant: plain urllib, nothing of tuiback, so that both can't share one mistake."""

import hashlib
import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from typing import Any

# The loopback needs no proxy, whatever the machine's settings are.
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: Any) -> None:
        return None


_opener_without_redirect = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirect)


class Plain:
    """Signs in with the client secret and reads mailboxes and drives."""

    def __init__(self, endpoints: dict[str, str]) -> None:
        self.endpoints = endpoints
        form = {
            "client_id": endpoints["client_id"],
            "client_secret": endpoints["client_secret"],
            "grant_type": "client_credentials",
            "scope": "https://graph.microsoft.com/.default",
        }
        url = endpoints["authority"] + "/oauth2/v2.0/token"
        with _opener.open(url, urllib.parse.urlencode(form).encode()) as r:
            self._token = json.load(r)["access_token"]

    def get(self, path: str, headers: dict[str, str] | None = None) -> bytes:
        """The body of a GET; a redirect is followed without the token."""
        url = path if path.startswith("http") else f"{self.endpoints['graph_url']}/v1.0{path}"
        request = urllib.request.Request(url, headers={"Authorization": f"Bearer {self._token}", **(headers or {})})
        try:
            with _opener_without_redirect.open(request) as r:
                return bytes(r.read())
        except urllib.error.HTTPError as e:
            if e.code != 302:
                raise
            with _opener.open(e.headers["Location"]) as r:
                return bytes(r.read())

    def post(self, path: str, headers: dict[str, str] | None = None) -> None:
        """A POST without a body."""
        url = f"{self.endpoints['graph_url']}/v1.0{path}"
        signed = {"Authorization": f"Bearer {self._token}", **(headers or {})}
        with _opener.open(urllib.request.Request(url, b"", headers=signed)):
            pass

    def all(self, path: str, headers: dict[str, str] | None = None) -> Iterator[dict[str, Any]]:
        """All values of all pages."""
        link: str | None = path
        while link:
            page = json.loads(self.get(link, headers))
            yield from page["value"]
            link = page.get("@odata.nextLink")

    def control(self, verb: str, body: dict[str, Any] | None = None) -> Any:
        """Ask the simulator itself: POST with a body, GET without."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            f"{self.endpoints['control_url']}/{verb}", data, {"Content-Type": "application/json"}
        )
        with _opener.open(request) as r:
            return json.load(r)

    def users(self) -> list[dict[str, Any]]:
        """All users."""
        return list(self.all("/users?$select=id,userPrincipalName&$top=999"))

    def mail(self, user_id: str) -> dict[str, str]:
        """Message id → sha256 of the MIME, of a whole mailbox."""
        found: dict[str, str] = {}
        for folder_id in self._folders(user_id):
            prefer = {"Prefer": 'IdType="ImmutableId"'}
            for message in self.all(f"/users/{user_id}/mailFolders/{folder_id}/messages?$select=id&$top=100", prefer):
                quoted = urllib.parse.quote(message["id"], safe="")
                found[message["id"]] = _sha256(self.get(f"/users/{user_id}/messages/{quoted}/$value", prefer))
        return found

    def _folders(self, user_id: str) -> Iterator[str]:
        waiting = [f"/users/{user_id}/mailFolders?includeHiddenFolders=true&$top=250"]
        while waiting:
            for folder in self.all(waiting.pop()):
                yield folder["id"]
                if folder["childFolderCount"]:
                    below = f"/users/{user_id}/mailFolders/{folder['id']}/childFolders"
                    waiting.append(f"{below}?includeHiddenFolders=true&$top=250")

    def files(self, user_id: str) -> dict[str, str]:
        """Path → sha256 of the content, of a whole drive."""
        drive = json.loads(self.get(f"/users/{user_id}/drive"))["id"]
        found: dict[str, str] = {}
        waiting = [("", f"/drives/{urllib.parse.quote(drive)}/root/children?$top=200")]
        while waiting:
            prefix, link = waiting.pop()
            for item in self.all(link):
                path = f"{prefix}{item['name']}"
                if "folder" in item:
                    children = f"/drives/{urllib.parse.quote(drive)}/items/{item['id']}/children?$top=200"
                    waiting.append((f"{path}/", children))
                else:
                    content = f"/drives/{urllib.parse.quote(drive)}/items/{item['id']}/content"
                    found[path] = _sha256(self.get(content))
        return found


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
