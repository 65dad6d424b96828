"""Sends one file through an upload session, fragment by fragment, resuming where the service says it stands.

https://learn.microsoft.com/graph/api/driveitem-createuploadsession
"""

from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

from msgspec.structs import replace

from tuiback.errors import GraphError, ItemGone, TuibackError, Unreachable
from tuiback.graph.caller import Ask, Caller
from tuiback.graph.decoding import read_object
from tuiback.graph.retry import backoff_seconds

# Fragments but the last must be multiples of this.
UNIT_BYTES = 327_680
FRAGMENT_BYTES = 32 * UNIT_BYTES
# So many times in a row without one byte accepted end it.
_MOST_STALLS = 5
# A fresh session may not be known everywhere for some seconds.
_UNKNOWN_SESSION_SECONDS = 5.0


class Upload:
    """One upload. `ask` is a PUT to the session's pre-authenticated address."""

    def __init__(self, caller: Caller, ask: Ask, data: AsyncIterator[bytes], size: int, fragment_bytes: int) -> None:
        self._caller = caller
        self._ask = ask
        self._data = data
        self._size = size
        self._fragment_bytes = max(UNIT_BYTES, fragment_bytes // UNIT_BYTES * UNIT_BYTES)

    async def run(self) -> dict[str, Any]:
        """The object made. Raises GraphError when it can't be; what was sent so far is discarded then."""
        start = 0
        try:
            async for fragment in self._fragments():
                made = await self._send_fragment(start, fragment)
                start += len(fragment)
                if made is not None:
                    return made
            raise self._error(f"the upload did not end after all {self._size} bytes")
        except Unreachable:
            raise
        except TuibackError:
            await self._discard()
            raise

    async def _fragments(self) -> AsyncGenerator[bytes, None]:
        """The data cut into fragments; it must be as long as announced."""
        buffer = bytearray()
        bytes_seen = 0
        async for piece in self._data:
            bytes_seen += len(piece)
            if bytes_seen > self._size:
                break
            buffer += piece
            while len(buffer) > self._fragment_bytes:
                yield bytes(buffer[: self._fragment_bytes])
                del buffer[: self._fragment_bytes]
        if bytes_seen != self._size:
            raise self._error(f"the content is not as long as announced, {self._size} bytes")
        yield bytes(buffer)

    async def _send_fragment(self, start: int, fragment: bytes) -> dict[str, Any] | None:
        """Bring one fragment over; the object made when it was the last."""
        accepted = 0
        stalls = 0
        while True:
            answer = await self._put(start + accepted, fragment[accepted:])
            if "nextExpectedRanges" not in answer:
                return answer
            progress = self._next_offset(answer) - start
            if progress == len(fragment):
                return None
            if not 0 <= progress < len(fragment):
                raise self._error("the service lost a part of the upload")
            stalls = 0 if progress > accepted else stalls + 1
            if stalls >= _MOST_STALLS:
                raise self._error("the upload stands still")
            accepted = progress
            if stalls:
                await self._rest(backoff_seconds(stalls, 0.0))

    async def _put(self, start: int, content: bytes) -> dict[str, Any]:
        """What the service says after one PUT, or when asked since that failed: more ranges, or the object."""
        headers = {
            "Content-Type": "application/octet-stream",
            "Content-Range": f"bytes {start}-{start + len(content) - 1}/{self._size}",
        }
        try:
            response = await self._caller.send(replace(self._ask, headers=headers, content=content))
        except GraphError as error:
            if not _can_go_on(error):
                raise
            return await self._status(error)
        return read_object(response.content, self._ask.subject)

    async def _status(self, problem: GraphError) -> dict[str, Any]:
        """Where the service stands after `problem`."""
        if problem.status == 404:
            await self._rest(_UNKNOWN_SESSION_SECONDS)
        try:
            response = await self._caller.send(self._bare("GET"))
        except ItemGone as error:
            # After the last fragment this may also mean that the object is made and only the answer was lost.
            raise self._error("the upload session has ended; whether the upload was complete is not known") from error
        return {"nextExpectedRanges": [], **read_object(response.content, self._ask.subject)}

    def _next_offset(self, answer: dict[str, Any]) -> int:
        """Where the service wants to go on: "26-", "26-99" and, from Exchange, "26"."""
        try:
            starts = [int(str(entry).partition("-")[0]) for entry in answer["nextExpectedRanges"]]
        except (TypeError, ValueError) as error:
            raise self._error("the service does not say where to go on") from error
        return min(starts, default=self._size)

    async def _discard(self) -> None:
        """Tell the service to forget the session; it would do so by itself in days."""
        try:
            await self._caller.send(self._bare("DELETE"))
        except GraphError:
            return

    async def _rest(self, seconds: float) -> None:
        await self._caller.throttle.rest(self._ask.service, seconds)

    def _bare(self, method: str) -> Ask:
        return replace(self._ask, method=method, headers={}, content=b"", units=1)

    def _error(self, what: str) -> GraphError:
        return GraphError(what, self._ask.subject, "look what is there, then upload it again")


def _can_go_on(error: GraphError) -> bool:
    """Whether the session may have gone on in spite of the error, so that asking it is worth while."""
    return isinstance(error, Unreachable) or error.status in {404, 416, 500, 502, 503, 504}
