"""Finds the tenants of a home and tells of them as `tenant list` and `status` do."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from tuiback.cli.output import Row
from tuiback.errors import NoSuchThing, UsageError

if TYPE_CHECKING:
    from tuiback.engine.archives.view import View
    from tuiback.model import Tenant, TenantStatus


def tenant_fields(tenant: "Tenant | TenantStatus") -> Row:
    """One tenant as `tenant list` tells it."""
    return {
        "name": tenant.name,
        "tenant_id": tenant.tenant_id,
        "cloud": tenant.cloud,
        "credential": {"kind": tenant.credential_kind, "expires_on": tenant.credential_expires_on},
        "consent": str(tenant.consent) or None,
    }


def get_tenant(view: "View", name: str) -> "Tenant":
    """The tenant of this name. Raises NoSuchThing."""
    for _, tenant in view.tenants():
        if tenant.name == name:
            return tenant
    raise NoSuchThing("no such tenant", name, "see 'tuiback tenant list'")


def check_new(known: Iterable["Tenant | TenantStatus"], name: str) -> None:
    """Let a name pass that none of these tenants has. Raises UsageError."""
    if any(tenant.name == name for tenant in known):
        raise UsageError("a tenant of this name is there already", name, "choose another name")
