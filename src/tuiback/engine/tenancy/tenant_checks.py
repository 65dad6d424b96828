"""Says what a tenant's app may do, and what is lost without the permissions that it lacks."""

from collections.abc import Collection, Sequence

from tuiback.engine.tenancy.consent import consent_url
from tuiback.engine.tenancy.permissions import SERVICES, Weight, impossible, is_granted, permissions_of
from tuiback.errors import AccessDenied, MicrosoftRefuses
from tuiback.graph import GraphClient
from tuiback.model import Consent, Tenant

# Entra refuses assertions from a clock that is more than five minutes off.
MOST_SKEW_SECONDS = 300.0
_ANY_USER = {"$select": "id", "$top": "1"}


async def try_graph(graph: GraphClient, roles: frozenset[str]) -> None:
    """Return when Graph answers at all; that it denies what the roles don't cover is an answer.

    Raises Unreachable, and MicrosoftRefuses where the token counts for nothing.
    """
    try:
        await graph.lane("directory").get("/users", params=_ANY_USER)
    except AccessDenied:
        return
    except MicrosoftRefuses:
        if is_granted("User.Read.All", roles):
            raise


def check_fields(
    tenant: Tenant, roles: frozenset[str], services: Sequence[str], known: Sequence[str], skew_seconds: float
) -> dict[str, object]:
    """The answer of a check: `services` are those of the tenant's tasks, `known` those of this version.

    It is ok when each service that a task backs up can be; without tasks, when any can.
    """
    lost = impossible(services or known, roles)
    return {
        "ok": not lost if services else len(lost) < len(known),
        "name": tenant.name,
        "consent": tenant.consent or None,
        "consent_url": consent_url(tenant.authority, tenant.graph_url, tenant.client_id) if not roles else None,
        "clock_skew_seconds": round(skew_seconds, 1),
        "services": list(services or known),
        "impossible": list(lost),
        "permissions": permission_rows(roles),
    }


def permission_rows(roles: Collection[str]) -> list[dict[str, object]]:
    """Each permission that backup and restore of any service can use, once, and what is lost without it."""
    known = [each for service in SERVICES for each in permissions_of(service)]
    rows: list[dict[str, object]] = []
    for name in dict.fromkeys(each.name for each in known):
        same = [each for each in known if each.name == name]
        uses: dict[str, list[str]] = {}
        for each in same:
            uses.setdefault(each.needed_for, []).append(each.service)
        kind = "restore" if all(each.weight is Weight.RESTORE for each in same) else "backup"
        rows.append({
            "name": name,
            "granted": is_granted(name, roles),
            "needed_for": "; ".join(f"{', '.join(services)} {kind}: {use}" for use, services in uses.items()),
            "kind": kind,
            "services": [each.service for each in same],
            "weight": str(min(same, key=lambda each: list(Weight).index(each.weight)).weight),
        })
    return rows


def refusal_of_waiting(tenant: Tenant) -> MicrosoftRefuses:
    """Why nothing of a tenant that waits for consent is backed up."""
    url = consent_url(tenant.authority, tenant.graph_url, tenant.client_id)
    return MicrosoftRefuses(str(Consent.WAITING), tenant.name, f"let an administrator open {url}")
