"""Signing in works as at Microsoft's: by secret and by certificate, with their errors."""

import time
from typing import Any

import httpx
import jwt
import msal
import pytest
from cryptography.hazmat.primitives import hashes

from tests.simtenant.api.key_pair import KeyPair
from tests.simtenant.caller import SCOPE, Caller, code_of


@pytest.fixture(scope="module")
def pair() -> KeyPair:
    """One key pair, since making one is slow."""
    return KeyPair()


def ask(caller: Caller, tenant: str = "", **changes: str) -> httpx.Response:
    """Ask for a token; `changes` replace fields of a good request."""
    ends = caller.endpoints
    form = {
        "grant_type": "client_credentials", "client_id": ends.client_id, "client_secret": ends.client_secret,
        "scope": SCOPE,
    } | changes  # fmt: skip
    authority = f"{ends.graph_url}/{tenant}" if tenant else ends.authority
    return caller.plain.post(f"{authority}/oauth2/v2.0/token", data=form)


def test_discovery_documents_name_the_host_that_was_asked(caller: Caller) -> None:
    """URLs in the documents carry the Host header of the request."""
    url = f"{caller.endpoints.authority}/v2.0/.well-known/openid-configuration"
    document = caller.plain.get(url, headers={"Host": "login.example:8443"}).json()
    for name in ("token_endpoint", "authorization_endpoint", "device_authorization_endpoint", "issuer"):
        assert document[name].startswith("http://login.example:8443/" + caller.endpoints.tenant_id)
    metadata = caller.plain.get(f"{caller.endpoints.graph_url}/common/discovery/instance").json()["metadata"]
    assert {"preferred_network", "preferred_cache", "aliases"} <= metadata[0].keys()


@pytest.mark.parametrize(
    ("tenant", "changes", "status", "number"),
    [
        ("", {"client_secret": "wrong"}, 401, 7000215),
        ("", {"client_id": "00000000-0000-0000-0000-000000000000"}, 400, 700016),
        ("11111111-1111-1111-1111-111111111111", {}, 400, 90002),
        ("", {"client_assertion": "no.jwt.here"}, 401, 50027),
        ("", {"grant_type": "password"}, 400, 70003),
        ("", {"scope": "openid"}, 400, 1002012),
    ],
)
def test_refusals_carry_entras_numbers(
    caller: Caller, tenant: str, changes: dict[str, str], status: int, number: int
) -> None:
    """Each wrong request gets the status and the AADSTS number that Entra gives."""
    reply = ask(caller, tenant, **changes)
    document = reply.json()
    assert (reply.status_code, document["error_codes"]) == (status, [number])
    assert document["error_description"].startswith(f"AADSTS{number}: ")
    assert {"error", "timestamp", "trace_id", "correlation_id"} <= document.keys()


def test_tokens_carry_the_roles(caller: Caller) -> None:
    """The access token is a JWT whose claims tell the application, the tenant, the roles and the end."""
    token = ask(caller).json()["access_token"]
    claims = jwt.decode(token, options={"verify_signature": False})
    assert "Mail.ReadWrite" in claims["roles"]
    assert (claims["appid"], claims["tid"]) == (caller.endpoints.client_id, caller.endpoints.tenant_id)
    assert 3000 < claims["exp"] - time.time() < 4000


def test_tokens_tell_which_application_they_are_of(caller: Caller) -> None:
    """The object id is the service principal's, and the name that people see is told too."""
    claims = jwt.decode(ask(caller).json()["access_token"], options={"verify_signature": False})
    principal = caller.get(f"/servicePrincipals?$filter=appId eq '{caller.endpoints.client_id}'")["value"][0]
    assert (claims["oid"], claims["app_displayname"]) == (principal["id"], principal["displayName"])
    assert (claims["idtyp"], claims["appidacr"]) == ("app", "1")


def test_the_first_version_of_the_endpoint_names_a_resource(caller: Caller) -> None:
    """Clients of those days get a token for it, with its times as texts; what names nothing is refused."""
    ends = caller.endpoints
    known = caller.plain.get(f"{ends.authority}/.well-known/openid-configuration").json()
    assert known["issuer"] == f"https://sts.windows.net/{ends.tenant_id}/"
    form = {"grant_type": "client_credentials", "client_id": ends.client_id, "client_secret": ends.client_secret}
    given = caller.plain.post(known["token_endpoint"], data=form | {"resource": "https://graph.microsoft.com/"}).json()
    assert (given["expires_in"], given["resource"]) == ("3599", "https://graph.microsoft.com/")
    headers = {"Authorization": f"Bearer {given['access_token']}"}
    assert caller.plain.get(f"{caller.root}/users", headers=headers).status_code == 200
    refused = caller.plain.post(known["token_endpoint"], data=form)
    assert (refused.status_code, refused.json()["error_codes"]) == (400, [900144])


class MsalHttp:
    """Lets msal, which refuses http, talk to loopback."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def get(self, url: str, **options: Any) -> httpx.Response:
        return self._mapped(self._client.get(url.replace("https:", "http:"), headers=options.get("headers")))

    def post(self, url: str, **options: Any) -> httpx.Response:
        form = {name: v.decode() if isinstance(v, bytes) else v for name, v in options["data"].items()}
        return self._client.post(url.replace("https:", "http:"), data=form, headers=options.get("headers"))

    def close(self) -> None:
        self._client.close()

    @staticmethod
    def _mapped(reply: httpx.Response) -> httpx.Response:
        return httpx.Response(reply.status_code, text=reply.text.replace("http:", "https:"))


def test_msal_signs_in_by_certificate(caller: Caller, pair: KeyPair) -> None:
    """Microsoft's own library gets a token with a certificate, under both of its signature forms."""
    caller.control("/applications", {"client_id": "app", "certificate": pair.public_pem})
    thumbprint = pair.certificate.fingerprint(hashes.SHA1()).hex()
    for credential in (
        {"private_key": pair.private_pem, "public_certificate": pair.public_pem},
        {"private_key": pair.private_pem, "thumbprint": thumbprint},
    ):
        with httpx.Client() as client:
            app = msal.ConfidentialClientApplication(
                "app",
                client_credential=credential,
                authority=caller.endpoints.authority.replace("http:", "https:"),
                http_client=MsalHttp(client),
                instance_discovery=False,
            )
            found = app.acquire_token_for_client([SCOPE])
        assert found.get("token_type") == "Bearer", found


@pytest.mark.parametrize(
    ("changed", "number"), [({"aud": "https://elsewhere/token"}, 700021), ({"iss": "x"}, 700021), ({"exp": 1}, 700024)]
)
def test_assertions_are_checked(caller: Caller, pair: KeyPair, changed: dict[str, Any], number: int) -> None:
    """Wrong audience, wrong issuer and an old assertion are refused."""
    caller.control("/applications", {"client_id": "app", "certificate": pair.public_pem})
    endpoint = caller.endpoints.authority.replace("http:", "https:") + "/oauth2/v2.0/token"
    claims = {"aud": endpoint, "iss": "app", "sub": "app", "exp": int(time.time()) + 600} | changed
    reply = ask(caller, client_id="app", client_assertion=pair.assertion(claims))
    assert reply.json()["error_codes"] == [number]


def test_a_certificate_that_is_not_registered_is_refused(caller: Caller, pair: KeyPair) -> None:
    """Entra's 700027 for an unknown certificate, and for a registered one with another key's signature."""
    endpoint = caller.endpoints.authority + "/oauth2/v2.0/token"
    claims = {"aud": endpoint, "iss": "app", "sub": "app", "exp": int(time.time()) + 600}
    caller.control("/applications", {"client_id": "app", "secret": "s"})
    assert ask(caller, client_id="app", client_assertion=pair.assertion(claims)).json()["error_codes"] == [700027]
    caller.control("/applications", {"client_id": "app", "certificate": pair.public_pem})
    head, body, _ = pair.assertion(claims).split(".")
    assert ask(caller, client_id="app", client_assertion=f"{head}.{body}.AAAA").json()["error_codes"] == [700027]


def test_graph_refuses_bad_tokens(caller: Caller) -> None:
    """No token, a made-up one and an expired one are 401 with a WWW-Authenticate header."""
    for headers in ({}, {"Authorization": "Bearer made.up.token"}):
        reply = caller.plain.get(caller.root + "/users", headers=headers)
        assert (reply.status_code, code_of(reply)) == (401, "InvalidAuthenticationToken")
        assert "www-authenticate" in reply.headers
    assert caller.send("GET", "/users").status_code == 200
    caller.control("/clock", {"seconds": 3700})
    assert caller.send("GET", "/users").status_code == 401
    caller.sign_in(caller.endpoints.client_id, caller.endpoints.client_secret)
    assert caller.send("GET", "/users").status_code == 200


def test_roles_decide_per_route(caller: Caller, user: str) -> None:
    """Each service words its own refusal; reading rights don't allow writing."""
    caller.control("/applications", {"client_id": "reader", "secret": "s", "roles": ["Mail.Read"]})
    caller.sign_in("reader", "s")
    assert caller.send("GET", f"/users/{user}/mailFolders").status_code == 200
    for method, url, code in (
        ("GET", "/users", "Authorization_RequestDenied"),
        ("POST", f"/users/{user}/mailFolders", "ErrorAccessDenied"),
        ("GET", f"/users/{user}/drive", "accessDenied"),
    ):
        reply = caller.send(method, url)
        assert (reply.status_code, code_of(reply)) == (403, code)
