"""Answers for the tenant as a whole: the organization, its licences and its rooms."""

from typing import Any

from tuiback.simtenant.api.call import Call, Reply, json_reply
from tuiback.simtenant.api.cloud import Cloud
from tuiback.simtenant.api.directory_lists import narrowed
from tuiback.simtenant.api.odata import collection, page, page_size, selected
from tuiback.simtenant.api.permissions import READ_LICENCES, READ_ORGANIZATION, READ_PLACES
from tuiback.simtenant.api.router import Route
from tuiback.simtenant.api.user_json import E3_SKU_ID, SERVICE_PLANS
from tuiback.simtenant.api.user_lookup import resource_not_found
from tuiback.simtenant.content.company import DOMAIN
from tuiback.simtenant.state.accounts import Account, Purpose

_ROOM_PAGE = 100
_MOST_ROOMS = 999
# Rooms are spread over so many buildings, each with a room list.
_BUILDINGS = 2


def _get_organization(cloud: Cloud, call: Call) -> Reply:
    organization = {
        "id": cloud.plan.tenant_id,
        "displayName": "Northwind Traders",
        "tenantType": "AAD",
        "countryLetterCode": "DE",
        "verifiedDomains": [{"name": DOMAIN, "isDefault": True, "isInitial": True, "type": "Managed"}],
    }
    names = selected(call)
    return json_reply(collection("organization", [narrowed(organization, names)], None, call))


def _list_licences(cloud: Cloud, call: Call) -> Reply:
    """One kind of licence; as many were bought as there were people at first."""
    used = sum(account.is_licensed for account in cloud.tenant.directory.users())
    licence = {
        "id": f"{cloud.plan.tenant_id}_{E3_SKU_ID}",
        "accountId": cloud.plan.tenant_id,
        "accountName": "Northwind",
        "appliesTo": "User",
        "capabilityStatus": "Enabled",
        "consumedUnits": used,
        "skuId": E3_SKU_ID,
        "skuPartNumber": "ENTERPRISEPACK",
        "prepaidUnits": {"enabled": max(cloud.plan.users, used), "lockedOut": 0, "suspended": 0, "warning": 0},
        "servicePlans": [
            {"servicePlanId": plan_id, "servicePlanName": name, "provisioningStatus": "Success", "appliesTo": "User"}
            for name, plan_id in SERVICE_PLANS.items()
        ],
    }
    return json_reply(collection("subscribedSkus", [narrowed(licence, selected(call))], None, call))


def _rooms(cloud: Cloud) -> list[Account]:
    return [account for account in cloud.tenant.directory.users() if account.purpose is Purpose.ROOM]


def _room_json(account: Account) -> dict[str, Any]:
    return {
        "id": account.person.object_id,
        "displayName": account.person.name,
        "emailAddress": account.person.address,
        "nickname": account.person.name,
        "building": f"Building {account.index % _BUILDINGS + 1}",
        "floorNumber": account.index % 5,
        "capacity": 4 + account.index % 4 * 4,
        "bookingType": "standard",
        "isWheelChairAccessible": True,
        "phone": "",
        "tags": [],
    }


def _list_rooms(cloud: Cloud, call: Call) -> Reply:
    return _places(call, "room", [_room_json(account) for account in _rooms(cloud)])


def _list_room_lists(cloud: Cloud, call: Call) -> Reply:
    return _places(call, "roomList", _room_lists(cloud))


def _list_workspaces(_cloud: Cloud, call: Call) -> Reply:
    """The company has rooms only."""
    return _places(call, "workspace", [])


def _list_rooms_of_list(cloud: Cloud, call: Call) -> Reply:
    wanted = call.where["place"].lower()
    found = next((each for each in _room_lists(cloud) if wanted in (each["id"], each["emailAddress"])), None)
    if found is None:
        raise resource_not_found(call.where["place"])
    rooms = [_room_json(account) for account in _rooms(cloud)]
    return _places(call, "room", [room for room in rooms if room["building"] == found["displayName"]])


def _room_lists(cloud: Cloud) -> list[dict[str, Any]]:
    names = dict.fromkeys(str(_room_json(account)["building"]) for account in _rooms(cloud))
    return [
        {
            "id": str(cloud.tenant.chance.guid("room list", name)),
            "displayName": name,
            "emailAddress": f"{name.lower().replace(' ', '')}@{DOMAIN}",
            "phone": "",
        }
        for name in sorted(names)
    ]


def _places(call: Call, kind: str, value: list[dict[str, Any]]) -> Reply:
    shown, next_link = page(value, call, page_size(call, _ROOM_PAGE, _MOST_ROOMS))
    names = selected(call)
    rows = [narrowed(each, names) for each in shown]
    return json_reply(collection(f"places/microsoft.graph.{kind}", rows, next_link, call))


ROUTES = (
    Route("GET", "/organization", _get_organization, READ_ORGANIZATION),
    Route("GET", "/subscribedSkus", _list_licences, READ_LICENCES),
    Route("GET", "/places/room", _list_rooms, READ_PLACES),
    Route("GET", "/places/roomList", _list_room_lists, READ_PLACES),
    Route("GET", "/places/workspace", _list_workspaces, READ_PLACES),
    Route("GET", "/places/{place}/roomList/rooms", _list_rooms_of_list, READ_PLACES),
)
