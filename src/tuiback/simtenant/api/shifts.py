"""Answers for the schedules of teams: groups, shifts, and times off with their reasons.

https://learn.microsoft.com/graph/api/resources/schedule, .../shift, .../timeoff, .../timeoffreason
Applications have to say on whose behalf they ask: https://learn.microsoft.com/graph/api/schedule-list-shifts
"""

from datetime import datetime
from typing import Any

from tuiback.simtenant.api.call import Call, Fault, Reply, json_reply, no_content
from tuiback.simtenant.api.cloud import Cloud
from tuiback.simtenant.api.filters import filter_of
from tuiback.simtenant.api.odata import collection, context_url
from tuiback.simtenant.api.permissions import READ_SCHEDULES, WRITE_SCHEDULES
from tuiback.simtenant.api.router import Handler, Route
from tuiback.simtenant.api.teams import team_of
from tuiback.simtenant.state.clock import stamp
from tuiback.simtenant.state.schedules import KINDS, Record, Schedule

_ACTOR = "ms-app-acts-as"
# What an entry of each kind must say, and what else it may.
_NEEDED = {
    "schedulingGroups": ("displayName",), "shifts": ("userId",), "timeOffReasons": ("displayName", "iconType"),
    "timesOff": ("userId",),
}  # fmt: skip
_OTHERS = {
    "schedulingGroups": ("userIds", "isActive", "code"),
    "shifts": ("schedulingGroupId", "sharedShift", "draftShift"),
    "timeOffReasons": ("isActive", "code"),
    "timesOff": ("sharedTimeOff", "draftTimeOff"),
}
# A shift lasts from a minute to a day.
_SHORTEST_SECONDS, _LONGEST_SECONDS = 60, 24 * 3600


def _schedule_of(cloud: Cloud, call: Call) -> Schedule:
    """The schedule of the team that the URL names. Raises Fault 400 and 404."""
    _check_actor(cloud, call)
    found = _found(cloud, call)
    if found is None:
        raise Fault(404, "NotFound", "Schedule not found for the given team.")
    return found


def _check_actor(cloud: Cloud, call: Call) -> None:
    bearer = cloud.signin.bearer(call.headers.get("authorization", ""))
    if not bearer.person_id and cloud.tenant.directory.find(call.headers.get(_ACTOR, "")) is None:
        raise Fault(400, "BadRequest", "MS-APP-ACTS-AS header needs to be set for application context requests.")


def _found(cloud: Cloud, call: Call) -> Schedule | None:
    team = team_of(cloud, call)
    accounts = cloud.tenant.directory.accounts
    people = [accounts[each].person.object_id for each in cloud.tenant.teams.members(team)]
    return cloud.tenant.schedules.find(team, people)


def _get_schedule(cloud: Cloud, call: Call) -> Reply:
    return _shown_schedule(call, _schedule_of(cloud, call))


def _put_schedule(cloud: Cloud, call: Call) -> Reply:
    """Makes one where there is none, or changes its settings."""
    _check_actor(cloud, call)
    given = {name: value for name, value in call.json().items() if not name.startswith("@")}
    if not isinstance(given.get("timeZone"), str):
        raise Fault(400, "BadRequest", "A timeZone is required.")
    schedule = _found(cloud, call) or cloud.tenant.schedules.make(team_of(cloud, call), {"enabled": True})
    schedule.settings |= given
    return _shown_schedule(call, schedule)


def _shown_schedule(call: Call, schedule: Schedule) -> Reply:
    usual = {
        "id": call.where["team"], "enabled": True, "provisionStatus": "Completed", "provisionStatusCode": None,
        "timeClockEnabled": False, "openShiftsEnabled": True, "swapShiftsRequestsEnabled": True,
        "offerShiftRequestsEnabled": True, "timeOffRequestsEnabled": True, "workforceIntegrationIds": [],
        "startDayOfWeek": "monday", "isActivitiesIncludedWhenCopyingShiftsEnabled": False,
    }  # fmt: skip
    return json_reply({"@odata.context": context_url(call, "teams/schedule/$entity")} | usual | schedule.settings)


def _json(entry_id: str, record: Record, kind: str) -> dict[str, Any]:
    document: dict[str, Any] = {
        "id": entry_id,
        "createdDateTime": stamp(record.created),
        "lastModifiedDateTime": stamp(record.changed),
        "lastModifiedBy": None,
        "createdBy": None,
    }
    return document | dict.fromkeys((*_NEEDED[kind], *_OTHERS[kind])) | record.given


def _list(kind: str) -> Handler:
    def answer(cloud: Cloud, call: Call) -> Reply:
        schedule, test = _schedule_of(cloud, call), filter_of(call, "BadRequest")
        rows = [_json(entry_id, each, kind) for entry_id, each in schedule.records[kind].items()]
        return json_reply(collection(f"teams/schedule/{kind}", [each for each in rows if test(each)], None, call))

    return answer


def _get(kind: str) -> Handler:
    def answer(cloud: Cloud, call: Call) -> Reply:
        return _shown(call, kind, call.where["entry"], _record_of(cloud, call, kind))

    return answer


def _create(kind: str) -> Handler:
    def answer(cloud: Cloud, call: Call) -> Reply:
        schedule, given = _schedule_of(cloud, call), _given(call, kind)
        entry_id = schedule.add(kind, given, cloud.clock.now().replace(microsecond=0))
        return _shown(call, kind, entry_id, schedule.records[kind][entry_id], 201)

    return answer


def _replace(kind: str) -> Handler:
    def answer(cloud: Cloud, call: Call) -> Reply:
        record = _record_of(cloud, call, kind)
        record.given, record.changed = _given(call, kind), cloud.clock.now().replace(microsecond=0)
        return _shown(call, kind, call.where["entry"], record)

    return answer


def _delete(kind: str) -> Handler:
    def answer(cloud: Cloud, call: Call) -> Reply:
        _record_of(cloud, call, kind)
        del _schedule_of(cloud, call).records[kind][call.where["entry"]]
        return no_content()

    return answer


def _record_of(cloud: Cloud, call: Call, kind: str) -> Record:
    """Raises Fault 404."""
    found = _schedule_of(cloud, call).records[kind].get(call.where["entry"])
    if found is None:
        raise Fault(404, "NotFound", "The requested entry was not found in the schedule.")
    return found


def _given(call: Call, kind: str) -> dict[str, Any]:
    """What is written, once it is known to be whole. Raises Fault 400."""
    given = call.json()
    missing = next((name for name in _NEEDED[kind] if not given.get(name)), None)
    if missing is not None:
        raise Fault(400, "BadRequest", f"'{missing}' is required.")
    for name in ("sharedShift", "draftShift"):
        if isinstance(given.get(name), dict):
            _check_length(given[name])
    return {name: given[name] for name in (*_NEEDED[kind], *_OTHERS[kind]) if name in given}


def _check_length(shift: dict[str, Any]) -> None:
    """Raises Fault 400."""
    try:
        start, end = (datetime.fromisoformat(str(shift[name])) for name in ("startDateTime", "endDateTime"))
        seconds = (end - start).total_seconds()
    except (KeyError, ValueError, TypeError) as error:
        raise Fault(400, "BadRequest", "A shift needs a startDateTime and an endDateTime.") from error
    if not _SHORTEST_SECONDS <= seconds <= _LONGEST_SECONDS:
        raise Fault(400, "BadRequest", "The duration of a shift can't be less than 1 minute or longer than 24 hours.")


def _shown(call: Call, kind: str, entry_id: str, record: Record, status: int = 200) -> Reply:
    context = {"@odata.context": context_url(call, f"teams/schedule/{kind}/$entity")}
    return json_reply(context | _json(entry_id, record, kind), status)


_SCHEDULE = "/teams/{team}/schedule"
ROUTES = (
    Route("GET", _SCHEDULE, _get_schedule, READ_SCHEDULES),
    Route("PUT", _SCHEDULE, _put_schedule, WRITE_SCHEDULES),
    *(
        route
        for kind in KINDS
        for route in (
            Route("GET", f"{_SCHEDULE}/{kind}", _list(kind), READ_SCHEDULES, filtered=True),
            Route("POST", f"{_SCHEDULE}/{kind}", _create(kind), WRITE_SCHEDULES),
            Route("GET", f"{_SCHEDULE}/{kind}/{{entry}}", _get(kind), READ_SCHEDULES),
            Route("PUT", f"{_SCHEDULE}/{kind}/{{entry}}", _replace(kind), WRITE_SCHEDULES),
            Route("DELETE", f"{_SCHEDULE}/{kind}/{{entry}}", _delete(kind), WRITE_SCHEDULES),
        )
    ),
)
