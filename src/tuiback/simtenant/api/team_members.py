"""Shows who is in a team or channel, and reads whom a request binds.

https://learn.microsoft.com/graph/api/resources/aaduserconversationmember
"""

from base64 import b64encode
from typing import Any

from tuiback.simtenant.api.call import Call, Fault
from tuiback.simtenant.api.cloud import Cloud
from tuiback.simtenant.state.accounts import Account
from tuiback.simtenant.state.teams import Channel, Team


def present_members(cloud: Cloud, team: Team, channel: Channel | None = None) -> list[Account]:
    """Who is in the team, or in the channel, and still in the tenant."""
    accounts = cloud.tenant.directory.accounts
    found = [accounts[index] for index in cloud.tenant.teams.members(team, channel)]
    return [each for each in found if each.is_active]


def member_json(cloud: Cloud, mark: str, account: Account, *, is_owner: bool) -> dict[str, Any]:
    """One member of the team or channel that `mark` names."""
    person = account.person
    return {
        "@odata.type": "#microsoft.graph.aadUserConversationMember",
        "id": member_id(mark, account),
        "roles": ["owner"] if is_owner else ["guest"] if account.is_guest else [],
        "displayName": person.name,
        "visibleHistoryStartDateTime": "0001-01-01T00:00:00Z",
        "userId": person.object_id,
        "email": person.address,
        "tenantId": cloud.plan.tenant_id,
    }


def member_id(mark: str, account: Account) -> str:
    """The id of a membership."""
    return b64encode(f"{mark}##{account.person.object_id}".encode()).decode()


def bound_account(cloud: Cloud, given: dict[str, Any]) -> Account:
    """The user that a member in a request is bound to. Raises Fault 400."""
    name = str(given.get("user@odata.bind", "")).rpartition("users")[2].strip("/()'")
    account = cloud.tenant.directory.find(name)
    if account is None:
        raise Fault(400, "BadRequest", f"The user '{name}' was not found.")
    return account


def member_of(call: Call, mark: str, found: list[Account]) -> Account:
    """The member that the URL names. Raises Fault 404."""
    member = next((each for each in found if member_id(mark, each) == call.where["member"]), None)
    if member is None:
        raise Fault(404, "NotFound", f"The member was not found in '{mark}'.")
    return member
