"""Sends one request until it succeeds or nothing more can be tried, under the throttle and with a good token."""

import asyncio
import random
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from urllib.parse import urlsplit
from uuid import UUID
from weakref import WeakValueDictionary

import httpx
import msgspec
from msgspec.structs import replace

from tuiback.errors import Unreachable
from tuiback.graph.faults import BodyBroke, Failure, error_of, failure_of
from tuiback.graph.gate import Cost
from tuiback.graph.leftovers import Leftovers
from tuiback.graph.redirects import MOST_REDIRECTS, REDIRECTS, next_address
from tuiback.graph.retry import MOST_SERVER_ERROR_TRIES, Again, Attempts, Decision, GiveUp, Renew, after, decide
from tuiback.graph.throttle import Slot, Throttle
from tuiback.graph.tokens_apart import TokensApart
from tuiback.graph.transport import BREAKS, READ_SECONDS, ExactClient, failure_of_break
from tuiback.model import Clock

_COST = b"x-ms-resource-unit"
_LIMIT, _REMAINING, _RESET = b"ratelimit-limit", b"ratelimit-remaining", b"ratelimit-reset"
# Errors that tell of the thing asked for, as an answer would: whoever says so lets requests in.
_ANSWERS = frozenset({404, 410, 412})
# Slower than this an upload counts as stuck: the transport knows no limit for writing.
_SLOWEST_UPLOAD_BYTES_PER_SECOND = 16_384
# Larger bodies go out in pieces, because one write of them would block the loop.
_PIECE_BYTES = 262_144
# Answers to requests with a token may come after it was renewed more than once, and accounts may have tokens apart.
_TOKENS_REMEMBERED = 256


class Ask(msgspec.Struct, frozen=True):
    """One request as the service should see it. `units` is its cost in the throttle.

    `signed`: it carries the app's token; pre-authenticated links must not. `whole`: the body is read before the
    request counts as done, so that a break within it is repeated too. `redirects`: a redirect is an answer.
    `is_batch`: the answer to the whole says nothing of how willing the service is.
    `urgent` requests go before all others that wait. `requests` are those that it is made of; `repeatable`: nothing
    is done twice by sending it again, whatever its verb. After `most_server_errors` whoever asks knows better than to
    ask the same again.
    """

    service: str
    account: str
    method: str
    url: str
    headers: Mapping[str, str] = msgspec.field(default_factory=dict)
    content: bytes = b""
    units: int = 1
    signed: bool = True
    whole: bool = True
    redirects: bool = False
    urgent: bool = False
    requests: int = 1
    is_batch: bool = False
    repeatable: bool = False
    most_server_errors: int = MOST_SERVER_ERROR_TRIES

    @property
    def subject(self) -> str:
        """What the request is about, without query: pre-authenticated links hold their key there."""
        parts = urlsplit(self.url)
        return f"{self.method} {parts.path}" if self.signed else f"{self.method} {parts.netloc}"


class Placed(msgspec.Struct, frozen=True):
    """A good reply whose place under the limits is still held, and the token that it was asked for with."""

    response: httpx.Response
    slot: Slot
    token: str


class Caller:
    """All requests of one app pass through here."""

    def __init__(
        self, client: ExactClient, tokens: TokensApart, throttle: Throttle, *, clock: Clock, chance: random.Random
    ) -> None:
        self._client = client
        self._tokens = tokens
        self._clock = clock
        self._chance = chance
        self._answered = False
        self._answered_at = float("-inf")
        # The tokens that were good for some request, of the latest few.
        self._good_tokens: dict[str, None] = {}
        # Of the accounts that have batches on their way.
        self._leftovers: WeakValueDictionary[tuple[str, str, bool], Leftovers] = WeakValueDictionary()
        self.throttle = throttle
        # What was once refused together is asked for one by one from then on.
        self.takes_batches = True

    async def send(self, ask: Ask) -> httpx.Response:
        """The reply with its whole body. Raises GraphError and its children, MicrosoftRefuses."""
        async with self.open(ask) as response:
            return response

    @property
    def now(self) -> datetime:
        """The moment that waits are counted from."""
        return self._clock.now()

    @property
    def monotonic(self) -> float:
        """The clock that waits are measured by."""
        return self._clock.monotonic()

    def leftovers_of(self, ask: Ask) -> Leftovers:
        """What has to be sent again of the account's batches, shared by all that are on their way."""
        return self._leftovers.setdefault((ask.service, ask.account, ask.urgent), Leftovers())

    def decide(
        self,
        method: str,
        attempts: Attempts,
        failure: Failure,
        *,
        slot: Slot | None = None,
        signed: bool = True,
        token: str = "",
        failed_at: float = float("inf"),
    ) -> Decision:
        """What to do after a failure in a `slot`, when the one before was at `failed_at`: see retry.decide."""
        return decide(
            method,
            attempts,
            failure,
            signed=signed,
            jitter=self._chance.random(),
            served=token in self._good_tokens,
            reached=self._answered_at > failed_at,
            willing=slot is not None and slot.is_willing,
        )

    async def renew(self, rejected: str, account: str) -> None:
        """Get another token for the account than the one that was rejected."""
        await self._tokens.token(rejected, account)

    @asynccontextmanager
    async def open(self, ask: Ask) -> AsyncIterator[httpx.Response]:
        """The good reply; its place under the limits is kept until the context ends."""
        async with self.placed(ask) as reply:
            yield reply.response

    @asynccontextmanager
    async def placed(self, ask: Ask) -> AsyncIterator[Placed]:
        """The same with what is needed to find parts of the answer refused."""
        attempts = Attempts(answered=self._answered, most_server_errors=ask.most_server_errors)
        rejected = ""
        redirects = 0
        failed_at = float("inf")
        while True:
            attempts = replace(attempts, tries=attempts.tries + 1)
            cost = Cost(ask.units, len(ask.content), ask.requests)
            async with self.throttle.slot(ask.service, ask.account, cost, urgent=ask.urgent) as slot:
                token, outcome = await self._try(ask, rejected)
                if isinstance(outcome, httpx.Response) or outcome.status:
                    self._answered = True
                    self._answered_at = self._clock.monotonic()
                if isinstance(outcome, httpx.Response):
                    if not ask.is_batch:
                        slot.succeeded()
                    self._learn(slot, outcome)
                    self._remember(token)
                    try:
                        yield Placed(outcome, slot, token)
                    finally:
                        await outcome.aclose()
                    return
                method = "GET" if ask.repeatable else ask.method
                decision = self.decide(
                    method, attempts, outcome, slot=slot, signed=ask.signed, token=token, failed_at=failed_at
                )
                failed_at = self._clock.monotonic()
                _report(slot, outcome, decision)
                if outcome.status in _ANSWERS:
                    slot.succeeded()
            elsewhere = next_address(ask.method, ask.url, outcome.status, outcome.location)
            if elsewhere is not None and redirects < MOST_REDIRECTS:
                redirects += 1
                ask = replace(ask, url=elsewhere.url, signed=ask.signed and elsewhere.signed)
                attempts = replace(attempts, tries=attempts.tries - 1)
                continue
            if isinstance(decision, GiveUp):
                raise error_of(outcome, ask.subject, signed=ask.signed)
            attempts = after(attempts, decision, outcome)
            if isinstance(decision, Renew):
                rejected = token
            else:
                await self.throttle.rest(ask.service, decision.wait_seconds)

    async def body(self, response: httpx.Response, subject: str) -> AsyncGenerator[bytes, None]:
        """The body in larger pieces than the socket gives.

        Raises BodyBroke when it ends too early, after all that came was handed out.
        """
        pieces: list[bytes] = []
        bytes_held = 0
        broken: Exception | None = None
        try:
            async for piece in response.aiter_bytes():
                pieces.append(piece)
                bytes_held += len(piece)
                if bytes_held >= _PIECE_BYTES:
                    yield b"".join(pieces)
                    pieces.clear()
                    bytes_held = 0
        except BREAKS as error:
            broken = error
        if pieces:
            yield b"".join(pieces)
        if broken is not None:
            # Not chained: what the transport says of itself holds the link's key.
            raise BodyBroke(failure_of_break(broken).message, subject, "retry later") from None

    async def _try(self, ask: Ask, rejected: str) -> tuple[str, httpx.Response | Failure]:
        """One try: the token it used, and a good reply or the failure."""
        headers = dict(ask.headers)
        token = ""
        if ask.signed:
            try:
                token = await self._tokens.token(rejected, ask.account)
            except Unreachable as error:
                return "", Failure(message=error.what, sent=False)
            headers["Authorization"] = f"Bearer {token}"
            headers["client-request-id"] = str(UUID(int=self._chance.getrandbits(128), version=4))
        try:
            return token, await self._exchange(ask, headers)
        except BREAKS as error:
            return token, failure_of_break(error)

    async def _exchange(self, ask: Ask, headers: dict[str, str]) -> httpx.Response | Failure:
        request = self._request(ask, headers)
        if ask.content:
            async with asyncio.timeout(READ_SECONDS + len(ask.content) / _SLOWEST_UPLOAD_BYTES_PER_SECOND):
                response = await self._client.answer(request)
        else:
            response = await self._client.answer(request)
        good = response.is_success or (ask.redirects and response.status_code in REDIRECTS)
        if good and not ask.whole:
            return response
        try:
            body = await response.aread()
        finally:
            await response.aclose()
        return response if good else failure_of(response.status_code, response.headers, body, self._clock.now())

    def _remember(self, token: str) -> None:
        """The token was good for something."""
        if token and token not in self._good_tokens:
            self._good_tokens[token] = None
            if len(self._good_tokens) > _TOKENS_REMEMBERED:
                del self._good_tokens[next(iter(self._good_tokens))]

    def _learn(self, slot: Slot, response: httpx.Response) -> None:
        """Believe what the service says of its limits.

        The directory states the cost of every request, SharePoint its minute from 80 % on.
        """
        # Few answers tell of limits, and httpx would go through all headers for each name.
        headers = {name.lower(): value for name, value in response.headers.raw}
        if _COST in headers or _LIMIT in headers:
            self.throttle.hold()
        remaining, reset, limit = (headers.get(name, b"") for name in (_REMAINING, _RESET, _LIMIT))
        if remaining.isdigit() and reset.isdigit():
            slot.learn(int(limit) if limit.isdigit() else None, int(remaining), float(reset))

    def _request(self, ask: Ask, headers: dict[str, str]) -> httpx.Request:
        if len(ask.content) <= _PIECE_BYTES:
            return self._client.question(ask.method, ask.url, headers, ask.content or None)
        headers["Content-Length"] = str(len(ask.content))
        return self._client.question(ask.method, ask.url, headers, _pieces(ask.content))


async def _pieces(content: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(content), _PIECE_BYTES):
        yield content[start : start + _PIECE_BYTES]


def _report(slot: Slot, failure: Failure, decision: Decision) -> None:
    """Let the throttle know when the service refused for its own protection."""
    if failure.status in {429, 503, 509}:
        fence = isinstance(decision, Again) and decision.fence
        slot.throttled(failure.retry_after if fence else failure.retry_after or 0.0, failure.status)
