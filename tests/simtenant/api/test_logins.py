"""People sign in as at Microsoft's: with a code on another device, and in the browser with PKCE."""

import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import jwt
import msal
import pytest
from jwt.algorithms import RSAAlgorithm

from tests.simtenant.caller import Caller
from tuiback.simtenant import Server
from tuiback.simtenant.content.app_roles import COMMAND_LINE_APP_ID

SCOPES = ["https://graph.microsoft.com/Application.ReadWrite.All", "https://graph.microsoft.com/User.Read"]
# msal polls until the flow expires, and never sooner than the interval.
ASK_ONCE = {"expires_at": 0, "interval": 1}
BACK = "http://localhost:4711/back"


class OverHttp:
    """Takes what msal sends to https to the tenant's plain port, and shows its answers as https."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def get(self, url: str, params: Any = None, headers: Any = None, **_: object) -> httpx.Response:
        return self._shown(self._client.get(self._plain(url), params=params, headers=headers))

    def post(self, url: str, params: Any = None, data: Any = None, headers: Any = None, **_: object) -> httpx.Response:
        return self._shown(self._client.post(self._plain(url), params=params, data=data, headers=headers))

    def close(self) -> None:
        """The caller closes."""

    @staticmethod
    def _plain(url: str) -> str:
        return url.replace("https://", "http://", 1)

    @staticmethod
    def _shown(reply: httpx.Response) -> httpx.Response:
        content = reply.content.replace(b"http://127", b"https://127")
        return httpx.Response(reply.status_code, content=content, headers={"Content-Type": "application/json"})


def settings(caller: Caller) -> dict[str, Any]:
    """What every msal application here is made with."""
    authority = caller.endpoints.authority.replace("http://", "https://")
    return {"authority": authority, "instance_discovery": False, "http_client": OverHttp(caller.plain)}


def address(caller: Caller, number: int) -> str:
    """Somebody's address; the first one is the administrator."""
    return str(caller.get(f"/users/{caller.users()[number]}")["mail"])


def filled_in(caller: Caller, page_url: str, **fields: str) -> httpx.Response:
    """Open a page and send its form."""
    page = caller.plain.get(page_url)
    assert page.status_code == 200
    found = re.search(r'<form method="post" action="([^"]*)"', page.text)
    assert found is not None
    action = found[1].replace("&amp;", "&")
    return caller.plain.post(httpx.URL(page_url).join(action), data=fields)


def posted(page: httpx.Response) -> dict[str, str]:
    """What the page's form sends to the application."""
    assert f'action="{BACK}"' in page.text
    return dict(re.findall(r'name="([^"]+)" value="([^"]*)"', page.text))


def test_a_device_code_leads_to_a_token(caller: Caller) -> None:
    """Pending until somebody enters the code; then a token with the scopes, who it was, and a refresh token."""
    app = msal.PublicClientApplication(COMMAND_LINE_APP_ID, **settings(caller))
    flow = app.initiate_device_flow(SCOPES)
    flow |= ASK_ONCE
    assert app.acquire_token_by_device_flow(flow)["error"] == "authorization_pending"
    page = flow["verification_uri"].replace("https://", "http://")
    assert filled_in(caller, page, user_code="WRONG", account="x").status_code == 400
    done = filled_in(caller, page, user_code=flow["user_code"].lower(), account=address(caller, 0))
    assert "You have signed in" in done.text
    token = app.acquire_token_by_device_flow(flow)
    assert token["id_token_claims"]["preferred_username"] == address(caller, 0)
    headers = {"Authorization": f"Bearer {token['access_token']}"}
    assert caller.plain.get(f"{caller.root}/applications", headers=headers).status_code == 200
    assert caller.plain.get(f"{caller.root}/users", headers=headers).status_code == 403
    (account,) = app.get_accounts()
    renewed = app.acquire_token_silent(SCOPES, account, force_refresh=True)
    assert renewed["access_token"] != token["access_token"]
    more = app.acquire_token_silent_with_error(["https://graph.microsoft.com/Mail.Read"], account)
    assert more is not None
    assert more["error_codes"] == [65001]


def test_people_who_are_no_administrators_cannot_consent(caller: Caller) -> None:
    """The page says so, and the device goes on waiting; a decline ends it."""
    app = msal.PublicClientApplication(COMMAND_LINE_APP_ID, **settings(caller))
    flow = app.initiate_device_flow(SCOPES)
    flow |= ASK_ONCE
    page = flow["verification_uri"].replace("https://", "http://")
    refused = filled_in(caller, page, user_code=flow["user_code"], account=address(caller, 1))
    assert (refused.status_code, refused.json()["error_codes"]) == (400, [90094])
    assert app.acquire_token_by_device_flow(flow)["error"] == "authorization_pending"
    filled_in(caller, page, user_code=flow["user_code"], account=address(caller, 1), action="cancel")
    assert app.acquire_token_by_device_flow(flow)["error"] == "authorization_declined"


def test_a_browser_sign_in_with_pkce(caller: Caller) -> None:
    """The page leads back with a code; it is good once, for who holds the verifier; the id token verifies by JWKS."""
    ends = caller.endpoints
    app = msal.ConfidentialClientApplication(
        ends.client_id, client_credential=ends.client_secret, **settings(caller)
    )
    flow = app.initiate_auth_code_flow(["User.Read"], redirect_uri=BACK, response_mode="form_post")
    page = flow["auth_uri"].replace("https://", "http://")
    answer = posted(filled_in(caller, page, account=address(caller, 1)))
    forged = {**flow, "code_verifier": "x" * 43}
    code = dict(answer)
    token = app.acquire_token_by_auth_code_flow(flow, answer)
    assert token["id_token_claims"]["preferred_username"] == address(caller, 1)
    assert app.acquire_token_by_auth_code_flow(flow, code)["error"] == "invalid_grant"
    answer = posted(filled_in(caller, page, account=address(caller, 1)))
    assert app.acquire_token_by_auth_code_flow(forged, answer)["error_codes"] == [501481]
    (jwk,) = caller.plain.get(f"{ends.authority}/discovery/v2.0/keys").json()["keys"]
    assert jwt.get_unverified_header(token["id_token"])["kid"] == jwk["kid"]
    public = RSAAlgorithm.from_jwk(jwk)
    assert not hasattr(public, "private_numbers")
    jwt.decode(token["id_token"], public, ["RS256"], audience=ends.client_id)


def test_who_cancels_is_led_back_with_an_error(caller: Caller) -> None:
    """The application hears access_denied and its own state."""
    query = {"client_id": caller.endpoints.client_id, "redirect_uri": BACK, "scope": "openid", "state": "s 1"}
    page = f"{caller.endpoints.authority}/oauth2/v2.0/authorize?{httpx.QueryParams({**query, 'response_type': 'code'})}"
    led = filled_in(caller, page, account="x", action="cancel")
    assert parse_qs(urlsplit(led.headers["location"]).query) == {"error": ["access_denied"], "state": ["s 1"]}


@pytest.mark.parametrize(("account", "number"), [("nobody@northwind.example", 50034), ("", 50034)])
def test_unknown_people_stay_on_the_page(caller: Caller, account: str, number: int) -> None:
    """The page says which error it is."""
    query = {"client_id": caller.endpoints.client_id, "redirect_uri": BACK, "response_type": "code", "scope": "openid"}
    page = f"{caller.endpoints.authority}/oauth2/v2.0/authorize?{httpx.QueryParams(query)}"
    assert f"AADSTS{number}" in filled_in(caller, page, account=account).text


def test_other_names_of_the_tenant(caller: Caller, server: Server) -> None:
    """organizations, common and the domain lead to the same tenant."""
    for name in ("organizations", "common", "northwind.example"):
        url = f"{server.endpoints.graph_url}/{name}/v2.0/.well-known/openid-configuration"
        assert caller.endpoints.tenant_id in caller.plain.get(url).json()["issuer"]


def test_the_default_scope_is_what_the_application_was_granted(caller: Caller) -> None:
    """Who asks for it gets on behalf of a person what an administrator has granted before, and anybody may ask."""
    ends = caller.endpoints
    app = msal.PublicClientApplication(ends.client_id, **settings(caller))
    flow = app.initiate_device_flow(["https://graph.microsoft.com/.default"])
    page = flow["verification_uri"].replace("https://", "http://")
    filled_in(caller, page, user_code=flow["user_code"], account=address(caller, 1))
    token = app.acquire_token_by_device_flow(flow | ASK_ONCE)
    assert {"Mail.ReadWrite", "Files.ReadWrite.All"} <= set(token["scope"].split())
    headers = {"Authorization": f"Bearer {token['access_token']}"}
    assert caller.plain.get(f"{caller.root}/me/messages?$top=1", headers=headers).status_code == 200
