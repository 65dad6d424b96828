"""Answers for the tags of teams, under which some of the members can be addressed together.

https://learn.microsoft.com/graph/api/resources/teamworktag
"""

from base64 import b64encode
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from tuiback.simtenant.api.call import Call, Fault, Reply, json_reply, no_content
from tuiback.simtenant.api.cloud import Cloud
from tuiback.simtenant.api.filters import filter_of
from tuiback.simtenant.api.odata import collection, context_url
from tuiback.simtenant.api.permissions import READ_TAGS, WRITE_TAGS
from tuiback.simtenant.api.router import Route
from tuiback.simtenant.api.teams import team_of
from tuiback.simtenant.state.teams import Tag, Team

# So many people can be given to a new tag at once.
_MOST_AT_FIRST = 25


def _tag_json(team: Team, tag: Tag) -> dict[str, Any]:
    return {
        "@odata.type": "#microsoft.graph.teamworkTag",
        "id": _encoded(team.group.object_id, tag.mark),
        "teamId": team.group.object_id,
        "displayName": tag.name,
        "description": tag.description,
        "memberCount": len(tag.members),
        "tagType": "standard",
    }


def _member_json(cloud: Cloud, team: Team, tag: Tag, index: int) -> dict[str, Any]:
    person = cloud.tenant.directory.accounts[index].person
    return {
        "@odata.type": "#microsoft.graph.teamworkTagMember",
        "id": _encoded(team.group.object_id, tag.mark, person.object_id),
        "tenantId": cloud.plan.tenant_id,
        "displayName": person.name,
        "userId": person.object_id,
    }


def _encoded(*names: str) -> str:
    return b64encode("##".join(names).encode()).decode()


def _tag_of(team: Team, call: Call) -> Tag:
    found = next((each for each in team.tags if _encoded(team.group.object_id, each.mark) == call.where["tag"]), None)
    if found is None:
        raise Fault(404, "NotFound", "The tag was not found.")
    return found


def _list(cloud: Cloud, call: Call) -> Reply:
    team, test = team_of(cloud, call), filter_of(call, "BadRequest")
    rows = [_tag_json(team, each) for each in team.tags]
    return _listed(call, f"teams('{team.group.object_id}')/tags", [each for each in rows if test(each)])


def _get(cloud: Cloud, call: Call) -> Reply:
    team = team_of(cloud, call)
    return _shown(call, _tag_json(team, _tag_of(team, call)))


def _create(cloud: Cloud, call: Call) -> Reply:
    team, given = team_of(cloud, call), call.json()
    members = [_person(cloud, team, each) for each in given.get("members") or ()]
    if not members or len(members) > _MOST_AT_FIRST:
        raise Fault(400, "BadRequest", f"A tag needs 1 to {_MOST_AT_FIRST} members.")
    tag = Tag(str(uuid4()), _free_name(team, given), str(given.get("description") or ""), members)
    team.tags.append(tag)
    return _shown(call, _tag_json(team, tag), 201)


def _change(cloud: Cloud, call: Call) -> Reply:
    team, given = team_of(cloud, call), call.json()
    tag = _tag_of(team, call)
    tag.name = _free_name(team, given)
    return _shown(call, _tag_json(team, tag))


def _delete(cloud: Cloud, call: Call) -> Reply:
    team = team_of(cloud, call)
    team.tags.remove(_tag_of(team, call))
    return no_content()


def _list_members(cloud: Cloud, call: Call) -> Reply:
    team = team_of(cloud, call)
    tag = _tag_of(team, call)
    rows = [_member_json(cloud, team, tag, each) for each in tag.members]
    return _listed(call, f"teams('{team.group.object_id}')/tags('{call.where['tag']}')/members", rows)


def _add_member(cloud: Cloud, call: Call) -> Reply:
    team = team_of(cloud, call)
    tag, index = _tag_of(team, call), _person(cloud, team, call.json())
    if index in tag.members:
        raise Fault(409, "Conflict", "The person has the tag already.")
    tag.members.append(index)
    return _shown(call, _member_json(cloud, team, tag, index), 201)


def _remove_member(cloud: Cloud, call: Call) -> Reply:
    team = team_of(cloud, call)
    tag = _tag_of(team, call)
    rows = {_member_json(cloud, team, tag, each)["id"]: each for each in tag.members}
    if call.where["tagged"] not in rows:
        raise Fault(404, "NotFound", "The person does not have the tag.")
    tag.members.remove(rows[call.where["tagged"]])
    return no_content()


def _person(cloud: Cloud, team: Team, given: dict[str, Any]) -> int:
    """Somebody of the team. Raises Fault 400."""
    account = cloud.tenant.directory.find(str(given.get("userId", "")))
    if account is None or account.index not in cloud.tenant.teams.members(team):
        raise Fault(400, "BadRequest", "Only members of the team can have its tags.")
    return account.index


def _free_name(team: Team, given: dict[str, Any]) -> str:
    """Raises Fault 400 and 409."""
    name = given.get("displayName")
    if not isinstance(name, str) or not name or len(name) > 40:
        raise Fault(400, "BadRequest", "A displayName of up to 40 characters is required.")
    if name.lower() in {each.name.lower() for each in team.tags}:
        raise Fault(409, "Conflict", "A tag of this name exists already.")
    return name


def _listed(call: Call, context: str, rows: Sequence[dict[str, Any]]) -> Reply:
    return json_reply(collection(context, rows, None, call) | {"@odata.count": len(rows)})


def _shown(call: Call, document: dict[str, Any], status: int = 200) -> Reply:
    return json_reply({"@odata.context": context_url(call, "teams/tags/$entity")} | document, status)


_TAGS = "/teams/{team}/tags"
_TAG = _TAGS + "/{tag}"
ROUTES = (
    Route("GET", _TAGS, _list, READ_TAGS, filtered=True),
    Route("POST", _TAGS, _create, WRITE_TAGS),
    Route("GET", _TAG, _get, READ_TAGS),
    Route("PATCH", _TAG, _change, WRITE_TAGS),
    Route("DELETE", _TAG, _delete, WRITE_TAGS),
    Route("GET", _TAG + "/members", _list_members, READ_TAGS),
    Route("POST", _TAG + "/members", _add_member, WRITE_TAGS),
    Route("DELETE", _TAG + "/members/{tagged}", _remove_member, WRITE_TAGS),
)
