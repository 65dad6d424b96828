"""Answers for subscriptions to changes: made once the receiver has shown that it listens, renewed, and ended.

https://learn.microsoft.com/graph/api/subscription-post-subscriptions. Receivers are on this machine, and may be plain
http: elsewhere nobody could reach them, and nothing here calls out.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import quote
from uuid import uuid4

from tuiback.simtenant.api.call import Call, Fault, Reply, fault_reply, json_reply, no_content
from tuiback.simtenant.api.cloud import Cloud
from tuiback.simtenant.api.drive_lookup import drive_of
from tuiback.simtenant.api.mail_lookup import folder_of, view_of
from tuiback.simtenant.api.notifications import log_of
from tuiback.simtenant.api.odata import collection, context_url
from tuiback.simtenant.api.permissions import (
    ANY_APPLICATION,
    READ_FILES,
    READ_GROUPS,
    READ_MAIL,
    READ_USERS,
    is_permitted,
)
from tuiback.simtenant.api.router import Permission, Route
from tuiback.simtenant.postman import Unreachable, post
from tuiback.simtenant.state.clock import stamp
from tuiback.simtenant.state.subscriptions import Subscription, Watched

_VALIDATION = "Subscription validation request"
_NEEDED = ("changeType", "notificationUrl", "resource", "expirationDateTime")
_TYPES = frozenset({"created", "updated", "deleted"})
# What may be followed here, the permission for it, and for how many minutes at most:
# https://learn.microsoft.com/graph/api/resources/subscription#subscription-lifetime
_KINDS: tuple[tuple[str, str, Permission, int], ...] = (
    (r"users/(?P<user>[^/]+)/messages", "message", READ_MAIL, 10_080),
    (r"users/(?P<user>[^/]+)/mailFolders(?:/|\(')(?P<folder>[^/']+)(?:'\))?/messages", "message", READ_MAIL, 10_080),
    (r"users/(?P<user>[^/]+)/drive/root", "drive", READ_FILES, 42_300),
    (r"drives/(?P<drive>[^/]+)/root", "drive", READ_FILES, 42_300),
    (r"users", "user", READ_USERS, 41_760),
    (r"groups", "group", READ_GROUPS, 41_760),
)


def _create(cloud: Cloud, call: Call) -> Reply:
    """201 once the receivers have sent back what they were sent; that is seen to while others are served."""
    given = call.json()
    for name in _NEEDED:
        if not isinstance(given.get(name), str) or not given[name]:
            raise _wrong(f"A value is required for property '{name}'.")
    if given.get("includeResourceData"):
        raise Fault(501, "NotImplemented", "The simulated tenant sends no resource data.")
    watched, most_minutes = _watched(cloud, call, given["resource"])
    types = frozenset(each.strip() for each in given["changeType"].split(","))
    if not types <= _TYPES or (watched.kind == "drive" and types != {"updated"}):
        raise _wrong(f"The change type '{given['changeType']}' is not supported for the resource.")
    made = Subscription(
        mark=str(uuid4()), app_id=call.app_id, change_types=types, url=given["notificationUrl"],
        resource=given["resource"], expires=_expiration(cloud, given["expirationDateTime"], most_minutes),
        watched=watched, seen=0, client_state=given.get("clientState"),
        lifecycle_url=given.get("lifecycleNotificationUrl"),
        immutable=call.preferences.get("idtype", "").lower() == "immutableid",
    )  # fmt: skip
    return Reply(202, later=partial(_begin, cloud, call, made))


def _begin(cloud: Cloud, call: Call, made: Subscription) -> Reply:
    try:
        for url in filter(None, (made.url, made.lifecycle_url)):
            _validate(url, call.request_id)
    except Fault as fault:
        return fault_reply(fault, call, cloud.clock)
    made.seen = log_of(cloud, made.watched).latest
    cloud.subscriptions.add(made)
    return _shown(call, made, 201)


def _validate(url: str, request_id: str) -> None:
    """Raises Fault 400."""
    token = f"Validation: Testing client application reachability for subscription Request-Id: {request_id}"
    try:
        joint = "&" if "?" in url else "?"
        status, body = post(f"{url}{joint}validationToken={quote(token)}", b"", "text/plain; charset=utf-8")
    except Unreachable as error:
        raise Fault(400, "ValidationError", f"{_VALIDATION} timed out.") from error
    if status != 200:
        text = f"{_VALIDATION} failed. Notification endpoint must respond with 200 OK to validation request."
        raise Fault(400, "ValidationError", text)
    if body.decode("utf-8", "replace") != token:
        text = f"{_VALIDATION} failed. Response must exactly match validationToken query parameter."
        raise Fault(400, "ValidationError", text)


def _watched(cloud: Cloud, call: Call, resource: str) -> tuple[Watched, int]:
    """What a resource means, and for how many minutes it may be followed. Raises Fault 400, 403 and 404."""
    bearer = cloud.signin.bearer(call.headers.get("authorization", ""))
    path = resource.strip("/").removeprefix("v1.0/")
    if bearer.person_id and path.lower().startswith("me/"):
        path = f"users/{bearer.person_id}/{path[3:]}"
    for pattern, kind, permission, most_minutes in _KINDS:
        found = re.fullmatch(pattern, path, re.IGNORECASE)
        if found is None:
            continue
        call.where = found.groupdict()
        if not is_permitted(permission, cloud, call, bearer):
            text = "Operation: Create; Exception: [Status Code: Forbidden; Reason: Access to the resource is denied]"
            raise Fault(403, "ExtensionError", text)
        return _LOOK_UP[kind](cloud, call), most_minutes
    raise _wrong(f"Resource '{resource}' can't be followed.")


def _messages(cloud: Cloud, call: Call) -> Watched:
    view = view_of(cloud, call)
    folder = folder_of(view, call.where["folder"]).serial if "folder" in call.where else None
    return Watched("message", view.mailbox.owner, folder)


def _files(cloud: Cloud, call: Call) -> Watched:
    return Watched("drive", drive_of(cloud, call).person.index)


_LOOK_UP: dict[str, Callable[[Cloud, Call], Watched]] = {
    "message": _messages, "drive": _files, "user": lambda *_: Watched("user"), "group": lambda *_: Watched("group"),
}  # fmt: skip


def _expiration(cloud: Cloud, text: object, most_minutes: int) -> datetime:
    """Raises Fault 400."""
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError as error:
        raise _wrong("Invalid value specified for property 'expirationDateTime'.") from error
    expires, now = found.replace(tzinfo=found.tzinfo or UTC), cloud.clock.now()
    if expires <= now:
        raise _wrong("Subscription expiration must be in the future.")
    if expires > now + timedelta(minutes=most_minutes):
        raise _wrong(f"Subscription expiration can only be {most_minutes} minutes in the future.")
    return expires


def _subscription_of(cloud: Cloud, call: Call) -> Subscription:
    """One of the caller's own. Raises Fault 404."""
    found = next((each for each in _own(cloud, call) if each.mark == call.where["subscription"]), None)
    if found is None:
        raise Fault(404, "ResourceNotFound", "The object was not found.")
    return found


def _own(cloud: Cloud, call: Call) -> list[Subscription]:
    return [each for each in cloud.subscriptions.present(cloud.clock.now()) if each.app_id == call.app_id]


def _list(cloud: Cloud, call: Call) -> Reply:
    return json_reply(collection("subscriptions", [_json(each) for each in _own(cloud, call)], None, call))


def _get(cloud: Cloud, call: Call) -> Reply:
    return _shown(call, _subscription_of(cloud, call))


def _renew(cloud: Cloud, call: Call) -> Reply:
    found, given = _subscription_of(cloud, call), call.json()
    most_minutes = next(most for _, kind, _, most in _KINDS if kind == found.watched.kind)
    found.expires = _expiration(cloud, given.get("expirationDateTime"), most_minutes)
    return _shown(call, found)


def _reauthorize(cloud: Cloud, call: Call) -> Reply:
    _subscription_of(cloud, call)
    return no_content()


def _delete(cloud: Cloud, call: Call) -> Reply:
    cloud.subscriptions.remove(_subscription_of(cloud, call))
    return no_content()


def _json(found: Subscription) -> dict[str, Any]:
    return {
        "id": found.mark,
        "resource": found.resource,
        "applicationId": found.app_id,
        "changeType": ",".join(sorted(found.change_types)),
        "clientState": found.client_state,
        "notificationUrl": found.url,
        "notificationQueryOptions": None,
        "lifecycleNotificationUrl": found.lifecycle_url,
        "expirationDateTime": stamp(found.expires),
        "creatorId": found.app_id,
        "includeResourceData": None,
        "latestSupportedTlsVersion": "v1_2",
        "encryptionCertificate": None,
        "encryptionCertificateId": None,
        "notificationUrlAppId": None,
    }


def _shown(call: Call, found: Subscription, status: int = 200) -> Reply:
    return json_reply({"@odata.context": context_url(call, "subscriptions/$entity")} | _json(found), status)


def _wrong(text: str) -> Fault:
    return Fault(400, "InvalidRequest", text)


_ONE = "/subscriptions/{subscription}"
ROUTES = (
    Route("GET", "/subscriptions", _list, ANY_APPLICATION),
    Route("POST", "/subscriptions", _create, ANY_APPLICATION),
    Route("GET", _ONE, _get, ANY_APPLICATION),
    Route("PATCH", _ONE, _renew, ANY_APPLICATION),
    Route("DELETE", _ONE, _delete, ANY_APPLICATION),
    Route("POST", _ONE + "/reauthorize", _reauthorize, ANY_APPLICATION),
)
