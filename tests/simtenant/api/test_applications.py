"""Applications are registered, granted permissions and given new credentials as in Entra, which takes its time."""

import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.simtenant.api.key_pair import KeyPair
from tests.simtenant.caller import SCOPE, Caller, code_of
from tuiback.simtenant.content.app_roles import APP_ROLE_IDS, GRAPH_APP_ID

MAIL_READ = APP_ROLE_IDS["Mail.Read"]
ASKED = [{"resourceAppId": GRAPH_APP_ID, "resourceAccess": [{"id": MAIL_READ, "type": "Role"}]}]
# More than the directory takes to tell all its servers.
LATER = {"seconds": 10}


@pytest.fixture(scope="module")
def pair() -> KeyPair:
    """One key pair, since making one is slow."""
    return KeyPair()


def registered(caller: Caller, **more: Any) -> dict[str, Any]:
    """A new application, once it can be seen."""
    body = {"displayName": "tuiback", "signInAudience": "AzureADMyOrg", "requiredResourceAccess": ASKED, **more}
    made = caller.post("/applications", body)
    caller.control("/clock", LATER)
    return made


def token(caller: Caller, **form: str) -> httpx.Response:
    """Ask for an application's token."""
    form = {"grant_type": "client_credentials", "scope": SCOPE, **form}
    return caller.plain.post(f"{caller.endpoints.authority}/oauth2/v2.0/token", data=form)


def by_certificate(caller: Caller, app_id: str, pair: KeyPair) -> httpx.Response:
    """Sign in with a certificate."""
    endpoint = f"{caller.endpoints.authority}/oauth2/v2.0/token".replace("http://", "https://")
    claims = {"aud": endpoint, "iss": app_id, "sub": app_id, "exp": int(time.time()) + 600}
    kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    return token(caller, client_id=app_id, client_assertion=pair.assertion(claims), client_assertion_type=kind)


def test_from_registration_to_the_first_mail(caller: Caller, pair: KeyPair) -> None:
    """Application, principal, permission, token: then mail can be read, and users can't."""
    app = registered(caller, keyCredentials=[pair.credential()])
    assert app["id"] != app["appId"]
    principal = caller.post("/servicePrincipals", {"appId": app["appId"]})
    caller.control("/clock", LATER)
    graph = caller.get(f"/servicePrincipals(appId='{GRAPH_APP_ID}')?$select=id,appRoles")
    role = next(each["id"] for each in graph["appRoles"] if each["value"] == "Mail.Read")
    granted = {"principalId": principal["id"], "resourceId": graph["id"], "appRoleId": role}
    url = f"/servicePrincipals/{principal['id']}/appRoleAssignments"
    caller.post(url, granted)
    assert code_of(caller.send("POST", url, json=granted)) == "Request_BadRequest"
    user = caller.users()[0]
    early = by_certificate(caller, app["appId"], pair).json()["access_token"]
    caller.control("/clock", LATER)
    late = by_certificate(caller, app["appId"], pair).json()["access_token"]
    for bearer, path, status in (
        (early, f"/users/{user}/mailFolders", 403), (late, f"/users/{user}/mailFolders", 200), (late, "/users", 403),
    ):  # fmt: skip
        reply = caller.plain.get(caller.root + path, headers={"Authorization": f"Bearer {bearer}"})
        assert reply.status_code == status
    (held,) = caller.get(url)["value"]
    caller.send("DELETE", f"{url}/{held['id']}")
    assert caller.get(url)["value"] == []


def test_nothing_is_there_at_once(caller: Caller) -> None:
    """Until the directory has told its servers, what was just made is not found, and its sign-in is unknown."""
    app = caller.post("/applications", {"displayName": "new"})
    asked: list[Callable[[], httpx.Response]] = [
        lambda: caller.send("GET", f"/applications/{app['id']}"),
        lambda: caller.send("POST", "/servicePrincipals", json={"appId": app["appId"]}),
        lambda: caller.send("POST", f"/applications/{app['id']}/addPassword", json={}),
    ]
    assert [code_of(ask()) for ask in asked] == ["Request_ResourceNotFound"] * 3
    assert token(caller, client_id=app["appId"], client_secret="x").json()["error_codes"] == [700016]
    caller.control("/clock", LATER)
    assert [ask().status_code for ask in asked] == [200, 201, 200]


def test_secrets_are_shown_once_and_expire(caller: Caller) -> None:
    """SecretText comes only with the answer that made it; after its end the sign-in says that it has expired."""
    app = registered(caller)
    caller.post("/servicePrincipals", {"appId": app["appId"]})
    caller.control("/clock", LATER)
    wanted = {"passwordCredential": {"displayName": "s", "endDateTime": "2030-01-01T00:00:00Z"}}
    made = caller.post(f"/applications/{app['id']}/addPassword", wanted)
    (listed,) = caller.get(f"/applications/{app['id']}")["passwordCredentials"]
    assert (listed["secretText"], listed["keyId"]) == (None, made["keyId"])
    ask = {"client_id": app["appId"], "client_secret": made["secretText"]}
    assert token(caller, **ask).status_code == 200
    caller.control("/clock", {"seconds": 8 * 365 * 24 * 3600})
    assert token(caller, **ask).json()["error_codes"] == [7000222]


def test_a_key_is_rolled_on_the_word_of_the_old_one(caller: Caller, pair: KeyPair) -> None:
    """AddKey and removeKey want a proof signed with a registered key; both keys work in between."""
    app = registered(caller, keyCredentials=[pair.credential()])
    caller.post("/servicePrincipals", {"appId": app["appId"]})
    caller.control("/clock", LATER)
    fresh = KeyPair(days=30)

    def proof(key: KeyPair, issuer: str) -> str:
        now = int(time.time()) + 25
        claims = {"aud": "00000002-0000-0000-c000-000000000000", "iss": issuer, "nbf": now - 60, "exp": now + 300}
        return key.assertion(claims)

    url = f"/applications/{app['id']}"
    for key, issuer in ((fresh, app["id"]), (pair, app["appId"])):
        body = {"keyCredential": fresh.credential(), "proof": proof(key, issuer)}
        assert caller.send("POST", url + "/addKey", json=body).status_code == 401
    caller.post(url + "/addKey", {"keyCredential": fresh.credential(), "proof": proof(pair, app["id"])})
    assert [by_certificate(caller, app["appId"], each).status_code for each in (pair, fresh)] == [200, 200]
    old = app["keyCredentials"][0]["keyId"]
    assert caller.send(
        "POST", url + "/removeKey", json={"keyId": old, "proof": proof(fresh, app["id"])}
    ).status_code == 204  # fmt: skip
    assert [by_certificate(caller, app["appId"], each).status_code for each in (pair, fresh)] == [401, 200]


def test_an_administrator_consents_on_a_page(caller: Caller) -> None:
    """The consent page grants what the application asks for and leads back; others are refused there."""
    app = registered(caller)
    url = f"{caller.endpoints.authority}/adminconsent?client_id={app['appId']}&redirect_uri=http://localhost/x&state=7"
    assert "Mail.Read" in caller.plain.get(url).text
    addresses = [caller.get(f"/users/{user}")["mail"] for user in caller.users()[:2]]
    assert caller.plain.post(url, data={"account": addresses[1]}).json()["error_codes"] == [90094]
    led = caller.plain.post(url, data={"account": addresses[0]})
    assert led.headers["location"] == (
        f"http://localhost/x?admin_consent=True&tenant={caller.endpoints.tenant_id}&state=7"
    )
    caller.control("/clock", LATER)
    (held,) = caller.get(f"/servicePrincipals(appId='{app['appId']}')/appRoleAssignments")["value"]
    assert held["appRoleId"] == MAIL_READ


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"displayName": "x", "keyCredentials": [{"type": "AsymmetricX509Cert", "usage": "Verify", "key": "!"}]},
        {"displayName": "x", "keyCredentials": [{"type": "Symmetric", "usage": "Sign", "key": ""}]},
    ],
)
def test_bad_registrations_are_refused(caller: Caller, body: dict[str, Any]) -> None:
    """A name is needed, and keys must be certificates."""
    assert code_of(caller.send("POST", "/applications", json=body)) == "Request_BadRequest"


def test_deleting_takes_everything_along(caller: Caller) -> None:
    """With the application go its principal and its sign-in."""
    app = registered(caller)
    caller.post("/servicePrincipals", {"appId": app["appId"]})
    caller.control("/clock", LATER)
    assert caller.send("DELETE", f"/applications/{app['id']}").status_code == 204
    assert caller.send("GET", f"/servicePrincipals(appId='{app['appId']}')").status_code == 404


def test_registering_needs_its_permissions(caller: Caller) -> None:
    """An application without Application.ReadWrite.All can't make others."""
    made = caller.control("/applications", {"secret": "s", "roles": ["Mail.Read"]})
    caller.sign_in(made["client_id"], "s")
    assert caller.send("POST", "/applications", json={"displayName": "x"}).status_code == 403
    assert caller.send("GET", "/applications").status_code == 403


def test_an_application_rolls_its_own_keys_without_permissions(caller: Caller, pair: KeyPair) -> None:
    """Signed in with the old key it adds a new one; another application may not."""
    app = registered(caller, keyCredentials=[pair.credential()])
    caller.post("/servicePrincipals", {"appId": app["appId"]})
    caller.control("/clock", LATER)
    own = by_certificate(caller, app["appId"], pair).json()["access_token"]
    other = caller.control("/applications", {"secret": "s", "roles": ["Mail.Read"]})["client_id"]
    others = token(caller, client_id=other, client_secret="s").json()["access_token"]
    now = int(time.time()) + 25
    claims = {"aud": "00000002-0000-0000-c000-000000000000", "iss": app["id"], "nbf": now - 60, "exp": now + 300}
    body = {"keyCredential": KeyPair(days=30).credential(), "proof": pair.assertion(claims)}
    for bearer, status in ((others, 403), (own, 200)):
        headers = {"Authorization": f"Bearer {bearer}"}
        reply = caller.plain.post(f"{caller.root}/applications/{app['id']}/addKey", json=body, headers=headers)
        assert reply.status_code == status
