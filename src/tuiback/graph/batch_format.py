"""What goes into a batch, what comes out of it, and how both are written.

https://learn.microsoft.com/graph/json-batching
"""

import base64
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from tuiback.errors import GraphError
from tuiback.graph.decoding import read_object

# The service takes no more in one batch.
MOST_MEMBERS = 20


class Member(msgspec.Struct, frozen=True):
    """One request of a batch. `path` follows the version, with its query; `body` is sent as JSON."""

    method: str
    path: str
    headers: Mapping[str, str] = msgspec.field(default_factory=dict)
    body: Mapping[str, Any] | None = None


class Answered(msgspec.Struct, frozen=True):
    """What a member was answered: the bytes of a body that is no JSON, else the JSON as it came."""

    status: int
    content: bytes


class MemberReply(msgspec.Struct):
    """The service's answer to one member, as it came."""

    id: str
    status: int
    headers: dict[str, str] = {}
    body: msgspec.Raw = msgspec.Raw()


class _Replies(msgspec.Struct):
    responses: list[MemberReply]


def encode_batch(members: Sequence[Member], *, chain: bool) -> bytes:
    """The body of the request; the members' ids are their places in it."""
    requests = []
    for number, member in enumerate(members):
        request: dict[str, Any] = {"id": str(number), "method": member.method, "url": member.path}
        headers = dict(member.headers)
        if member.body is not None:
            headers = {"Content-Type": "application/json", **headers}
            request["body"] = member.body
        if headers:
            request["headers"] = headers
        if chain and number:
            request["dependsOn"] = [str(number - 1)]
        requests.append(request)
    return msgspec.json.encode({"requests": requests})


def decode_batch(body: bytes, subject: str) -> dict[str, MemberReply]:
    """The answers by the members' ids. Raises GraphError where they can't be read."""
    try:
        replies = msgspec.json.decode(body, type=_Replies)
    except msgspec.MsgspecError:
        replies = _read_leniently(body, subject)
    return {each.id: each for each in replies.responses}


def _read_leniently(body: bytes, subject: str) -> _Replies:
    """The members of an answer that strict JSON does not allow."""
    entries = read_object(body, subject).get("responses")
    if not isinstance(entries, list):
        raise GraphError("a batch came back without its answers", subject, "retry later", status=502)
    for entry in entries:
        if isinstance(entry, dict) and "body" in entry:
            entry["body"] = msgspec.Raw(msgspec.json.encode(entry["body"]))
    try:
        return _Replies([msgspec.convert(entry, MemberReply) for entry in entries])
    except msgspec.ValidationError as error:
        raise GraphError("a batch came back with strange answers", subject, "retry later", status=502) from error


def answer_of(reply: MemberReply, path: str) -> Answered | GraphError:
    """What a member that went well was answered; an error where its body is in no known form."""
    body = bytes(reply.body)
    if not body.startswith(b'"'):
        return Answered(reply.status, b"" if body == b"null" else body)
    try:
        return Answered(reply.status, msgspec.json.decode(body, type=bytes))
    except msgspec.MsgspecError:
        return _answer_in_url_letters(reply, path)


def _answer_in_url_letters(reply: MemberReply, path: str) -> Answered | GraphError:
    """The same for base64 in the alphabet of URLs, with its padding left out."""
    text = str(msgspec.json.decode(reply.body)).replace("-", "+").replace("_", "/")
    try:
        return Answered(reply.status, base64.b64decode(text + "=" * (-len(text) % 4), validate=True))
    except ValueError:
        return GraphError("a batch came back with a body in no known form", path, "it is read alone", status=200)
