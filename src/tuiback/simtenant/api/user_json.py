"""Shows accounts as Graph's user resource.

https://learn.microsoft.com/graph/api/resources/user
"""

from typing import Any

from tuiback.simtenant.content.words import ENGLISH
from tuiback.simtenant.state.accounts import Account, Purpose
from tuiback.simtenant.state.clock import stamp

_DEFAULT = (
    "businessPhones", "displayName", "givenName", "jobTitle", "mail", "mobilePhone", "officeLocation",
    "preferredLanguage", "surname", "userPrincipalName", "id",
)  # fmt: skip
# The service plans in one licence of Office 365 E3.
SERVICE_PLANS = {
    "exchange": "efb87545-963c-4e0d-99df-69c6916d9eb0",
    "SharePoint": "5dbe027f-2339-4123-9542-606e4d348a72",
    "MicrosoftOffice": "43de0ff5-c92c-492b-9116-175376d08c38",
}
E3_SKU_ID = "6fd2c87f-b296-42f0-b197-1e91e994b900"


def user_json(account: Account, names: frozenset[str] | None) -> dict[str, Any]:
    """The default properties for None; else everything, for the caller to narrow."""
    document = _basic(account)
    return {name: document[name] for name in _DEFAULT} if names is None else document | _more(account)


def _basic(account: Account) -> dict[str, Any]:
    person = account.person
    language = person.language.code if person.language is not ENGLISH else "en-US"
    address = person.address
    if account.deleted is not None:
        # The name is free for others, so the deleted object keeps it behind its id.
        address = person.object_id.replace("-", "") + address
    is_person = account.purpose is Purpose.USER and not account.is_guest
    return {
        "id": person.object_id,
        "businessPhones": [],
        "displayName": person.name,
        "givenName": person.given,
        "jobTitle": person.title if is_person else None,
        "mail": person.address,
        "mobilePhone": None,
        "officeLocation": None,
        "preferredLanguage": language if is_person else None,
        "surname": person.family or None,
        "userPrincipalName": address,
    }


def _more(account: Account) -> dict[str, Any]:
    person = account.person
    return {
        "accountEnabled": account.is_enabled,
        "userType": "Guest" if account.is_guest else "Member",
        "department": person.department if account.is_licensed else None,
        "createdDateTime": stamp(person.created),
        "deletedDateTime": stamp(account.deleted) if account.deleted is not None else None,
        "onPremisesSyncEnabled": None,
        "proxyAddresses": [f"SMTP:{person.address}", *(f"smtp:{each}" for each in account.former_addresses)],
        "otherMails": [],
        "mailNickname": person.address.partition("@")[0],
        "assignedLicenses": [{"disabledPlans": [], "skuId": E3_SKU_ID}] if account.is_licensed else [],
        "assignedPlans": [
            {
                "assignedDateTime": stamp(person.created),
                "capabilityStatus": "Enabled",
                "service": service,
                "servicePlanId": plan_id,
            }
            for service, plan_id in SERVICE_PLANS.items()
            if account.is_licensed
        ],
    }
