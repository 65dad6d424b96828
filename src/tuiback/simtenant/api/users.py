"""Answers for the directory: users and the organization."""

from typing import Any
from urllib.parse import quote, urlencode

from tuiback.simtenant.api.call import Call, Fault, Reply, json_reply
from tuiback.simtenant.api.cloud import Cloud
from tuiback.simtenant.api.odata import collection, context_url, find_token, page_size, sealed_token, selected
from tuiback.simtenant.api.permissions import READ_ORGANIZATION, READ_SETTINGS, READ_USERS
from tuiback.simtenant.api.router import Route
from tuiback.simtenant.content.company import Person
from tuiback.simtenant.content.words import ENGLISH
from tuiback.simtenant.state.clock import stamp

_DEFAULT = frozenset(
    {
        "businessPhones",
        "displayName",
        "givenName",
        "jobTitle",
        "mail",
        "mobilePhone",
        "officeLocation",
        "preferredLanguage",
        "surname",
        "userPrincipalName",
        "id",
    }
)
_MOST_USERS = 999
_PLANS = ("exchange", "SharePoint", "MicrosoftOffice")


def person_of(cloud: Cloud, call: Call) -> Person:
    """The user that the URL names by object id or address. Raises Fault 404."""
    name = call.where["user"]
    person = cloud.tenant.company.find(name)
    if person is None:
        text = f"Resource '{name}' does not exist or one of its queried reference-property objects are not present."
        raise Fault(404, "Request_ResourceNotFound", text)
    return person


def _list_users(cloud: Cloud, call: Call) -> Reply:
    size = page_size(call, cloud.plan.user_page, _MOST_USERS)
    people = [person for person in cloud.tenant.company.people if _matches(person, call)]
    start = 0
    if "$skiptoken" in call.query:
        token = find_token(cloud.token_key, call.query["$skiptoken"])
        if token is None or "start" not in token:
            raise Fault(400, "Directory_ExpiredPageToken", "The specified page token value has expired.")
        start = int(token["start"])
    names = selected(call)
    shown = [_user(person, names) for person in people[start : start + size]]
    next_link = None
    if start + size < len(people):
        query = {**call.query, "$skiptoken": sealed_token(cloud.token_key, {"start": start + size})}
        next_link = f"{call.root}{call.path}?{urlencode(query, quote_via=quote, safe='$')}"
    document = collection("users", shown, next_link, call)
    if call.query.get("$count") == "true":
        if call.headers.get("consistencylevel", "").lower() != "eventual":
            raise Fault(400, "Request_UnsupportedQuery", "$count needs the header ConsistencyLevel: eventual.")
        document["@odata.count"] = len(people)
    return json_reply(document)


def _get_user(cloud: Cloud, call: Call) -> Reply:
    document = {"@odata.context": context_url(call, "users/$entity")}
    return json_reply(document | _user(person_of(cloud, call), selected(call)))


def _get_settings(cloud: Cloud, call: Call) -> Reply:
    person = person_of(cloud, call)
    return json_reply(
        {
            "@odata.context": context_url(call, f"users('{person.object_id}')/mailboxSettings"),
            "timeZone": "W. Europe Standard Time",
            "language": {"locale": person.language.code, "displayName": person.language.code},
            "userPurpose": "user",
        }
    )


def _get_organization(cloud: Cloud, call: Call) -> Reply:
    organization = {
        "id": cloud.plan.tenant_id,
        "displayName": "Northwind Traders",
        "tenantType": "AAD",
        "countryLetterCode": "DE",
        "verifiedDomains": [{"name": "northwind.example", "isDefault": True, "isInitial": True, "type": "Managed"}],
    }
    return json_reply(collection("organization", [organization], None, call))


def _user(person: Person, names: frozenset[str] | None) -> dict[str, Any]:
    language = person.language.code if person.language is not ENGLISH else "en-US"
    everything: dict[str, Any] = {
        "businessPhones": [],
        "displayName": person.name,
        "givenName": person.given,
        "jobTitle": person.title,
        "mail": person.address,
        "mobilePhone": None,
        "officeLocation": None,
        "preferredLanguage": language,
        "surname": person.family,
        "userPrincipalName": person.address,
        "id": person.object_id,
        "accountEnabled": True,
        "userType": "Member",
        "department": person.department,
        "createdDateTime": stamp(person.created),
        "onPremisesSyncEnabled": None,
        "proxyAddresses": [f"SMTP:{person.address}"],
        "otherMails": [],
        "mailNickname": person.address.partition("@")[0],
        "assignedPlans": [
            {
                "assignedDateTime": stamp(person.created),
                "capabilityStatus": "Enabled",
                "service": service,
                "servicePlanId": "efb87545-963c-4e0d-99df-69c6916d9eb0",
            }
            for service in _PLANS
        ],
    }
    wanted = _DEFAULT if names is None else names | {"id"}
    return {name: value for name, value in everything.items() if name in wanted}


def _matches(person: Person, call: Call) -> bool:
    """Whether a user passes $filter; the forms that clients are known to send are understood, others refused."""
    text = call.query.get("$filter", "").strip()
    if not text:
        return True
    name, _, value = text.partition(" eq ")
    value = value.strip("' ").lower()
    if name in ("userPrincipalName", "mail"):
        return person.address == value
    if name == "id":
        return person.object_id == value
    if text in ("accountEnabled eq true", "userType eq 'Member'") or "userType ne 'Guest'" in text:
        return True
    raise Fault(400, "Request_UnsupportedQuery", f"Unsupported or invalid query filter clause: {text}")


ROUTES = (
    Route("GET", "/users", _list_users, READ_USERS, filtered=True),
    Route("GET", "/users/{user}", _get_user, READ_USERS),
    Route("GET", "/users/{user}/mailboxSettings", _get_settings, READ_SETTINGS),
    Route("GET", "/organization", _get_organization, READ_ORGANIZATION),
)
