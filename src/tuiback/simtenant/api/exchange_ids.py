"""Translates regular ids of messages to immutable ones and back.

https://learn.microsoft.com/graph/api/user-translateexchangeids
"""

from typing import Any

from tuiback.simtenant.api.call import Call, Fault, Reply, json_reply
from tuiback.simtenant.api.cloud import Cloud
from tuiback.simtenant.api.mail_lookup import view_of
from tuiback.simtenant.api.message_json import View
from tuiback.simtenant.api.odata import collection
from tuiback.simtenant.api.permissions import TRANSLATE_IDS
from tuiback.simtenant.api.router import Route

_MOST = 1000
_KINDS = {"restid": "message", "restimmutableentryid": "immutable"}


def _translate(cloud: Cloud, call: Call) -> Reply:
    view, given = view_of(cloud, call), call.json()
    names = {name.lower(): value for name, value in given.items()}
    ids = names.get("inputids")
    if not isinstance(ids, list) or len(ids) > _MOST:
        raise Fault(400, "ErrorInvalidRequest", f"inputIds must hold at most {_MOST} ids.")
    source, target = (str(names.get(name, "")).lower() for name in ("sourceidtype", "targetidtype"))
    if source not in _KINDS or target not in _KINDS:
        raise Fault(501, "NotImplemented", "The simulated tenant translates restId and restImmutableEntryId only.")
    value = [_translated(view, str(each), _KINDS[source], _KINDS[target]) for each in ids]
    return json_reply(collection("Collection(microsoft.graph.convertIdResult)", value, None, call))


def _translated(view: View, text: str, source: str, target: str) -> dict[str, Any]:
    reference = view.ids.find(text)
    message = view.mailbox.find(reference.serial) if reference is not None else None
    if reference is None or message is None or (reference.kind, reference.owner) != (source, view.mailbox.owner):
        return {"sourceId": text, "errorDetails": {"code": "ErrorInvalidIdMalformed", "message": "Id is malformed."}}
    place = message.moves if target == "message" else 0
    return {"sourceId": text, "targetId": view.ids.encode(target, view.mailbox.owner, message.serial, place)}


ROUTES = (Route("POST", "/users/{user}/translateExchangeIds", _translate, TRANSLATE_IDS),)
