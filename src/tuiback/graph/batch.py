"""Sends many small requests in one, and sees each of them through by itself.

In a full chain of dependsOn the service carries the members out one after another, so that they take one of the few
places that it allows at once; each still costs what it would cost alone.
https://learn.microsoft.com/graph/json-batching and https://learn.microsoft.com/graph/throttling#throttling-and-batching
"""

import base64
from collections.abc import Mapping, Sequence
from typing import Any

import httpx
import msgspec
from msgspec.structs import replace

from tuiback.errors import GraphError, TuibackError, Unreachable
from tuiback.graph.caller import Ask, Caller
from tuiback.graph.decoding import read_object
from tuiback.graph.faults import BodyBroke, Failure, error_of, failure_of
from tuiback.graph.retry import IDEMPOTENT, Again, Attempts, GiveUp, Renew, after

# The service takes no more.
MOST_MEMBERS = 20
# A larger answer is read no further: its members are asked for in two halves.
MOST_ANSWER_BYTES = 16 * 1024 * 1024

# What the whole is refused with when smaller parts of it may succeed.
_TOO_LARGE = 413
_TOO_MUCH_AT_ONCE = frozenset({_TOO_LARGE, 502, 504})
# What a service says that knows no $batch, or none of these members.
_UNKNOWN = frozenset({400, 404, 405, 501})
_FAILED_DEPENDENCY = 424


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


class BatchRefused(GraphError):
    """The service does not take these requests together: each may still succeed alone."""


class _Response(msgspec.Struct):
    id: str
    status: int
    headers: dict[str, str] = {}
    body: msgspec.Raw = msgspec.Raw()


class _Responses(msgspec.Struct):
    responses: list[_Response]


class _Pending(msgspec.Struct, frozen=True):
    """A member that has no final answer yet."""

    place: int
    member: Member
    attempts: Attempts


class Batch:
    """One batch on its way, in a chain or side by side. `ask` is the request for it, without content."""

    def __init__(self, caller: Caller, ask: Ask, members: Sequence[Member], *, chain: bool) -> None:
        self._caller = caller
        self._ask = ask
        self._members = members
        self._chain = chain
        self._outcomes: dict[int, Answered | TuibackError] = {}
        # What failed for a moment, with the moment of its next try.
        self._later: list[tuple[float, _Pending]] = []

    async def run(self) -> list[Answered | TuibackError]:
        """Each member's answer, or the error that ended it, in their order.

        Raises BatchRefused, and what makes every request impossible.
        """
        pending = [_Pending(place, member, Attempts()) for place, member in enumerate(self._members)]
        while pending:
            pending = await self._round(pending)
            if self._later and not pending:
                pending = await self._wait_for_later()
        return [self._outcomes[place] for place in range(len(self._members))]

    async def _wait_for_later(self) -> list[_Pending]:
        """Those that may be tried again first, once they may; by then those behind them are through."""
        first = min(moment for moment, _ in self._later)
        await self._caller.throttle.rest(self._ask.service, max(0.0, first - self._caller.monotonic))
        now = max(first, self._caller.monotonic)
        ready = [each for moment, each in self._later if moment <= now]
        self._later = [(moment, each) for moment, each in self._later if moment > now]
        return ready

    async def _round(self, pending: Sequence[_Pending]) -> list[_Pending]:
        """Send these members; those that can be sent again at once."""
        try:
            return await self._send(pending)
        except BodyBroke as error:
            self._after_break(pending, error)
            return []
        except GraphError as error:
            return await self._split(pending, error)

    def _put_off(self, each: _Pending, wait_seconds: float) -> None:
        self._later.append((self._caller.monotonic + wait_seconds, each))

    async def _send(self, pending: Sequence[_Pending]) -> list[_Pending]:
        ask = replace(
            self._ask, content=_body(pending, chain=self._chain), units=len(pending), requests=len(pending),
            repeatable=_are_repeatable(pending), whole=False,
        )  # fmt: skip
        async with self._caller.placed(ask) as reply:
            taken = _Round(self._caller, reply.token)
            answers = _answers(await self._read(reply.response), ask.subject)
            for number, each in enumerate(pending):
                outcome = taken.settle(each, answers.get(str(number)))
                if outcome is not None:
                    self._outcomes[each.place] = outcome
            # The reply itself has counted for one: each member that was answered shows as well as any request that
            # the service is willing.
            reply.slot.succeeded(max(0, taken.answered - 1))
            if taken.refused:
                reply.slot.throttled(taken.fence_seconds, 429)
        if taken.renew:
            await self._caller.renew(reply.token)
        for each, wait_seconds in taken.later:
            self._put_off(each, wait_seconds)
        return taken.rest

    async def _read(self, response: httpx.Response) -> bytes:
        pieces: list[bytes] = []
        bytes_held = 0
        async for piece in self._caller.body(response, self._ask.subject):
            bytes_held += len(piece)
            if bytes_held > MOST_ANSWER_BYTES:
                raise GraphError("the answer to a batch is too large", self._ask.subject, "ask for less", status=502)
            pieces.append(piece)
        return b"".join(pieces)

    def _after_break(self, pending: Sequence[_Pending], error: BodyBroke) -> None:
        """The members again, if that does no harm: nobody knows which of them were carried out."""
        method = "GET" if _are_repeatable(pending) else self._ask.method
        attempts = replace(pending[0].attempts, tries=max(each.attempts.tries for each in pending) + 1)
        decision = self._caller.decide(method, attempts, Failure(message=error.what))
        if not isinstance(decision, Again):
            self._outcomes |= {each.place: error for each in pending}
            return
        for each in pending:
            tried = replace(each, attempts=replace(each.attempts, tries=attempts.tries))
            self._put_off(tried, decision.wait_seconds)

    async def _split(self, pending: Sequence[_Pending], error: GraphError) -> list[_Pending]:
        """Halves of a batch that is too much for the service; a member is never carried out twice for it."""
        repeatable = error.status == _TOO_LARGE or _are_repeatable(pending)
        if error.status in _TOO_MUCH_AT_ONCE and repeatable and len(pending) > 1:
            half = (len(pending) + 1) // 2
            return [*await self._round(pending[:half]), *await self._round(pending[half:])]
        if error.status in _UNKNOWN:
            self._caller.takes_batches = False
            raise BatchRefused(error.what, error.subject, error.remedy, status=error.status) from error
        if isinstance(error, Unreachable):
            raise error
        self._outcomes |= {each.place: error for each in pending}
        return []


class _Round:
    """Decides about the answers of one round, member by member in the order of the chain."""

    def __init__(self, caller: Caller, token: str) -> None:
        self._caller = caller
        self._token = token
        self._broken = False
        self.rest: list[_Pending] = []
        self.later: list[tuple[_Pending, float]] = []
        self.refused = False
        self.fence_seconds: float | None = None
        self.renew = False
        self.answered = 0

    def settle(self, pending: _Pending, response: _Response | None) -> Answered | TuibackError | None:
        """The member's final outcome; None when it will be sent again."""
        if response is not None and response.status == _FAILED_DEPENDENCY and self._broken:
            # Not carried out at all, because one before it failed.
            self.rest.append(pending)
            return None
        if response is not None and 200 <= response.status < 300:
            self.answered += 1
            return _answered(response, pending.member.path)
        self._broken = True
        failure = self._failure(response)
        attempts = replace(pending.attempts, tries=pending.attempts.tries + 1)
        decision = self._caller.decide(pending.member.method, attempts, failure, token=self._token)
        if isinstance(decision, GiveUp):
            return error_of(failure, f"{pending.member.method} {pending.member.path}", signed=True)
        tried = replace(pending, attempts=after(attempts, decision, failure))
        if isinstance(decision, Renew):
            self.renew = True
        elif decision.fence:
            self.refused = True
            if failure.retry_after is not None:
                self.fence_seconds = max(self.fence_seconds or 0.0, failure.retry_after)
        if isinstance(decision, Again) and decision.rests(failure):
            self.later.append((tried, decision.wait_seconds))
        else:
            self.rest.append(tried)
        return None

    def _failure(self, response: _Response | None) -> Failure:
        if response is None:
            return Failure(status=502, message="the batch came back without this answer")
        headers = {name.lower(): value for name, value in response.headers.items()}
        return failure_of(response.status, headers, bytes(response.body), self._caller.now)


def _are_repeatable(pending: Sequence[_Pending]) -> bool:
    return all(each.member.method in IDEMPOTENT for each in pending)


def _body(pending: Sequence[_Pending], *, chain: bool) -> bytes:
    requests = []
    for number, each in enumerate(pending):
        member = each.member
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


def _answers(body: bytes, subject: str) -> dict[str, _Response]:
    try:
        responses = msgspec.json.decode(body, type=_Responses)
    except msgspec.MsgspecError:
        responses = _read_leniently(body, subject)
    return {each.id: each for each in responses.responses}


def _read_leniently(body: bytes, subject: str) -> _Responses:
    """The members of an answer that strict JSON does not allow."""
    entries = read_object(body, subject).get("responses")
    if not isinstance(entries, list):
        raise GraphError("a batch came back without its answers", subject, "retry later", status=502)
    for entry in entries:
        if isinstance(entry, dict) and "body" in entry:
            entry["body"] = msgspec.Raw(msgspec.json.encode(entry["body"]))
    try:
        return _Responses([msgspec.convert(entry, _Response) for entry in entries])
    except msgspec.ValidationError as error:
        raise GraphError("a batch came back with strange answers", subject, "retry later", status=502) from error


def _answered(response: _Response, path: str) -> Answered | GraphError:
    body = bytes(response.body)
    if not body.startswith(b'"'):
        return Answered(response.status, b"" if body == b"null" else body)
    try:
        return Answered(response.status, msgspec.json.decode(body, type=bytes))
    except msgspec.MsgspecError:
        return _answered_in_url_letters(response, path)


def _answered_in_url_letters(response: _Response, path: str) -> Answered | GraphError:
    """The same for base64 in the alphabet of URLs, with its padding left out."""
    text = str(msgspec.json.decode(response.body)).replace("-", "+").replace("_", "/")
    try:
        return Answered(response.status, base64.b64decode(text + "=" * (-len(text) % 4), validate=True))
    except ValueError:
        return GraphError("a batch came back with a body in no known form", path, "it is read alone", status=200)
