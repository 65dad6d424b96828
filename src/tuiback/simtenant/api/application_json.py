"""Shows app registrations as Graph does: applications, service principals, their credentials and permissions."""

from base64 import b64encode
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives import hashes

from tuiback.simtenant.content.app_roles import APP_ROLE_IDS, SHAREPOINT_ROLE_IDS, SHAREPOINT_ROLE_NAMES
from tuiback.simtenant.state.applications import AppCertificate, Application, Applications, AppSecret, Grant, Principal
from tuiback.simtenant.state.clock import stamp


def app_json(app: Application) -> dict[str, Any]:
    """An application."""
    return {
        "id": app.object_id,
        "appId": app.app_id,
        "displayName": app.name,
        "createdDateTime": _moment(app.created),
        "signInAudience": "AzureADMyOrg",
        "requiredResourceAccess": app.required,
        "keyCredentials": [key_json(each) for each in app.certificates],
        "passwordCredentials": [secret_json(each) for each in app.secrets],
    }


def principal_json(applications: Applications, principal: Principal) -> dict[str, Any]:
    """A service principal; those of Graph and SharePoint tell the permissions that there are."""
    ids: dict[str, str] = {}
    if principal is applications.graph:
        ids = APP_ROLE_IDS
    elif principal is applications.sharepoint:
        ids = SHAREPOINT_ROLE_IDS
    roles: list[dict[str, Any]] = [
        {
            "allowedMemberTypes": ["Application"],
            "description": name,
            "displayName": name,
            "id": role_id,
            "isEnabled": True,
            "origin": "Application",
            "value": name,
        }
        for name, role_id in ids.items()
    ]
    return {
        "id": principal.object_id,
        "appId": principal.app_id,
        "displayName": principal.name,
        "accountEnabled": True,
        "servicePrincipalType": "Application",
        "appRoles": roles,
    }


def grant_json(applications: Applications, principal: Principal, grant: Grant) -> dict[str, Any]:
    """An appRoleAssignment."""
    is_sharepoint = grant.role_id in SHAREPOINT_ROLE_NAMES
    resource = applications.sharepoint if is_sharepoint else applications.graph
    return {
        "id": grant.grant_id,
        "createdDateTime": _moment(grant.created),
        "appRoleId": grant.role_id,
        "principalDisplayName": principal.name,
        "principalId": principal.object_id,
        "principalType": "ServicePrincipal",
        "resourceDisplayName": resource.name,
        "resourceId": resource.object_id,
    }


def secret_json(secret: AppSecret) -> dict[str, Any]:
    """A passwordCredential, without its text."""
    return {
        "customKeyIdentifier": None,
        "displayName": secret.name or None,
        "endDateTime": _moment(secret.ends),
        "hint": secret.text[:3],
        "keyId": secret.key_id,
        "secretText": None,
        "startDateTime": _moment(secret.begins),
    }


def key_json(key: AppCertificate) -> dict[str, Any]:
    """A keyCredential, without the certificate."""
    return {
        "customKeyIdentifier": b64encode(key.certificate.fingerprint(hashes.SHA1())).decode(),  # noqa: S303
        "displayName": key.name or None,
        "endDateTime": stamp(key.certificate.not_valid_after_utc),
        "key": None,
        "keyId": key.key_id,
        "startDateTime": stamp(key.certificate.not_valid_before_utc),
        "type": "AsymmetricX509Cert",
        "usage": "Verify",
    }


def _moment(seconds: float) -> str:
    return stamp(datetime.fromtimestamp(seconds, UTC))
