"""Takes every request that reaches the tenant, on any of its ports, and sends the answer."""

import asyncio
import gzip
import time
from collections.abc import Callable
from dataclasses import replace

from starlette.types import Message, Receive, Scope, Send

from tuiback.simtenant.api.call import VERSIONS, Call, Reply
from tuiback.simtenant.api.cloud import Cloud
from tuiback.simtenant.api.graph import resolve_graph
from tuiback.simtenant.api.notifications import notify
from tuiback.simtenant.api.token_routes import resolve_sign_in
from tuiback.simtenant.batch import PATHS as BATCHES
from tuiback.simtenant.batch import answer_batch
from tuiback.simtenant.capture import Capture
from tuiback.simtenant.reception import Counts, Reception, Taken

# Graph tells with every answer which of its servers gave it.
_SERVED_BY = (
    '{"ServerInfo":{"DataCenter":"West Europe","Slice":"E","Ring":"5","ScaleUnit":"001","RoleInstance":"AM1SIM01"}}'
)
_LEAST_TO_COMPRESS = 1024
_NO_BODY = frozenset({204, 304})


class Dropped(Exception):
    """The connection is cut on purpose."""


class Front:
    """The ASGI application of one host: the API, or the storage host beside it."""

    def __init__(self, reception: Reception, counts: Counts, capture: Capture | None = None) -> None:
        self._reception = reception
        self._plan = reception.cloud.plan
        self._counts = counts
        self._capture = capture

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        counts = self._counts
        counts.requests += 1
        counts.in_flight += 1
        counts.in_flight_max = max(counts.in_flight_max, counts.in_flight)
        try:
            call = await _call(scope, receive)
            begun = time.time()
            taken = self._take(call)
            if taken.reply.later is not None:
                taken = replace(taken, reply=await asyncio.to_thread(taken.reply.later))
            sent_whole = False
            try:
                wait_seconds = self._plan.latency_seconds + taken.delay_seconds
                if wait_seconds:
                    await asyncio.sleep(wait_seconds)
                packed = _packed(taken.reply, call) if self._reception.cloud.behaviour.compressed else taken.reply
                await _send(packed, call, send, taken.drop_after_bytes)
                sent_whole = True
            finally:
                taken.leave()
                if self._reception.cloud.subscriptions:
                    notify(self._reception.cloud)
                if self._capture is not None:
                    self._capture.write(call, taken.reply, begun, sent_whole=sent_whole)
        finally:
            counts.in_flight -= 1

    def _take(self, call: Call) -> Taken:
        if call.path in BATCHES:
            return self._reception.take_whole(call, "/$batch", lambda: answer_batch(self._reception, call))
        return self._reception.take(call)


def _packed(reply: Reply, call: Call) -> Reply:
    """The answer compressed, where it is worth while and the client takes it so."""
    if len(reply.body) < _LEAST_TO_COMPRESS or "gzip" not in call.headers.get("accept-encoding", ""):
        return reply
    headers = reply.headers | {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
    return replace(reply, body=gzip.compress(reply.body, 1, mtime=0), headers=headers)


def resolve_api(cloud: Cloud, call: Call) -> tuple[str, Callable[[], Reply]]:
    """The API host serves Graph and, beside it, the sign-in service."""
    return resolve_sign_in(cloud, call) or resolve_graph(cloud, call)


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
    if drop_after_bytes is not None and drop_after_bytes < 0:
        _hang_up(send)
        raise Dropped
    length = reply.length if reply.stream is not None else len(reply.body)
    headers = {"request-id": call.request_id, "client-request-id": call.client_request_id}
    if reply.status not in _NO_BODY:
        headers["Content-Length"] = str(length)
    if length:
        headers["Content-Type"] = reply.content_type
    if call.version in VERSIONS:
        headers["x-ms-ags-diagnostic"] = _SERVED_BY
    headers |= reply.headers
    raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": reply.status, "headers": raw})
    if reply.stream is None and drop_after_bytes is None:
        await send({"type": "http.response.body", "body": reply.body, "more_body": False})
        return
    left = drop_after_bytes
    for piece in reply.stream if reply.stream is not None else (reply.body,):
        if left is not None and len(piece) >= left:
            await send(_piece(piece[:left]))
            raise Dropped
        left = left - len(piece) if left is not None else None
        await send(_piece(piece))
    await send({"type": "http.response.body", "body": b"", "more_body": False})


def _hang_up(send: Send) -> None:
    """Break the connection without a byte. ASGI has no word for this, so uvicorn's own connection is taken."""
    transport: asyncio.Transport = send.__self__.transport  # type: ignore[attr-defined]
    transport.abort()


def _piece(body: bytes) -> Message:
    return {"type": "http.response.body", "body": body, "more_body": True}
