"""Takes every request that reaches the tenant, on any of its ports, and sends the answer."""

import asyncio
from collections import Counter
from collections.abc import Callable

from starlette.types import Message, Receive, Scope, Send

from tuiback.simtenant.api.call import Call, Fault, Reply, fault_reply
from tuiback.simtenant.api.cloud import Cloud
from tuiback.simtenant.api.graph import resolve_graph
from tuiback.simtenant.api.token_routes import resolve_sign_in
from tuiback.simtenant.faults import FaultRule, Faults

Resolve = Callable[[Cloud, Call], tuple[str, Callable[[], Reply]]]
_NO_BODY = frozenset({204, 304})


class Counts:
    """How many requests came, by route, and how many at once."""

    def __init__(self) -> None:
        self.in_flight = 0
        self.clear()

    def clear(self) -> None:
        """Count from zero."""
        self.requests = 0
        self.throttled = 0
        self.in_flight_max = 0
        self.by_route: Counter[str] = Counter()


class Dropped(Exception):
    """The connection is cut on purpose."""


class Front:
    """The ASGI application of one host: the API, or the storage host beside it."""

    def __init__(self, cloud: Cloud, counts: Counts, faults: Faults, resolve: Resolve) -> None:
        self._cloud = cloud
        self._counts = counts
        self._faults = faults
        self._resolve = resolve

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        counts = self._counts
        counts.requests += 1
        counts.in_flight += 1
        counts.in_flight_max = max(counts.in_flight_max, counts.in_flight)
        try:
            call = await _call(scope, receive)
            rule = self._faults.take(f"{call.method} {call.path}" + (f"?{call.raw_query}" if call.raw_query else ""))
            reply = self._reply(call, rule)
            counts.throttled += reply.status == 429
            if self._cloud.plan.latency_seconds:
                await asyncio.sleep(self._cloud.plan.latency_seconds)
            await _send(reply, call, send, rule.drop_after_bytes if rule is not None else None)
        finally:
            counts.in_flight -= 1

    def _reply(self, call: Call, rule: FaultRule | None) -> Reply:
        """The answer; a request that a rule answers is not carried out."""
        try:
            template, answer = self._resolve(self._cloud, call)
        except Fault as fault:
            template, answer = "(unknown)", _raising(fault)
        self._counts.by_route[f"{call.method} {template}"] += 1
        try:
            instead = rule.reply() if rule is not None else None
            return instead or answer()
        except Fault as fault:
            return fault_reply(fault, call, self._cloud.clock)


def resolve_api(cloud: Cloud, call: Call) -> tuple[str, Callable[[], Reply]]:
    """The API host serves Graph and, beside it, the sign-in service."""
    return resolve_sign_in(cloud, call) or resolve_graph(cloud, call)


def _raising(fault: Fault) -> Callable[[], Reply]:
    def refuse() -> Reply:
        raise fault

    return refuse


async def _call(scope: Scope, receive: Receive) -> Call:
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    pieces = []
    while True:
        message = await receive()
        if message["type"] != "http.request":
            break
        pieces.append(message.get("body", b""))
        if not message.get("more_body"):
            break
    return Call(
        method=scope["method"],
        root=f"{scope['scheme']}://{headers.get('host', '127.0.0.1')}",
        path=scope["raw_path"].decode("latin-1"),
        raw_query=scope["query_string"].decode("latin-1"),
        headers=headers,
        body=b"".join(pieces),
    )


async def _send(reply: Reply, call: Call, send: Send, drop_after_bytes: int | None) -> None:
    length = reply.length if reply.stream is not None else len(reply.body)
    headers = {"request-id": call.request_id, "client-request-id": call.client_request_id}
    if reply.status not in _NO_BODY:
        headers["Content-Length"] = str(length)
    if length:
        headers["Content-Type"] = reply.content_type
    headers |= reply.headers
    raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": reply.status, "headers": raw})
    left = drop_after_bytes
    for piece in reply.stream if reply.stream is not None else (reply.body,):
        if left is not None and len(piece) >= left:
            await send(_piece(piece[:left]))
            raise Dropped
        left = left - len(piece) if left is not None else None
        await send(_piece(piece))
    await send({"type": "http.response.body", "body": b"", "more_body": False})


def _piece(body: bytes) -> Message:
    return {"type": "http.response.body", "body": body, "more_body": True}
