"""SharePoint's own interface: files on rows, who made a row, and of what kind a site is."""

import time
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.simtenant.api.key_pair import KeyPair
from tests.simtenant.caller import Caller

SCOPE = "https://northwind.sharepoint.com/.default"


@pytest.fixture(scope="module")
def pair() -> KeyPair:
    """A key for all tests here."""
    return KeyPair()


class Rest:
    """A client of the interface, with the token of an application that has a certificate or a secret."""

    def __init__(self, caller: Caller, pair: KeyPair) -> None:
        self._caller = caller
        self._pair = pair
        caller.control("/applications", {"client_id": "rest", "certificate": pair.public_pem, "secret": "s",
                                         "roles": ["Sites.FullControl.All"]})  # fmt: skip
        drive = caller.get(f"/users/{caller.users()[0]}/drive/root/delta?$select=id,@microsoft.graph.downloadUrl")
        file = next(each for each in drive["value"] if "@microsoft.graph.downloadUrl" in each)
        self.root = "http://" + urlsplit(file["@microsoft.graph.downloadUrl"]).netloc
        self.headers = {"Accept": "application/json;odata=nometadata", **self.authorization(SCOPE)}

    def authorization(self, scope: str, *, secret: bool = False) -> dict[str, str]:
        """The header of a fresh token."""
        now, endpoint = int(time.time()), f"{self._caller.endpoints.authority}/oauth2/v2.0/token"
        claims = {"aud": endpoint, "iss": "rest", "sub": "rest", "jti": "1", "nbf": now, "exp": now + 300}
        kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        proof = {"client_assertion_type": kind, "client_assertion": self._pair.assertion(claims)}
        form = {"grant_type": "client_credentials", "client_id": "rest", "scope": scope}
        form |= {"client_secret": "s"} if secret else proof
        token = self._caller.plain.post(endpoint, data=form).json()["access_token"]
        return {"Authorization": f"Bearer {token}"}

    def send(self, method: str, path: str, **options: Any) -> httpx.Response:
        """One request."""
        headers = self.headers | options.pop("headers", {})
        return self._caller.plain.request(method, self.root + path, headers=headers, **options)


@pytest.fixture
def rest(caller: Caller, pair: KeyPair) -> Rest:
    """The client."""
    return Rest(caller, pair)


@pytest.fixture
def assets(caller: Caller) -> tuple[str, str]:
    """A list with files on its rows: its path at Graph, and that of its site."""
    site = caller.walk("/sites?$select=id,webUrl")[0][-1]
    return f"/sites/{site['id']}/lists/Assets", urlsplit(site["webUrl"]).path


def test_files_hang_on_rows(caller: Caller, rest: Rest, assets: tuple[str, str]) -> None:
    """They are listed, read, added and deleted here; Graph tells but that there are some."""
    rows = caller.walk(f"{assets[0]}/items?$expand=fields")[0]
    row = next(each for each in rows if each["fields"]["Attachments"])
    _, link = caller.walk(f"{assets[0]}/items/delta")
    files = f"{assets[1]}/_api/web/lists/getbytitle('Assets')/items({row['id']})/AttachmentFiles"
    names = [each["FileName"] for each in rest.send("GET", files).json()["value"]]
    assert rest.send("GET", f"{files}('{names[0]}')/$value").content
    assert rest.send("POST", f"{files}/add(FileName='it''s.txt')", content=b"new").json()["FileName"] == "it's.txt"
    assert rest.send("POST", f"{files}/add(FileName='it''s.txt')", content=b"new").status_code == 400
    assert rest.send("GET", f"{files}('it''s.txt')/$value").content == b"new"
    alone = rest.send("GET", f"{files}/getByFileName('it''s.txt')").json()["ServerRelativeUrl"].replace("'", "''")
    by_path = f"{assets[1]}/_api/web/getFileByServerRelativePath(decodedurl='{alone}')/$value"
    assert rest.send("GET", by_path).content == b"new"
    assert rest.send("GET", by_path.replace("Lists", "Other")).status_code == 404
    assert [each["id"] for each in caller.walk(link)[0]] == [row["id"]]
    for name in (*names, "it''s.txt"):
        assert rest.send("POST", f"{files}('{name}')", headers={"X-HTTP-Method": "DELETE"}).status_code == 200
    verbose = {"Accept": "application/json;odata=verbose"}
    assert rest.send("GET", files, headers=verbose).json() == {"d": {"results": []}}
    assert not caller.get(f"{assets[0]}/items/{row['id']}")["fields"]["Attachments"]
    missing = rest.send("GET", f"{files}('none')/$value")
    assert (missing.status_code, missing.json()["odata.error"]["message"]["lang"]) == (404, "en-US")


def test_only_certificates_open_it(caller: Caller, rest: Rest, assets: tuple[str, str]) -> None:
    """No secret, no token of Graph, no application without the permission; and its token is not good at Graph."""
    web = f"{assets[1]}/_api/web"
    assert rest.send("GET", web).status_code == 200
    assert rest.send("POST", f"{assets[1]}/_api/contextinfo").json()["FormDigestValue"].startswith("0x")
    by_secret = rest.authorization(SCOPE, secret=True)
    assert rest.send("GET", web, headers=by_secret).json()["error_description"] == "Unsupported app only token."
    graphs = rest.authorization("https://graph.microsoft.com/.default")
    assert rest.send("GET", web, headers=graphs).status_code == 401
    assert caller.plain.get(f"{caller.root}/sites", headers=rest.authorization(SCOPE)).status_code == 401
    roles = {"client_id": "rest", "certificate": rest._pair.public_pem, "roles": ["User.Read.All"]}
    caller.control("/applications", roles)
    assert rest.send("GET", web, headers=rest.authorization(SCOPE)).status_code == 403


def test_it_tells_what_a_site_is(caller: Caller, rest: Rest) -> None:
    """Of a team, of a channel, of nobody, or somebody's own."""
    found = {}
    for each in caller.walk("/sites/getAllSites?$select=webUrl")[0]:
        path = urlsplit(each["webUrl"]).path
        if not path.startswith("/personal/"):
            kind = rest.send("GET", f"{path}/_api/web?$select=WebTemplate,Configuration").json()
            found[path] = f"{kind['WebTemplate']}#{kind['Configuration']}"
    assert found[""] == found["/sites/intranet"] == "SITEPAGEPUBLISHING#0"
    assert set(found.values()) == {"SITEPAGEPUBLISHING#0", "GROUP#0", "TEAMCHANNEL#0", "TEAMCHANNEL#1"}


def test_it_writes_who_made_a_row(caller: Caller, rest: Rest, assets: tuple[str, str]) -> None:
    """And when, which Graph can't; an author counts only beside an editor."""
    item = caller.post(f"{assets[0]}/items", {"fields": {"Title": "old"}})["id"]
    address = caller.get(f"/users/{caller.users()[1]}")["userPrincipalName"]
    update = f"{assets[1]}/_api/web/lists/getbytitle('Assets')/items({item})/ValidateUpdateListItem"
    person = f"[{{'Key':'i:0#.f|membership|{address}'}}]"
    values = {"Author": person, "Editor": person, "Created": "2020-02-03T04:05:06Z", "Modified": "02/04/2020 01:30 PM"}
    form = [{"FieldName": name, "FieldValue": value} for name, value in values.items()]
    written = rest.send("POST", update, json={"formValues": form, "bNewDocumentUpdate": True}).json()["value"]
    assert {each["HasException"] for each in written} == {False}
    row = caller.get(f"{assets[0]}/items/{item}")
    assert (row["createdDateTime"], row["lastModifiedDateTime"]) == ("2020-02-03T04:05:06Z", "2020-02-04T13:30:00Z")
    assert row["createdBy"]["user"]["email"] == row["lastModifiedBy"]["user"]["email"] == address
    assert row["fields"]["_UIVersionString"] == "1.0"
    alone = rest.send("POST", update, json={"formValues": form[:1]}).json()["value"]
    assert [each["HasException"] for each in alone] == [True]
    wrong = {"formValues": [{"FieldName": "Colour", "FieldValue": "red"}]}
    assert rest.send("POST", update, json=wrong).status_code == 400
