"""Answers for app registrations: applications, service principals, and what they are granted.

https://learn.microsoft.com/graph/api/resources/application
https://learn.microsoft.com/graph/api/resources/serviceprincipal
"""

import secrets
from base64 import b64decode
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from cryptography import x509

from tuiback.simtenant.api.application_json import app_json, grant_json, key_json, principal_json, secret_json
from tuiback.simtenant.api.assertions import signed_claims
from tuiback.simtenant.api.call import Call, Fault, Reply, json_reply, no_content
from tuiback.simtenant.api.cloud import Cloud
from tuiback.simtenant.api.odata import collection, context_url, passes, selected
from tuiback.simtenant.api.permissions import ANY_APPLICATION, GRANT_ROLES, READ_APPLICATIONS, WRITE_APPLICATIONS
from tuiback.simtenant.api.router import Route
from tuiback.simtenant.content.app_roles import APP_ROLE_IDS, SHAREPOINT_ROLE_IDS
from tuiback.simtenant.state.applications import AppCertificate, Application, AppSecret, Principal

_SECRET_SECONDS = 2 * 365 * 24 * 3600.0
_MOST_PROOF_SECONDS = 600
# The audience of the proof that addKey wants.
_PROOF_AUDIENCE = "00000002-0000-0000-c000-000000000000"


def _create(cloud: Cloud, call: Call) -> Reply:
    given = call.json()
    name = given.get("displayName")
    if not isinstance(name, str) or not name:
        raise _bad("The value for 'displayName' is required.")
    certificates = [_certificate(each) for each in given.get("keyCredentials", ())]
    app = cloud.applications.create(name, list(given.get("requiredResourceAccess", ())), certificates)
    return _shown(call, app, 201)


def _list(cloud: Cloud, call: Call) -> Reply:
    apps = [app for app in cloud.applications.all() if passes(call, _app_property(app))]
    return json_reply(collection("applications", [_narrowed(app_json(app), call) for app in apps], None, call))


def _app_property(app: Application) -> Any:  # noqa: ANN401 - a reader of one property
    return {"appId": app.app_id, "id": app.object_id, "displayName": app.name}.get


def _get(cloud: Cloud, call: Call) -> Reply:
    return _shown(call, _app_of(cloud, call))


def _change(cloud: Cloud, call: Call) -> Reply:
    """KeyCredentials replace the whole list; nothing else may be missing from it."""
    app, given = _app_of(cloud, call), call.json()
    if "keyCredentials" in given:
        app.certificates = [_certificate(each) for each in given["keyCredentials"]]
    if "requiredResourceAccess" in given:
        app.required = list(given["requiredResourceAccess"])
    app.name = str(given.get("displayName", app.name))
    return no_content()


def _delete(cloud: Cloud, call: Call) -> Reply:
    cloud.applications.delete(_app_of(cloud, call))
    return no_content()


def _add_password(cloud: Cloud, call: Call) -> Reply:
    app = _app_of(cloud, call)
    given = call.json().get("passwordCredential") or {}
    now = cloud.clock.seconds()
    begins, ends = (_seconds(given.get(name), default) for name, default in
                    (("startDateTime", now), ("endDateTime", now + _SECRET_SECONDS)))  # fmt: skip
    secret = AppSecret(str(uuid4()), secrets.token_urlsafe(30), str(given.get("displayName") or ""), begins, ends)
    app.secrets.append(secret)
    context = {"@odata.context": context_url(call, "microsoft.graph.passwordCredential")}
    return json_reply(context | secret_json(secret) | {"secretText": secret.text})


def _remove_password(cloud: Cloud, call: Call) -> Reply:
    app, key_id = _app_of(cloud, call), call.json().get("keyId")
    if key_id not in {each.key_id for each in app.secrets}:
        raise _bad(f"No password credential found with keyId '{key_id}'.")
    app.secrets = [each for each in app.secrets if each.key_id != key_id]
    return no_content()


def _add_key(cloud: Cloud, call: Call) -> Reply:
    """A further certificate, on the word of a registered one: https://learn.microsoft.com/graph/api/application-addkey."""
    app, given = _app_of(cloud, call), call.json()
    _check_may_roll(cloud, app, call)
    _check_proof(cloud, app, str(given.get("proof", "")))
    made = _certificate(given.get("keyCredential") or {})
    app.certificates.append(made)
    return json_reply({"@odata.context": context_url(call, "microsoft.graph.keyCredential")} | key_json(made))


def _remove_key(cloud: Cloud, call: Call) -> Reply:
    app, given = _app_of(cloud, call), call.json()
    _check_may_roll(cloud, app, call)
    _check_proof(cloud, app, str(given.get("proof", "")))
    if given.get("keyId") not in {each.key_id for each in app.certificates}:
        raise _bad(f"No key credential found with keyId '{given.get('keyId')}'.")
    app.certificates = [each for each in app.certificates if each.key_id != given["keyId"]]
    return no_content()


def _check_may_roll(cloud: Cloud, app: Application, call: Call) -> None:
    """An application needs no permission for its own keys; others' keys are for who may write applications."""
    bearer = cloud.signin.bearer(call.headers.get("authorization", ""))
    if bearer.client_id != app.app_id and not WRITE_APPLICATIONS.roles & bearer.permissions:
        raise Fault(403, WRITE_APPLICATIONS.code, WRITE_APPLICATIONS.message)


def _check_proof(cloud: Cloud, app: Application, proof: str) -> None:
    claims = signed_claims(proof, [each.certificate for each in app.certificates]) or {}
    begins, ends = float(claims.get("nbf", 0)), float(claims.get("exp", 0))
    good = (
        claims.get("aud") == _PROOF_AUDIENCE
        and claims.get("iss") == app.object_id
        and begins <= cloud.clock.seconds() < ends <= begins + _MOST_PROOF_SECONDS
    )
    if not good:
        raise Fault(401, "Authentication_MissingOrMalformed", "Access Token missing or malformed.")


def _create_principal(cloud: Cloud, call: Call) -> Reply:
    app = cloud.applications.find(str(call.json().get("appId", "")))
    if app is None:
        raise _missing(str(call.json().get("appId", "")))
    if cloud.applications.find_principal(app.app_id) is not None:
        text = f"The service principal cannot be created because the appId {app.app_id} is already in use."
        raise Fault(409, "Request_MultipleObjectsWithSameKeyValue", text)
    return _principal_shown(cloud, call, cloud.applications.create_principal(app), 201)


def _list_principals(cloud: Cloud, call: Call) -> Reply:
    def property_of(principal: Principal) -> Any:  # noqa: ANN401 - a reader of one property
        return {"appId": principal.app_id, "id": principal.object_id, "displayName": principal.name}.get

    found = [each for each in cloud.applications.principals() if passes(call, property_of(each))]
    value = [_principal(cloud, call, each) for each in found]
    return json_reply(collection("servicePrincipals", value, None, call))


def _principal(cloud: Cloud, call: Call, principal: Principal) -> dict[str, Any]:
    """With what it was granted where that is expanded."""
    document = _narrowed(principal_json(cloud.applications, principal), call)
    if "appRoleAssignments" in call.query.get("$expand", ""):
        document["appRoleAssignments"] = _grants(cloud, principal)
    return document


def _grants(cloud: Cloud, principal: Principal) -> list[dict[str, Any]]:
    return [grant_json(cloud.applications, principal, each) for each in cloud.applications.grants(principal)]


def _get_principal(cloud: Cloud, call: Call) -> Reply:
    return _principal_shown(cloud, call, _principal_of(cloud, call))


def _list_grants(cloud: Cloud, call: Call) -> Reply:
    principal = _principal_of(cloud, call)
    return json_reply(collection("appRoleAssignments", _grants(cloud, principal), None, call))


def _grant(cloud: Cloud, call: Call) -> Reply:
    """An application permission, granted: this is admin consent."""
    principal, given = _principal_of(cloud, call), call.json()
    resource = given.get("resourceId")
    roles = {
        cloud.applications.graph.object_id: APP_ROLE_IDS,
        cloud.applications.sharepoint.object_id: SHAREPOINT_ROLE_IDS,
    }.get(str(resource))
    if given.get("principalId") != principal.object_id or roles is None:
        raise _missing(str(resource))
    role_id = str(given.get("appRoleId"))
    if role_id not in roles.values():
        raise _bad("Permission being assigned was not found on application.")
    if role_id in {each.role_id for each in cloud.applications.grants(principal)}:
        raise _bad("Permission being assigned already exists on the object.")
    made = cloud.applications.grant(principal, role_id)
    context = {"@odata.context": context_url(call, "appRoleAssignments/$entity")}
    return json_reply(context | grant_json(cloud.applications, principal, made), 201)


def _revoke(cloud: Cloud, call: Call) -> Reply:
    principal = _principal_of(cloud, call)
    found = next((each for each in cloud.applications.grants(principal) if each.grant_id == call.where["grant"]), None)
    if found is None:
        raise _missing(call.where["grant"])
    cloud.applications.revoke(found)
    return no_content()


def _app_of(cloud: Cloud, call: Call) -> Application:
    app = cloud.applications.find(call.where["application"])
    if app is None:
        raise _missing(call.where["application"])
    return app


def _principal_of(cloud: Cloud, call: Call) -> Principal:
    principal = cloud.applications.find_principal(call.where["principal"])
    if principal is None:
        raise _missing(call.where["principal"])
    return principal


def _shown(call: Call, app: Application, status: int = 200) -> Reply:
    context = {"@odata.context": context_url(call, "applications/$entity")}
    return json_reply(context | _narrowed(app_json(app), call), status)


def _principal_shown(cloud: Cloud, call: Call, principal: Principal, status: int = 200) -> Reply:
    context = {"@odata.context": context_url(call, "servicePrincipals/$entity")}
    return json_reply(context | _principal(cloud, call, principal), status)


def _narrowed(document: dict[str, Any], call: Call) -> dict[str, Any]:
    names = selected(call)
    return document if names is None else {name: value for name, value in document.items() if name in names | {"id"}}


def _certificate(given: Mapping[str, Any]) -> AppCertificate:
    """A keyCredential as sent: the certificate as DER in base64, or PEM in base64."""
    try:
        content = b64decode(str(given.get("key") or ""), validate=True)
        loaded = (
            x509.load_pem_x509_certificate(content)
            if content.startswith(b"-----")
            else x509.load_der_x509_certificate(content)
        )
    except ValueError as error:
        raise _bad("Key credential is invalid: the value of 'key' is not a certificate.") from error
    if given.get("type") != "AsymmetricX509Cert" or given.get("usage") != "Verify":
        raise _bad("Key credential must have type 'AsymmetricX509Cert' and usage 'Verify'.")
    return AppCertificate(str(given.get("keyId") or uuid4()), loaded, str(given.get("displayName") or ""))


def _seconds(text: object, default: float) -> float:
    if not text:
        return default
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError as error:
        raise _bad(f"Invalid date '{text}'.") from error
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _bad(text: str) -> Fault:
    return Fault(400, "Request_BadRequest", text)


def _missing(name: str) -> Fault:
    text = f"Resource '{name}' does not exist or one of its queried reference-property objects are not present."
    return Fault(404, "Request_ResourceNotFound", text)


_APPS, _APP = "/applications", "/applications/{application}"
_PRINCIPALS, _PRINCIPAL = "/servicePrincipals", "/servicePrincipals/{principal}"

ROUTES = (
    Route("GET", _APPS, _list, READ_APPLICATIONS, filtered=True),
    Route("POST", _APPS, _create, WRITE_APPLICATIONS),
    Route("GET", _APP, _get, READ_APPLICATIONS),
    Route("PATCH", _APP, _change, WRITE_APPLICATIONS),
    Route("DELETE", _APP, _delete, WRITE_APPLICATIONS),
    Route("POST", _APP + "/addPassword", _add_password, WRITE_APPLICATIONS),
    Route("POST", _APP + "/removePassword", _remove_password, WRITE_APPLICATIONS),
    Route("POST", _APP + "/addKey", _add_key, ANY_APPLICATION),
    Route("POST", _APP + "/removeKey", _remove_key, ANY_APPLICATION),
    Route("GET", _PRINCIPALS, _list_principals, READ_APPLICATIONS, filtered=True),
    Route("POST", _PRINCIPALS, _create_principal, WRITE_APPLICATIONS),
    Route("GET", _PRINCIPAL, _get_principal, READ_APPLICATIONS),
    Route("GET", _PRINCIPAL + "/appRoleAssignments", _list_grants, READ_APPLICATIONS),
    Route("POST", _PRINCIPAL + "/appRoleAssignments", _grant, GRANT_ROLES),
    Route("DELETE", _PRINCIPAL + "/appRoleAssignments/{grant}", _revoke, GRANT_ROLES),
)
