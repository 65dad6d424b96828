"""Shows app registrations as Graph does: applications, service principals, their credentials and permissions."""

from base64 import b64encode
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives import hashes

from tuiback.simtenant.content.app_roles import APP_ROLE_IDS
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
    """A service principal; that of Graph tells the permissions that there are."""
    roles: list[dict[str, Any]] = []
    if principal is applications.graph:
        roles = [
            {
                "allowedMemberTypes": ["Application"],
                "description": name,
                "displayName": name,
                "id": role_id,
                "isEnabled": True,
                "origin": "Application",
                "value": name,
            }
            for name, role_id in APP_ROLE_IDS.items()
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
    return {
        "id": grant.grant_id,
        "createdDateTime": _moment(grant.created),
        "appRoleId": grant.role_id,
        "principalDisplayName": principal.name,
        "principalId": principal.object_id,
        "principalType": "ServicePrincipal",
        "resourceDisplayName": applications.graph.name,
        "resourceId": applications.graph.object_id,
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
