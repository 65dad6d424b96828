"""Sends many small requests in one, and sees each of them through by itself.

In a full chain of dependsOn the service carries the members out one after another, so that they take one of the few
places that it allows at once; each still costs what it would cost alone.
https://learn.microsoft.com/graph/json-batching and https://learn.microsoft.com/graph/throttling#throttling-and-batching
"""

from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence

import httpx
from msgspec.structs import replace

from tuiback.errors import GraphError, TuibackError, Unreachable
from tuiback.graph.batch_format import Answered, Member, MemberReply, answer_of, decode_batch, encode_batch
from tuiback.graph.caller import Ask, Caller, Placed
from tuiback.graph.faults import BodyBroke, Failure, error_of, failure_of
from tuiback.graph.leftovers import Leftovers, Pending
from tuiback.graph.retry import IDEMPOTENT, Again, Attempts, GiveUp, Renew, after

# A larger answer is read no further: its members are asked for in two halves.
MOST_ANSWER_BYTES = 16 * 1024 * 1024

# What the whole is refused with when smaller parts of it may succeed.
_TOO_LARGE = 413
_TOO_MUCH_AT_ONCE = frozenset({_TOO_LARGE, 502, 504})
# What a service says that knows no $batch, or none of these members.
_UNKNOWN = frozenset({400, 404, 405, 501})
_FAILED_DEPENDENCY = 424

Outcome = Answered | TuibackError


class BatchRefused(GraphError):
    """The service does not take these requests together: each may still succeed alone."""


class Batch:
    """Up to 20 requests on their way, in a chain or side by side. `ask` is the request for them, without content.

    What has to be sent again lies among the `leftovers` of its account, where other batches of that account find it
    as well: whichever leaves next takes it along.
    """

    def __init__(
        self, caller: Caller, ask: Ask, members: Sequence[Member], *, chain: bool, leftovers: Leftovers
    ) -> None:
        self._caller = caller
        self._ask = ask
        self._chain = chain
        self._leftovers = leftovers
        self._fresh = [Pending(self, place, member, Attempts()) for place, member in enumerate(members)]
        self._open = {each.place for each in self._fresh}
        # What is being sent now, its own and others'.
        self._hand: dict[tuple[int, int], Pending] = {}
        self._news: dict[int, Outcome] = {}
        self.closed = False

    async def answers(self) -> AsyncGenerator[Mapping[int, Outcome], None]:
        """The members' answers by their places, or the errors that ended them, as they come.

        Raises BatchRefused, and what makes every request impossible.
        """
        for each in self._fresh[self._leftovers.members :]:
            self._leftovers.put(each)
        pending = self._fresh[: self._leftovers.members]
        try:
            while self._open or self._news:
                if pending:
                    await self._see_through(pending)
                elif not self._news:
                    await self._leftovers.wait(self, self._caller.monotonic, self._rest)
                if self._news:
                    news, self._news = self._news, {}
                    yield news
                pending = self._leftovers.take(self._caller.monotonic) if self._open else []
        finally:
            self.closed = True
            self._leftovers.forget(self)

    def settle(self, place: int, outcome: Outcome) -> None:
        """This member needs no further try."""
        self._open.discard(place)
        self._news[place] = outcome

    async def _rest(self, seconds: float) -> None:
        await self._caller.throttle.rest(self._ask.service, seconds)

    def _put(self, pending: Pending, moment: float = 0.0) -> None:
        del self._hand[pending.key]
        self._leftovers.put(pending, moment)

    def _end(self, pending: Pending, outcome: Outcome) -> None:
        del self._hand[pending.key]
        self._leftovers.settle(pending, outcome)

    async def _see_through(self, pending: Sequence[Pending]) -> None:
        """Send these members, perhaps in parts; what has no outcome then is among the leftovers."""
        self._hand = {each.key: each for each in pending}
        try:
            await self._round(pending)
        finally:
            for each in list(self._hand.values()):
                self._put(each)

    async def _round(self, pending: Sequence[Pending]) -> None:
        try:
            await self._send(pending)
        except BodyBroke as error:
            self._after_break(pending, error)
        except GraphError as error:
            # A sign-in may have failed after the answers had come: they count.
            await self._split([each for each in pending if each.key in self._hand], error)

    async def _send(self, pending: Sequence[Pending]) -> None:
        repeatable = are_repeatable(each.member for each in pending)
        content = encode_batch([each.member for each in pending], chain=self._chain)
        ask = replace(
            self._ask, content=content, units=len(pending), requests=len(pending), is_batch=True,
            repeatable=repeatable, whole=False,
        )  # fmt: skip
        async with self._caller.placed(ask) as reply:
            taken = _Round(self._caller, reply, repeatable=repeatable)
            replies = decode_batch(await self._read(reply.response), ask.subject)
            for number, each in enumerate(pending):
                outcome = taken.settle(each, replies.get(str(number)))
                if outcome is not None:
                    self._end(each, outcome)
            if self._chain:
                self._leftovers.learn(taken.answered, len(pending))
            # Each member that was answered shows as well as any request that the service is willing.
            reply.slot.succeeded(taken.answered)
            if taken.refused:
                reply.slot.throttled(taken.wait_seconds, 429, fence=taken.fences)
        for each, wait_seconds in taken.later:
            self._put(each, self._caller.monotonic + wait_seconds)
        for each in taken.rest:
            self._put(each)
        if taken.renew:
            await self._caller.renew(reply.token, self._ask.account)

    async def _read(self, response: httpx.Response) -> bytes:
        pieces: list[bytes] = []
        bytes_held = 0
        async for piece in self._caller.body(response, self._ask.subject):
            bytes_held += len(piece)
            if bytes_held > MOST_ANSWER_BYTES:
                raise GraphError("the answer to a batch is too large", self._ask.subject, "ask for less", status=502)
            pieces.append(piece)
        return b"".join(pieces)

    def _after_break(self, pending: Sequence[Pending], error: BodyBroke) -> None:
        """The members again, if that does no harm: nobody knows which of them were carried out."""
        method = "GET" if are_repeatable(each.member for each in pending) else self._ask.method
        failure = Failure(message=error.what)
        for each in pending:
            attempts = replace(each.attempts, tries=each.attempts.tries + 1)
            decision = self._caller.decide(method, attempts, failure)
            if isinstance(decision, Again):
                tried = replace(each, attempts=after(attempts, decision, failure))
                self._put(tried, self._caller.monotonic + decision.wait_seconds)
            else:
                self._end(each, error)

    async def _split(self, pending: Sequence[Pending], error: GraphError) -> None:
        """Halves of a batch that is too much for the service; a member is never carried out twice for it."""
        repeatable = error.status == _TOO_LARGE or are_repeatable(each.member for each in pending)
        if error.status in _TOO_MUCH_AT_ONCE and repeatable and len(pending) > 1:
            half = (len(pending) + 1) // 2
            await self._round(pending[:half])
            await self._round(pending[half:])
            return
        if error.status in _UNKNOWN:
            self._caller.takes_batches = False
            raise BatchRefused(error.what, error.subject, error.remedy, status=error.status) from error
        if isinstance(error, Unreachable):
            raise error
        for each in pending:
            self._end(each, error)


class _Round:
    """Decides about the answers of one round, member by member in the order of the chain."""

    def __init__(self, caller: Caller, reply: Placed, *, repeatable: bool) -> None:
        self._caller = caller
        self._reply = reply
        self._repeatable = repeatable
        self._broken = False
        self._order_seconds: float | None = None
        self.rest: list[Pending] = []
        self.later: list[tuple[Pending, float]] = []
        self.refused = False
        self.fences = False
        self.wait_seconds: float | None = None
        self.renew = False
        self.answered = 0

    def settle(self, pending: Pending, reply: MemberReply | None) -> Outcome | None:
        """The member's final outcome; None when it will be sent again."""
        if reply is not None and reply.status == _FAILED_DEPENDENCY and self._broken:
            # Not carried out at all, because one before it failed.
            if self._order_seconds is None:
                self.rest.append(pending)
            else:
                self.later.append((pending, self._order_seconds))
            return None
        if reply is not None and 200 <= reply.status < 300:
            self.answered += 1
            return answer_of(reply, pending.member.path)
        self._broken = True
        failure = self._failure(reply)
        attempts = replace(pending.attempts, tries=pending.attempts.tries + 1)
        slot, token = self._reply.slot, self._reply.token
        decision = self._caller.decide(pending.member.method, attempts, failure, slot=slot, token=token)
        if isinstance(decision, GiveUp):
            return error_of(failure, f"{pending.member.method} {pending.member.path}", signed=True)
        tried = replace(pending, attempts=after(attempts, decision, failure))
        if isinstance(decision, Renew):
            self.renew = True
            self.rest.append(tried)
        else:
            if decision.fence:
                self._refuse(failure.retry_after)
                # What is written keeps its order: those behind wait as well.
                self._order_seconds = None if self._repeatable else decision.wait_seconds
            self.later.append((tried, decision.wait_seconds))
        return None

    def _refuse(self, retry_after: float | None) -> None:
        """A refused member shows that the account is closed; not where others of the batch were let in.

        "Retry the failed requests": https://learn.microsoft.com/graph/throttling#throttling-and-batching
        """
        self.refused = True
        if retry_after is not None:
            self.wait_seconds = max(self.wait_seconds or 0.0, retry_after)
        self.fences = self.fences or not (self._repeatable and self.answered)

    def _failure(self, reply: MemberReply | None) -> Failure:
        if reply is None:
            return Failure(status=502, message="the batch came back without this answer")
        headers = {name.lower(): value for name, value in reply.headers.items()}
        return failure_of(reply.status, headers, bytes(reply.body), self._caller.now)


def are_repeatable(members: Iterable[Member]) -> bool:
    """Whether nothing is done twice by sending all of them again."""
    return all(member.method in IDEMPOTENT for member in members)
