"""Answers $batch: up to 20 requests in one, each carried out, charged and refused by itself.

https://learn.microsoft.com/graph/json-batching
"""

import json
from base64 import urlsafe_b64decode
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import msgspec
from pybase64 import b64encode

from tuiback.simtenant.api.call import VERSIONS, Call, Fault, Reply, fault_reply, json_reply
from tuiback.simtenant.reception import Reception, Taken

PATHS = frozenset(f"{version}/$batch" for version in VERSIONS)
_MOST_MEMBERS = 20
_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE"})
_JSON = "application/json"


class _Member(msgspec.Struct):
    given_id: str | int = msgspec.field(name="id")
    method: str
    url: str
    headers: dict[str, str] = {}
    body: Any = None
    needed_ids: list[str | int] = msgspec.field(default_factory=list, name="dependsOn")

    @property
    def id(self) -> str:
        """Its id; a number stands for the text that it reads as, since public clients send some.

        https://github.com/pnp/cli-microsoft365/blob/main/src/m365/entra/commands/m365group/m365group-user-add.ts
        """
        return str(self.given_id)

    @property
    def depends_on(self) -> list[str]:
        """The ids of those that must have succeeded before."""
        return [str(each) for each in self.needed_ids]


class _Requests(msgspec.Struct):
    requests: list[_Member]


def answer_batch(reception: Reception, call: Call) -> Taken:
    """The answers to all members, in the order in which they were carried out."""
    places: list[Callable[[], None]] = []

    def leave() -> None:
        while places:
            places.pop()()

    try:
        reply = _answer(reception, call, places)
    except Fault as fault:
        reply = fault_reply(fault, call, reception.cloud.clock)
    except BaseException:
        leave()
        raise
    return Taken(reply, "/$batch", leave=leave)


def _answer(reception: Reception, call: Call, places: list[Callable[[], None]]) -> Reply:
    """Carry the members out; `places` are those that they hold until the answer is sent.

    In a chain they follow one another, and only the last is still there at the end; others run side by side.
    """
    if call.method != "POST":
        raise Fault(405, "BadRequest", "Specified HTTP method is not allowed for the request target.")
    reception.cloud.signin.bearer(call.headers.get("authorization", ""))
    members = _members(call)
    statuses: dict[str, int] = {}
    responses = []
    in_chain = any(each.depends_on for each in members)
    for member in members:
        if any(statuses.get(other, 424) >= 400 for other in member.depends_on):
            reply = _failed_dependency(member, call, reception)
        else:
            while in_chain and places:
                places.pop()()
            taken = reception.take(_call(member, call))
            reply = taken.reply.later() if taken.reply.later is not None else taken.reply
            places.append(taken.leave)
        statuses[member.id] = reply.status
        responses.append(_response(member.id, reply))
    return json_reply({"responses": responses})


def _members(call: Call) -> Sequence[_Member]:
    """The members, those that others depend on before these. Raises Fault 400."""
    try:
        members = msgspec.json.decode(call.body, type=_Requests).requests
    except msgspec.DecodeError as error:
        raise _bad(f"Invalid batch payload format: {error}") from error
    if not members or len(members) > _MOST_MEMBERS:
        raise _bad(f"Number of batch request steps must be between 1 and {_MOST_MEMBERS}.")
    by_id = {member.id: member for member in members}
    if len(by_id) < len(members):
        raise _bad("Batch request ids must be unique.")
    for member in members:
        _check(member, by_id, call.version)
    return _ordered(members)


def _check(member: _Member, by_id: Mapping[str, _Member], version: str) -> None:
    # Absolute URLs are accepted, though the documentation advises against them.
    member.url = urlsplit(member.url)._replace(scheme="", netloc="").geturl().removeprefix(version)
    if member.method.upper() not in _METHODS or not member.url.startswith("/"):
        raise _bad(f"Request '{member.id}' needs a method and a URL that begins with '/', without the version.")
    if member.url.lower().startswith("/$batch"):
        raise _bad(f"Request '{member.id}' is a batch itself.")
    if not set(member.depends_on) <= by_id.keys() - {member.id}:
        raise _bad(f"Request '{member.id}' depends on a request that is not in the batch.")
    names = {name.lower() for name in member.headers}
    if member.body is not None and "content-type" not in names:
        raise _bad(f"Request '{member.id}' has a body but no Content-Type header.")


def _ordered(members: Sequence[_Member]) -> Sequence[_Member]:
    done: list[_Member] = []
    waiting = list(members)
    while waiting:
        known = {member.id for member in done}
        ready = [member for member in waiting if set(member.depends_on) <= known]
        if not ready:
            raise _bad("The requests depend on each other in a circle.")
        done += ready
        waiting = [member for member in waiting if member not in ready]
    return done


def _call(member: _Member, outer: Call) -> Call:
    """The member as a request of its own: it inherits who asks."""
    headers = {name.lower(): value for name, value in member.headers.items()}
    headers.setdefault("authorization", outer.headers.get("authorization", ""))
    path, _, query = member.url.partition("?")
    is_json = headers.get("content-type", _JSON).partition(";")[0].strip() == _JSON
    return Call(
        method=member.method.upper(),
        root=outer.root,
        path=f"{outer.version}{path}",
        raw_query=query,
        headers=headers,
        body=_body(member, is_json=is_json),
    )


def _body(member: _Member, *, is_json: bool) -> bytes:
    if member.body is None:
        return b""
    if is_json:
        return msgspec.json.encode(member.body)
    text = str(member.body)
    try:
        return urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError as error:
        raise _bad(f"The body of request '{member.id}' is not base64url.") from error


def _response(member_id: str, reply: Reply) -> dict[str, Any]:
    content = reply.body if reply.stream is None else b"".join(reply.stream)
    headers = dict(reply.headers)
    document: dict[str, Any] = {"id": member_id, "status": reply.status, "headers": headers}
    if content:
        headers["Content-Type"] = reply.content_type
        if reply.content_type.startswith(_JSON):
            # A fault may have put in what strict JSON does not allow.
            document["body"] = json.loads(content, strict=False)
        else:
            document["body"] = b64encode(content).decode()
    return document


def _failed_dependency(member: _Member, call: Call, reception: Reception) -> Reply:
    text = f"Request '{member.id}' was not carried out because one that it depends on has failed."
    fault = Fault(424, "FailedDependency", text)
    return fault_reply(fault, Call(member.method, call.root, member.url, "", {}, b"", request_id=str(uuid4())),
                       reception.cloud.clock)  # fmt: skip


def _bad(text: str) -> Fault:
    return Fault(400, "BadRequest", text)
